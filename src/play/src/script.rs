//! From text to steps.

use std::time::Duration;

use crate::xml;

/// A play: steps in their order, each with the line where it starts.
#[derive(Debug, Clone)]
pub struct Play {
    pub(crate) steps: Vec<Step>,
}

/// What is wrong with the text of a play, and where.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of the play: {what}")]
pub struct PlayError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) line: usize,
    /// The step as it was written, on one line: shown in failures.
    pub(crate) source: String,
    pub(crate) act: Act,
}

#[derive(Debug, Clone)]
pub(crate) enum Act {
    Send {
        who: String,
        text: String,
    },
    Get {
        who: String,
        expected: String,
        how: How,
    },
    Nothing {
        who: String,
    },
    End {
        who: String,
    },
    Wait(Duration),
    Direct {
        who: String,
        words: String,
    },
}

/// How strictly several expected items, and their children, are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// `gets:` one after the other, children in any order.
    OneByOne,
    /// `gets all of:` in any order.
    AllOf,
    /// `gets in order:` one after the other, children in the order written.
    InOrder,
}

impl Play {
    /// Reads a play.
    ///
    /// # Errors
    ///
    /// The first line that is no step, and expected XML that cannot be read.
    pub fn parse(text: &str) -> Result<Play, PlayError> {
        let steps = blocks(text)?
            .into_iter()
            .map(|(line, source)| {
                let act = act(&source).map_err(|what| PlayError { line, what })?;
                Ok(Step { line, source, act })
            })
            .collect::<Result<_, PlayError>>()?;
        Ok(Play { steps })
    }
}

/// Gathers each step's lines into one; comments and blank lines fall out.
fn blocks(text: &str) -> Result<Vec<(usize, String)>, PlayError> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let shared = text
        .lines()
        .filter(|l| !l.trim().is_empty())
        .map(indent)
        .min()
        .unwrap_or_default();
    let mut blocks: Vec<(usize, String)> = Vec::new();
    for (number, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line)) {
        let words = line.trim();
        let continued = indent(line) > shared;
        if words.is_empty() || (!continued && words.starts_with('#')) {
            continue;
        }
        if !continued {
            blocks.push((number, words.to_owned()));
            continue;
        }
        let Some((_, block)) = blocks.last_mut() else {
            let what = "an indented line continues a step, and there is none above it".to_owned();
            return Err(PlayError { line: number, what });
        };
        if !block.ends_with('>') && !words.starts_with('<') {
            block.push(' ');
        }
        block.push_str(words);
    }
    Ok(blocks)
}

fn act(source: &str) -> Result<Act, String> {
    let end = source
        .find(|c: char| c.is_whitespace() || c == ':')
        .unwrap_or(source.len());
    let (who, rest) = source.split_at(end);
    let who = name(who)?;
    if let Some(text) = rest.strip_prefix(':').map(str::trim) {
        return match (who.as_str(), text) {
            ("T", time) => duration(time).map(Act::Wait),
            (_, "") => Err(format!("what does {who} send?")),
            (_, text) => Ok(Act::Send {
                who,
                text: text.to_owned(),
            }),
        };
    }
    let words = rest.trim();
    match words
        .strip_prefix("gets")
        .filter(|r| r.is_empty() || r.starts_with([' ', ':']))
    {
        Some(what) => gets(who, what.trim_start()),
        None if words.is_empty() => Err(format!("what does {who} do? (`{who}: <xml/>` sends)")),
        None => Ok(Act::Direct {
            who,
            words: words.to_owned(),
        }),
    }
}

fn gets(who: String, what: &str) -> Result<Act, String> {
    match what {
        "nothing" => return Ok(Act::Nothing { who }),
        "the end" => return Ok(Act::End { who }),
        _ => {}
    }
    let (how, expected) = [
        (How::OneByOne, ":"),
        (How::AllOf, "all of:"),
        (How::InOrder, "in order:"),
    ]
    .into_iter()
    .find_map(|(how, verb)| Some((how, what.strip_prefix(verb)?.trim())))
    .ok_or(
        "`gets` is followed by `:`, `all of:`, `in order:`, `nothing` or `the end`".to_owned(),
    )?;
    // Read once here so that a mistake is found before the play begins; read again when it is
    // performed, since the default namespace depends on the stream by then.
    let items = xml::pattern(expected, xml::CLIENT)?;
    if items.is_empty() {
        return Err(format!("what does {who} get?"));
    }
    Ok(Act::Get {
        who,
        expected: expected.to_owned(),
        how,
    })
}

