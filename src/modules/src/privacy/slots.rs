//! What is kept in memory of an account and of a session.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use arc_swap::{ArcSwap, Guard};
use parking_lot::Mutex;
use router::{Account, SessionEntry};
use xmpp::Jid;

use super::lists::Lists;

/// Addresses with directed presence that are remembered of a session. Who is blocked beyond them
/// does not see it leave at once.
const DIRECTED: usize = 256;

/// Of an account: its lists.
pub(super) struct Kept {
    lists: ArcSwap<Lists>,
    /// Whether there are any: all that a stanza of most accounts looks at.
    any: AtomicBool,
    /// Held by who changes something. Under it pushes are delivered, so that every session sees
    /// them in the order of the changes.
    pub(super) changing: Mutex<()>,
}

impl Kept {
    pub(super) fn new(lists: Lists) -> Self {
        static NONE: LazyLock<Arc<Lists>> = LazyLock::new(Arc::default);
        Self {
            any: AtomicBool::new(!lists.is_empty()),
            lists: ArcSwap::new(match lists.is_empty() {
                // Most accounts share it.
                true => NONE.clone(),
                false => Arc::new(lists),
            }),
            changing: Mutex::new(()),
        }
    }

    /// The lists of `account`, if it has any.
    pub(super) fn lists_of(account: &Account) -> Option<Guard<Arc<Lists>>> {
        let kept: &Self = account.slot()?;
        kept.any
            .load(Ordering::Acquire)
            .then(|| kept.lists.load())
            .filter(|lists| !lists.is_empty())
    }

    pub(super) fn all(&self) -> Arc<Lists> {
        self.lists.load_full()
    }

    pub(super) fn put(&self, lists: Arc<Lists>) {
        let any = !lists.is_empty();
        self.lists.store(lists);
        self.any.store(any, Ordering::Release);
    }
}

/// Of a session: what it has asked for.
#[derive(Default)]
pub(super) struct OfSession {
    /// The name of its active list.
    pub(super) active: Mutex<Option<Arc<str>>>,
    /// Whether it has asked for the block list, and so is told of changes (XEP-0191 §3.3).
    pub(super) sees_blocks: AtomicBool,
    /// Whether it has asked for anything in privacy lists.
    pub(super) sees_lists: AtomicBool,
    /// Whom it has sent directed presence and not taken it back.
    directed: Mutex<Vec<Jid>>,
}

impl OfSession {
    /// The name of the active list of `session`.
    pub(super) fn active(session: &SessionEntry) -> Option<Arc<str>> {
        let of: Arc<Self> = session.peek()?;
        of.active.lock().clone()
    }

    /// Notes that `session` sends `to` presence.
    pub(super) fn direct(session: &SessionEntry, to: &Jid) {
        let of: Arc<Self> = session.slot();
        let mut directed = of.directed.lock();
        if directed.len() < DIRECTED && !directed.contains(to) {
            directed.push(to.clone());
        }
    }

    /// Notes that it has left `to`, or everybody.
    pub(super) fn leave(session: &SessionEntry, to: Option<&Jid>) {
        if let Some(of) = session.peek::<Self>() {
            let mut directed = of.directed.lock();
            match to {
                Some(to) => directed.retain(|one| one != to),
                None => directed.clear(),
            }
        }
    }

    /// Whom it has sent directed presence.
    pub(super) fn directed(session: &SessionEntry) -> Vec<Jid> {
        let of = session.peek::<Self>();
        of.map(|of| of.directed.lock().clone()).unwrap_or_default()
    }
}
