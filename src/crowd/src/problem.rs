//! What goes wrong in a crowd.

use std::collections::BTreeMap;

use xml::XmlError;

/// Why a client is lost.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// The node's limits did not let it in.
    #[error("the node lets no more clients in")]
    NotAdmitted,
    /// The stream or the connection ended.
    #[error("the node closed the stream")]
    Closed,
    /// With an error.
    #[error("the node ended the stream: {0}")]
    Ended(String),
    /// A step of the login failed.
    #[error("{step} failed: {condition}")]
    Refused {
        step: &'static str,
        condition: String,
    },
    /// What came is no stream.
    #[error("what the node sent is no XML stream: {0}")]
    BadXml(#[from] XmlError),
    /// It takes in less than it is sent.
    #[error("the node does not read what is written to it")]
    NotRead,
    /// Nothing came for too long.
    #[error("the node does not answer")]
    NoAnswer,
}

/// What went wrong, and how often.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Problems(BTreeMap<String, u64>);

impl Problems {
    pub(crate) fn count(&mut self, problem: impl ToString, times: u64) {
        if times > 0 {
            *self.0.entry(problem.to_string()).or_default() += times;
        }
    }

    /// How many in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Each kind with its number.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(what, times)| (what.as_str(), *times))
    }
}
