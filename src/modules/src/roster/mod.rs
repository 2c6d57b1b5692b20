//! RFC 6121 §2 to §4: contacts, subscriptions, and who sees whose presence.
//!
//! Whatever a roster decides is in memory as long as somebody is interested in the account
//! ([`Contacts`]); changes are written behind, and a client's set is answered when it is on disk.

pub mod contacts;
mod entity;
pub mod item;
pub mod items;
pub mod mem;
mod presence;
pub mod query;
pub mod sql;
pub mod store;
mod subscribe;
pub mod subscription;

use std::sync::Arc;

use ::store::{Pool, StoreError, Ticket, Writer};
use bytes::Bytes;
use config::Size;
use router::{
    Account, AccountStanza, Answering, Cx, Flow, IqAnswer, IqRequest, Module, OnFault,
    PeersChanged, Phase, Plan, PlanError, PresenceChanged, Router, SenderStanza, SessionClosed, To,
};
use xml::Element;
use xmpp::{BareJid, Condition, Jid, Stanza, StanzaError, ns};

pub use contacts::Contacts;
use contacts::{Book, Writes};
use item::Item;
use mem::MemRosters;
use query::{ItemLimits, RosterSet};
use sql::SqlRosters;
use store::{RosterStore, RosterWrite};
use subscription::Word;

/// Changes of all accounts that may wait to be written.
const WAITING: usize = 100_000;
/// Changes that are told one by one; who has missed more gets the whole roster.
const CHANGES: usize = 64;

const SUB: &[u8] = b"<sub xmlns='urn:xmpp:features:pre-approval'/>";
const VER: &[u8] = b"<ver xmlns='urn:xmpp:features:rosterver'/>";

config::settings! {
    /// Rosters, subscriptions and presence (RFC 6121 §2 to §4).
    pub struct RosterSettings {
        /// Contacts that an account may have; one more is refused with resource-constraint.
        max_items: u32 = 2_000,
        /// Groups that a contact may be in; one more is refused with not-acceptable.
        max_groups: u32 = 50,
        /// Bytes of the name of a contact or a group; longer ones are refused with not-acceptable.
        max_name: u32 = 1_023,
        /// Size of a roster; what would make it larger is refused with resource-constraint. A client
        /// gets all of it at once: keep it below the stream's `max_outbox`.
        max_size: Size = Size::kib(512),
        /// Whether clients are told only what has changed since they last looked (§2.6).
        versioning: bool = true,
    }
    check |roster, problems| {
        problems.at_least("max_size", roster.max_size, Size::kib(1));
    }
}

/// Keeps rosters.
pub struct Roster {
    settings: Arc<RosterSettings>,
    limits: ItemLimits,
    store: Arc<dyn RosterStore>,
    writer: Arc<Writer<RosterWrite>>,
    /// For what an account that is removed says to its contacts.
    node: Router,
}

impl Module for Roster {
    const NAME: &'static str = "roster";
    type Config = RosterSettings;

