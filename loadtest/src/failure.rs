//! What goes wrong.

use std::io;

/// Why a client, or the whole run, did not get on. Its text is what it is counted by in the report.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The socket: refused, reset.
    #[error("the connection failed: {0}")]
    Socket(#[from] io::Error),
    /// The server closed the connection.
    #[error("the server closed the connection")]
    Closed,
    /// The server ended the stream with an error of RFC 6120 §4.9.
    #[error("the server ended the stream: {0}")]
    Stream(String),
    /// What came is no XML of RFC 6120 §11.
    #[error("the server sent bad XML: {0}")]
    Xml(#[from] xml::XmlError),
    /// SASL said no (RFC 6120 §6.5).
    #[error("the login was refused: {0}")]
    Refused(String),
    /// The mechanism is not among those offered.
    #[error("the server does not offer {0}")]
    NotOffered(&'static str),
    /// The server broke the rules of SCRAM, or does not know the password either.
    #[error("SCRAM went wrong: {0}")]
    Scram(&'static str),
    /// Binding a resource was refused.
    #[error("no resource was bound: {0}")]
    NotBound(String),
    /// An account was not made (XEP-0077).
    #[error("the registration was refused: {0}")]
    NotRegistered(String),
    /// A question was answered with an error.
    #[error("{what} was answered with {condition}")]
    Declined {
        /// What was asked.
        what: &'static str,
        /// The defined condition.
        condition: String,
    },
    /// A step needs somebody who is connected and logged in.
    #[error("the user was not online for this step")]
    NotOnline,
    /// There is nobody to write to.
    #[error("there was nobody {0} to write to")]
    Nobody(&'static str),
    /// The scenario can't be read.
    #[error("there is no scenario {name}: {reason}; included are {included}")]
    NoScenario {
        /// What was asked for.
        name: String,
        /// What the system said.
        reason: String,
        /// Those that come with the program.
        included: String,
    },
    /// Something is wrong with the scenario.
    #[error("the scenario can't be played\n\n{0}")]
    Scenario(#[from] config::ConfigError),
    /// A Tsung file can't be used.
    #[error("this is no Tsung scenario for ts_jabber: {0}")]
    NoTsung(String),
    /// A file of accounts can't be used.
    #[error("the accounts can't be read: {0}")]
    Accounts(String),
    /// The target's name leads nowhere.
    #[error("the target {address} can't be found: {reason}")]
    NoTarget {
        /// As it is written.
        address: String,
        /// What the system said.
        reason: String,
    },
    /// The target may be anybody's.
    #[error(
        "{address} is neither this machine nor in a private network: nobody but the owner of a server \
         may load it; if that is you, say --i-own-this-target"
    )]
    Foreign {
        /// Where the target is.
        address: std::net::SocketAddr,
    },
    /// A contact was not taken into a roster.
    #[error("a contact was refused: {0}")]
    NoContact(String),
    /// Something came where something else has to.
    #[error("instead of {wanted} came {came}")]
    Unexpected {
        /// What the protocol asks for.
        wanted: &'static str,
        /// The name of the element that came.
        came: String,
    },
    /// No answer in time.
    #[error("no answer within {0} s")]
    TooSlow(f64),
    /// Nothing of a process can be read.
    #[error("process {pid} can't be watched: {reason}")]
    Process {
        /// Its id.
        pid: u32,
        /// Why.
        reason: String,
    },
    /// A server to measure against can't be started, or a bench makes no sense.
    #[error("{0}")]
    Peer(String),
    /// The secret of workers and coordinator can't be used.
    #[error("the secret can't be used: {0}")]
    Secret(String),
    /// Worker and coordinator do not come together.
    #[error("worker and coordinator don't come together: {0}")]
    Handshake(String),
    /// A worker can't be had.
    #[error("the worker {name} can't play: {reason}")]
    Worker {
        /// Which one.
        name: String,
        /// Why.
        reason: String,
    },
    /// There is nothing for a worker to do.
    #[error(
        "{workers} workers are too many for {users} users: partners and groups of contacts stay together"
    )]
    TooManyWorkers {
        /// How many there are.
        workers: u32,
        /// How many users there are.
        users: u32,
    },
    /// A report of a run can't be read.
    #[error("{file} is no report of a run: {reason}")]
    NoReport {
        /// Its file.
        file: String,
        /// Why.
        reason: String,
    },
    /// The report can't be left where it should be.
    #[error("the report can't be written: {0}")]
    Folder(io::Error),
    /// Too few files may be open.
    #[error("{wanted} open files are needed and the system allows {allowed} (ulimit -Hn)")]
    Files {
        /// Sockets and some more.
        wanted: u64,
        /// The hard limit.
        allowed: u64,
    },
}

impl Failure {
    /// No scenario of this name comes with the program.
    pub(crate) fn not_included(name: String) -> Failure {
        Failure::no_scenario(name, "it does not come with the program")
    }

    /// A scenario can't be read.
    pub(crate) fn no_scenario(name: String, reason: impl ToString) -> Failure {
        let included: Vec<&str> = crate::scenario::INCLUDED
            .iter()
            .map(|(name, _)| *name)
            .collect();
        Failure::NoScenario {
            name,
            reason: reason.to_string(),
            included: included.join(", "),
        }
    }
}
