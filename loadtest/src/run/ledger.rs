//! What happened, and what it cost: everybody writes into it, on one thread.

use std::cell::Cell;
use std::time::Instant;

use super::Played;
use crate::connection::{self, Traffic};
use crate::failure::Failure;
use crate::latency::Latencies;
use crate::measure::{Counter, Pulse, Recorder, Since};
use crate::process::Watch;
use crate::scenario::Phase;

/// The account of a run.
#[derive(Debug)]
pub(crate) struct Ledger {
    recorder: Recorder,
    pulse: Pulse,
    /// How many intervals there were at the last beat.
    looked_at: Cell<usize>,
    /// What had gone over sockets before: a worker plays more than one run.
    before: Traffic,
}

impl Ledger {
    /// An empty one for these transactions.
    pub(crate) fn new(began: Instant, watch: Watch, kinds: Vec<(String, Since)>) -> Ledger {
        Ledger {
            recorder: Recorder::new(began, kinds),
            pulse: Pulse::new(watch),
            looked_at: Cell::default(),
            before: connection::traffic(),
        }
    }

    /// A transaction has ended well, after so many nanoseconds.
    pub(crate) fn took(&self, transaction: u16, nanoseconds: u64) {
        self.recorder.took(transaction, nanoseconds);
    }

    /// A session has failed, in these transactions.
    pub(crate) fn failed(&self, transactions: impl Iterator<Item = u16>, failure: &Failure) {
        self.recorder.failed(transactions, failure);
    }

    /// Something that should not have happened, so many times.
    pub(crate) fn problem(&self, what: &str, times: u64) {
        self.recorder.problem(what, times);
    }

    /// So many more of this.
    pub(crate) fn count(&self, counter: Counter, more: u64) {
        self.recorder.count(counter, more);
    }

    /// So many users are there now.
    pub(crate) fn there(&self, users: u32) {
        self.recorder.sessions(users.into());
    }

    /// How many users have come online so far.
    pub(crate) fn logins(&self) -> u64 {
        self.recorder.counters().get(Counter::Logins)
    }

    /// The times of a transaction since the last beat, whatever phases ended in between.
    pub(crate) fn lately(&self, name: &str) -> Option<Latencies> {
        let times = self.recorder.since(name, self.looked_at.get())?;
        Some(times.latencies())
    }

    /// Closes off each second and looks at the processes, until `over` says why it is over.
    pub(crate) async fn beat(&self, mut over: impl FnMut(&Ledger) -> Option<String>) -> String {
        let over = || {
            let why = over(self);
            self.looked_at.set(self.recorder.intervals());
            why
        };
        self.pulse
            .beat(&self.recorder, || self.traffic(), over)
            .await
    }

    /// What is written down, and what is seen of processes.
    pub(crate) fn parts(&self) -> (&Recorder, &Pulse) {
        (&self.recorder, &self.pulse)
    }

    /// A phase begins.
    pub(crate) fn begin(&self, phase: &Phase) {
        self.traffic();
        self.pulse
            .begin(&self.recorder, &phase.name, phase.measured);
    }

    /// The phase that began last ends.
    pub(crate) fn end(&self) {
        self.traffic();
        self.pulse.end(&self.recorder);
    }

    /// All of it.
    pub(crate) fn finish(&self) -> Played {
        Played {
            recorded: self.recorder.finish(),
            samples: self.pulse.samples(),
        }
    }

    /// Takes note of what went over all sockets.
    fn traffic(&self) {
        let traffic = connection::traffic().since(self.before);
        self.recorder.counted(Counter::BytesIn, traffic.read);
        self.recorder.counted(Counter::BytesOut, traffic.written);
        self.recorder.counted(Counter::Received, traffic.messages);
        self.recorder.counted(Counter::Presences, traffic.presences);
    }
}
