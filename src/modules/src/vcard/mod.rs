//! XEP-0054: vcard-temp, with the user directory over it (XEP-0055) and photos in presence
//! (XEP-0153).

mod changes;
mod entity;
mod field;
mod mem;
mod photo;
mod search;
mod sql;
mod store;

use std::sync::Arc;

use ::store::{Pool, Writer as StoreWriter};
use config::Size;
use parking_lot::Mutex;
use router::disco::Identity;
use router::{
    Flow, IqAnswer, Module, OnFault, OwnedIq, Phase, Plan, PlanError, SenderFold, SenderStanza, To,
    Xep,
};
use xmpp::{Condition, Kind, StanzaError, ns};

pub use changes::PhotoChanges;
pub use field::{Field, Fields, Wanted};
pub use mem::MemVcard;
pub use photo::{Photo, PhotoHash};
pub use sql::SqlVcard;
pub use store::{Found, VcardStore, VcardWrite};

/// Writes that wait for the disk at most.
const WAITING: usize = 500;

/// How many of those who are found may be told at most: all in one stanza.
const MOST_RESULTS: u32 = 500;

/// The user directory at `vjud.DOMAIN`.
const DIRECTORY: To = To::Service("vjud");

config::settings! {
    /// vCards (XEP-0054), the user directory over them at `vjud.DOMAIN` (XEP-0055), and their photos
    /// in presence (XEP-0153).
    pub struct VcardSettings {
        /// How large a vCard may be, its photo included. A client can't send more than `max_stanza`.
        max_size: Size = Size::kib(128),
        /// Whether people can be searched by what is in their vCards.
        search: bool = true,
        /// How many of those who are found are told.
        max_results: u32 = 30,
        /// Whether the hash of a photo is put into presence for clients that don't do it.
        photo_in_presence: bool = true,
    }
    check |vcard, problems| {
        problems.at_least("max_size", vcard.max_size, Size::kib(1));
        problems.at_least("max_results", vcard.max_results, 1);
        if vcard.max_results > MOST_RESULTS {
            problems.error(
                "max_results",
                format!("{} is more than a client can be told at once", vcard.max_results),
                format!("write {MOST_RESULTS} or less"),
            );
        }
    }
}

/// Keeps what accounts tell of themselves.
pub struct Vcard {
    store: Arc<dyn VcardStore>,
    writer: Arc<StoreWriter<VcardWrite>>,
    changes: Arc<PhotoChanges>,
    settings: Arc<VcardSettings>,
}

/// Of an account: what its photo is, as it was last asked to be.
struct PhotoSlot(Mutex<Option<PhotoHash>>);

impl Module for Vcard {
    const NAME: &'static str = "vcard";
    const XEPS: &'static [Xep] = &[
        Xep::new(54, "vcard-temp", "1.3"),
        Xep::new(55, "Jabber Search", "1.3"),
        Xep::new(153, "vCard-Based Avatars", "1.1.1"),
    ];
    type Config = VcardSettings;

    fn plan(settings: Arc<VcardSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        for to in [To::Host, To::Account] {
            plan.feature(to, ns::VCARD);
        }
        plan.iq_async(To::Account, ns::VCARD, |vcard, iq| async move {
            vcard.answer(&iq).await
        });
        if settings.search {
            Self::plan_directory(plan);
        }
        if settings.photo_in_presence {
            plan.account_slot(|vcard: Arc<Self>, account| async move {
                Ok(PhotoSlot(Mutex::new(vcard.store.photo(&account).await?)))
            });
            plan.on::<SenderStanza>(Phase::Rewrite, OnFault::Skip, Self::announce);
        }
        plan.task("writer", |vcard: Arc<Self>, stop| async move {
            let stopped = async { drop(stop.await) };
            vcard.writer.run(stopped, &*vcard.store).await;
        });
        plan.written(|vcard: Arc<Self>| async move {
            // What was given up is not coming.
            _ = vcard.writer.barrier().await;
        });
        plan.account_removed(|vcard, account| async move {
            Ok(vcard.writer.push(VcardWrite::Forget(account))?.await?)
        });
        Ok(Self {
            store: match plan.uses::<Pool>() {
                Some(pool) => plan.lasting(|| SqlVcard::new(Pool::clone(&pool))),
                None => plan.memory(MemVcard::default),
            },
            writer: plan.lasting(|| StoreWriter::new(WAITING)),
            changes: PhotoChanges::of(plan.node()),
            settings,
        })
    }
}

