//! Who has a session here: bare JID → account → sessions.
//!
//! Sharded locks around plain maps: at 100 000 accounts a look-up costs cache misses in every
//! map there is, so the simplest one serves. No lock is held while anything is delivered.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::SystemTime;

use parking_lot::{Mutex, RwLock};
use smallvec::SmallVec;
use xmpp::{BareJid, FullJid, Stanza};

use crate::inbox::Inbox;
use crate::session::ConnectionFacts;

const SHARDS: usize = 64;

/// A session's number, unique as long as the node runs. It tells two sessions apart that have
/// the same full JID one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u64);

/// What everybody may know of a session.
pub struct SessionEntry {
    /// Its number.
    pub id: SessionId,
    /// Its address.
    pub jid: FullJid,
    /// The way to its actor.
    pub inbox: Arc<dyn Inbox>,
    /// What is known of its connection.
    pub facts: ConnectionFacts,
    /// When it was bound, time of day.
    pub bound_at: SystemTime,
    heard: AtomicU64,
    presence: Mutex<Option<Available>>,
}

/// The last available presence that a session sent to all.
#[derive(Clone)]
pub struct Available {
    /// The presence stanza, `from` stamped and without `to`.
    pub stanza: Stanza,
    /// Its priority (RFC 6121 §4.7.2.3).
    pub priority: i8,
}

impl SessionEntry {
    pub(crate) fn new(
        id: SessionId,
        jid: FullJid,
        inbox: Arc<dyn Inbox>,
        facts: ConnectionFacts,
        bound_at: SystemTime,
        heard: u64,
    ) -> Self {
        Self {
            id,
            jid,
            inbox,
            facts,
            bound_at,
            heard: AtomicU64::new(heard),
            presence: Mutex::new(None),
        }
    }

    /// The presence it has sent, if it is available.
    #[must_use]
    pub fn available(&self) -> Option<Available> {
        self.presence.lock().clone()
    }

    /// Its priority, if it is available.
    #[must_use]
    pub fn priority(&self) -> Option<i8> {
        self.presence.lock().as_ref().map(|p| p.priority)
    }

    pub(crate) fn set_available(&self, presence: Option<Available>) -> Option<Available> {
        std::mem::replace(&mut *self.presence.lock(), presence)
    }

    /// When something was last heard of its client, in [`Clock::millis`](crate::Clock::millis).
    #[must_use]
    pub fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }

    /// Notes that its client was heard at `millis`.
    pub fn hear(&self, millis: u64) {
        self.heard.store(millis, Ordering::Relaxed);
    }
}

/// An account with at least one session here. What its sessions share hangs on it.
pub struct Account {
    jid: BareJid,
    sessions: RwLock<SmallVec<[Arc<SessionEntry>; 2]>>,
}

impl Account {
    /// Its address.
    #[must_use]
    pub fn jid(&self) -> &BareJid {
        &self.jid
    }

    /// Its sessions, the oldest first.
    #[must_use]
    pub fn sessions(&self) -> SmallVec<[Arc<SessionEntry>; 2]> {
        self.sessions.read().clone()
    }

    /// The session that has bound `resource`.
    #[must_use]
    pub fn session(&self, resource: &str) -> Option<Arc<SessionEntry>> {
        self.sessions
            .read()
            .iter()
            .find(|s| s.jid.resource() == resource)
            .cloned()
    }

    /// Those of its sessions that messages to the bare JID go to: available, with the highest
    /// priority of all, which is not negative (RFC 6121 §8.5.2.1.1).
    #[must_use]
    pub fn most_available(&self) -> SmallVec<[Arc<SessionEntry>; 2]> {
        let mut best = SmallVec::new();
        let mut highest = 0;
        for session in self.sessions.read().iter() {
            match session.priority() {
                Some(priority) if priority > highest => {
                    highest = priority;
                    best.clear();
                    best.push(session.clone());
                }
                Some(priority) if priority == highest => best.push(session.clone()),
                _ => {}
            }
        }
        best
    }
}

type Shard = RwLock<HashMap<BareJid, Arc<Account>>>;

/// The map of all sessions of this node.
pub struct Directory {
    shards: Box<[Shard]>,
    hasher: RandomState,
    sessions: AtomicUsize,
    next_id: AtomicU64,
}

/// What [`Directory::bind`] is to do about the sessions that are there, decided under the lock.
pub(crate) enum Bind {
    Take,
    Refuse,
}

impl Directory {
    pub(crate) fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            hasher: RandomState::new(),
            sessions: AtomicUsize::new(0),
            next_id: AtomicU64::new(1),
        }
    }

    fn shard(&self, bare: &str) -> &Shard {
        &self.shards[self.hasher.hash_one(bare) as usize % SHARDS]
    }

    /// The account of this bare JID (`localpart@domain`), if it has a session here.
    #[must_use]
    pub fn account(&self, bare: &str) -> Option<Arc<Account>> {
        self.shard(bare).read().get(bare).cloned()
    }

    /// How many sessions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions.load(Ordering::Relaxed)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `each` for every session, shard by shard, with no lock held during a call.
    pub fn for_each(&self, mut each: impl FnMut(&Arc<SessionEntry>)) {
        for shard in &self.shards {
            let accounts: Vec<Arc<Account>> = shard.read().values().cloned().collect();
            for account in accounts {
                account.sessions().iter().for_each(&mut each);
            }
        }
    }

    pub(crate) fn next_id(&self) -> SessionId {
        SessionId(self.next_id.fetch_add(1, Ordering::Relaxed))
    }

    /// Enters a session, in the place of the one with the same full JID, which is returned.
    /// `decide` sees the sessions that are there and may refuse.
    pub(crate) fn bind(
        &self,
        entry: Arc<SessionEntry>,
        decide: impl FnOnce(&[Arc<SessionEntry>]) -> Bind,
    ) -> Result<(Arc<Account>, Option<Arc<SessionEntry>>), ()> {
        let bare = entry.jid.bare();
        let mut shard = self.shard(entry.jid.bare_str()).write();
        let account = match shard.get(&bare) {
            Some(account) => {
                if let Bind::Refuse = decide(&account.sessions.read()) {
                    return Err(());
                }
                account.clone()
            }
            None => {
                if let Bind::Refuse = decide(&[]) {
                    return Err(());
                }
                let account = Arc::new(Account {
                    jid: bare.clone(),
                    sessions: RwLock::default(),
                });
                shard.insert(bare, account.clone());
                account
            }
        };
        let mut sessions = account.sessions.write();
        let same = sessions
            .iter()
            .position(|s| s.jid.resource() == entry.jid.resource());
        let older = same.map(|at| sessions.remove(at));
        sessions.push(entry);
        if older.is_none() {
            self.sessions.fetch_add(1, Ordering::Relaxed);
        }
        drop(sessions);
        Ok((account, older))
    }

    /// Takes a session out. Says whether it was still there: false after a newer one with the
    /// same full JID has taken its place.
    pub(crate) fn unbind(&self, entry: &SessionEntry) -> bool {
        let mut shard = self.shard(entry.jid.bare_str()).write();
        let Some(account) = shard.get(entry.jid.bare_str()) else {
            return false;
        };
        let mut sessions = account.sessions.write();
        let Some(at) = sessions.iter().position(|s| s.id == entry.id) else {
            return false;
        };
        sessions.remove(at);
        self.sessions.fetch_sub(1, Ordering::Relaxed);
        let empty = sessions.is_empty();
        drop(sessions);
        if empty {
            shard.remove(entry.jid.bare_str());
        }
        true
    }
}
