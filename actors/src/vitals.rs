//! What an actor shows of itself: counters that anyone may read without asking the actor.
//!
//! The roll of a node knows the vitals of every actor by its id. Reading is a look-up and some
//! atomic loads, so it works just as well while the actor is stuck or its mailbox is long.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ractor::{ActorCell, ActorId};

/// A named number of an actor: its name (one word, snake case) and its value now.
pub type Figure = (&'static str, u64);

/// How the children of an actor are to be listed.
pub enum Children {
    /// It has none worth a list, or those that ractor knows.
    Linked,
    /// Any number of children without names of their own, listed by the page.
    Template,
    /// A fixed list in the order of their start, those included that are dead at the moment.
    Named(Vec<Child>),
}

/// A child as its supervisor knows it.
#[derive(Clone)]
pub struct Child {
    /// Its name, one segment of a path.
    pub name: Arc<str>,
    /// The running actor; `None` while it waits for its restart or has ended for good.
    pub cell: Option<ActorCell>,
    /// In a word: `running`, `waiting` (for its restart), `ended`.
    pub state: &'static str,
    /// How often it was started again.
    pub restarts: u64,
    /// Why it ended the last time, if it did.
    pub last_error: Option<Arc<str>>,
}

/// What every actor answers for: cheap, without blocking, from any thread.
pub trait Status: Send + Sync + 'static {
    /// What sort of actor it is: `supervisor`, `session`, `listener`, ….
    fn kind(&self) -> &'static str;
    /// Its name beneath its supervisor; a session's is its full JID.
    fn name(&self) -> Cow<'_, str>;
    /// Messages it has handled.
    fn handled(&self) -> u64;
    /// Messages in its mailbox that it hasn't handled yet.
    fn depth(&self) -> u64;
    /// Messages in its mailbox or in hand: while there are any, an actor that is well handles
    /// more and more. The watchdog looks at this.
    fn in_hand(&self) -> u64 {
        self.depth()
    }
    /// Bytes in its mailbox, where they are counted.
    fn mailbox_bytes(&self) -> u64 {
        0
    }
    /// The last error that it reports itself, if any.
    fn last_error(&self) -> Option<Arc<str>> {
        None
    }
    /// Its own few figures.
    fn figures(&self) -> Vec<Figure> {
        Vec::new()
    }
    /// How its children are listed.
    fn children(&self) -> Children {
        Children::Linked
    }
}

/// The ordinary implementation of [`Status`]: atomics that the actor counts in.
pub struct Vitals {
    kind: &'static str,
    name: Box<str>,
    handled: AtomicU64,
    sent: AtomicU64,
    last_error: Mutex<Option<Arc<str>>>,
    figures: Option<Box<dyn Fn() -> Vec<Figure> + Send + Sync>>,
}

impl Vitals {
    /// Vitals of an actor without figures of its own.
    #[must_use]
    pub fn new(kind: &'static str, name: impl Into<Box<str>>) -> Self {
        Self {
            kind,
            name: name.into(),
            handled: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            last_error: Mutex::new(None),
            figures: None,
        }
    }

    /// Adds figures that are taken when somebody looks.
    #[must_use]
    pub fn with_figures(
        mut self,
        figures: impl Fn() -> Vec<Figure> + Send + Sync + 'static,
    ) -> Self {
        self.figures = Some(Box::new(figures));
        self
    }

    /// Counts a message put into the actor's mailbox.
    pub fn count_sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a message that the actor is done with.
    pub fn count_handled(&self) {
        self.handled.fetch_add(1, Ordering::Relaxed);
    }

    /// Keeps `error` as the last one.
    pub fn note_error(&self, error: impl fmt::Display) {
        *lock(&self.last_error) = Some(error.to_string().into());
    }
}

impl Status for Vitals {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn name(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.name)
    }

    fn handled(&self) -> u64 {
        self.handled.load(Ordering::Relaxed)
    }

    fn depth(&self) -> u64 {
        self.sent
            .load(Ordering::Relaxed)
            .saturating_sub(self.handled())
    }

    fn last_error(&self) -> Option<Arc<str>> {
        lock(&self.last_error).clone()
    }

    fn figures(&self) -> Vec<Figure> {
        self.figures.as_ref().map(|f| f()).unwrap_or_default()
    }
}

const SHARDS: usize = 32;

/// Who lives in this node: the vitals of every actor by its id.
#[derive(Clone, Default)]
pub struct Roll(Arc<Inner>);

#[derive(Default)]
struct Inner {
    shards: [Mutex<RollShard>; SHARDS],
    restarted: AtomicU64,
    failed: AtomicU64,
    gave_up: AtomicU64,
    troubles: Mutex<HashMap<ActorId, Trouble>>,
}

