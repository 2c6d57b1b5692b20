//! Who is here: bare JID → account → sessions.
//!
//! Sharded locks around plain maps: at 100 000 accounts a look-up costs cache misses in every
//! map there is, so the simplest one serves. No lock is held while anything is delivered.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::SystemTime;

use parking_lot::{Mutex, RwLock};
use xmpp::{BareJid, FullJid, Stanza};

use crate::Router;
use crate::account::{Account, AccountHold};
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
    slots: Mutex<Vec<Slot>>,
}

/// Typed state of a session.
type Slot = (TypeId, Arc<dyn Any + Send + Sync>);

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
            slots: Mutex::default(),
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

    /// The state of type `T` that a module keeps of this session, made when it is first asked for.
    #[must_use]
    pub fn slot<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        if let Some(there) = self.peek() {
            return there;
        }
        let mut slots = self.slots.lock();
        match find(&slots) {
            Some(there) => there,
            None => {
                let made = Arc::new(T::default());
                slots.push((TypeId::of::<T>(), made.clone()));
                made
            }
        }
    }

    /// The same, if it was ever asked for.
    #[must_use]
    pub fn peek<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        find(&self.slots.lock())
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

    /// The account of this bare JID (`localpart@domain`), if somebody holds it here: a session
    /// of it, or a visit.
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

    /// The account of `bare`, held once more; entered if it is not there.
    pub(crate) fn hold(&self, router: &Router, bare: &BareJid) -> Held {
        let mut shard = self.shard(bare.as_ref()).write();
        let (account, new) = match shard.get(bare) {
            Some(account) => (account.clone(), false),
            None => {
                let account = Arc::new(Account::new(bare.clone()));
                shard.insert(bare.clone(), account.clone());
                (account, true)
            }
        };
        account.holds.fetch_add(1, Ordering::Relaxed);
        drop(shard);
        let hold = AccountHold::new(router.clone(), account);
        if new {
            Held::New(hold)
        } else {
            Held::There(hold)
        }
    }

    /// One more holds an account that is held already.
    pub(crate) fn hold_again(&self, account: &Account) {
        let _shard = self.shard(account.jid().as_ref()).write();
        account.holds.fetch_add(1, Ordering::Relaxed);
    }

    /// Holds an account once more that was found a moment ago, if it is still there.
    pub(crate) fn keep(&self, router: &Router, account: &Arc<Account>) -> Option<AccountHold> {
        let shard = self.shard(account.jid().as_ref()).write();
        let there = shard.get(account.jid())?;
        if !Arc::ptr_eq(there, account) {
            return None;
        }
        account.holds.fetch_add(1, Ordering::Relaxed);
        Some(AccountHold::new(router.clone(), account.clone()))
    }

    /// One less holds it; the last one takes it out. Says whether it was the last one.
    pub(crate) fn release(&self, account: &Arc<Account>) -> bool {
        let mut shard = self.shard(account.jid().as_ref()).write();
        let last = account.holds.fetch_sub(1, Ordering::Relaxed) == 1;
        if last {
            take_out(&mut shard, account);
        }
        last
    }

    /// Calls `gone` unless this node is the home of `account`, which it does not become meanwhile.
    pub(crate) fn unless_home(&self, account: &BareJid, gone: impl FnOnce()) {
        let shard = self.shard(account.as_ref()).write();
        if !shard.get(account).is_some_and(|there| there.is_home()) {
            gone();
        }
    }

    /// Every account that is loaded here.
    pub(crate) fn accounts(&self) -> Vec<Arc<Account>> {
        let of = |shard: &Shard| shard.read().values().cloned().collect::<Vec<_>>();
        self.shards.iter().flat_map(of).collect()
    }

    /// Takes an account out that could not be loaded, or is no more.
    pub(crate) fn forget(&self, account: &Arc<Account>) {
        take_out(&mut self.shard(account.jid().as_ref()).write(), account);
    }

    /// Enters a session, in the place of the one with the same full JID, which is returned.
    /// `decide` sees the sessions that are there and may refuse.
    pub(crate) fn bind(
        &self,
        account: &Account,
        entry: Arc<SessionEntry>,
        decide: impl FnOnce(&[Arc<SessionEntry>]) -> Bind,
    ) -> Result<Option<Arc<SessionEntry>>, ()> {
        let mut sessions = account.sessions.write();
        if let Bind::Refuse = decide(&sessions) {
            return Err(());
        }
        let same = sessions
            .iter()
            .position(|s| s.jid.resource() == entry.jid.resource());
        let older = same.map(|at| sessions.remove(at));
        sessions.push(entry);
        if older.is_none() {
            self.sessions.fetch_add(1, Ordering::Relaxed);
        }
        Ok(older)
    }

    /// Takes a session out. Says whether it was still there: false after a newer one with the
    /// same full JID has taken its place.
    pub(crate) fn unbind(&self, account: &Account, entry: &SessionEntry) -> bool {
        let mut sessions = account.sessions.write();
        let Some(at) = sessions.iter().position(|s| s.id == entry.id) else {
            return false;
        };
        sessions.remove(at);
        self.sessions.fetch_sub(1, Ordering::Relaxed);
        true
    }
}

/// An account that somebody begins to hold.
pub(crate) enum Held {
    There(AccountHold),
    /// It is to be loaded by the one who asked.
    New(AccountHold),
}

fn take_out(shard: &mut HashMap<BareJid, Arc<Account>>, account: &Arc<Account>) {
    if shard
        .get(account.jid())
        .is_some_and(|there| Arc::ptr_eq(there, account))
    {
        shard.remove(account.jid());
    }
}

fn find<T: Send + Sync + 'static>(slots: &[Slot]) -> Option<Arc<T>> {
    let (_, slot) = slots.iter().find(|(of, _)| *of == TypeId::of::<T>())?;
    slot.clone().downcast().ok()
}
