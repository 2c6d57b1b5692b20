//! What workers told, together.

use std::collections::{BTreeMap, BTreeSet};

use super::wire::{Machine, Second};
use crate::latency::Latencies;
use crate::measure::{Interval, Recorded, Sample, Times};
use crate::run::Played;

/// All that was written down, with what the coordinator did: the phases, and what became of workers.
pub(super) fn recorded(mut coordinator: Recorded, workers: Vec<Recorded>) -> Recorded {
    // It plays nothing: its seconds are empty.
    coordinator.intervals.clear();
    let kinds = coordinator.kinds.len();
    for worker in workers {
        coordinator.merge(worker);
    }
    for interval in &mut coordinator.intervals {
        interval.transactions.resize_with(kinds, Default::default);
    }
    for phase in &mut coordinator.phases {
        phase.transactions.resize_with(kinds, Default::default);
    }
    coordinator
}

/// What the coordinator saw, with what the workers' processes used, and their machines.
pub(super) fn samples(
    mut coordinator: Vec<Sample>,
    workers: &[(Machine, Vec<Sample>)],
) -> Vec<Sample> {
    let here = Machine::here();
    for sample in &mut coordinator {
        let mut machines = BTreeSet::from([&here]);
        for (machine, theirs) in workers {
            let Some(near) = theirs.iter().min_by_key(|near| near.at.abs_diff(sample.at)) else {
                continue;
            };
            sample.own.add(&near.own);
            sample.busiest = sample.busiest.max(near.busiest);
            if machines.insert(machine) {
                sample.machine += near.machine;
            }
        }
    }
    coordinator
}

/// What one worker has told so far.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// All that it told last, as one interval.
    last: Option<Interval>,
    /// What it told since anybody looked.
    lately: Vec<Interval>,
    errors: BTreeMap<String, u64>,
    counts: (u64, u64),
    samples: Option<(Sample, Sample)>,
    /// Everything, if it is done.
    pub(super) played: Option<Played>,
}

impl Account {
    /// Takes note of a second.
    pub(super) fn hear(&mut self, second: Second) {
        let mut last = Interval::default();
        for interval in &second.intervals {
            last.merge(interval);
            last.sessions = interval.sessions;
        }
        self.last = Some(last);
        self.lately.extend(second.intervals);
        self.errors = second.errors;
        self.counts = second.counts;
        self.samples = second.samples;
    }
}

/// What all workers have told together.
#[derive(Debug, Default)]
pub(super) struct Together {
    pub(super) last: Option<Interval>,
    pub(super) counts: (u64, u64),
    pub(super) errors: BTreeMap<String, u64>,
    lately: Vec<Interval>,
}

impl Together {
    /// Adds up what they told last; what is new in it is so once.
    pub(super) fn of<'a>(accounts: impl Iterator<Item = &'a mut Account>) -> Together {
        let mut all = Together::default();
        for account in accounts {
            if let Some(last) = &account.last {
                let sum = all.last.get_or_insert_default();
                sum.merge(last);
                sum.sessions += last.sessions;
            }
            all.counts.0 += account.counts.0;
            all.counts.1 += account.counts.1;
            for (what, times) in &account.errors {
                *all.errors.entry(what.clone()).or_default() += times;
            }
            all.lately.append(&mut account.lately);
        }
        all
    }

    /// The new times of the transaction with this number.
    pub(super) fn lately(&self, number: usize) -> Latencies {
        let mut times = Times::default();
        for interval in &self.lately {
            if let Some(passage) = interval.transactions.get(number) {
                times.merge(&passage.times);
            }
        }
        times.latencies()
    }
}

/// What the processes of workers used in their last seconds, added to ours.
pub(super) fn usage<'a>(
    ours: Option<(Sample, Sample)>,
    accounts: impl Iterator<Item = &'a Account>,
) -> Option<(Sample, Sample)> {
    let (mut before, mut now) = ours?;
    for (then, last) in accounts.filter_map(|account| account.samples.as_ref()) {
        before.own.add(&then.own);
        now.own.add(&last.own);
    }
    Some((before, now))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::measure::{Recorder, Since};
    use crate::process::Usage;

    fn record(times: &[u64], sessions: u64) -> Recorded {
        let recorder = Recorder::new(Instant::now(), [("ping".to_owned(), Since::Begun)]);
        recorder.begin("all", true, 0);
        times.iter().for_each(|time| recorder.took(0, *time));
        recorder.sessions(sessions);
        recorder.problem("odd", 1);
        recorder.end(1_000);
        recorder.finish()
    }

    #[test]
    fn histograms_of_workers_are_one_to_the_last_count() {
        let (a, b) = ([1_000, 2_003, 70_007], [2_003, 555_555, 9]);
        let mut both = a.to_vec();
        both.extend(b);
        let merged = recorded(record(&[], 0), vec![record(&a, 3), record(&b, 4)]);
        let one = record(&both, 7);
        assert_eq!(merged.phases, one.phases);
        let (merged_second, second) = (&merged.intervals[0], &one.intervals[0]);
        assert_eq!(merged_second.transactions, second.transactions);
        assert_eq!(merged_second.sessions, 7);
        // The coordinator's is one of them.
        assert_eq!(merged.errors.get("odd"), Some(&3));
    }

    #[test]
    fn without_workers_there_is_a_record_still() {
        let merged = recorded(record(&[], 0), vec![]);
        assert_eq!((merged.phases.len(), merged.intervals.len()), (1, 0));
    }

    #[test]
    fn processes_add_up_and_machines_count_once() {
        let sample = |at, own, machine| Sample {
            at,
            own: Usage {
                user: Duration::from_secs(own),
                ..Usage::default()
            },
            busiest: own as f64 / 100.0,
            machine: Duration::from_secs(machine),
            ..Sample::default()
        };
        let there: Machine = serde_json::from_str("\"there\"").expect("a machine");
        let theirs = |own| vec![sample(0, 0, 0), sample(990, own, 90), sample(2_000, 99, 99)];
        let workers = [
            (Machine::here(), theirs(3)),
            (there.clone(), theirs(4)),
            (there, theirs(5)),
        ];
        let together = samples(vec![sample(1_000, 1, 50)], &workers);
        assert_eq!(together[0].own.user, Duration::from_secs(1 + 3 + 4 + 5));
        assert_eq!(together[0].machine, Duration::from_secs(50 + 90));
        assert!((together[0].busiest - 0.05).abs() < 1e-9);
    }

    #[test]
    fn what_is_new_is_so_once() {
        let told = |times: &[u64], sessions| {
            let mut account = Account::default();
            account.hear(Second {
                intervals: record(times, sessions).intervals,
                counts: (times.len() as u64, 1),
                ..Second::default()
            });
            account
        };
        let mut accounts = [told(&[10, 20], 3), told(&[30], 4)];
        let all = Together::of(accounts.iter_mut());
        assert_eq!((all.counts, all.lately(0).count()), ((3, 2), 3));
        assert_eq!(all.last.map(|last| last.sessions), Some(7));
        let all = Together::of(accounts.iter_mut());
        assert_eq!((all.counts, all.lately(0).count()), ((3, 2), 0));
    }
}
