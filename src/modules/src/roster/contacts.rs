//! The contacts of an account, as its sessions share them.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};
use router::{Account, Router, SessionEntry, SessionId};
use smallvec::SmallVec;
use xmpp::{BareJid, Jid, Stanza};

use super::item::{Item, ItemView};
use super::items::Items;
use super::query;
use super::store::{Kept, RosterWrite};
use super::subscription::State;

/// Removed contacts that are remembered for clients that ask what has changed.
const REMOVED: usize = 64;
/// The number under which it is kept how far back that goes; the address there is the account's.
const FLOOR: i32 = 0;

/// The contacts of an account: its slot ([`Account::slot`]).
#[derive(Debug)]
pub struct Contacts(Mutex<Book>);

impl Contacts {
    pub(super) fn new(book: Book) -> Self {
        Self(Mutex::new(book))
    }

    /// Those of an account, where rosters are kept.
    #[must_use]
    pub fn of(account: &Account) -> Option<&Self> {
        account.slot()
    }

    /// No lock of another account may be taken while this one is held, and nothing routed to one.
    pub(super) fn lock(&self) -> MutexGuard<'_, Book> {
        self.0.lock()
    }

    /// How the account and `contact`, a bare JID, stand.
    #[must_use]
    pub fn state(&self, contact: &str) -> State {
        let book = self.lock();
        book.items
            .get(contact)
            .map_or(State::None, |item| item.state)
    }

    /// Whether `contact`, a bare JID, may see the account's presence.
    #[must_use]
    pub fn is_seen_by(&self, contact: &str) -> bool {
        self.state(contact).from()
    }

    /// Shows each contact and how it and the account stand. The lock is held meanwhile.
    pub fn each(&self, mut see: impl FnMut(&BareJid, State)) {
        for item in self.lock().all() {
            see(&item.bare_jid(), item.state);
        }
    }

    /// Shows each group that the account has put `contact`, a bare JID, into. The lock is held
    /// meanwhile.
    pub fn each_group(&self, contact: &str, mut see: impl FnMut(&str)) {
        let book = self.lock();
        if let Some(item) = book.items.get(contact).filter(|item| item.listed) {
            item.groups.for_each(&mut see);
        }
    }

    /// Whether the account has put anybody into `group`.
    #[must_use]
    pub fn has_group(&self, group: &str) -> bool {
        let book = self.lock();
        book.listed()
            .any(|mut item| item.groups.any(|of| of == group))
    }

    /// Whether the account has put `contact`, a bare JID, into `group`.
    #[must_use]
    pub fn in_group(&self, contact: &str, group: &str) -> bool {
        let book = self.lock();
        let item = book.items.get(contact);
        item.is_some_and(|mut item| item.listed && item.groups.any(|of| of == group))
    }

    /// Whether `contact`, a bare JID, is in the roster.
    #[must_use]
    pub fn lists(&self, contact: &str) -> bool {
        let book = self.lock();
        book.items.get(contact).is_some_and(|item| item.listed)
    }

    /// How many contacts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().items.iter().filter(|item| item.listed).count()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A contact that was removed.
#[derive(Debug)]
struct Removed {
    jid: BareJid,
    number: i32,
    version: i64,
}

/// What is behind the lock.
#[derive(Debug, Default)]
pub(super) struct Book {
    items: Items,
    /// The newest last.
    removed: Vec<Removed>,
    /// Before this version it is not known what was removed.
    floor: i64,
    version: i64,
    next_number: i32,
    /// Sessions that have asked for the roster (§2.2).
    interested: SmallVec<[SessionId; 2]>,
    /// The stanzas with which contacts asked.
    requests: Vec<(BareJid, Stanza)>,
}

/// What is to be stored after a change.
pub(super) type Writes = SmallVec<[RosterWrite; 2]>;

