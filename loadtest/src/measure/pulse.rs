//! Once a second: seconds are closed off, and processes looked at.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::Recorder;
use crate::process::{self, Usage, Watch};

/// How often.
const BEAT: Duration = Duration::from_secs(1);
/// What a server is told of whose process ends during the run.
const GONE: &str = "the server's process has ended";

/// What processes use, second by second; and the beat of a run.
#[derive(Debug)]
pub(crate) struct Pulse {
    watch: Watch,
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    samples: Vec<Sample>,
    threads: BTreeMap<u32, Duration>,
    gone: bool,
}

/// What was used until one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// Which moment, in milliseconds since the run began.
    pub(crate) at: u64,
    /// The server, if it is watched and there.
    pub(crate) server: Option<Usage>,
    /// Memory of the kernel for TCP, of all sockets of the machine, in bytes.
    pub(crate) tcp: Option<u64>,
    /// Ourselves.
    pub(crate) own: Usage,
    /// How much of a processor the busiest of our threads used since the last sample; 1 is all of it.
    pub(crate) busiest: f64,
    /// Time on processors of all processes of the machine.
    pub(crate) machine: Duration,
}

impl Pulse {
    /// One that watches this server, and ourselves.
    pub(crate) fn new(watch: Watch) -> Pulse {
        Pulse {
            watch,
            state: RefCell::default(),
        }
    }

    /// Looks once a second, until `over` says something. Before a second is closed off, `note` is to
    /// write down what was not.
    pub(crate) async fn beat<T>(
        &self,
        recorder: &Recorder,
        mut note: impl FnMut(),
        mut over: impl FnMut() -> Option<T>,
    ) -> T {
        let mut clock = interval_at(Instant::now() + BEAT, BEAT);
        // Two at once would be a second of no length.
        clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            clock.tick().await;
            note();
            self.strike(recorder);
            if let Some(why) = over() {
                return why;
            }
        }
    }

    /// Closes off what came until now, and looks.
    pub(crate) fn strike(&self, recorder: &Recorder) {
        let now = recorder.now();
        recorder.cut(now);
        self.look(recorder, now);
    }

    /// A phase begins; the one before it has ended.
    pub(crate) fn begin(&self, recorder: &Recorder, phase: &str, measured: bool) {
        let now = recorder.now();
        recorder.begin(phase, measured, now);
        self.look(recorder, now);
    }

    /// The phase that is played, if one is, ends.
    pub(crate) fn end(&self, recorder: &Recorder) {
        let now = recorder.now();
        recorder.end(now);
        self.look(recorder, now);
    }

    /// What was seen, one behind the other.
    pub(crate) fn samples(&self) -> Vec<Sample> {
        self.state.borrow().samples.clone()
    }

    /// The last sample and the one before it.
    pub(crate) fn last(&self) -> Option<(Sample, Sample)> {
        match self.state.borrow().samples[..] {
            [.., before, last] => Some((before, last)),
            _ => None,
        }
    }

    fn look(&self, recorder: &Recorder, now: u64) {
        let state = &mut *self.state.borrow_mut();
        let server = self.watch.server();
        if self.watch.has_server() && server.is_none() && !state.gone {
            state.gone = true;
            recorder.problem(GONE, 1);
        }
        let threads = process::own_threads();
        let most = threads.iter().map(|(id, cpu)| {
            let before = state.threads.get(id).copied().unwrap_or_default();
            cpu.saturating_sub(before)
        });
        let before = state.samples.last().map_or(0, |sample| sample.at);
        let passed = now.saturating_sub(before) as f64 / 1e3;
        let most = most.max().unwrap_or_default().as_secs_f64();
        state.samples.push(Sample {
            at: now,
            server,
            tcp: process::tcp_memory(),
            own: process::own(),
            // The clock of processes has steps of 10 ms: a short while says nothing.
            busiest: if passed < 0.1 { 0.0 } else { most / passed },
            machine: process::machine(),
        });
        state.threads = threads;
    }
}

impl Sample {
    /// How long it is since then, in seconds; never zero.
    pub(crate) fn since(&self, before: &Sample) -> f64 {
        (self.at.saturating_sub(before.at) as f64 / 1e3).max(1e-3)
    }

    /// The server's time on processors since then: its own, and the system's for it.
    pub(crate) fn server_since(&self, before: &Sample) -> Option<(Duration, Duration)> {
        let (now, then) = (self.server?, before.server?);
        Some((
            now.user.saturating_sub(then.user),
            now.system.saturating_sub(then.system),
        ))
    }

    /// How many processors we used since then.
    pub(crate) fn own_share(&self, before: &Sample) -> f64 {
        self.own
            .cpu()
            .saturating_sub(before.own.cpu())
            .as_secs_f64()
            / self.since(before)
    }

    /// How many processors were used since then by others than the server and us. Not known unless the
    /// server is watched: it may be on this machine.
    pub(crate) fn others_share(&self, before: &Sample) -> Option<f64> {
        let (user, system) = self.server_since(before)?;
        let own = self.own.cpu().saturating_sub(before.own.cpu());
        let all = self.machine.saturating_sub(before.machine);
        let others = all.saturating_sub(user + system + own);
        Some(others.as_secs_f64() / self.since(before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Counter, Since};

    fn recorder() -> Recorder {
        let began = std::time::Instant::now();
        Recorder::new(began, [("ping".to_owned(), Since::Begun)])
    }

    #[tokio::test(start_paused = true)]
    async fn it_beats_each_second_and_where_phases_begin_and_end() {
        let watch = Watch::new(Some(std::process::id())).expect("we are there");
        let (recorder, pulse) = (recorder(), Pulse::new(watch));
        pulse.begin(&recorder, "all", true);
        let mut beats = 0;
        tokio::select! {
            why = pulse.beat(&recorder, || recorder.count(Counter::Logins, 1), || { beats += 1; (beats == 3).then_some("enough") }) => assert_eq!(why, "enough"),
            () = tokio::time::sleep(Duration::from_millis(3_500)) => panic!("it went on"),
        }
        pulse.end(&recorder);
        assert_eq!(beats, 3);
        assert_eq!(recorder.counters().get(Counter::Logins), 3);
        let samples = pulse.samples();
        assert_eq!(samples.len(), 5);
        assert!(samples.iter().all(|sample| sample.server.is_some()));
        assert!(samples[0].others_share(&samples[0]).is_some());
        assert!(recorder.errors().is_empty());
    }

    #[test]
    fn a_server_that_ends_is_a_problem_once() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .expect("a process");
        let watch = Watch::new(Some(child.id())).expect("it is there");
        let (recorder, pulse) = (recorder(), Pulse::new(watch));
        pulse.begin(&recorder, "all", true);
        child.kill().expect("killed");
        child.wait().expect("ended");
        pulse.end(&recorder);
        pulse.end(&recorder);
        assert_eq!(recorder.errors().get(GONE), Some(&1));
        assert!(pulse.samples()[0].server.is_some());
        assert!(pulse.samples()[1].server.is_none());
    }
}
