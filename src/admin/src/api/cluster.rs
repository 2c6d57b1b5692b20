//! The cluster: the nodes that are one server.

use async_graphql::{Enum, SimpleObject};

use super::Answer;
use crate::scalar::{Bytes, Count, Seconds, Time};

/// What a node knows of another one, or of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum NodeState {
    /// The node that answers.
    Itself,
    /// It is there, and part of the cluster.
    Joined,
    /// Nothing is heard of it: it is dead, stopped or cut off.
    Missing,
}

/// A node of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct ClusterNode {
    /// Its name.
    pub node: String,
    /// What is known of it.
    pub state: NodeState,
    /// The version of Mungo that it runs, if it is known.
    pub version: Option<String>,
    /// Where it is reached.
    pub address: Option<String>,
    /// Sessions that have their home there.
    pub sessions: Count,
    /// Since when it is so.
    pub since: Time,
}

/// What ties this node to another one.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct ClusterLink {
    /// The node at its other end.
    pub node: String,
    /// Whether there is a connection.
    pub up: bool,
    /// The other end of the connection.
    pub address: Option<String>,
    /// How long something takes to get there and back, in milliseconds.
    pub round_trip_millis: Option<Count>,
    /// How long nothing was heard of the other node.
    pub silent: Seconds,
    /// What waits to be sent, or was sent and is not confirmed.
    pub unconfirmed: Bytes,
    /// Changes of the registry that the other node has not been told.
    pub lag: Count,
    /// Stanzas and the like that were sent.
    pub sent: Count,
    /// Those that came.
    pub received: Count,
    /// What ended the last connection, or kept it from being made.
    pub last_error: Option<String>,
}

/// What a node says of its cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterView {
    /// The name of the cluster.
    pub cluster: String,
    /// Whether enough of its nodes are here for logins to be taken.
    pub quorum: bool,
    /// Its nodes, by name; this one is among them.
    pub nodes: Vec<ClusterNode>,
    /// The links of this node, by the name of the other one.
    pub links: Vec<ClusterLink>,
}

/// The cluster that a node is part of. Every method refuses with `REFUSED` when it is part of none.
pub trait Cluster: Send + Sync {
    /// What there is to see.
    fn view(&self) -> Answer<'_, ClusterView>;

    /// Forgets a node that is missing, and returns what was known of it. `NOT_FOUND` when nothing
    /// is known, `REFUSED` when it is there.
    fn forget<'a>(&'a self, node: &'a str) -> Answer<'a, ClusterNode>;
}