#[derive(Default)]
struct RollShard {
    actors: HashMap<ActorId, Arc<dyn Status>>,
    /// How many were entered, by kind: a handful.
    entered: Vec<(&'static str, u64)>,
}

/// What is wrong with an actor that lives and does not do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It has had a message in hand all this time, and handled none.
    Stuck(Duration),
    /// It handles its messages, but ever more of them wait, all this time.
    Grows(Duration),
}

/// What happened to the actors of a node since it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Falls {
    /// Failed or killed.
    pub failed: u64,
    /// Started again by their supervisor.
    pub restarted: u64,
    /// Supervisors that had too many restarts.
    pub gave_up: u64,
}

impl Roll {
    /// Enters an actor. It is struck off when the returned entry is dropped, which the actor's
    /// state therefore holds.
    #[must_use]
    pub fn enter(&self, id: ActorId, status: Arc<dyn Status>) -> RollEntry {
        let kind = status.kind();
        let mut shard = self.shard(id);
        match shard.entered.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => shard.entered.push((kind, 1)),
        }
        shard.actors.insert(id, status);
        drop(shard);
        RollEntry {
            roll: self.clone(),
            id,
        }
    }

    /// The vitals of an actor.
    #[must_use]
    pub fn get(&self, id: ActorId) -> Option<Arc<dyn Status>> {
        self.shard(id).actors.get(&id).cloned()
    }

    /// Calls `each` for every actor, in no order. It holds up those who enter or leave, so it
    /// is to be quick, and must not enter anybody itself.
    pub fn for_each(&self, mut each: impl FnMut(ActorId, &Arc<dyn Status>)) {
        for shard in &self.0.shards {
            for (id, status) in &lock(shard).actors {
                each(*id, status);
            }
        }
    }

    /// How many actors there are.
    #[must_use]
    pub fn len(&self) -> usize {
        let shards = self.0.shards.iter();
        shards.map(|shard| lock(shard).actors.len()).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many actors were ever entered, by kind in alphabetical order.
    #[must_use]
    pub fn entered(&self) -> BTreeMap<&'static str, u64> {
        let mut all = BTreeMap::new();
        for shard in &self.0.shards {
            for (kind, count) in &lock(shard).entered {
                *all.entry(*kind).or_default() += count;
            }
        }
        all
    }

    /// How many have fallen.
    #[must_use]
    pub fn falls(&self) -> Falls {
        Falls {
            failed: self.0.failed.load(Ordering::Relaxed),
            restarted: self.0.restarted.load(Ordering::Relaxed),
            gave_up: self.0.gave_up.load(Ordering::Relaxed),
        }
    }

    /// Counts an actor that failed or was killed.
    pub fn count_failed(&self) {
        self.0.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an actor that is started again.
    pub fn count_restarted(&self) {
        self.0.restarted.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a supervisor that gives up.
    pub fn count_gave_up(&self) {
        self.0.gave_up.fetch_add(1, Ordering::Relaxed);
    }

    /// What is wrong with an actor, if it is in trouble.
    #[must_use]
    pub fn trouble(&self, id: ActorId) -> Option<Trouble> {
        lock(&self.0.troubles).get(&id).copied()
    }

    /// Everybody who is in trouble.
    #[must_use]
    pub fn troubles(&self) -> HashMap<ActorId, Trouble> {
        lock(&self.0.troubles).clone()
    }

    /// Notes who is in trouble, in the place of what was noted before.
    pub fn note_troubles(&self, troubles: HashMap<ActorId, Trouble>) {
        *lock(&self.0.troubles) = troubles;
    }

    fn shard(&self, id: ActorId) -> MutexGuard<'_, RollShard> {
        lock(&self.0.shards[usize::try_from(id.pid()).unwrap_or(0) % SHARDS])
    }
}

/// An actor's place in the [`Roll`]; dropping it strikes the actor off.
pub struct RollEntry {
    roll: Roll,
    id: ActorId,
}

impl Drop for RollEntry {
    fn drop(&mut self) {
        let gone = self.roll.shard(self.id).actors.remove(&self.id);
        // Whatever hangs on it goes without the lock.
        drop(gone);
    }
}

/// Locks what a panic elsewhere can't leave half done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_on_the_roll_as_long_as_its_entry_lives() {
        let roll = Roll::default();
        let id = ActorId::Local(7);
        let vitals = Arc::new(Vitals::new("test", "seven").with_figures(|| vec![("fish", 3)]));
        let entry = roll.enter(id, vitals.clone());
        vitals.count_sent();
        vitals.count_sent();
        vitals.count_handled();
        vitals.note_error("first");
        let seen = roll.get(id).expect("it is entered");
        assert_eq!(
            (seen.kind(), &*seen.name(), seen.handled(), seen.depth()),
            ("test", "seven", 1, 1)
        );
        assert_eq!(seen.last_error().as_deref(), Some("first"));
        assert_eq!(seen.figures(), [("fish", 3)]);
        drop(entry);
        assert!(roll.get(id).is_none());
        assert!(roll.is_empty());
        assert_eq!(roll.entered(), BTreeMap::from([("test", 1)]));
    }
}
