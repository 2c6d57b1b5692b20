//! Reads a configuration and says what is wrong with it.

use std::fmt;
use std::path::{Path as FilePath, PathBuf};

use ron::error::{Error as RonError, SpannedError};
use ron::extensions::Extensions;
use serde::Deserialize;

use crate::domain::reason;
use crate::module_sections::OFF;
use crate::outline::Outline;
use crate::problem::{Finding, Place};
use crate::{Config, Path, Problem, Problems, Setting, Settings, Severity, Shape, Step};

/// A configuration that a node can start with.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded<M> {
    /// The configuration.
    pub config: Config<M>,
    /// What is hardly meant.
    pub warnings: Vec<Problem>,
}

/// Why a configuration cannot be used. Displayed as an operator reads it.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError {
    /// At least one error; warnings among them. In the order of the file.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

/// Reads and checks the configuration in `file`.
///
/// # Errors
/// All that is wrong with it; of what cannot be read at all, the first.
pub fn load<M: Settings>(file: &FilePath) -> Result<Loaded<M>, ConfigError> {
    let text = std::fs::read(file).map_err(|error| {
        unreadable(
            file,
            &reason(&error),
            "give the path of the configuration with --config, or start without one",
        )
    })?;
    let text = String::from_utf8(text)
        .map_err(|_| unreadable(file, "it is not UTF-8 text", "save the file as UTF-8"))?;
    // Some editors put a byte order mark in front, which is no part of the text.
    load_str(text.trim_start_matches('\u{feff}'), file)
}

fn unreadable(file: &FilePath, why: &str, mend: &str) -> ConfigError {
    let problem = Problem {
        severity: Severity::Error,
        file: file.to_owned(),
        place: None,
        field: Path::default(),
        what: format!("cannot read the configuration: {why}"),
        mend: mend.into(),
    };
    ConfigError {
        problems: vec![problem],
    }
}

/// As [`load`], from text; `file` is where the text is said to come from.
///
/// # Errors
/// As [`load`].
pub fn load_str<M: Settings>(text: &str, file: &FilePath) -> Result<Loaded<M>, ConfigError> {
    let source = Source {
        text,
        file,
        outline: Outline::of(text),
        shape: Config::<M>::blank(),
    };
    let (readable, words) = source.switch_off_modules();
    if !words.is_empty() {
        return Err(ConfigError { problems: words });
    }
    let mut config: Config<M> = source.read(&readable)?;
    config.resolve(file.parent().unwrap_or(FilePath::new("")));

    let mut found = Problems::default();
    config.check(&mut found);
    let mut problems: Vec<Problem> = found
        .found
        .into_iter()
        .map(|finding| source.locate(finding))
        .collect();
    problems.sort_by_key(|problem| {
        problem
            .place
            .as_ref()
            .map(|place| (place.line, place.column))
    });
    if problems
        .iter()
        .any(|problem| problem.severity == Severity::Error)
    {
        return Err(ConfigError { problems });
    }
    Ok(Loaded {
        config,
        warnings: problems,
    })
}

struct Source<'a> {
    text: &'a str,
    file: &'a FilePath,
    outline: Outline,
    shape: Shape,
}

/// What is wrong in a place, before it is a [`Problem`].
struct Fault {
    at: std::ops::Range<usize>,
    field: Path,
    what: String,
    mend: String,
}

impl Source<'_> {
    /// The text with `off` in the `modules` section replaced by what RON can tell apart, and what
    /// is wrong with other bare words there.
    fn switch_off_modules(&self) -> (String, Vec<Problem>) {
        let mut readable = self.text.to_owned();
        let mut wrong = Vec::new();
        for (module, value) in self.outline.below("modules") {
            let word = &self.text[value.clone()];
            if word == "off" {
                readable.replace_range(value, OFF);
            } else if !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_') {
                wrong.push(self.problem(Fault {
                    at: value,
                    field: Path::default().key("modules").key(module),
                    what: format!("`{word}` says nothing about a module"),
                    mend: format!("write `{module}: off` or settings in parentheses, or leave `{module}` out: modules are on by default"),
                }));
            }
        }
        (readable, wrong)
    }

    fn read<M: Settings>(&self, readable: &str) -> Result<Config<M>, ConfigError> {
        let options = ron::Options::default()
            .with_default_extension(Extensions::IMPLICIT_SOME | Extensions::UNWRAP_NEWTYPES);
        let refuse = |error: SpannedError, path: Path| ConfigError {
            problems: vec![self.explain(&error, &path)],
        };
        let mut deserializer = ron::Deserializer::from_str_with_options(readable, &options)
            .map_err(|error| refuse(error, Path::default()))?;
        let mut track = serde_path_to_error::Track::new();
        let config = Config::deserialize(serde_path_to_error::Deserializer::new(
            &mut deserializer,
            &mut track,
        ))
        .map_err(|error| refuse(deserializer.span_error(error), steps(&track.path())))?;
        deserializer
            .end()
            .map_err(|error| refuse(deserializer.span_error(error), Path::default()))?;
        Ok(config)
    }

    fn problem(
        &self,
        Fault {
            at,
            field,
            what,
            mend,
        }: Fault,
    ) -> Problem {
        Problem {
            severity: Severity::Error,
            file: PathBuf::from(self.file),
            place: Some(Place::of(self.text, at)),
            field,
            what,
            mend,
        }
    }

    fn locate(
        &self,
        Finding {
            severity,
            field,
            what,
            mend,
        }: Finding,
    ) -> Problem {
        let place = self
            .outline
            .nearest(&field)
            .map(|at| Place::of(self.text, at));
        Problem {
            severity,
            file: PathBuf::from(self.file),
            place,
            field,
            what,
            mend,
        }
    }

    /// Turns RON's error at `path` into ours.
    fn explain(&self, error: &SpannedError, path: &Path) -> Problem {
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
            None => SEE_DEFAULTS.into(),
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
                    mend: SEE_DEFAULTS.into(),
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

const SEE_DEFAULTS: &str = "`mungo defaults` shows how everything is written";

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

fn steps(path: &serde_path_to_error::Path) -> Path {
    use serde_path_to_error::Segment;
    let step = |segment: &Segment| match segment {
        Segment::Seq { index } => Some(Step::Item(*index)),
        Segment::Map { key } => Some(Step::Key(key.clone())),
        Segment::Enum { .. } | Segment::Unknown => None,
    };
    Path(path.iter().filter_map(step).collect())
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
fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
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