impl Vcard {
    fn plan_directory(plan: &mut Plan<'_, Self>) {
        plan.service("vjud");
        let identity = Identity {
            category: "directory",
            kind: "user",
            name: "Search of users".into(),
        };
        plan.identity(DIRECTORY, identity);
        plan.feature(DIRECTORY, ns::SEARCH);
        plan.iq_async(DIRECTORY, ns::SEARCH, |vcard, iq| async move {
            vcard.search(&iq).await
        });
    }

    /// XEP-0054 §3.
    async fn answer(&self, iq: &OwnedIq) -> IqAnswer {
        if iq.set {
            return self.put(iq).await;
        }
        let (own, to) = (iq.own(), iq.stanza.to());
        let account = to.ok_or_else(|| StanzaError::new(Condition::BadRequest))?;
        match self.store.card(&account.to_bare()).await? {
            Some(card) => Ok(Some(card)),
            None if own => Err(StanzaError::new(Condition::ItemNotFound)),
            // As if there were no such account.
            None => Err(StanzaError::new(Condition::ServiceUnavailable)),
        }
    }

    async fn put(&self, iq: &OwnedIq) -> IqAnswer {
        let (Some(account), true) = (&iq.account, iq.own()) else {
            return Err(StanzaError::new(Condition::Forbidden));
        };
        let bad_request = || StanzaError::new(Condition::BadRequest);
        let payload = iq.stanza.payload().ok_or_else(bad_request)?;
        if payload.name() != "vCard" {
            return Err(bad_request());
        }
        if payload.range().len() > self.settings.max_size.bytes() {
            let text = format!("a vCard may be at most {} large", self.settings.max_size);
            return Err(StanzaError::new(Condition::NotAcceptable).with_text(text));
        }
        let card = payload.element().map_err(|_| bad_request())?;
        let photo = Photo::of(&card);
        let hash = photo.as_ref().map(Photo::hash);
        let write = VcardWrite::Put {
            account: account.jid().clone(),
            card: card.standing_in(ns::CLIENT),
            photo: hash,
            fields: field::fields(account.jid(), &card).map_err(|_| bad_request())?,
        };
        let slot = account.slot::<PhotoSlot>();
        let ticket = {
            // Of two sessions that set one at a time, the later one counts in both places.
            let mut kept = slot.map(|slot| slot.0.lock());
            let ticket = self.writer.push(write)?;
            if let Some(kept) = &mut kept {
                **kept = hash;
            }
            ticket
        };
        if let Err(error) = ticket.await {
            if let (Some(slot), Ok(kept)) = (slot, self.store.photo(account.jid()).await) {
                *slot.0.lock() = kept;
            }
            return Err(error.into());
        }
        self.changes.tell(&iq.router, account.jid(), photo.as_ref());
        Ok(None)
    }

    /// XEP-0055 §2 and §3.
    async fn search(&self, iq: &OwnedIq) -> IqAnswer {
        if !iq.set {
            return Ok(Some(search::write_fields()));
        }
        let bad_request = || StanzaError::new(Condition::BadRequest);
        let payload = iq.stanza.payload().ok_or_else(bad_request)?;
        let query = payload.element().map_err(|_| bad_request())?;
        let search = search::Search::read(&query)?;
        let (domain, limit) = (iq.host.domain().domain(), self.settings.max_results);
        let found = self.store.search(domain, &search.wanted, limit.into());
        Ok(Some(search::write_found(&found.await?, search.form)))
    }

    /// XEP-0153 §4.1, for clients that leave it to the server.
    fn announce(&self, fold: &mut SenderFold<'_>) -> Flow {
        if matches!(fold.stanza.kind(), Kind::Presence(_)) {
            let slot = fold.account.slot::<PhotoSlot>();
            let photo = slot.and_then(|slot| *slot.0.lock());
            if let Some(said) = photo.and_then(|photo| photo::announce(&fold.stanza, photo)) {
                fold.stanza = said;
            }
        }
        Flow::Continue
    }
}

#[cfg(test)]
mod tests;
