//! Time as the node sees it.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// The node's clock: a monotonic time that a paused test runtime steers, and the time of day.
#[derive(Debug, Clone)]
pub struct Clock {
    started: Instant,
    /// The time of day at `started`, where a test has set one.
    set: Option<SystemTime>,
}

impl Clock {
    /// The clock of the machine.
    #[must_use]
    pub fn system() -> Self {
        Self {
            started: Instant::now(),
            set: None,
        }
    }

    /// A clock that shows `now` at this moment and goes on with the runtime's time.
    #[must_use]
    pub fn set_to(now: SystemTime) -> Self {
        Self {
            started: Instant::now(),
            set: Some(now),
        }
    }

    /// How long the node has been running.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// Milliseconds since the start of the node: a time stamp that fits an atomic.
    #[must_use]
    pub fn millis(&self) -> u64 {
        u64::try_from(self.uptime().as_millis()).unwrap_or(u64::MAX)
    }

    /// The time of day, in UTC.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.set
            .map_or_else(SystemTime::now, |set| set + self.uptime())
    }

    /// The time of day in milliseconds since 1970, UTC: what stores keep.
    #[must_use]
    pub fn unix_millis(&self) -> i64 {
        let since = self.now().duration_since(SystemTime::UNIX_EPOCH);
        since.map_or(0, |since| {
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        })
    }
}