    fn plan(settings: Arc<RosterSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.iq_later(To::Account, ns::ROSTER, Self::iq);
        plan.account_slot(|roster: Arc<Self>, account| async move {
            let book = roster.load(&account).await;
            book.map(Contacts::new)
                .map_err(|error| StanzaError::from(&error))
        });
        plan.on::<SenderStanza>(Phase::Act, OnFault::Refuse, Self::say);
        plan.on::<AccountStanza>(Phase::Act, OnFault::Refuse, Self::hear);
        plan.on::<PresenceChanged>(Phase::Act, OnFault::Skip, Self::presence_changed);
        plan.on::<PeersChanged>(Phase::Act, OnFault::Skip, Self::peers_changed);
        plan.on::<SessionClosed>(Phase::Act, OnFault::Skip, |_, fold| {
            if let Some(contacts) = Contacts::of(fold.account) {
                contacts.lock().lose_interest(fold.session.id);
            }
            Flow::Continue
        });
        plan.account_removed(|roster: Arc<Self>, account| async move {
            roster.remove_all(&account).await
        });
        // §3.4.3 and §2.6.1.
        plan.stream_feature(|_, _| Bytes::from_static(SUB));
        if settings.versioning {
            plan.stream_feature(|_, _| Bytes::from_static(VER));
        }
        plan.task("writer", |roster: Arc<Self>, stop| async move {
            let stop = async { _ = stop.await };
            roster.writer.run(stop, &*roster.store).await;
        });
        plan.written(|roster: Arc<Self>| async move {
            // What was given up is not coming.
            _ = roster.writer.barrier().await;
        });
        let bytes = |setting: u32| setting as usize;
        Ok(Self {
            limits: ItemLimits {
                name: bytes(settings.max_name),
                group: bytes(settings.max_name),
                groups: bytes(settings.max_groups),
            },
            settings,
            store: match plan.uses::<Pool>() {
                Some(pool) => Arc::new(SqlRosters::new(Pool::clone(&pool))),
                None => plan.memory(MemRosters::default),
            },
            writer: plan.lasting(|| Writer::new(WAITING)),
            node: plan.node().clone(),
        })
    }
}

/// What somebody is told whose change can't be stored now.
fn unstored(error: &StoreError) -> StanzaError {
    tracing::warn!(what = "roster_not_stored", error = %error);
    StanzaError::from(error)
}

impl Roster {
    /// Reads the roster of an account, with all that was changed until now.
    async fn load(&self, account: &BareJid) -> Result<Book, StoreError> {
        self.writer.barrier().await?;
        let kept = self.store.load(account).await?;
        let read = |bytes: &Bytes| {
            let element = Element::parse_in(bytes, ns::CLIENT).ok()?;
            Stanza::read(element, None).ok()
        };
        Ok(Book::new(kept, read))
    }

    /// Whether `item`, in the place of `before`, would be a contact more than an account may have.
    fn is_one_too_many(&self, book: &Book, before: &Item, item: &Item) -> bool {
        let is_new = before.is_nothing() && !item.is_nothing();
        is_new && book.len() >= self.settings.max_items as usize
    }

    /// Hands writes to the writer: all of them, or none with the error that its sender gets.
    fn keep(&self, mut writes: Writes) -> Result<Option<Ticket>, StanzaError> {
        let Some(last) = writes.pop() else {
            return Ok(None);
        };
        let ticket = self.writer.push_all(writes, last);
        ticket.map(Some).map_err(|error| unstored(&error))
    }

    fn iq(&self, iq: &IqRequest<'_>) -> Answering {
        // §2.1.3 and §2.1.5: nobody sees or changes somebody else's.
        let contacts = match iq.account {
            Some(account) if iq.own() => Contacts::of(account).map(|contacts| (account, contacts)),
            _ => return Err(StanzaError::new(Condition::Forbidden)).into(),
        };
        let Some((account, contacts)) = contacts else {
            // The account was loaded before the module was there.
            return Err(StanzaError::new(Condition::ServiceUnavailable)).into();
        };
        if !iq.set {
            return self.get(iq, contacts).into();
        }
        let set = match query::read(&iq.payload, &self.limits) {
            Ok(set) => set,
            Err(error) => return Err(error).into(),
        };
        let changed = match set {
            RosterSet::Put { jid, .. } | RosterSet::Remove(jid) if jid == *account.jid() => {
                Err(StanzaError::new(Condition::NotAllowed))
            }
            RosterSet::Put { jid, words } => self.put(account, contacts, &jid, words),
            RosterSet::Remove(jid) => self.remove(iq.cx, account, contacts, &jid),
        };
        match changed {
            Err(error) => Err(error).into(),
            Ok(None) => Ok(None).into(),
            Ok(Some(ticket)) => Answering::later(async move {
                ticket.await.map_err(|error| unstored(&error))?;
                Ok(None)
            }),
        }
    }

