//! Turns what RON says about a text into what an operator needs to hear: the field, its place, what
//! is wrong and what to write instead.

use ron::error::{Error as RonError, SpannedError};

use crate::source::{Fault, Source};
use crate::{Path, Problem, Shape};

impl Source<'_> {
    /// Turns RON's error at `path` into ours.
    pub(crate) fn explain(&self, error: &SpannedError, path: &Path) -> Problem {
        let stop = offset(self.text, error.span.end.line, error.span.end.col);
        let fault = match &error.code {
            RonError::NoSuchStructField {
                found, expected, ..
            } => self.unknown_key(path, found, expected, stop),
            RonError::DuplicateStructField { field, .. } => self.duplicate_key(path, field, stop),
            RonError::NoSuchEnumVariant {
                found, expected, ..
            } => self.unknown_word(path, found, expected, stop),
            RonError::ExpectedIdentifier
                if matches!(self.shape.find(path), Some(Shape::Value { .. })) =>
            {
                self.wrong_value(path, &error.code, stop)
            }
            code if is_syntax(code) => self.syntax(code, stop),
            code => self.wrong_value(path, code, stop),
        };
        self.problem(fault)
    }

    /// `path`, up to the last step that leads somewhere.
    fn known(&self, mut path: Path) -> Path {
        while self.shape.find(&path).is_none() {
            path = path.parent();
        }
        path
    }

    fn unknown_key(&self, path: &Path, found: &str, expected: &[&str], stop: usize) -> Fault {
        let field = path.key(found);
        let module = path.to_string() == "modules";
        let kind = if module { "module" } else { "key" };
        let mend = if let Some(known) = nearest(found, expected) {
            format!("write `{known}`")
        } else if let Some(section) = self.shape.sections_with(found).first() {
            let inside = if section.0.is_empty() {
                "the top of the file".into()
            } else {
                format!("`{section}`")
            };
            format!("`{found}` belongs to {inside}: write it there")
        } else if expected.is_empty() {
            format!("leave it out: `{path}` has no keys")
        } else {
            format!("known here: {}", expected.join(", "))
        };
        let at = self.outline.key(&field).unwrap_or(stop..stop);
        Fault {
            at,
            what: format!("there is no {kind} `{found}`"),
            field,
            mend,
        }
    }

    fn duplicate_key(&self, path: &Path, found: &str, stop: usize) -> Fault {
        let field = path.key(found);
        let at = self.outline.key(&field).unwrap_or(stop..stop);
        Fault {
            at,
            what: format!("`{found}` is there twice"),
            field,
            mend: "leave one out".into(),
        }
    }

    fn unknown_word(&self, path: &Path, found: &str, expected: &[&str], stop: usize) -> Fault {
        let at = self.outline.value(path).unwrap_or(stop..stop);
        let quote = if self.text[at.clone()].starts_with('"') {
            '"'
        } else {
            '`'
        };
        let list: Vec<String> = expected
            .iter()
            .map(|word| format!("{quote}{word}{quote}"))
            .collect();
        let mend = match nearest(found, expected) {
            Some(known) => format!(
                "write {quote}{known}{quote}; known here: {}",
                list.join(", ")
            ),
            None => format!("known here: {}", list.join(", ")),
        };
        Fault {
            at,
            field: path.clone(),
            what: format!("{quote}{found}{quote} is not known here"),
            mend,
        }
    }

    fn wrong_value(&self, path: &Path, code: &RonError, stop: usize) -> Fault {
        let at = self.outline.value(path).unwrap_or(stop..stop);
        let written = self.text[at.clone()].trim();
        let short: String = written
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(40)
            .collect();
        let short = if short.len() < written.len() {
            format!("{short}…")
        } else {
            short
        };
        let what = match code {
            RonError::Message(message) if message == "invalid IP address syntax" => {
                format!("{short} is not an IP address")
            }
            RonError::Message(message) if message == "invalid socket address syntax" => {
                format!("{short} is not an IP address and a port")
            }
            RonError::Message(message) => message.clone(),
            RonError::IntegerOutOfBounds => format!("`{short}` is out of range"),
            _ if self.text[at.start..].trim().is_empty() => "nothing is written here".into(),
            _ if path.0.is_empty() => "the file does not begin with a parenthesis".into(),
            _ if short.is_empty() => "nothing is written here".into(),
            _ => format!("`{short}` does not fit here"),
        };
        let mend = match self.shape.find(path) {
            _ if path.0.is_empty() => {
                "put all keys between one pair of parentheses: ( domains: [\"example.org\"] ); () is enough for the defaults".into()
            }
            Some(shape) => instead(shape, written),
            None => match code {
                RonError::ExpectedInteger | RonError::IntegerOutOfBounds => {
                    "write a whole number".into()
                }
                RonError::ExpectedString => "write text in double quotes".into(),
                RonError::ExpectedArray => "write a list in square brackets: [ … ]".into(),
                RonError::ExpectedBoolean => "write true or false".into(),
                _ => self.help.into(),
            },
        };
        Fault {
            at,
            field: path.clone(),
            what,
            mend,
        }
    }

    fn syntax(&self, code: &RonError, stop: usize) -> Fault {
        use RonError as E;
        let start = self.text.len() - self.text[stop..].trim_start().len();
        let field = self.known(self.outline.at(start));
        let value = self.outline.value(&field).unwrap_or(start..start);
        let next = self.text[start..].chars().next();
        let comma = matches!(
            code,
            E::ExpectedComma | E::ExpectedStructLikeEnd | E::ExpectedArrayEnd | E::ExpectedMapEnd
        );
        if comma && start == stop && (value.start + 1..value.end).contains(&start) {
            // Not a missing comma but a value of which RON took the beginning: `5.5` for a port.
            return self.wrong_value(&field, code, stop);
        }
        let mut at = start..start;
        let (what, mend) = match (code, next) {
            (E::ExpectedStringEnd, _) => {
                at = value;
                ("a string has no end", "close it with `\"`")
            }
            (E::Eof, _) | (_, None) => (
                "the file ends too early",
                "close what is open: `)`, `]`, `}`, `\"` or a comment with `*/`",
            ),
            _ if comma => ("a comma is missing", "put a comma before this"),
            (E::ExpectedMapColon, Some('=')) => ("a colon is missing", "write `:` in place of `=`"),
            (E::ExpectedMapColon, _) => ("a colon is missing", "write `key: value`"),
            (E::ExpectedIdentifier, Some('"')) => (
                "a key stands in quotes",
                "write the key without quotes: `key: value`",
            ),
            (E::ExpectedIdentifier, _) => (
                "here should be a key",
                "write `key: value`, or close the parentheses",
            ),
            (E::TrailingCharacters, _) => (
                "the file goes on behind its last parenthesis",
                "leave out what is behind, or the parenthesis that closes too much",
            ),
            (E::InvalidEscape(_), _) => (
                "a backslash stands before something unknown",
                "write `\\\\` for a backslash",
            ),
            (E::NoSuchExtension(_), _) => ("there is no such RON extension", "leave the line out"),
            (other, _) => {
                let what = other.to_string().to_lowercase();
                return Fault {
                    at,
                    field,
                    what,
                    mend: self.help.into(),
                };
            }
        };
        Fault {
            at,
            field,
            what: what.into(),
            mend: mend.into(),
        }
    }
}

