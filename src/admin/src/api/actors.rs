//! Actors: what runs under the supervision tree.

use async_graphql::SimpleObject;

use super::Answer;
use crate::scalar::Count;

/// One actor of the supervision tree.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct Actor {
    /// Its name: the end of its path. Names may have a `/` in them, as full JIDs have.
    pub name: String,
    /// Where it stands: the names from the root down, with `/` between.
    pub path: String,
    /// How far below the first actor of the answer it stands.
    pub depth: u32,
    /// What it is: `supervisor`, `session`, `module`, `listener`, …
    pub kind: String,
    /// What it is doing: `running`, `waiting` for its restart, `ended`.
    pub state: String,
    /// Messages waiting in its mailbox.
    pub mailbox: Count,
    /// Messages it has handled since it started.
    pub handled: Count,
    /// How many times it was started again.
    pub restarts: Count,
    /// How many actors it supervises.
    pub children: Count,
    /// How many of them this answer leaves out.
    pub omitted: Count,
    /// What it last failed of.
    pub last_error: Option<String>,
}

/// A figure of an actor's own.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct Figure {
    /// What is counted or told.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// All that an actor says of itself.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct ActorStatus {
    /// The actor as the tree shows it.
    #[graphql(flatten)]
    pub actor: Actor,
    /// Its own figures.
    pub figures: Vec<Figure>,
}

/// Which part of the tree to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeQuery {
    /// The actor to begin with; the root when `None`.
    pub path: Option<String>,
    /// How many levels below it; all when `None`.
    pub depth: Option<u32>,
    /// How many children to show of a supervisor of any number of unnamed ones.
    pub limit: u32,
    /// Of the first actor's children only those after this name, to page through them.
    pub after: Option<String>,
}

/// The actors of a node.
pub trait Actors: Send + Sync {
    /// The actors from the top down, each before its children. `NOT_FOUND`
    /// when there is nothing at the path.
    fn tree(&self, query: TreeQuery) -> Answer<'_, Vec<Actor>>;

    /// All that one actor says of itself. `NOT_FOUND`.
    fn show<'a>(&'a self, path: &'a str) -> Answer<'a, ActorStatus>;

    /// Kills an actor; its supervisor does what its policy says. `NOT_FOUND`;
    /// `REFUSED` for the root. Returns it as it was.
    fn kill<'a>(&'a self, path: &'a str) -> Answer<'a, Actor>;
}
