//! What the admin interface asks of a node.
//!
//! One small trait a category. The node implements them over what it has
//! (accounts in `auth`, sessions in the router's directory, actors in the
//! supervision tree) and hands them over as one [`Api`]. What they return are
//! the types of the schema itself: a field added there is a field of the
//! answer. What was changed is logged by the node, which knows what it did.

use std::{future::Future, pin::Pin, sync::Arc};

use crate::AdminError;

mod accounts;
mod actors;
mod announcements;
mod cluster;
mod health;
mod node;
mod sessions;

pub use accounts::{Account, Accounts, Credentials, NewAccount, ReadyKeys};
pub use actors::{Actor, ActorStatus, Actors, Figure, TreeQuery};
pub use announcements::{Announcements, Motd, Notice};
pub use cluster::{Cluster, ClusterLink, ClusterNode, ClusterView, NodeState};
pub use health::{Family, FigureKind, FigureValue, Health, Sample};
pub use node::{Certificate, Listener, NodeControl, NodeStatus, TlsMode};
pub use sessions::{Presence, Session, Sessions};

/// A boxed answer: the traits are used as `dyn`.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, AdminError>> + Send + 'a>>;

/// A node as the admin interface sees it. Cloning counts.
#[derive(Clone)]
pub struct Api {
    /// Who may log in.
    pub accounts: Arc<dyn Accounts>,
    /// Who is online.
    pub sessions: Arc<dyn Sessions>,
    /// What everybody is told.
    pub announcements: Arc<dyn Announcements>,
    /// The nodes that are one server.
    pub cluster: Arc<dyn Cluster>,
    /// What runs.
    pub actors: Arc<dyn Actors>,
    /// The node itself.
    pub node: Arc<dyn NodeControl>,
}
