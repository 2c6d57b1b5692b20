//! Reads a configuration and says what is wrong with it.

use std::fmt;
use std::path::Path as FilePath;

use ron::extensions::Extensions;

use crate::domain::reason;
use crate::module_sections::OFF;
use crate::source::{Fault, Source};
use crate::{Config, Path, Problem, Setting, Settings, Severity};

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
    let source = Source::new(text, file, Config::<M>::blank(), SEE_DEFAULTS);
    let (readable, words) = source.switch_off_modules();
    if !words.is_empty() {
        return Err(ConfigError { problems: words });
    }
    let mut config: Config<M> = source.read(&readable, Extensions::empty())?;
    config.resolve(file.parent().unwrap_or(FilePath::new("")));
    let problems = source.check(&config)?;
    Ok(Loaded {
        config,
        warnings: problems,
    })
}

/// Where to look when nothing else can be said.
const SEE_DEFAULTS: &str = "`mungo defaults` shows how everything is written";

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
}
