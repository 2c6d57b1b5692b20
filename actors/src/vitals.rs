//! What an actor shows of itself: counters that anyone may read without asking the actor.
//!
//! The roll of a node knows the vitals of every actor by its id. Reading is a look-up and some
//! atomic loads, so it works just as well while the actor is stuck or its mailbox is long.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
pub struct Roll(Arc<[RollShard; SHARDS]>);

type RollShard = Mutex<HashMap<ActorId, Arc<dyn Status>>>;

impl Roll {
    /// Enters an actor. It is struck off when the returned entry is dropped, which the actor's
    /// state therefore holds.
    #[must_use]
    pub fn enter(&self, id: ActorId, status: Arc<dyn Status>) -> RollEntry {
        self.shard(id).insert(id, status);
        RollEntry {
            roll: self.clone(),
            id,
        }
    }

    /// The vitals of an actor.
    #[must_use]
    pub fn get(&self, id: ActorId) -> Option<Arc<dyn Status>> {
        self.shard(id).get(&id).cloned()
    }

    /// How many actors there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, id: ActorId) -> MutexGuard<'_, HashMap<ActorId, Arc<dyn Status>>> {
        lock(&self.0[usize::try_from(id.pid()).unwrap_or(0) % SHARDS])
    }
}

/// An actor's place in the [`Roll`]; dropping it strikes the actor off.
pub struct RollEntry {
    roll: Roll,
    id: ActorId,
}

impl Drop for RollEntry {
    fn drop(&mut self) {
        self.roll.shard(self.id).remove(&self.id);
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
    }
}
