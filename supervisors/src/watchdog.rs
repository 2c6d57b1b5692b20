//! Sees actors that live and do not work: supervisors only see those that die.
//!
//! A handler that waits for ever, or that blocks its thread, leaves its actor alive: nothing
//! falls, nothing is started again, and whoever needs it waits. The watchdog looks at the
//! counters of every actor on the [`Roll`] and asks nobody anything, so it sees actors that
//! can't answer. It runs on a thread of its own, so it sees that even when no thread is left
//! that could run actors.
//!
//! It names them, in the log, on the roll (for `mungoctl actor show`) and in the metrics. If it is
//! told to, it kills who stays stuck; that acts at the actor's next await, so one that blocks its
//! thread stays until it lets go of it. When all threads are blocked nobody is left to be killed for
//! the good of anybody, and the process aborts.

mod pulse;

use std::collections::HashMap;
use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use actors::vitals::{Children, Roll, Trouble};
use ractor::ActorId;
use ractor::registry::where_is_pid;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use pulse::Pulse;

/// When the watchdog calls something trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchdogSettings {
    /// How often it looks.
    pub every: Duration,
    /// So many looks in a row without a message handled, with one in hand: it is stuck.
    pub stuck: u32,
    /// Stuck for so many looks, it is killed, unless it is a supervisor. `None`: nobody is.
    pub kill: Option<u32>,
    /// So many looks in a row with a longer mailbox each time: it grows. A message handled now
    /// and then doesn't help.
    pub grows: u32,
    /// A mailbox with fewer messages doesn't count as growing.
    pub long: u64,
    /// So many looks in a row without anything run by any thread: the process aborts. `None`: never.
    pub abort: Option<u32>,
}

impl Default for WatchdogSettings {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(1),
            stuck: 5,
            kill: None,
            grows: 10,
            long: 1_000,
            abort: Some(60),
        }
    }
}

/// The watchdog's threads. They end when this is dropped.
pub struct Watchdog {
    stop: Vec<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
    beating: AbortHandle,
}

impl Watchdog {
    /// Watches over the actors on `roll`, and over the threads of `runtime` that run them.
    ///
    /// # Errors
    /// The system's, when there is no thread to be had.
    pub fn start(roll: Roll, runtime: &Handle, settings: WatchdogSettings) -> io::Result<Self> {
        let (pulse, beating) = Pulse::of(runtime, settings.every);
        let mut watchdog = Self {
            stop: Vec::new(),
            threads: Vec::new(),
            beating,
        };
        if let Some(looks) = settings.abort {
            let pulse = pulse.clone();
            watchdog.thread("watchdog-abort", move |stopped| {
                pulse::abort_when_still(pulse, looks, settings.every, &stopped);
            })?;
        }
        let mut watch = Watch::new(roll, settings).with_pulse(pulse);
        watchdog.thread("watchdog", move |stopped| {
            while stopped.recv_timeout(settings.every) == Err(RecvTimeoutError::Timeout) {
                watch.look();
            }
        })?;
        Ok(watchdog)
    }

    fn thread(
        &mut self,
        name: &str,
        run: impl FnOnce(Receiver<()>) + Send + 'static,
    ) -> io::Result<()> {
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::Builder::new().name(name.to_owned());
        self.threads.push(thread.spawn(move || run(stopped))?);
        self.stop.push(stop);
        Ok(())
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.stop.clear();
        for thread in self.threads.drain(..) {
            // A panic of its own was told when it happened.
            let _ = thread.join();
        }
        self.beating.abort();
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
    /// Whether it was killed.
    killed: bool,
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

    /// And over a runtime.
    fn with_pulse(mut self, pulse: Pulse) -> Self {
        self.pulse = Some(pulse);
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
                    if !busy.killed && settings.kill.is_some_and(|kill| busy.still >= kill) {
                        busy.killed = true;
                        kill(&self.roll, *id);
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
            name_runtime(pulse, &settings);
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
            killed: false,
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
            killed: self.killed,
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

/// Names the runtime when it has stood still for as long as an actor may.
fn name_runtime(pulse: &mut Pulse, settings: &WatchdogSettings) {
    let (before, still) = pulse.look();
    if still == settings.stuck {
        tracing::error!(
            what = "runtime_stuck",
            "no thread has run anything for a while: all of them are blocked, or the machine is overloaded"
        );
    } else if still == 0 && before >= settings.stuck {
        tracing::warn!(what = "runtime_runs_again");
    }
}

fn kill(roll: &Roll, id: ActorId) {
    let (Some(status), Some(cell)) = (roll.get(id), where_is_pid(id)) else {
        // It has ended meanwhile.
        return;
    };
    // With a supervisor all those would die who live and work.
    if matches!(status.children(), Children::Linked) {
        let (kind, actor) = (status.kind(), status.name());
        tracing::error!(what = "actor_killed", kind, %actor, %id, "it was stuck for too long");
        cell.kill();
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
