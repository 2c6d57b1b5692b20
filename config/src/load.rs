//! Reads a configuration and says what is wrong with it.

use std::fmt;
use std::path::{Path as FilePath, PathBuf};

use ron::error::SpannedError;
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

/// A text that is being read.
pub(crate) struct Source<'a> {
    pub(crate) text: &'a str,
    file: &'a FilePath,
    pub(crate) outline: Outline,
    /// What the whole configuration looks like.
    pub(crate) shape: Shape,
}

/// What is wrong in a place, before it is a [`Problem`].
pub(crate) struct Fault {
    pub(crate) at: std::ops::Range<usize>,
    pub(crate) field: Path,
    pub(crate) what: String,
    pub(crate) mend: String,
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

    pub(crate) fn problem(
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
