//! Scenarios: what is played, on whom, by how many and how long, as a file in RON tells it.
//!
//! A scenario is read by the machinery of `config`: what is misspelt or makes no sense is told with
//! its line, its column and its mend before anything is connected.

mod checks;
mod included;
mod phase;
mod session;
mod step;
mod stop;
mod target;
mod users;
mod walk;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use config::{ConfigError, Document, Parameter, Span, read_document, settings};

pub(crate) use included::{INCLUDED, included};
pub(crate) use phase::{Arrivals, Phase, Rate};
pub(crate) use session::Session;
pub(crate) use step::{Addressee, Ask, Message, Presence, Show, Step, Think, WaitFor, any};
#[cfg(test)]
pub(crate) use stop::Slow;
pub(crate) use stop::Stop;
pub(crate) use target::{Mechanism, Target, Tls};
pub(crate) use users::{Contacts, Shape, Users};

use crate::failure::Failure;

/// The transaction that loops of messages and single messages belong to: from when one is due until it
/// has arrived.
pub(crate) const MESSAGE: &str = "message";
/// The transaction that presences in loops belong to.
pub(crate) const PRESENCE: &str = "presence";
/// The transaction of those who never read: until the server closes them.
pub(crate) const CLOSED: &str = "closed";

/// Where to look when nothing better can be said about a mistake.
const HELP: &str = "loadtest/README.md shows how everything is written";

settings! {
    /// A scenario.
    pub(crate) struct Scenario {
        /// What it shows, in a sentence or two; the report begins with it.
        about: String,
        /// What one changes from one run to the next, by name: numbers and strings. `"$name"`
        /// anywhere else stands for the value, and `--set name=value` changes it.
        parameters: BTreeMap<String, Parameter>,
        /// The servers, each chosen as often as its weight says.
        targets: Vec<Target>,
        /// Whose accounts are used.
        users: Users,
        /// What a user does from coming to going; each chosen as often as its weight says.
        sessions: Vec<Session>,
        /// What happens one after the other.
        phases: Vec<Phase>,
        /// An answer that takes longer is an error.
        patience: Span = Span::seconds(60),
        /// When to give up before the last phase has ended.
        stop: Stop,
    }
    check |scenario, problems| {
        checks::run(scenario, problems);
    }
}

/// A scenario and where it came from.
#[derive(Debug)]
pub(crate) struct Story {
    /// The file, or the name of one that is included.
    pub(crate) name: String,
    /// What it says.
    pub(crate) scenario: Scenario,
    /// As it was written, for whoever reads the report.
    #[allow(dead_code)]
    pub(crate) text: String,
    /// What is hardly meant.
    pub(crate) warnings: Vec<config::Problem>,
}

/// Reads the scenario in a file, or the included one of that name. `set` changes its parameters.
///
/// # Errors
/// There is none, or something is wrong with it.
pub(crate) fn read(name: &str, set: &BTreeMap<String, String>) -> Result<Story, Failure> {
    let path = PathBuf::from(name);
    let text = match included(name) {
        Some(text) if !path.exists() => text.to_owned(),
        _ => std::fs::read_to_string(&path)
            .map_err(|error| Failure::no_scenario(name.to_owned(), error))?,
    };
    let Document {
        mut value,
        warnings,
    } = parse(&text, &path, set)?;
    value.users.resolve(path.parent().unwrap_or(Path::new("")));
    Ok(Story {
        name: name.to_owned(),
        scenario: value,
        text,
        warnings,
    })
}

/// As [`read`], from text.
pub(crate) fn parse(
    text: &str,
    path: &Path,
    set: &BTreeMap<String, String>,
) -> Result<Document<Scenario>, ConfigError> {
    read_document(text, path, set, HELP)
}

#[cfg(test)]
mod tests;
