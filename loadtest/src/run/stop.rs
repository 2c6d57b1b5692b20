//! When a run is given up.

use std::collections::VecDeque;

use crate::latency::Latencies;
use crate::scenario::Stop;

/// How many looks count.
const LOOKS: usize = 10;
/// Fewer transactions than this say nothing about a share.
const FEWEST: u64 = 20;

/// The rules of a scenario, and what was seen in the last looks.
#[derive(Debug)]
pub(crate) struct Rules<'a> {
    stop: &'a Stop,
    counts: VecDeque<(u64, u64)>,
    times: Vec<VecDeque<Latencies>>,
}

impl Rules<'_> {
    /// Nothing was seen yet.
    pub(crate) fn new(stop: &Stop) -> Rules<'_> {
        Rules {
            stop,
            counts: VecDeque::from([(0, 0)]),
            times: stop.slow.iter().map(|_| VecDeque::new()).collect(),
        }
    }

    /// Looks, once a second, at what is done and failed so far, and at the times of transactions since
    /// the last look; says which of the rules holds if one does.
    pub(crate) fn look(
        &mut self,
        now: (u64, u64),
        lately: impl Fn(&str) -> Option<Latencies>,
    ) -> Option<String> {
        let before = self.counts.front().copied().unwrap_or_default();
        let (done, failed) = (now.0 - before.0, now.1 - before.1);
        self.counts.push_back(now);
        if self.counts.len() > LOOKS {
            self.counts.pop_front();
        }
        if let Some(most) = self.stop.errors_percent {
            let share = failed as f64 / (done + failed).max(1) as f64 * 100.0;
            if done + failed >= FEWEST && share >= most {
                return Some(format!(
                    "the run was given up: {most} % of the transactions failed"
                ));
            }
        }
        for (slow, times) in self.stop.slow.iter().zip(&mut self.times) {
            times.extend(lately(&slow.transaction));
            if times.len() > LOOKS {
                times.pop_front();
            }
            let mut all = Latencies::new();
            times.iter().for_each(|times| all.add(times));
            if all.count() > 0 && all.quantile(slow.percent / 100.0) > slow.above.get() {
                return Some(format!(
                    "the run was given up: {} took longer than {}",
                    slow.transaction, slow.above
                ));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Slow;

    #[test]
    fn a_share_of_errors_ends_the_run() {
        let stop = Stop {
            errors_percent: Some(10.0),
            ..Stop::default()
        };
        let mut rules = Rules::new(&stop);
        // Few say nothing, and what is long ago does not count.
        assert_eq!(rules.look((0, 19), |_| None), None);
        for second in 1..=LOOKS as u64 {
            assert_eq!(rules.look((second * 1_000, 19), |_| None), None);
        }
        assert_eq!(rules.look((10_000, 900), |_| None), None);
        assert!(rules.look((10_000, 1_100), |_| None).is_some());
    }

    #[test]
    fn a_slow_transaction_ends_the_run() {
        let stop = Stop {
            slow: vec![Slow {
                transaction: "login".to_owned(),
                percent: 50.0,
                above: config::Span::seconds(1),
            }],
            ..Stop::default()
        };
        let mut rules = Rules::new(&stop);
        let times = |millis: u64| {
            let mut times = Latencies::new();
            times.record(millis * 1_000_000);
            move |_: &str| {
                let mut copy = Latencies::new();
                copy.add(&times);
                Some(copy)
            }
        };
        assert_eq!(rules.look((1, 0), times(900)), None);
        // One of two is the half.
        assert_eq!(rules.look((2, 0), times(9_000)), None);
        let reason = rules.look((3, 0), times(9_000)).expect("too slow");
        assert!(reason.contains("login took longer than 1s"), "{reason}");
    }
}
