//! What happened, and what it cost: everybody writes into it, on one thread.

use std::cell::Cell;
use std::time::Instant;

use super::since::since;
use crate::connection;
use crate::failure::Failure;
use crate::latency::Latencies;
use crate::live::Live;
use crate::measure::{Counter, Pulse, Recorder};
use crate::process::Watch;
use crate::results::{About, Results};
use crate::scenario::{Phase, Scenario};

/// The account of a run.
#[derive(Debug)]
pub(crate) struct Ledger {
    recorder: Recorder,
    pulse: Pulse,
    /// How many intervals there were at the last beat.
    looked_at: Cell<usize>,
}

impl Ledger {
    /// An empty one for these transactions of a scenario.
    pub(crate) fn new(
        began: Instant,
        watch: Watch,
        scenario: &Scenario,
        names: &[String],
    ) -> Ledger {
        let kinds = names
            .iter()
            .map(|name| (name.clone(), since(scenario, name)));
        Ledger {
            recorder: Recorder::new(began, kinds),
            pulse: Pulse::new(watch),
            looked_at: Cell::default(),
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

    /// Transactions and sessions so far: done, and failed.
    pub(crate) fn counts(&self) -> (u64, u64) {
        self.recorder.counts()
    }

    /// The times of a transaction since the last beat, whatever phases ended in between.
    pub(crate) fn lately(&self, name: &str) -> Option<Latencies> {
        let times = self.recorder.since(name, self.looked_at.get())?;
        Some(times.latencies())
    }

    /// Closes off each second, looks at the processes and shows how it goes, until `over` says why it is
    /// over.
    pub(crate) async fn beat(
        &self,
        live: &Live,
        mut over: impl FnMut(&Ledger) -> Option<String>,
    ) -> String {
        let over = || {
            live.show(&self.recorder, &self.pulse);
            let why = over(self);
            self.looked_at.set(self.recorder.intervals());
            why
        };
        self.pulse
            .beat(&self.recorder, || self.traffic(), over)
            .await
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

    /// Draws up what came out.
    pub(crate) fn results(&self, about: About) -> Results {
        Results::of(about, &self.recorder.finish(), &self.pulse.samples())
    }

    /// Takes note of what went over all sockets.
    fn traffic(&self) {
        let traffic = connection::traffic();
        self.recorder.counted(Counter::BytesIn, traffic.read);
        self.recorder.counted(Counter::BytesOut, traffic.written);
        self.recorder.counted(Counter::Received, traffic.messages);
        self.recorder.counted(Counter::Presences, traffic.presences);
    }
}
