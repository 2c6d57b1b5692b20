//! Clients within the process of a node: crowds larger than the files that a process may open.
//!
//! All of the node is the real one: limits, negotiation, login, sessions, router, modules. Only the
//! socket is a [`pipe`](actors::pipe). The clients have no tasks: one thread speaks for all of them,
//! woken by a bell when something has come for one, and an idle client is
//! [so many bytes](Crowd::bytes_per_client).
//!
//! Nothing of this is in a node unless it is built with its feature `crowd`.

mod accounts;
mod bell;
mod chat;
mod client;
mod crowd;
mod listen;
mod problem;

pub use accounts::make_accounts;
pub use chat::{ChatPlan, Chatted};
pub use crowd::{Came, Crowd, Entrance, Plan};
pub use problem::Problems;
