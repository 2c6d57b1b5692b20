//! How long messages took.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::measure::Times;

/// The longest that is told apart; what takes longer counts as this.
const LONGEST: u64 = 60_000_000_000;

/// Times by how often they occurred, to three digits.
#[derive(Debug)]
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    /// None yet.
    pub(crate) fn new() -> Latencies {
        Latencies(
            Histogram::new_with_bounds(1, LONGEST, 3).expect("bounds that hdrhistogram takes"),
        )
    }

    /// Counts one, in nanoseconds.
    pub(crate) fn record(&mut self, nanoseconds: u64) {
        self.0.saturating_record(nanoseconds.max(1));
    }

    /// Counts what others counted too.
    pub(crate) fn add(&mut self, others: &Latencies) {
        self.0
            .add(&others.0)
            .expect("histograms of the same bounds");
    }

    /// Counts what was kept.
    pub(crate) fn add_times(&mut self, times: &Times) {
        for (nanoseconds, count) in times.pairs() {
            self.0.saturating_record_n(nanoseconds.max(1), count);
        }
    }

    /// Begins anew.
    pub(crate) fn clear(&mut self) {
        self.0.reset();
    }

    /// Nanoseconds and how often they were counted, the shortest first.
    pub(crate) fn occurred(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let recorded = self.0.iter_recorded();
        recorded.map(|step| (step.value_iterated_to(), step.count_at_value()))
    }

    /// How many were counted.
    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    /// The time that this share of all, 0 to 1, did not exceed.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        Duration::from_nanos(self.0.value_at_quantile(share))
    }

    /// The longest.
    pub(crate) fn max(&self) -> Duration {
        Duration::from_nanos(self.0.max())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_to_three_digits() {
        let mut latencies = Latencies::new();
        for micros in 1..=1_000 {
            latencies.record(micros * 1_000);
        }
        assert_eq!(latencies.count(), 1_000);
        for (share, micros) in [(0.5, 500.0), (0.99, 990.0), (1.0, 1_000.0)] {
            let got = latencies.quantile(share).as_secs_f64() * 1e6;
            assert!((got / micros - 1.0).abs() < 0.002, "{share}: {got} µs");
        }
    }

    #[test]
    fn nothing_is_too_short_or_too_long() {
        let mut latencies = Latencies::new();
        latencies.record(0);
        latencies.record(u64::MAX);
        assert_eq!(latencies.count(), 2);
        assert!(latencies.max() >= Duration::from_secs(59));
    }
}