impl Book {
    /// What was loaded. `read` makes a stanza of what is kept of a request.
    pub(super) fn new(kept: Vec<Kept>, read: impl Fn(&Bytes) -> Option<Stanza>) -> Self {
        let mut book = Self {
            next_number: FLOOR + 1,
            ..Self::default()
        };
        let mut items = Vec::with_capacity(kept.len());
        for Kept {
            item,
            removed,
            request,
        } in kept
        {
            book.version = book.version.max(item.version);
            book.next_number = book.next_number.max(item.number.saturating_add(1));
            if item.number == FLOOR {
                book.floor = item.version;
            } else if removed {
                book.removed.push(Removed {
                    jid: item.jid,
                    number: item.number,
                    version: item.version,
                });
            } else {
                if let Some(request) = request.as_ref().and_then(&read) {
                    book.requests.push((item.jid.clone(), request));
                }
                items.push(item);
            }
        }
        book.removed.sort_unstable_by_key(|removed| removed.version);
        book.items = Items::new(items);
        book
    }

    /// The contact as it is, or as it would be added.
    pub(super) fn item(&self, jid: &BareJid) -> Item {
        match self.items.get(jid.as_str()) {
            Some(item) => item.to_item(),
            None => {
                let before = self.removed.iter().find(|removed| removed.jid == *jid);
                let number = before.map_or(self.next_number, |removed| removed.number);
                Item::new(jid.clone(), number)
            }
        }
    }

