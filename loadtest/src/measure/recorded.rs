//! What was written down in a run, by everybody.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Counters, Interval, Since, Times};

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recorded {
    /// The transactions; others know them by their places.
    pub(crate) kinds: Vec<Kind>,
    /// The phases that were played.
    pub(crate) phases: Vec<Phase>,
    /// The seconds, one behind the other.
    pub(crate) intervals: Vec<Interval>,
    /// What went wrong, by kind.
    pub(crate) errors: BTreeMap<String, u64>,
}

/// What a transaction is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kind {
    /// Its name.
    pub(crate) name: String,
    /// What its time counts from.
    pub(crate) since: Since,
}

/// A phase that was played.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Phase {
    /// Its name.
    pub(crate) name: String,
    /// Whether what happened in it is a figure.
    pub(crate) measured: bool,
    /// When it began, in milliseconds since the run did.
    pub(crate) from: u64,
    /// When it ended, or the run.
    pub(crate) to: u64,
    /// What was counted in it.
    pub(crate) counters: Counters,
    /// The transactions, by their numbers.
    pub(crate) transactions: Vec<Total>,
}

/// What became of a transaction in a phase.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Total {
    /// How long those took that ended well, to three digits.
    pub(crate) times: Times,
    /// How many did not.
    pub(crate) failed: u64,
}

impl Recorded {
    /// Adds what another thread or process wrote down in the same run: of the same transactions, with
    /// the same phases. Histograms merge to the last count; seconds are those of the run's clock.
    pub(crate) fn merge(&mut self, other: Recorded) {
        if self.kinds.is_empty() {
            self.kinds = other.kinds;
        }
        for (number, theirs) in other.phases.into_iter().enumerate() {
            match self.phases.get_mut(number) {
                Some(mine) => mine.merge(theirs),
                None => self.phases.push(theirs),
            }
        }
        let mut seconds = by_second(std::mem::take(&mut self.intervals));
        for (key, theirs) in by_second(other.intervals) {
            let second = seconds.entry(key).or_default();
            second.merge(&theirs);
            second.sessions += theirs.sessions;
        }
        self.intervals = seconds.into_values().collect();
        self.intervals.sort_by_key(|interval| interval.from);
        for (what, times) in other.errors {
            *self.errors.entry(what).or_default() += times;
        }
    }
}

/// Intervals by second and phase. There may be two of one second, where we came late.
fn by_second(intervals: Vec<Interval>) -> BTreeMap<(u64, Option<usize>), Interval> {
    let mut seconds: BTreeMap<_, Interval> = BTreeMap::new();
    for interval in intervals {
        // Nobody's clock strikes to the millisecond.
        let key = ((interval.from + 500) / 1_000, interval.phase);
        let second = seconds.entry(key).or_default();
        second.merge(&interval);
        second.sessions = second.sessions.max(interval.sessions);
    }
    seconds
}

impl Phase {
    /// How long it was, in seconds; never zero.
    pub(crate) fn seconds(&self) -> f64 {
        (self.to.saturating_sub(self.from) as f64 / 1e3).max(1e-3)
    }

    fn merge(&mut self, other: Phase) {
        self.from = self.from.min(other.from);
        self.to = self.to.max(other.to);
        self.counters.add(&other.counters);
        let more = other.transactions.len().max(self.transactions.len());
        self.transactions.resize_with(more, Total::default);
        for (mine, theirs) in self.transactions.iter_mut().zip(other.transactions) {
            mine.times.merge(&theirs.times);
            mine.failed += theirs.failed;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::measure::Recorder;

    #[test]
    fn two_threads_together_are_as_one() {
        let play = |parts: &[u64]| {
            let recorder = Recorder::new(Instant::now(), [("ping".to_owned(), Since::Begun)]);
            recorder.begin("all", true, 0);
            for second in 0..3 {
                for part in parts {
                    recorder.took(0, 1_000 * (second + 1) * part);
                }
                recorder.sessions(parts.len() as u64);
                // Nobody's clock is exact.
                recorder.cut(second * 1_000 + 990 + parts.len() as u64);
            }
            recorder.problem("late", parts.len() as u64);
            recorder.end(3_000);
            recorder.finish()
        };
        let (mut merged, other, one) = (play(&[1]), play(&[5, 9]), play(&[1, 5, 9]));
        let text = serde_json::to_string(&other).expect("as JSON");
        merged.merge(serde_json::from_str(&text).expect("and back"));
        assert_eq!(merged.phases, one.phases);
        assert_eq!(merged.errors, one.errors);
        let counts = |recorded: &Recorded| -> Vec<(u64, u64)> {
            let all = recorded.intervals.iter();
            all.filter(|interval| interval.phase.is_some())
                .map(|i| (i.sessions, i.transactions[0].times.count()))
                .take(2)
                .collect()
        };
        assert_eq!(counts(&merged), counts(&one));
    }

    /// Where a phase begins there are two intervals in a second; nobody is there twice for that.
    #[test]
    fn who_is_there_is_counted_once_in_a_second() {
        let interval = |from, to, sessions| Interval {
            from,
            to,
            sessions,
            ..Interval::default()
        };
        let mine = vec![interval(1_000, 2_000, 5)];
        let theirs = vec![interval(600, 1_100, 7), interval(1_100, 2_000, 6)];
        let mut merged = Recorded {
            intervals: mine,
            ..Recorded::default()
        };
        merged.merge(Recorded {
            intervals: theirs,
            ..Recorded::default()
        });
        assert_eq!(merged.intervals, [interval(600, 2_000, 12)]);
    }
}
