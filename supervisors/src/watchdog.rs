//! Sees actors that live and do not work: supervisors only see those that die.
//!
//! A handler that waits for ever, or that blocks its thread, leaves its actor alive: nothing
//! falls, nothing is started again, and whoever needs it waits. The watchdog looks at the
//! counters of every actor on the [`Roll`] and asks nobody anything, so it sees actors that
//! can't answer. It runs on a thread of its own, so it sees that even when no thread is left
//! that could run actors.
//!
//! It names them, in the log, on the roll (for `mungoctl actor show`) and in the metrics. It
//! kills nobody: see [`ractor::ActorCell::kill`] for what it could not do about a blocked thread.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use actors::vitals::{Roll, Trouble};
use ractor::ActorId;
use tokio::runtime::Handle;

/// When the watchdog calls something trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchdogSettings {
    /// How often it looks.
    pub every: Duration,
    /// So many looks in a row without a message handled, with one in hand: it is stuck.
    pub stuck: u32,
    /// So many looks in a row with a longer mailbox each time: it grows. A message handled now
    /// and then doesn't help.
    pub grows: u32,
    /// A mailbox with fewer messages doesn't count as growing.
    pub long: u64,
}

impl Default for WatchdogSettings {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(1),
            stuck: 5,
            grows: 10,
            long: 1_000,
        }
    }
}

/// The watchdog's thread. It ends when this is dropped.
pub struct Watchdog {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    /// Watches over the actors on `roll`, and over the threads of `runtime` that run them.
    ///
    /// # Errors
    /// The system's, when there is no thread to be had.
    pub fn start(roll: Roll, runtime: &Handle, settings: WatchdogSettings) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let pulse = Arc::new(AtomicU64::new(0));
        let mut watch = Watch::new(roll, settings).with_pulse(pulse.clone());
        let beating = runtime.spawn(async move {
            let mut ticks = tokio::time::interval(settings.every / 2);
            loop {
                ticks.tick().await;
                pulse.fetch_add(1, Ordering::Relaxed);
            }
        });
        let thread = std::thread::Builder::new()
            .name("watchdog".to_owned())
            .spawn(move || {
                while stopped.recv_timeout(settings.every) == Err(RecvTimeoutError::Timeout) {
                    watch.look();
                }
                beating.abort();
            })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of its own was told when it happened.
            let _ = thread.join();
        }
    }
}

/// What the watchdog knows; its thread looks with it again and again.
///
/// Time is counted in looks: when the whole process stood still (a debugger, `SIGSTOP`, a
/// machine that slept), that is one look, and nobody is blamed for it.
pub struct Watch {
    roll: Roll,
    settings: WatchdogSettings,
    /// Those who had something in hand the last time.
    busy: HashMap<ActorId, Busy>,
    pulse: Option<Pulse>,
}

/// An actor with something in hand.
struct Busy {
    handled: u64,
    in_hand: u64,
    /// Looks since it last handled something.
    still: u32,
    /// Looks in which ever more waited.
    longer: u32,
    /// Whether it was named.
    named: bool,
}

/// Whether the runtime runs anything.
struct Pulse {
    beats: Arc<AtomicU64>,
    last: u64,
    still: u32,
}

impl Watch {
    /// Watches over the actors on `roll`.
    #[must_use]
    pub fn new(roll: Roll, settings: WatchdogSettings) -> Self {
        Self {
            roll,
            settings,
            busy: HashMap::new(),
            pulse: None,
        }
    }

    /// And over a runtime that counts `beats` up as long as it has a thread to do so.
    fn with_pulse(mut self, beats: Arc<AtomicU64>) -> Self {
        self.pulse = Some(Pulse {
            beats,
            last: 0,
            still: 0,
        });
        self
    }

    /// Looks at everybody once.
    pub fn look(&mut self) {
        let mut before = std::mem::take(&mut self.busy);
        let (roll, busy) = (&self.roll, &mut self.busy);
        roll.for_each(|id, status| {
            let in_hand = status.in_hand();
            if in_hand > 0 {
                let handled = status.handled();
                let now = match before.remove(&id) {
                    Some(before) => before.next(handled, in_hand),
                    None => Busy::new(handled, in_hand),
                };
                busy.insert(id, now);
            }
        });
        let settings = self.settings;
        let mut troubles = HashMap::new();
        for (id, busy) in &mut self.busy {
            match busy.trouble(&settings) {
                Some(trouble) => {
                    troubles.insert(*id, trouble);
                    if !busy.named {
                        busy.named = true;
                        name(&self.roll, *id, busy, trouble);
                    }
                }
                None if busy.named => {
                    busy.named = false;
                    relieved(*id);
                }
                None => {}
            }
        }
        before.retain(|_, before| before.named);
        before.into_keys().for_each(relieved);
        self.roll.note_troubles(troubles);
        if let Some(pulse) = &mut self.pulse {
            pulse.look(&settings);
        }
    }
}

impl Busy {
    fn new(handled: u64, in_hand: u64) -> Self {
        Self {
            handled,
            in_hand,
            still: 0,
            longer: 0,
            named: false,
        }
    }

    fn next(self, handled: u64, in_hand: u64) -> Self {
        let on = |more: bool, looks: u32| if more { looks.saturating_add(1) } else { 0 };
        Self {
            handled,
            in_hand,
            still: on(handled == self.handled, self.still),
            longer: on(in_hand > self.in_hand, self.longer),
            named: self.named,
        }
    }

    fn trouble(&self, settings: &WatchdogSettings) -> Option<Trouble> {
        if self.still >= settings.stuck {
            Some(Trouble::Stuck(settings.every * self.still))
        } else if self.longer >= settings.grows && self.in_hand >= settings.long {
            Some(Trouble::Grows(settings.every * self.longer))
        } else {
            None
        }
    }
}

impl Pulse {
    fn look(&mut self, settings: &WatchdogSettings) {
        let now = self.beats.load(Ordering::Relaxed);
        if now != self.last {
            if self.still >= settings.stuck {
                tracing::warn!(what = "runtime_runs_again");
            }
            (self.last, self.still) = (now, 0);
            return;
        }
        self.still = self.still.saturating_add(1);
        if self.still == settings.stuck {
            tracing::error!(
                what = "runtime_stuck",
                "no thread has run anything for a while: all of them are blocked, or the machine is overloaded"
            );
        }
    }
}

fn name(roll: &Roll, id: ActorId, busy: &Busy, trouble: Trouble) {
    let Some(status) = roll.get(id) else {
        // It has ended meanwhile.
        return;
    };
    let (kind, actor, in_hand) = (status.kind(), status.name(), busy.in_hand);
    match trouble {
        Trouble::Stuck(time) => tracing::error!(
            what = "actor_stuck", kind, %actor, %id, in_hand, seconds = time.as_secs(),
            "it has handled no message since"
        ),
        Trouble::Grows(time) => tracing::error!(
            what = "actor_behind", kind, %actor, %id, in_hand, seconds = time.as_secs(),
            "ever more messages wait for it"
        ),
    }
}

fn relieved(id: ActorId) {
    tracing::warn!(what = "actor_out_of_trouble", %id);
}

#[cfg(test)]
mod tests;
