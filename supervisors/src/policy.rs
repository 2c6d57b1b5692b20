//! When a child is started again, how soon, and when its supervisor gives up.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Whether a child that has ended is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Always.
    Permanent,
    /// When it failed or was killed, not when it ended in order.
    Transient,
    /// Never.
    Temporary,
}

impl Policy {
    /// Whether a child is to be started again that ended `in_order` or not.
    #[must_use]
    pub fn restarts(self, in_order: bool) -> bool {
        match self {
            Self::Permanent => true,
            Self::Transient => !in_order,
            Self::Temporary => false,
        }
    }
}

/// How many restarts a supervisor takes for an accident: more of them within `within`, and it
/// gives up, so that its own supervisor acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intensity {
    /// That many restarts are fine.
    pub restarts: usize,
    /// In that time.
    pub within: Duration,
}

impl Default for Intensity {
    fn default() -> Self {
        Self {
            restarts: 10,
            within: Duration::from_secs(60),
        }
    }
}

/// How long a child waits for its restart: `first`, and twice as long each time it falls again,
/// up to `most`; each wait is drawn from the upper half of that, so that children that fell
/// together don't come back together. A child that stood for `most` begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The longest first wait.
    pub first: Duration,
    /// The longest wait of all.
    pub most: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(100),
            most: Duration::from_secs(10),
        }
    }
}

impl Backoff {
    /// The wait before restart number `fall` (from 0) in a row.
    #[must_use]
    pub fn wait(&self, fall: u32) -> Duration {
        let longest = self.first.saturating_mul(1 << fall.min(20)).min(self.most);
        let mut byte = [0u8; 1];
        // Without randomness there is no jitter, which is no reason not to restart.
        let _ = getrandom::fill(&mut byte);
        longest / 2 + longest.mul_f64(f64::from(byte[0]) / 510.0)
    }
}

/// Counts restarts against an [`Intensity`].
#[derive(Debug, Default)]
pub(crate) struct Restarts(VecDeque<Instant>);

impl Restarts {
    /// Counts one more now; `false` when that is more than `intensity` allows.
    pub(crate) fn count(&mut self, intensity: Intensity) -> bool {
        let now = Instant::now();
        while self
            .0
            .front()
            .is_some_and(|at| now - *at >= intensity.within)
        {
            self.0.pop_front();
        }
        self.0.push_back(now);
        self.0.len() <= intensity.restarts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_bound_and_differ() {
        let backoff = Backoff {
            first: Duration::from_millis(100),
            most: Duration::from_secs(1),
        };
        for (fall, longest) in [
            (0, 100),
            (1, 200),
            (3, 800),
            (4, 1000),
            (4_000_000_000, 1000),
        ] {
            let wait = backoff.wait(fall).as_millis();
            assert!(
                (longest / 2..=longest).contains(&wait),
                "fall {fall}: {wait} ms"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn restarts_long_ago_do_not_count() {
        let intensity = Intensity {
            restarts: 2,
            within: Duration::from_secs(10),
        };
        let mut restarts = Restarts::default();
        assert!(restarts.count(intensity));
        assert!(restarts.count(intensity));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!(restarts.count(intensity));
        assert!(restarts.count(intensity));
        assert!(!restarts.count(intensity));
    }
}
