//! What the admin interface asks of a node, answered by what this node is made of.

mod accounts;
mod actors;
mod announcements;
mod cluster;
mod control;
mod health;
pub(crate) mod heap;
pub(crate) mod process;
mod sessions;

pub(crate) use accounts::ConsoleAccounts;
pub(crate) use actors::NodeActors;
pub(crate) use announcements::NodeAnnouncements;
pub(crate) use cluster::NodeCluster;
pub(crate) use control::{Control, InUse, Listening};
pub(crate) use health::NodeHealth;
pub(crate) use sessions::NodeSessions;
