//! Times to be kept, sent and merged: only those that occurred.

use serde::{Deserialize, Serialize};

use crate::latency::Latencies;

/// How often which time occurred: pairs of nanoseconds and numbers, the shortest first. A histogram of
/// [`Latencies`] without its empty places; what is made of it again is the same to the last count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Times(Vec<(u64, u64)>);

impl Times {
    /// All of them, to three digits.
    pub(crate) fn exact(latencies: &Latencies) -> Times {
        Times(latencies.occurred().collect())
    }

    /// All of them, to a 64th: small enough to keep one for each second.
    pub(crate) fn rough(latencies: &Latencies) -> Times {
        let mut rough: Vec<(u64, u64)> = Vec::new();
        for (nanoseconds, count) in latencies.occurred() {
            // Seven bits stay; the highest time that they stand for is the one that is kept.
            let lower = (64 - nanoseconds.leading_zeros()).saturating_sub(7);
            let nanoseconds = nanoseconds | ((1 << lower) - 1);
            match rough.last_mut() {
                Some((last, counts)) if *last == nanoseconds => *counts += count,
                _ => rough.push((nanoseconds, count)),
            }
        }
        Times(rough)
    }

    /// As a histogram again.
    pub(crate) fn latencies(&self) -> Latencies {
        let mut latencies = Latencies::new();
        latencies.add_times(self);
        latencies
    }

    /// Nanoseconds and how often they occurred, the shortest first.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.0.iter().copied()
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.0.iter().map(|(_, count)| count).sum()
    }

    /// The time in nanoseconds that this share of all, 0 to 1, did not exceed; `None` if there is none.
    pub(crate) fn quantile(&self, share: f64) -> Option<u64> {
        let rank = ((self.count() as f64 * share).ceil() as u64).max(1);
        let mut sum = 0;
        for (nanoseconds, count) in self.pairs() {
            sum += count;
            if sum >= rank {
                return Some(nanoseconds);
            }
        }
        None
    }

    /// Adds others to them.
    pub(crate) fn merge(&mut self, others: &Times) {
        let mut merged = Vec::with_capacity(self.0.len() + others.0.len());
        let (mut mine, mut theirs) = (self.0.iter().peekable(), others.0.iter().peekable());
        loop {
            let next = match (mine.peek(), theirs.peek()) {
                (Some(a), Some(b)) if a.0 == b.0 => (a.0, a.1 + b.1),
                (Some(a), Some(b)) if a.0 < b.0 => **a,
                (Some(a), None) => **a,
                (_, Some(b)) => **b,
                (None, None) => break,
            };
            mine.next_if(|pair| pair.0 == next.0);
            theirs.next_if(|pair| pair.0 == next.0);
            merged.push(next);
        }
        self.0 = merged;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latencies(times: impl Iterator<Item = u64>) -> Latencies {
        let mut latencies = Latencies::new();
        times.for_each(|time| latencies.record(time));
        latencies
    }

    #[test]
    fn exact_times_are_the_histogram_and_merge_as_it_does() {
        let (mut a, b) = (
            latencies((1..500).map(|n| n * 7_919)),
            latencies((1..900).map(|n| n * n * 31)),
        );
        let mut times = Times::exact(&a);
        assert_eq!(Times::exact(&times.latencies()), times);
        times.merge(&Times::exact(&b));
        a.add(&b);
        assert_eq!(times, Times::exact(&a));
        assert_eq!(times.count(), 499 + 899);
        for share in [0.5, 0.99, 0.9999, 1.0] {
            let quantile = a.quantile(share).as_nanos() as u64;
            assert_eq!(times.quantile(share), Some(quantile), "{share}");
        }
    }

    #[test]
    fn rough_times_are_few_and_near() {
        let exact = latencies((1..100_000).map(|n| n * 100));
        let rough = Times::rough(&exact);
        assert_eq!(rough.count(), exact.count());
        assert!(rough.pairs().count() < 64 * 20);
        for share in [0.01, 0.5, 0.99] {
            let (near, right) = (
                rough.quantile(share).expect("some") as f64,
                exact.quantile(share).as_nanos() as f64,
            );
            assert!((near / right - 1.0).abs() < 0.02, "{share}: {near} {right}");
        }
        assert_eq!(Times::default().quantile(0.5), None);
    }
}
