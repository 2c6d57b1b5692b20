//! What happened in a second.

use serde::{Deserialize, Serialize};

use super::{Counters, Times};

/// A second of a run, or less where a phase began or ended, or more where we came late.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Interval {
    /// When it began, in milliseconds since the run did.
    pub(crate) from: u64,
    /// When it ended.
    pub(crate) to: u64,
    /// The number of the phase that it belongs to; `None` between phases.
    pub(crate) phase: Option<usize>,
    /// Users who were there, at most.
    pub(crate) sessions: u64,
    /// What was counted in it.
    pub(crate) counters: Counters,
    /// What went wrong in it, all kinds together.
    pub(crate) errors: u64,
    /// The transactions, by their numbers.
    pub(crate) transactions: Vec<Passage>,
}

/// What became of one transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Passage {
    /// How long those took that ended well.
    pub(crate) times: Times,
    /// How many did not.
    pub(crate) failed: u64,
}

impl Interval {
    /// How long it was, in seconds; never zero.
    pub(crate) fn seconds(&self) -> f64 {
        (self.to.saturating_sub(self.from) as f64 / 1e3).max(1e-3)
    }

    /// Whether nothing happened in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.errors == 0
            && self.counters == Counters::default()
            && self
                .transactions
                .iter()
                .all(|passage| passage.failed == 0 && passage.times.count() == 0)
    }

    /// Adds what happened in the same second elsewhere; who was there is another matter.
    pub(crate) fn merge(&mut self, other: &Interval) {
        if self.to == 0 {
            (self.from, self.phase) = (other.from, other.phase);
        }
        self.from = self.from.min(other.from);
        self.to = self.to.max(other.to);
        self.counters.add(&other.counters);
        self.errors += other.errors;
        let more = other.transactions.len().max(self.transactions.len());
        self.transactions.resize_with(more, Passage::default);
        for (mine, theirs) in self.transactions.iter_mut().zip(&other.transactions) {
            mine.times.merge(&theirs.times);
            mine.failed += theirs.failed;
        }
    }
}
