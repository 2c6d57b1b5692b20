//! The way to a session: the address of its actor, behind a bound.

use tokio::sync::oneshot;
use xmpp::{Stanza, StreamError};

/// Where the stanzas for a session go. The session's actor stands behind it; tests put a queue
/// there.
pub trait Inbox: Send + Sync + 'static {
    /// Hands `stanza` over. Never waits: either it is taken, in order, or the caller learns why
    /// not.
    ///
    /// # Errors
    /// [`Undelivered::Gone`] when the session has ended, [`Undelivered::Full`] when it is over
    /// its bound (and is being closed for it).
    fn deliver(&self, stanza: Stanza) -> Result<(), Undelivered>;

    /// Tells the session to do something, ahead of what is queued for it. A session that is
    /// gone has nothing to do.
    fn control(&self, control: Control);

    /// Stanzas that wait in the inbox.
    fn depth(&self) -> usize {
        0
    }
}

/// What a session is told from outside.
#[derive(Debug)]
pub enum Control {
    /// Send this stream error and close (RFC 6120 §4.9).
    Close(StreamError),
    /// Write these, before what is kept back by a [`Hold`](crate::Hold).
    Ahead {
        /// In their order.
        stanzas: Vec<Stanza>,
        /// Told when the client's socket has taken them; dropped when it won't.
        taken: oneshot::Sender<()>,
    },
    /// One [`Hold`](crate::Hold) is gone: without any, what was kept back is written.
    Release,
}

/// Why an inbox did not take a stanza.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// The session has ended.
    #[error("the session has ended")]
    Gone,
    /// The session takes in less than it is sent and is over its bound.
    #[error("the session is over its bound")]
    Full,
}
