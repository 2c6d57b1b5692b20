//! The node itself: how it does, and what it is told as a whole.

use async_graphql::{Enum, SimpleObject};

use super::Answer;
use crate::scalar::{Bytes, Count, Seconds, Time};

/// How a listener treats TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum TlsMode {
    /// No TLS.
    Off,
    /// STARTTLS is offered.
    #[graphql(name = "STARTTLS")]
    StartTls,
    /// STARTTLS is demanded.
    Required,
    /// TLS from the first byte (XEP-0368).
    Direct,
}

/// A socket that the node listens on.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct Listener {
    /// What is spoken there: `c2s`, `admin`.
    pub kind: String,
    /// Its address and port.
    pub address: String,
    /// How it treats TLS.
    pub tls: TlsMode,
    /// Connections that are open now.
    pub connections: Count,
}

/// How the node does.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct NodeStatus {
    /// The version of Mungo that runs.
    pub version: String,
    /// The number of its process.
    pub process: u32,
    /// When it started.
    pub started: Time,
    /// How long it has been running.
    pub uptime: Seconds,
    /// Where it keeps its data.
    pub data_folder: String,
    /// The domains it serves.
    pub domains: Vec<String>,
    /// Sessions that are bound now.
    pub sessions: Count,
    /// Memory of the process that is resident; none where the system does not tell.
    pub memory: Option<Bytes>,
    /// What it listens on.
    pub listeners: Vec<Listener>,
}

/// A certificate in use.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct Certificate {
    /// The domain it is shown for; none for the one shown when no other fits.
    pub domain: Option<String>,
    /// The names it holds for.
    pub names: Vec<String>,
    /// When it ends.
    pub expires: Option<Time>,
    /// Whether nobody but this node vouches for it.
    pub self_signed: bool,
    /// The file it was read from.
    pub file: Option<String>,
}

/// The node as a whole.
pub trait NodeControl: Send + Sync {
    /// How it does.
    fn status(&self) -> Answer<'_, NodeStatus>;

    /// Reads all certificates anew, for connections to come; returns those in
    /// use from now on. `REFUSED` with what is wrong when one can't be read:
    /// that one stays as it was.
    fn reload_tls(&self) -> Answer<'_, Vec<Certificate>>;
}
