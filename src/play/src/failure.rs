//! What a person reads when a play fails.

use std::fmt::{self, Write as _};

/// A step that failed. Its text (`Display`, and `Debug` too, so that `unwrap` shows it) has the
/// play's line, the difference, expected and received side by side, and all that went before.
pub struct Failure {
    pub(crate) line: usize,
    pub(crate) step: String,
    pub(crate) trouble: Box<Trouble>,
    pub(crate) transcript: Transcript,
}

/// What went wrong within a step: why, and both sides, empty where there are none.
pub(crate) struct Trouble {
    pub(crate) why: String,
    pub(crate) expected: String,
    pub(crate) came: String,
}

/// What was sent and received so far, a line each.
#[derive(Default)]
pub(crate) struct Transcript(String);

impl Transcript {
    pub(crate) fn sent(&mut self, line: usize, who: &str, text: &str) {
        let _ = writeln!(self.0, "  {line:>4}  {who} sent: {text}");
    }

    pub(crate) fn came(&mut self, line: usize, who: &str, text: &str) {
        let _ = writeln!(self.0, "  {line:>4}  {who} got:  {text}");
    }

    pub(crate) fn note(&mut self, line: usize, words: &str) {
        let _ = writeln!(self.0, "  {line:>4}  {words}");
    }
}

impl Failure {
    /// The line of the play that failed, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The first difference, in words.
    pub fn why(&self) -> &str {
        &self.trouble.why
    }
}

impl std::error::Error for Failure {}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Trouble {
            why,
            expected,
            came,
        } = &*self.trouble;
        writeln!(f, "the play fails at line {}: {}", self.line, self.step)?;
        writeln!(f, "because {why}")?;
        if !expected.is_empty() || !came.is_empty() {
            writeln!(f, "expected (-) and came (+):")?;
            for (mark, line) in difference(expected, came) {
                writeln!(f, "  {mark} {line}")?;
            }
        }
        if !self.transcript.0.is_empty() {
            write!(f, "the play so far, by line:\n{}", self.transcript.0)?;
        }
        Ok(())
    }
}

/// The lines of both texts, marked `-` (only expected), `+` (only came) or ` ` (both): the shortest
/// such list, by the table of longest common subsequences.
fn difference<'a>(expected: &'a str, came: &'a str) -> Vec<(char, &'a str)> {
    let (old, new): (Vec<_>, Vec<_>) = (expected.lines().collect(), came.lines().collect());
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = match old[i] == new[j] {
                true => common[i + 1][j + 1] + 1,
                false => common[i + 1][j].max(common[i][j + 1]),
            };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push((' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            lines.push(('-', old[i]));
            i += 1;
        } else {
            lines.push(('+', new[j]));
            j += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_keeps_what_is_common() {
        let lines = difference("a\nb\nc\n", "a\nx\nc\nd\n");
        assert_eq!(
            lines,
            [(' ', "a"), ('-', "b"), ('+', "x"), (' ', "c"), ('+', "d")]
        );
    }
}
