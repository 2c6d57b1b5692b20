//! What is counted of all clients of a node together.

use std::sync::atomic::{AtomicU64, Ordering};

/// Something that happens to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientFigure {
    /// A connection was taken in.
    Accepted,
    /// A connection was refused as its port has no room for another one.
    PortFull,
    /// A login went well.
    LoggedIn,
    /// A login did not: unknown account, wrong password, or nonsense.
    LoginFailed,
    /// Nobody could say whether a login was right: the accounts were out of reach.
    LoginUnavailable,
    /// A TLS handshake came to nothing.
    HandshakeFailed,
    /// A client did not bind a resource in the time that it has for it.
    TimedOut,
    /// A session was closed at its mark: more waited in its mailbox than is kept.
    Overflowed,
    /// A session was closed as its client does not read what is sent.
    NotReading,
}

const FIGURES: usize = ClientFigure::NotReading as usize + 1;

/// Counts of each [`ClientFigure`] since the node started.
#[derive(Debug, Default)]
pub struct ClientFigures([AtomicU64; FIGURES]);

impl ClientFigures {
    /// Counts one more.
    pub fn count(&self, figure: ClientFigure) {
        self.0[figure as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How many there were.
    #[must_use]
    pub fn get(&self, figure: ClientFigure) -> u64 {
        self.0[figure as usize].load(Ordering::Relaxed)
    }
}
