//! Phases: which one it is, and who waits for which.

use std::cell::Cell;

use tokio::sync::{Notify, watch};

/// Where the run stands.
#[derive(Debug)]
pub(crate) struct Stage {
    phase: watch::Sender<usize>,
    /// Users who have come and are neither settled nor gone.
    busy: Cell<u32>,
    /// Users who have come and are not gone.
    there: Cell<u32>,
    /// Those who are settled, by the phase that they wait for.
    waiting: Box<[Cell<u32>]>,
    changed: Notify,
}

impl Stage {
    /// Before the first of so many phases.
    pub(crate) fn new(phases: usize) -> Stage {
        Stage {
            phase: watch::Sender::new(0),
            busy: Cell::new(0),
            there: Cell::new(0),
            waiting: (0..phases).map(|_| Cell::new(0)).collect(),
            changed: Notify::new(),
        }
    }

    /// Begins a phase. Whoever waited for it, or for one before, is busy from now on.
    pub(crate) fn begin(&self, phase: usize) {
        for waiting in self.waiting.iter().take(phase + 1) {
            self.busy.set(self.busy.get() + waiting.take());
        }
        self.phase.send_replace(phase);
    }

    /// The phase that it is.
    pub(crate) fn phase(&self) -> usize {
        *self.phase.borrow()
    }

    /// Somebody comes.
    pub(crate) fn come(&self) {
        self.busy.set(self.busy.get() + 1);
        self.there.set(self.there.get() + 1);
    }

    /// Somebody who was busy goes.
    pub(crate) fn go(&self) {
        self.busy.set(self.busy.get().saturating_sub(1));
        self.there.set(self.there.get().saturating_sub(1));
        self.changed.notify_waiters();
    }

    /// How many are busy.
    pub(crate) fn busy(&self) -> u32 {
        self.busy.get()
    }

    /// How many are there.
    pub(crate) fn there(&self) -> u32 {
        self.there.get()
    }

    /// Somebody is settled until this phase begins; whether they are busy at once, since it has begun.
    /// If not, they are busy again when it begins, and not before they get to know of it.
    pub(crate) fn settle(&self, phase: usize) -> bool {
        if self.phase() >= phase {
            return false;
        }
        let waiting = &self.waiting[phase];
        waiting.set(waiting.get() + 1);
        self.busy.set(self.busy.get().saturating_sub(1));
        self.changed.notify_waiters();
        true
    }

    /// Somebody who waited for this phase is gone before it has begun.
    pub(crate) fn lose(&self, phase: usize) {
        if self.phase() < phase {
            let waiting = &self.waiting[phase];
            waiting.set(waiting.get().saturating_sub(1));
            self.busy.set(self.busy.get() + 1);
        }
    }

    /// Until a phase has begun.
    pub(crate) async fn at(&self, phase: usize) {
        let mut now = self.phase.subscribe();
        // The sender lives as long as this does.
        let _ = now.wait_for(|now| *now >= phase).await;
    }

    /// Until a phase has ended.
    pub(crate) async fn behind(&self, phase: usize) {
        self.at(phase + 1).await;
    }

    /// Until somebody is settled or gone.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_settled_is_busy_again_with_the_phase() {
        let stage = Stage::new(3);
        for _ in 0..3 {
            stage.come();
        }
        assert!(stage.settle(2));
        assert!(stage.settle(1));
        stage.go();
        assert_eq!((stage.busy(), stage.there()), (0, 2));
        stage.begin(1);
        assert_eq!(stage.busy(), 1);
        // Nobody waits for what has begun.
        assert!(!stage.settle(1));
        // One who is lost while waiting is busy with going.
        stage.lose(2);
        stage.go();
        assert_eq!((stage.busy(), stage.there()), (1, 1));
        stage.begin(2);
        assert_eq!(stage.busy(), 1);
    }
}