fn name(word: &str) -> Result<String, String> {
    if word.starts_with(|c: char| c.is_alphabetic() && c.is_uppercase()) {
        return Ok(word.to_owned());
    }
    Err(format!(
        "a step begins with somebody's name (a capital letter), not with `{word}`"
    ))
}

fn duration(words: &str) -> Result<Duration, String> {
    let wrong = || format!("`{words}` is no time: write 250ms, 60s, 5m, 2h or 1d");
    let unit = words.trim_start_matches(|c: char| c.is_ascii_digit());
    let number: u64 = words[..words.len() - unit.len()]
        .parse()
        .map_err(|_| wrong())?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    number
        .checked_mul(millis)
        .map(Duration::from_millis)
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acts(text: &str) -> Vec<Act> {
        Play::parse(text)
            .expect("a play")
            .steps
            .into_iter()
            .map(|s| s.act)
            .collect()
    }

    fn complaint(text: &str) -> String {
        Play::parse(text).expect_err("no play").to_string()
    }

    #[test]
    fn every_kind_of_step_is_known() {
        let acts = acts(
            "
            # a comment
            Romeo: <a/>
            Romeo gets: <a/>
            Romeo gets all of: <a/><b/>
            Romeo gets in order: <a/>
            Romeo gets nothing
            Romeo gets the end
            T: 2m
            Romeo is cut off
            ",
        );
        assert!(matches!(&acts[0], Act::Send { who, text } if who == "Romeo" && text == "<a/>"));
        assert!(matches!(
            &acts[1],
            Act::Get {
                how: How::OneByOne,
                ..
            }
        ));
        assert!(matches!(
            &acts[2],
            Act::Get {
                how: How::AllOf,
                ..
            }
        ));
        assert!(matches!(
            &acts[3],
            Act::Get {
                how: How::InOrder,
                ..
            }
        ));
        assert!(matches!(&acts[4], Act::Nothing { .. }));
        assert!(matches!(&acts[5], Act::End { .. }));
        assert!(matches!(&acts[6], Act::Wait(t) if t.as_secs() == 120));
        assert!(matches!(&acts[7], Act::Direct { words, .. } if words == "is cut off"));
        assert_eq!(acts.len(), 8);
    }

    #[test]
    fn continued_lines_add_no_white_space_between_elements() {
        let acts = acts(
            "
            Romeo:
              <message
                to='juliet@localhost'>
                <body>art thou
                  not Romeo</body>
              </message>
            ",
        );
        let Act::Send { text, .. } = &acts[0] else {
            panic!("{acts:?}")
        };
        assert_eq!(
            text,
            "<message to='juliet@localhost'><body>art thou not Romeo</body></message>"
        );
    }

    #[test]
    fn xml_may_begin_on_the_next_line_without_attributes() {
        let acts = acts("Romeo:\n  <presence/>\nRomeo gets:\n  <presence/>");
        assert!(
            matches!(&acts[0], Act::Send { text, .. } if text == "<presence/>"),
            "{acts:?}"
        );
        assert!(matches!(&acts[1], Act::Get { expected, .. } if expected == "<presence/>"));
    }

    #[test]
    fn mistakes_name_their_line() {
        assert!(complaint("\nRomeo: <a/>\n<b/>").starts_with("line 3 of the play"));
        assert!(complaint("Romeo gets nobody").contains("`all of:`"));
        assert!(complaint("Romeo").contains("what does Romeo do?"));
        assert!(complaint("Romeo:").contains("what does Romeo send?"));
        assert!(complaint("Romeo gets:").contains("what does Romeo get?"));
        assert!(complaint("T: soon").contains("`soon` is no time"));
        assert!(complaint("Romeo gets: <a>").contains("<a> is not closed"));
        assert!(complaint("Romeo gets: <q:a/>").contains("prefix"));
    }
}