/// What may be written in a place in which `written` stands, as a sentence.
fn instead(shape: &Shape, written: &str) -> String {
    match shape {
        Shape::Value { expects, .. } if written.starts_with('"') && !expects.contains('"') => {
            format!("write {expects}, without quotes")
        }
        Shape::Value { text, expects } if text.is_empty() => format!("write {expects}"),
        Shape::Value { text, expects } => format!("write {expects}; the default is {text}"),
        Shape::Section(section) => {
            let keys = match section.keys.first() {
                Some(key) => format!("write keys in parentheses, such as ( {}: … )", key.name),
                None => "write ()".into(),
            };
            section
                .instead
                .map_or(keys.clone(), |instead| format!("{keys}, or {instead}"))
        }
        Shape::List { .. } if written.starts_with('"') => {
            format!("write a list in square brackets: [{written}]")
        }
        Shape::List { .. } => "write a list in square brackets: [ … ]".into(),
        Shape::Map { .. } => {
            "write entries in braces, their names in double quotes: { \"name\": … }".into()
        }
    }
}

/// Whether RON stumbled over how something is written rather than over what was written.
fn is_syntax(code: &RonError) -> bool {
    !matches!(
        code,
        RonError::Message(_)
            | RonError::IntegerOutOfBounds
            | RonError::InvalidValueForType { .. }
            | RonError::ExpectedDifferentLength { .. }
            | RonError::ExpectedDifferentStructName { .. }
            | RonError::ExpectedBoolean
            | RonError::ExpectedInteger
            | RonError::ExpectedFloat
            | RonError::ExpectedString
            | RonError::ExpectedChar
            | RonError::ExpectedOption
            | RonError::ExpectedArray
            | RonError::ExpectedMap
            | RonError::ExpectedUnit
            | RonError::ExpectedStructLike
            | RonError::ExpectedNamedStructLike(_)
            | RonError::InvalidIntegerDigit { .. }
    )
}

/// The byte at a line and column of RON's, both from 1 and the column in characters.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start = match line {
        0 | 1 => 0,
        _ => text
            .match_indices('\n')
            .nth(line - 2)
            .map_or(text.len(), |(newline, _)| newline + 1),
    };
    let inside = text[start..].char_indices().nth(column.saturating_sub(1));
    inside.map_or(text.len(), |(index, _)| start + index)
}

/// The known word that was probably meant.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let word = plain(word);
    let distance = |known: &str| strsim::damerau_levenshtein(&word, &plain(known));
    let near = |known: &&&str| distance(known) <= (known.len() / 3).max(1);
    known
        .iter()
        .filter(near)
        .min_by_key(|known| distance(known))
        .copied()
}
