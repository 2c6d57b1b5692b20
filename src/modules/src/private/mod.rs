//! XEP-0049: Private XML Storage.
//!
//! What an account keeps is known by its namespace: a set replaces all elements of the namespaces
//! that it names, and no others.

mod entity;
mod mem;
mod sql;
mod store;

use std::collections::BTreeMap;
use std::sync::Arc;

use ::store::{Pool, Writer as StoreWriter};
use bytes::Bytes;
use config::Size;
use router::{IqAnswer, Module, OwnedIq, Plan, PlanError, To, Xep};
use xml::{Child, Element, Writer};
use xmpp::{BareJid, Condition, StanzaError, ns};

pub use mem::MemPrivate;
pub use sql::SqlPrivate;
pub use store::{PrivateStore, PrivateWrite};

/// Writes that wait for the disk at most.
const WAITING: usize = 1000;

config::settings! {
    /// Private XML storage (XEP-0049): clients keep their own settings on the server.
    pub struct PrivateSettings {
        /// How much an account may keep in one namespace. A client can't send more than
        /// `max_stanza` at once.
        max_size: Size = Size::kib(64),
        /// How much it may keep in all namespaces together.
        max_total: Size = Size::mib(1),
        /// In how many namespaces it may keep something.
        max_namespaces: u32 = 128,
    }
    check |private, problems| {
        problems.at_least("max_size", private.max_size, Size::of(1));
        problems.at_least("max_total", private.max_total, private.max_size);
        problems.at_least("max_namespaces", private.max_namespaces, 1);
    }
}

/// Keeps what clients put there, for them alone.
pub struct Private {
    store: Arc<dyn PrivateStore>,
    writer: Arc<StoreWriter<PrivateWrite>>,
    settings: Arc<PrivateSettings>,
}

impl Module for Private {
    const NAME: &'static str = "private";
    const XEPS: &'static [Xep] = &[Xep::new(49, "Private XML Storage", "1.2")];
    type Config = PrivateSettings;

    fn plan(settings: Arc<PrivateSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.feature(To::Host, ns::PRIVATE);
        plan.iq_async(To::Account, ns::PRIVATE, |private, iq| async move {
            private.answer(&iq).await
        });
        plan.task("writer", |private: Arc<Self>, stop| async move {
            let stopped = async { drop(stop.await) };
            private.writer.run(stopped, &*private.store).await;
        });
        plan.written(|private: Arc<Self>| async move {
            // What was given up is not coming.
            _ = private.writer.barrier().await;
        });
        plan.account_removed(|private, account| async move {
            Ok(private.writer.push(PrivateWrite::Forget(account))?.await?)
        });
        Ok(Self {
            store: match plan.uses::<Pool>() {
                Some(pool) => Arc::new(SqlPrivate::new(Pool::clone(&pool))),
                None => plan.memory(MemPrivate::default),
            },
            writer: plan.lasting(|| StoreWriter::new(WAITING)),
            settings,
        })
    }
}

impl Private {
    async fn answer(&self, iq: &OwnedIq) -> IqAnswer {
        let (Some(account), true) = (&iq.account, iq.own()) else {
            // §2.3, whether there is such an account or not.
            return Err(StanzaError::new(Condition::Forbidden));
        };
        let query = iq.stanza.payload().ok_or_else(not_acceptable)?;
        let query = query.element().map_err(|_| not_acceptable())?;
        if query.name() != "query" {
            return Err(StanzaError::new(Condition::BadRequest));
        }
        match iq.set {
            true => self.put(account.jid(), &query).await,
            false => self.get(account.jid(), &query).await,
        }
    }

    async fn get(&self, account: &BareJid, query: &Element) -> IqAnswer {
        let mut asked = query.children();
        let wanted = asked.next().ok_or_else(not_acceptable)?;
        let namespace = own_namespace(&wanted)?;
        if asked.any(|other| other.ns() != namespace) {
            return Err(
                StanzaError::new(Condition::BadRequest).with_text("one namespace at a time")
            );
        }
        let there = self.store.elements(account, namespace).await?;
        let mut w = Writer::new();
        w.start("query", ns::PRIVATE);
        match there {
            Some(elements) => _ = w.raw(&elements),
            // What was never put there is empty.
            None => _ = w.start(wanted.name(), namespace).end(),
        }
        w.end();
        Ok(Some(w.finish()))
    }

    async fn put(&self, account: &BareJid, query: &Element) -> IqAnswer {
        let changes = read(query)?;
        let max = self.settings.max_size.bytes();
        if changes.values().any(|elements| elements.len() > max) {
            let text = format!("at most {} in one namespace", self.settings.max_size);
            return Err(not_acceptable().with_text(text));
        }
        self.has_room(account, &changes).await?;
        let mut tickets = Vec::with_capacity(changes.len());
        for (namespace, elements) in changes {
            tickets.push(self.writer.push(PrivateWrite::Put {
                account: account.clone(),
                namespace,
                elements: elements.into(),
            })?);
        }
        for ticket in tickets {
            ticket.await?;
        }
        Ok(None)
    }

    async fn has_room(
        &self,
        account: &BareJid,
        changes: &BTreeMap<String, Vec<u8>>,
    ) -> Result<(), StanzaError> {
        let kept = self.store.sizes(account).await?;
        let stays = kept
            .iter()
            .filter(|(namespace, _)| !changes.contains_key(namespace));
        let sizes = stays.map(|(_, size)| *size);
        let sizes = sizes.chain(changes.values().map(|elements| elements.len() as u64));
        let (count, total) = sizes.fold((0, 0), |(count, total), size| (count + 1, total + size));
        let fits = total <= self.settings.max_total.bytes() as u64
            && count <= u64::from(self.settings.max_namespaces);
        // Who keeps too much (the limits were lowered) may still keep less.
        let shrinks = || {
            let before: u64 = kept.iter().map(|(_, size)| size).sum();
            total <= before && count <= kept.len() as u64
        };
        match fits || shrinks() {
            true => Ok(()),
            false => Err(StanzaError::new(Condition::ResourceConstraint)
                .with_text(format!("at most {} altogether", self.settings.max_total))),
        }
    }
}

/// What is to be put there, by namespace (§2.3).
fn read(query: &Element) -> Result<BTreeMap<String, Vec<u8>>, StanzaError> {
    if !query.text().trim().is_empty() {
        return Err(not_acceptable());
    }
    let mut changes: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for child in query.children() {
        let namespace = own_namespace(&child)?;
        let elements = changes.entry(namespace.to_owned()).or_default();
        elements.extend_from_slice(&standing(&child)?);
    }
    match changes.is_empty() {
        true => Err(not_acceptable()),
        false => Ok(changes),
    }
}

/// The namespace of an element, if it has one of its own.
fn own_namespace<'a>(child: &Child<'a>) -> Result<&'a str, StanzaError> {
    match child.ns() {
        "" | ns::PRIVATE => Err(not_acceptable()),
        namespace => Ok(namespace),
    }
}

/// Its bytes, to be put into a query of ours.
fn standing(child: &Child<'_>) -> Result<Bytes, StanzaError> {
    let element = child.element().map_err(|_| not_acceptable())?;
    Ok(element.standing_in(ns::PRIVATE))
}

fn not_acceptable() -> StanzaError {
    StanzaError::new(Condition::NotAcceptable)
}

#[cfg(test)]
mod tests;