    /// §2.2 and, when the client says which version it has, §2.6.3.
    fn get(&self, iq: &IqRequest<'_>, contacts: &Contacts) -> IqAnswer {
        let session = iq.session();
        let mut book = contacts.lock();
        if let Some(session) = &session {
            book.show_interest(session.id);
        }
        let has = match iq.payload.attr("ver") {
            Some(version) if self.settings.versioning => version,
            _ => return Ok(Some(query::query(None, book.listed()))),
        };
        let changes = has.parse().ok().and_then(|has| book.since(has, CHANGES));
        match (changes, session) {
            (Some(changes), Some(session)) => {
                for change in changes {
                    let to = Jid::from(session.jid.clone());
                    // It is the one who asks: gone, it needs nothing any more.
                    let _ = session
                        .inbox
                        .deliver(query::push(&session.jid.bare(), to, change));
                }
                Ok(None)
            }
            _ => Ok(Some(query::query(Some(book.version()), book.listed()))),
        }
    }

    /// §2.3 and §2.4.
    fn put(
        &self,
        account: &Account,
        contacts: &Contacts,
        jid: &BareJid,
        words: Box<str>,
    ) -> Result<Option<Ticket>, StanzaError> {
        let mut book = contacts.lock();
        let before = book.item(jid);
        let mut item = before.clone();
        item.listed = true;
        item.words = words;
        if self.is_one_too_many(&book, &before, &item) {
            return Err(StanzaError::new(Condition::ResourceConstraint));
        }
        let was = match before.is_nothing() {
            true => 0,
            false => before.bytes(),
        };
        let bytes = book.bytes() - was + item.bytes();
        // It may always shrink.
        if bytes > self.settings.max_size.bytes() && item.bytes() > was {
            return Err(StanzaError::new(Condition::ResourceConstraint));
        }
        let ticket = self.keep(book.writes(account.jid(), &mut item, None))?;
        book.apply(item, None);
        book.push(account, &before);
        Ok(ticket)
    }

    /// §2.5: the contact is gone from the roster, and neither sees the other any more.
    fn remove(
        &self,
        cx: Cx<'_>,
        account: &Arc<Account>,
        contacts: &Contacts,
        jid: &BareJid,
    ) -> Result<Option<Ticket>, StanzaError> {
        let mut book = contacts.lock();
        let before = book.item(jid);
        if !before.listed {
            return Err(StanzaError::new(Condition::ItemNotFound));
        }
        let mut item = Item::new(jid.clone(), before.number);
        let ticket = self.keep(book.writes(account.jid(), &mut item, None))?;
        book.apply(item, None);
        book.push(account, &before);
        drop(book);
        for stanza in Self::parting(account.jid(), &before) {
            // Nobody waits for what comes back.
            let _ = cx.send(account, None, stanza);
        }
        if before.state.from() {
            presence::hide(cx, account, jid);
        }
        Ok(ticket)
    }

    /// What a contact is told when all is over.
    fn parting(account: &BareJid, before: &Item) -> impl Iterator<Item = Stanza> {
        let state = before.state;
        let unsubscribe = state.to() || state.pending_out();
        let unsubscribed = state.from() || state.pending_in();
        let words = [
            (unsubscribe, Word::Unsubscribe),
            (unsubscribed, Word::Unsubscribed),
        ];
        let words = words.into_iter().filter(|(said, _)| *said);
        words.map(|(_, word)| subscribe::presence(word, account, &before.jid))
    }

    /// The account is removed: its contacts are told, and nothing is kept.
    async fn remove_all(&self, account: &BareJid) -> Result<(), StanzaError> {
        let book = self.load(account).await.map_err(|error| unstored(&error))?;
        if let Some(there) = self.node.directory().account(account.as_ref())
            && let Some(contacts) = Contacts::of(&there)
        {
            contacts.lock().clear();
        }
        for item in book.all() {
            for stanza in Self::parting(account, &item.to_item()) {
                self.node.route(stanza);
            }
        }
        let ticket = self.writer.push(RosterWrite::Remove(account.clone()));
        let ticket = ticket.map_err(|error| unstored(&error))?;
        ticket.await.map_err(|error| unstored(&error))
    }
}

#[cfg(test)]
mod tests;
