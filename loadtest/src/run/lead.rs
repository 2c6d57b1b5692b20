//! Who leads a run: it is played alone, or together with others.

use std::cell::RefCell;

use super::ledger::Ledger;
use super::stop::Rules;
use crate::live::{Glance, Live};
use crate::scenario::Scenario;

/// Where a phase begins. All who play a run pass its points together.
pub(crate) fn beginning(phase: usize) -> usize {
    2 * phase
}

/// Where it ends: everybody has come and is settled, or its time is over.
pub(crate) fn ending(phase: usize) -> usize {
    2 * phase + 1
}

/// What those who play a run ask of who leads it.
pub(crate) trait Lead {
    /// Until all who play the run are at this point of it.
    async fn together(&self, point: usize);

    /// Takes note of a second that is over; why the run is, if it is.
    fn second(&self, ledger: &Ledger) -> Option<String>;

    /// Until somebody stops the run; what is to be said of that in our report.
    async fn stopped(&self) -> Option<String>;
}

/// Nobody else plays.
#[derive(Debug)]
pub(crate) struct Alone<'a> {
    live: Live,
    rules: RefCell<Rules<'a>>,
}

impl<'a> Alone<'a> {
    /// Leads a run of this scenario.
    pub(crate) fn new(scenario: &'a Scenario) -> Alone<'a> {
        Alone {
            live: Live::new(&scenario.phases),
            rules: RefCell::new(Rules::new(&scenario.stop)),
        }
    }
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        self.live.clear();
    }
}

impl Lead for Alone<'_> {
    async fn together(&self, _point: usize) {}

    fn second(&self, ledger: &Ledger) -> Option<String> {
        let (recorder, pulse) = ledger.parts();
        self.live.show(|| Glance::of(recorder, pulse));
        let mut rules = self.rules.borrow_mut();
        rules.look(recorder.counts(), |name| ledger.lately(name))
    }

    async fn stopped(&self) -> Option<String> {
        Some(interrupted().await)
    }
}

/// What a run is stopped by that somebody stops.
pub(crate) const STOPPED: &str = "somebody stopped the run";

/// Until somebody presses Ctrl-C; why a run is over then.
async fn interrupted() -> String {
    match tokio::signal::ctrl_c().await {
        Ok(()) => STOPPED.to_owned(),
        Err(error) => format!("Ctrl-C can't be listened for: {error}"),
    }
}
