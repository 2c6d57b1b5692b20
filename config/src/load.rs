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
    load_str(&text, file)
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
            code if is_syntax(code) => self.syntax(code, stop),
            code => self.wrong_value(path, code, stop),
        };
        self.problem(fault)
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
            "\""
        } else {
            ""
        };
        let quoted: Vec<String> = expected
            .iter()
            .map(|word| format!("{quote}{word}{quote}"))
            .collect();
        let mend = match nearest(found, expected) {
            Some(known) => format!(
                "write {quote}{known}{quote}; known here: {}",
                quoted.join(", ")
            ),
            None => format!("known here: {}", quoted.join(", ")),
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
            RonError::Message(message) => message.clone(),
            RonError::IntegerOutOfBounds => format!("`{short}` is out of range"),
            _ if path.0.is_empty() => "the file does not begin with a parenthesis".into(),
            _ if short.is_empty() => "nothing is written here".into(),
            _ => format!("`{short}` does not fit here"),
        };
        let mend = match self.shape.find(path) {
            _ if path.0.is_empty() => {
                "put all keys between one pair of parentheses: ( domains: [\"example.org\"] )"
                    .into()
            }
            Some(shape) => instead(shape),
            None => "see full.ron for what may stand here".into(),
        };
        Fault {
            at,
            field: path.clone(),
            what,
            mend,
        }
    }

    fn syntax(&self, code: &RonError, stop: usize) -> Fault {
        let start = self.text.len() - self.text[stop..].trim_start().len();
        let next = self.text[start..].chars().next();
        let (what, mend) = match (code, next) {
            (RonError::Eof, _) | (_, None) => (
                "the file ends too early".into(),
                "close what is open: `)`, `]`, `}` or `\"`",
            ),
            (
                RonError::ExpectedComma
                | RonError::ExpectedStructLikeEnd
                | RonError::ExpectedArrayEnd
                | RonError::ExpectedMapEnd,
                _,
            ) => ("a comma is missing".into(), "put a comma before this"),
            (RonError::ExpectedMapColon, _) => ("a colon is missing".into(), "write `key: value`"),
            (RonError::ExpectedIdentifier | RonError::ExpectedString, Some('"')) => (
                "a key stands in quotes".into(),
                "write the key without quotes: `key: value`",
            ),
            (RonError::ExpectedIdentifier, Some(c)) => (
                format!("`{c}` cannot stand here"),
                "write `key: value`, or close the parentheses",
            ),
            (RonError::TrailingCharacters, _) => (
                "there is more behind the end".into(),
                "put everything before the last parenthesis",
            ),
            (RonError::ExpectedStringEnd, _) => {
                ("a string has no end".into(), "close it with `\"`")
            }
            (RonError::UnclosedBlockComment, _) => {
                ("a comment has no end".into(), "close it with `*/`")
            }
            (RonError::InvalidEscape(why), _) => (
                format!("a backslash is followed by something unknown: {why}"),
                "write `\\\\` for a backslash",
            ),
            (RonError::NoSuchExtension(name), _) => (
                format!("there is no RON extension `{name}`"),
                "leave the line out",
            ),
            (other, _) => (
                other.to_string().to_lowercase(),
                "see full.ron for how it is written",
            ),
        };
        Fault {
            at: start..start,
            field: self.outline.at(start),
            what,
            mend: mend.into(),
        }
    }
}

/// What may be written in a place, as a sentence.
fn instead(shape: &Shape) -> String {
    match shape {
        Shape::Value { text, expects } if text.is_empty() => format!("write {expects}"),
        Shape::Value { text, expects } => format!("write {expects}; the default is {text}"),
        Shape::Section(section) => match section.keys.first() {
            Some(key) => format!("write keys in parentheses, such as ( {}: … )", key.name),
            None => "write ()".into(),
        },
        Shape::List { .. } => "write a list in square brackets: [ … ]".into(),
        Shape::Map { .. } => "write entries in braces: { \"name\": … }".into(),
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
