//! Whether the runtime runs anything, and the end of a process in which it doesn't.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

/// How long the last line of the log may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A runtime counts beats as long as it has a thread to do so.
#[derive(Clone)]
pub(super) struct Pulse {
    beats: Arc<AtomicU64>,
    last: u64,
    still: u32,
}

impl Pulse {
    /// Lets `runtime` count, a few times in `every`, until the handle aborts it.
    pub(super) fn of(runtime: &Handle, every: Duration) -> (Self, AbortHandle) {
        let beats = Arc::new(AtomicU64::new(0));
        let counted = beats.clone();
        let beating = runtime.spawn(async move {
            let mut ticks = tokio::time::interval(every / 2);
            loop {
                ticks.tick().await;
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        let pulse = Self {
            beats,
            last: 0,
            still: 0,
        };
        (pulse, beating.abort_handle())
    }

    /// How many looks in a row there was no beat, before this one and with it.
    pub(super) fn look(&mut self) -> (u32, u32) {
        let (now, before) = (self.beats.load(Ordering::Relaxed), self.still);
        self.still = match now == self.last {
            true => before.saturating_add(1),
            false => 0,
        };
        self.last = now;
        (before, self.still)
    }
}

/// Looks until `stopped` closes; aborts the process when there was no beat for so many looks.
///
/// It needs a thread of its own that does nothing else. What blocks everybody may be the log, whose
/// reader has gone to sleep, and the watchdog writes into that.
pub(super) fn abort_when_still(
    mut pulse: Pulse,
    looks: u32,
    every: Duration,
    stopped: &Receiver<()>,
) {
    while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
        if pulse.look().1 >= looks {
            last_words(every * looks);
            process::abort();
        }
    }
}

fn last_words(still: Duration) {
    let (said, heard) = mpsc::channel();
    let speaker = std::thread::Builder::new().spawn(move || {
        tracing::error!(
            what = "runtime_dead",
            seconds = still.as_secs_f64(),
            "no thread has run anything for too long: the process aborts"
        );
        // Nobody may be waiting any more.
        let _ = said.send(());
    });
    if speaker.is_ok() {
        // Said or not, this is the end.
        let _ = heard.recv_timeout(LAST_WORDS);
    }
}
