//! An account that somebody is interested in: what its sessions share.
//!
//! An account is in the directory as long as somebody holds it: a session, or a visit that serves
//! stanzas for an account without sessions. Before any stanza of it or to it is folded, the
//! typed state that modules keep of accounts is loaded; stanzas that come meanwhile are parked.

use std::any::{Any, TypeId};
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::{Mutex, RwLock};
use smallvec::SmallVec;
use tokio::sync::oneshot;
use xmpp::{BareJid, Stanza};

use crate::Router;
use crate::directory::SessionEntry;

/// Bytes of stanzas that may wait for an account to be loaded.
const PARKED: usize = 1 << 20;

/// Typed states, one of each type.
pub(crate) type Slots = Vec<(TypeId, Box<dyn Any + Send + Sync>)>;

/// An account. What its sessions share hangs on it.
pub struct Account {
    jid: BareJid,
    pub(crate) sessions: RwLock<SmallVec<[Arc<SessionEntry>; 2]>>,
    /// Who is interested; changed only under the lock of its shard of the directory.
    pub(crate) holds: AtomicUsize,
    slots: OnceLock<Slots>,
    exists: AtomicBool,
    home: AtomicBool,
    open: AtomicBool,
    gate: Mutex<Gate>,
    /// Held while a message that nobody takes is stored, so that it is stored before a session
    /// that becomes available looks.
    pub(crate) arrivals: Mutex<()>,
}

/// Who waits while it is loaded.
#[derive(Default)]
struct Gate {
    parked: Vec<Stanza>,
    bytes: usize,
    waiting: Vec<oneshot::Sender<bool>>,
    gave_up: bool,
}

/// What became of a stanza that came to an account.
pub(crate) enum Parking {
    /// The account is loaded: nothing has to wait.
    Open(Stanza),
    /// It waits.
    Parked,
    /// More waits than may.
    Full(Stanza),
    /// This account could not be loaded and has left the directory.
    GaveUp(Stanza),
}

/// What an account is to do for somebody who waits until it is loaded.
pub(crate) enum Wait {
    Open,
    /// Resolves with whether it was loaded.
    Until(oneshot::Receiver<bool>),
    GaveUp,
}

impl Account {
    pub(crate) fn new(jid: BareJid) -> Self {
        Self {
            jid,
            sessions: RwLock::default(),
            holds: AtomicUsize::new(0),
            slots: OnceLock::new(),
            exists: AtomicBool::new(true),
            home: AtomicBool::new(false),
            open: AtomicBool::new(false),
            gate: Mutex::default(),
            arrivals: Mutex::new(()),
        }
    }

    /// Its address.
    #[must_use]
    pub fn jid(&self) -> &BareJid {
        &self.jid
    }

    /// The state that a module keeps of it ([`Plan::account_slot`](crate::Plan::account_slot)).
    /// There is none of a module that came after it was loaded.
    #[must_use]
    pub fn slot<T: Send + Sync + 'static>(&self) -> Option<&T> {
        let slots = self.slots.get()?;
        let (_, slot) = slots.iter().find(|(of, _)| *of == TypeId::of::<T>())?;
        slot.downcast_ref()
    }

    /// Whether there is such an account at all. One that is not there is treated as one without
    /// sessions that keeps nothing (RFC 6121 §8.5.1).
    #[must_use]
    pub fn exists(&self) -> bool {
        self.exists.load(Ordering::Relaxed)
    }

    pub(crate) fn set_exists(&self, exists: bool) {
        self.exists.store(exists, Ordering::Relaxed);
    }

    /// Whether this node is its home: it has a session here, or one that is being opened. Of an account
    /// that is loaded for stanzas to it another node may become the home at any time.
    #[must_use]
    pub fn is_home(&self) -> bool {
        self.home.load(Ordering::Acquire)
    }

    pub(crate) fn set_home(&self) {
        self.home.store(true, Ordering::Release);
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

    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// Lets `stanza` wait until the account is loaded.
    pub(crate) fn park(&self, stanza: Stanza) -> Parking {
        let mut gate = self.gate.lock();
        if self.is_open() {
            return Parking::Open(stanza);
        }
        if gate.gave_up {
            return Parking::GaveUp(stanza);
        }
        if gate.bytes + stanza.size() > PARKED {
            return Parking::Full(stanza);
        }
        gate.bytes += stanza.size();
        gate.parked.push(stanza);
        Parking::Parked
    }

    pub(crate) fn wait(&self) -> Wait {
        let mut gate = self.gate.lock();
        if self.is_open() {
            return Wait::Open;
        }
        if gate.gave_up {
            return Wait::GaveUp;
        }
        let (tell, told) = oneshot::channel();
        gate.waiting.push(tell);
        Wait::Until(told)
    }

    /// It is loaded: what was parked goes on through `deliver`, in order and before anything that
    /// comes later.
    pub(crate) fn open(&self, slots: Slots, mut deliver: impl FnMut(Stanza)) {
        // Only the one who loads it calls this.
        let _ = self.slots.set(slots);
        loop {
            let parked = {
                let mut gate = self.gate.lock();
                gate.bytes = 0;
                if gate.parked.is_empty() {
                    self.open.store(true, Ordering::Release);
                    for waiting in std::mem::take(&mut gate.waiting) {
                        // Who has stopped waiting needn't know.
                        let _ = waiting.send(true);
                    }
                    gate.parked = Vec::new();
                    return;
                }
                std::mem::take(&mut gate.parked)
            };
            parked.into_iter().for_each(&mut deliver);
        }
    }

    /// It can't be loaded. What was parked is returned.
    pub(crate) fn give_up(&self) -> Vec<Stanza> {
        let mut gate = self.gate.lock();
        gate.gave_up = true;
        for waiting in std::mem::take(&mut gate.waiting) {
            let _ = waiting.send(false);
        }
        std::mem::take(&mut gate.parked)
    }
}

/// Keeps an account in the directory, with what was loaded of it.
pub struct AccountHold {
    router: Router,
    account: Arc<Account>,
}

impl AccountHold {
    /// `account` was counted as held already.
    pub(crate) fn new(router: Router, account: Arc<Account>) -> Self {
        Self { router, account }
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> &Arc<Account> {
        &self.account
    }
}

impl Clone for AccountHold {
    fn clone(&self) -> Self {
        self.router.directory().hold_again(&self.account);
        Self::new(self.router.clone(), self.account.clone())
    }
}

impl Deref for AccountHold {
    type Target = Arc<Account>;

    fn deref(&self) -> &Arc<Account> {
        &self.account
    }
}

impl Drop for AccountHold {
    fn drop(&mut self) {
        if self.router.directory().release(&self.account) && self.account.is_home() {
            self.router.leave(&self.account);
        }
    }
}
