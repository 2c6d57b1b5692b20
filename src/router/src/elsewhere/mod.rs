//! Accounts on other nodes of the cluster.
//!
//! An account is on one node at a time, its *home*: what modules keep of it in memory is there, and so
//! are the sessions of its clients, wherever these are connected ([`Letter::ToHome`]). So a module needs
//! to know nothing of other nodes. What is for an account goes to its home; what is for one that nobody
//! has goes to its *arbiter*, a node that all nodes agree upon, which also says who may become the home
//! of an account when a client of it logs in.

mod claims;
mod letter;
mod place;
mod post;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use xmpp::FullJid;

pub use letter::{BadLetter, GuestId, GuestOpen, Letter, ToGuest, ToHome};
pub use place::Place;
pub use post::Vanished;

pub(crate) use claims::Claims;

use crate::account::Account;

/// Another node, by its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Peer(pub Arc<str>);

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The other nodes, as the router sees them: where accounts are, and the way there.
pub trait Elsewhere: Send + Sync + 'static {
    /// The other node that is the home of `account`, a bare JID. On the way of every stanza: one read
    /// of a map.
    fn home(&self, account: &str) -> Option<Peer>;

    /// The name of this node, by which the others know it.
    fn name(&self) -> Peer;

    /// Whether clients may log in here: not at a node that has lost sight of most of the others, if the
    /// cluster is to be so.
    fn serves(&self) -> bool;

    /// The sessions of `account`, whose home is another node, that are available.
    fn available(&self, account: &str) -> Vec<FullJid>;

    /// The other node that is the arbiter of `account`; nothing when it is this one.
    fn arbiter(&self, account: &str) -> Option<Peer>;

    /// Hands a letter ([`Letter::to_bytes`]) over. Never waits. Letters to a node arrive in their order, once,
    /// or come back when the node is given up.
    ///
    /// # Errors
    /// It was not taken.
    fn send(&self, to: &Peer, letter: Bytes) -> Result<(), Unsent>;

    /// The sessions of an account whose home this is are others than before, or others of them are
    /// available.
    fn changed(&self, account: &Account);

    /// This node is no longer the home of `account`.
    fn left(&self, account: &str);

    /// Resolves when every other node knows what this one has said of its accounts until now. Nothing
    /// when there is no other.
    fn told(&self) -> Option<OthersTold>;
}

/// See [`Elsewhere::told`].
pub type OthersTold = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Why a letter was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    /// The node is not a member, or not any more.
    #[error("the node is gone")]
    Gone,
    /// More waits for it than may.
    #[error("more waits for the node than may")]
    Full,
}
