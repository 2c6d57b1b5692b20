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
    TooSlow(u64),
    /// Nothing of a process can be read.
    #[error("process {pid} can't be watched: {reason}")]
    Process {
        /// Its id.
        pid: u32,
        /// Why.
        reason: String,
    },
    /// Too few files may be open.
    #[error("{wanted} open files are needed and the system allows {allowed} (ulimit -Hn)")]
    Files {
        /// Sockets and some more.
        wanted: u64,
        /// The hard limit.
        allowed: u64,
    },
}