    /// All that is kept of somebody, listed or not.
    pub(super) fn all(&self) -> impl Iterator<Item = ItemView<'_>> {
        self.items.iter()
    }

    /// The roster.
    pub(super) fn listed(&self) -> impl Iterator<Item = ItemView<'_>> {
        self.items.iter().filter(|item| item.listed)
    }

    /// Bytes of the roster, about as a client gets them.
    pub(super) fn bytes(&self) -> usize {
        self.items.iter().map(|item| item.bytes()).sum()
    }

    /// How much is kept.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn version(&self) -> i64 {
        self.version
    }

    /// Those in such a state who are here, or might be.
    pub(super) fn those(&self, state: fn(State) -> bool, router: &Router) -> Vec<BareJid> {
        let items = self.items.iter().filter(|item| state(item.state));
        let contacts = items.map(|item| item.bare_jid());
        contacts
            .filter(|contact| !router.is_away(contact.as_str()))
            .collect()
    }

    /// Those who may see the account: who are here, or might be, and if `all` are asked for also who are
    /// not. Each is looked for once, so nobody is missed who comes meanwhile.
    pub(super) fn watchers(&self, router: &Router, all: bool) -> (Vec<BareJid>, Vec<BareJid>) {
        let (mut there, mut away) = (Vec::new(), Vec::new());
        for item in self.items.iter().filter(|item| item.state.from()) {
            let contact = item.bare_jid();
            match router.is_away(contact.as_str()) {
                false => there.push(contact),
                true if all => away.push(contact),
                true => {}
            }
        }
        (there, away)
    }

    pub(super) fn requests(&self) -> impl Iterator<Item = &Stanza> {
        self.requests.iter().map(|(_, request)| request)
    }

    /// What is to be stored so that `item` stands for its contact from now on: the item itself, and
    /// with it what was remembered longest. If clients see a difference its version is the next.
    pub(super) fn writes(
        &self,
        account: &BareJid,
        item: &mut Item,
        request: Option<&Stanza>,
    ) -> Writes {
        if !self.item(&item.jid).looks_like(item) {
            item.version = self.version + 1;
        }
        let mut writes = Writes::new();
        let was_listed = self.lists(&item.jid);
        if item.is_nothing() && !was_listed {
            writes.push(RosterWrite::Forget(account.clone(), vec![item.number]));
            return writes;
        }
        if item.is_nothing() && self.removed.len() >= REMOVED {
            let oldest = &self.removed[0];
            let mut floor = Item::new(account.clone(), FLOOR);
            floor.version = oldest.version;
            writes.push(RosterWrite::Put(
                account.clone(),
                Kept {
                    item: floor,
                    removed: true,
                    request: None,
                },
            ));
            writes.push(RosterWrite::Forget(account.clone(), vec![oldest.number]));
        }
        let pending = item.state.pending_in();
        let there = self.requests.iter().find(|(from, _)| *from == item.jid);
        let request = request.or(there.map(|(_, request)| request));
        writes.push(RosterWrite::Put(
            account.clone(),
            Kept {
                item: item.clone(),
                removed: item.is_nothing(),
                request: request.filter(|_| pending).map(Stanza::to_bytes),
            },
        ));
        writes
    }

    fn lists(&self, jid: &BareJid) -> bool {
        let item = self.items.get(jid.as_str());
        item.is_some_and(|item| item.listed)
    }

    /// Lets `item`, of which [`writes`](Self::writes) are on their way, stand for its contact.
    pub(super) fn apply(&mut self, item: Item, request: Option<Stanza>) {
        let was_listed = self.lists(&item.jid);
        self.removed.retain(|removed| removed.jid != item.jid);
        self.next_number = self.next_number.max(item.number.saturating_add(1));
        self.version = self.version.max(item.version);
        if !item.state.pending_in() {
            self.requests.retain(|(from, _)| *from != item.jid);
        } else if let Some(request) = request {
            self.requests.push((item.jid.clone(), request));
        }
        if !item.is_nothing() {
            return self.items.put(&item);
        }
        self.items.remove(item.jid.as_str());
        if was_listed {
            if self.removed.len() >= REMOVED {
                self.floor = self.removed.remove(0).version;
            }
            self.removed.push(Removed {
                jid: item.jid,
                number: item.number,
                version: item.version,
            });
        }
    }

    /// Forgets everybody.
    pub(super) fn clear(&mut self) {
        *self = Self {
            interested: std::mem::take(&mut self.interested),
            floor: self.version,
            version: self.version,
            next_number: FLOOR + 1,
            ..Self::default()
        };
    }

    /// Notes that a session has asked for the roster.
    pub(super) fn show_interest(&mut self, session: SessionId) {
        if !self.interested.contains(&session) {
            self.interested.push(session);
        }
    }

    /// A session has ended.
    pub(super) fn lose_interest(&mut self, session: SessionId) {
        self.interested.retain(|there| *there != session);
    }

    /// The sessions that have asked for the roster.
    pub(super) fn interested(&self, account: &Account) -> SmallVec<[Arc<SessionEntry>; 2]> {
        let mut sessions = account.sessions();
        sessions.retain(|session| self.interested.contains(&session.id));
        sessions
    }

    /// Tells them what stands of a contact now, if that looks different from `before`.
    pub(super) fn push(&self, account: &Account, before: &Item) {
        let jid = &before.jid;
        if self.item(jid).looks_like(before) {
            return;
        }
        let interested = self.interested(account);
        if interested.is_empty() {
            return;
        }
        let changed = match self.items.get(jid.as_str()) {
            Some(item) if item.listed => query::query(Some(self.version), std::iter::once(item)),
            _ => query::removed(self.version, jid),
        };
        for session in &interested {
            let to = Jid::from(session.jid.clone());
            // One that takes no more is closed and asks anew when it is back.
            let _ = session
                .inbox
                .deliver(query::push(account.jid(), to, changed.clone()));
        }
    }

    /// What has changed since `version`, in that order, each as the query of a push (§2.6.3); `None`
    /// when that is not known any more, or `most` would not do.
    pub(super) fn since(&self, version: i64, most: usize) -> Option<Vec<Bytes>> {
        if version < self.floor || version > self.version {
            return None;
        }
        let items = self.listed().filter(|item| item.version > version);
        let items = items.map(|item| {
            let query = query::query(Some(item.version), std::iter::once(item));
            (item.version, query)
        });
        let removed = self.removed.iter().filter(|gone| gone.version > version);
        let removed = removed.map(|gone| (gone.version, query::removed(gone.version, &gone.jid)));
        let mut changes: Vec<_> = items.chain(removed).take(most + 1).collect();
        if changes.len() > most {
            return None;
        }
        changes.sort_unstable_by_key(|(version, _)| *version);
        Some(changes.into_iter().map(|(_, query)| query).collect())
    }
}
