//! What is wrong with a configuration, as an operator reads it.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use crate::Path;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// No node starts with this.
    Error,
    /// A node starts with it, but it is hardly what was meant.
    Warning,
}

/// One thing that is wrong, where, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// The file that was read.
    pub file: PathBuf,
    /// Where in the file. `None`: what is wrong is not written there.
    pub place: Option<Place>,
    /// The field; the top of the file if empty.
    pub field: Path,
    /// What is wrong.
    pub what: String,
    /// What to do instead, as a sentence without its full stop: "write …".
    pub mend: String,
}

/// A stretch of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// How many characters are meant, at least 1.
    pub width: usize,
    /// The line itself.
    pub text: String,
}

impl Place {
    /// The place of a byte range of a text, or of its part that stands on one line.
    pub(crate) fn of(text: &str, range: Range<usize>) -> Self {
        let start = range.start.min(text.len());
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[start..]
            .find('\n')
            .map_or(text.len(), |newline| start + newline);
        let end = range.end.clamp(start, line_end);
        Self {
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            width: text[start..end].trim_end().chars().count().max(1),
            text: text[line_start..line_end].trim_end().to_owned(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(f, "{severity}: {}", self.what)?;
        let margin = self
            .place
            .as_ref()
            .map_or(1, |place| place.line.to_string().len());
        write!(f, "{:margin$}--> {}", "", self.file.display())?;
        if let Some(place) = &self.place {
            write!(f, ":{}:{}", place.line, place.column)?;
        }
        if !self.field.0.is_empty() {
            write!(f, ", field {}", self.field)?;
        }
        if let Some(Place {
            line,
            column,
            width,
            text,
        }) = &self.place
        {
            // Tabs are kept in front of the marks so that these stand below what they mean.
            let indent: String = text
                .chars()
                .take(column - 1)
                .map(|c| if c == '\t' { c } else { ' ' })
                .collect();
            write!(
                f,
                "\n{:margin$} |\n{line} | {text}\n{:margin$} | {indent}{}",
                "",
                "",
                "^".repeat(*width)
            )?;
        }
        write!(f, "\n{:margin$} = {}", "", self.mend)
    }
}

/// Collects what checks find, and knows where they are looking.
#[derive(Debug, Default)]
pub struct Problems {
    path: Path,
    pub(crate) found: Vec<Finding>,
}

/// A problem that has a field but no place yet.
#[derive(Debug, PartialEq)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    pub(crate) field: Path,
    pub(crate) what: String,
    pub(crate) mend: String,
}

impl Problems {
    /// Looks at the value of a key while `look` runs.
    pub fn within(&mut self, key: &str, look: impl FnOnce(&mut Self)) {
        let inside = self.path.key(key);
        self.look(inside, look);
    }

    /// Looks at an item of a list while `look` runs.
    pub fn within_item(&mut self, index: usize, look: impl FnOnce(&mut Self)) {
        let inside = self.path.item(index);
        self.look(inside, look);
    }

    fn look(&mut self, inside: Path, look: impl FnOnce(&mut Self)) {
        let outside = std::mem::replace(&mut self.path, inside);
        look(self);
        self.path = outside;
    }

    /// Notes an error. `field` is below the section that is looked at (`"port"`, `"limits.depth"`,
    /// `"listeners[1].port"`, or `""` for the section itself), `mend` says what to do instead.
    pub fn error(&mut self, field: &str, what: impl Into<String>, mend: impl Into<String>) {
        self.note(Severity::Error, field, what.into(), mend.into());
    }

    /// Notes something that works but is hardly meant; otherwise as [`error`](Self::error).
    pub fn warn(&mut self, field: &str, what: impl Into<String>, mend: impl Into<String>) {
        self.note(Severity::Warning, field, what.into(), mend.into());
    }

    /// An error if `value` is below `least`.
    pub fn at_least<T: PartialOrd + fmt::Display>(&mut self, field: &str, value: T, least: T) {
        if value < least {
            self.error(
                field,
                format!("{value} is too little"),
                format!("write {least} or more"),
            );
        }
    }

    fn note(&mut self, severity: Severity, field: &str, what: String, mend: String) {
        self.found.push(Finding {
            severity,
            field: self.path.join(field),
            what,
            mend,
        });
    }

    /// What was found so far, as lines `field: what: mend`, for tests of checks.
    pub fn lines(&self) -> Vec<String> {
        self.found
            .iter()
            .map(|found| format!("{}: {}: {}", found.field, found.what, found.mend))
            .collect()
    }
}
