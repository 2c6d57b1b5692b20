//! Who sends without a pause takes turns with all others who do.
//!
//! Without that each of a thousand floods is as good as anybody else: whoever says one word waits
//! behind a thousand full batches, at each hop. With it there are never more than a few of those
//! batches about, and those who say little pass between them.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes that a client may send without a pause before it takes turns with others.
pub(crate) const AT_ONCE: usize = 16 * 1024;

/// The turns of a node's clients. Clones are the same.
#[derive(Clone)]
pub struct Turns(Arc<Semaphore>);

impl Default for Turns {
    /// As many at a time as keep all processors busy while some of their batches are on the way
    /// from one task to the next.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::new(cores * 2)
    }
}

impl Turns {
    /// So many have their turn at a time, at least one; those who wait get theirs in order.
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self(Arc::new(Semaphore::new(places.max(1))))
    }

    #[cfg(test)]
    pub(crate) fn free(&self) -> usize {
        self.0.available_permits()
    }
}

/// What one client has sent without a pause.
#[derive(Default)]
pub(crate) struct Pace {
    sent: usize,
    turn: Option<OwnedSemaphorePermit>,
}

impl Pace {
    /// Ends the client's turn, if it has one. Waits for the next one, if it is to have one.
    pub(crate) async fn take_turn(&mut self, turns: &Turns) {
        self.turn = None;
        if self.is_flood() {
            // Nobody closes it. Boxed, so that no idle reader holds room for it.
            self.turn = Box::pin(turns.0.clone().acquire_owned()).await.ok();
        }
    }

    /// Whether the client sends without a pause, as far as is known.
    pub(crate) fn is_flood(&self) -> bool {
        self.sent >= AT_ONCE
    }

    /// Nothing more has come: a pause. The turn is somebody else's.
    pub(crate) fn pause(&mut self) {
        *self = Self::default();
    }

    /// So many bytes came.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.sent = self.sent.saturating_add(bytes);
    }
}
