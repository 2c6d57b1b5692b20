//! XEP-0160: Best Practices for Handling Offline Messages.
//!
//! A message that finds nobody is noted in its account's spool and written behind; who becomes
//! available drains the spool. Nothing is forgotten before the socket took it.

mod drain;
mod entity;
mod kept;
mod mem;
mod retrieval;
mod spool;
mod sql;
mod stamp;
mod store;

use std::sync::Arc;
use std::time::Duration;

use ::store::{Pool, StoreError, Ticket, Writer};
use config::{Size, Span};
use parking_lot::Mutex;
use router::{
    AccountAway, AwayFold, Clock, Flow, Module, OnFault, Phase, Plan, PlanError, PresenceChanged,
    PresenceFold, Router, To, Xep,
};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;
use xmpp::{BareJid, Condition, Jid, StanzaError, ns};

use crate::patience::patiently;
use drain::Drain;
use kept::{Lot, lot};
use spool::{Limits, Spool};

pub use mem::MemOffline;
pub use sql::SqlOffline;
pub use store::{Head, Line, OfflineStore, OfflineWrite, Waiting};

/// Writes that may wait for the database.
const QUEUE: usize = 16_384;
/// How often it is looked for messages that have expired, and how many go in one transaction.
const PURGE: (Duration, u64) = (Duration::from_secs(600), 500);

config::settings! {
    /// Messages for those who are offline (XEP-0160): they wait until their receiver comes online.
    pub struct OfflineSettings {
        /// How many messages may wait for one account. The sender of one more gets
        /// `service-unavailable`.
        max_messages: usize = 1_000,
        /// How many bytes these may have together.
        max_bytes: Size = Size::mib(4),
        /// How long a message waits before it is deleted. None: as long as it takes.
        expiry: Option<Span> = None,
        /// Whether clients may look through what waits by themselves, message by message, in place of
        /// being sent all of it when they come online (XEP-0013).
        retrieval: bool = true,
    }
    check |offline, problems| {
        problems.at_least("max_messages", offline.max_messages, 1);
        problems.at_least("max_bytes", offline.max_bytes, Size::kib(1));
        if let Some(expiry) = offline.expiry {
            problems.at_least("expiry", expiry, Span::minutes(1));
        }
    }
}

/// Keeps messages for accounts that are away.
pub struct Offline {
    router: Router,
    keeps: Keeps,
    limits: Limits,
    /// Milliseconds.
    expiry: Option<i64>,
    drains: Mutex<JoinSet<()>>,
}

/// Where messages are kept.
#[derive(Clone)]
struct Keeps {
    store: Arc<dyn OfflineStore>,
    writer: Arc<Writer<OfflineWrite>>,
    clock: Clock,
}

impl Module for Offline {
    const NAME: &'static str = "offline";
    const XEPS: &'static [Xep] = &[
        Xep::new(13, "Flexible Offline Message Retrieval", "1.3"),
        Xep::new(160, "Best Practices for Handling Offline Messages", "1.0.1"),
        Xep::new(203, "Delayed Delivery", "2.0"),
        Xep::new(334, "Message Processing Hints", "1.0.0").without("hints for copies and archives"),
    ];
    type Config = OfflineSettings;

    fn plan(config: Arc<OfflineSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.feature(To::Host, ns::MSG_OFFLINE);
        if config.retrieval {
            plan.feature(To::Host, ns::OFFLINE);
            plan.node_async(To::Account, ns::OFFLINE, |offline, iq| async move {
                offline.contents(iq).await
            });
            plan.iq_async(To::Account, ns::OFFLINE, |offline, iq| async move {
                offline.retrieve(iq).await
            });
        }
        plan.account_slot(|offline: Arc<Self>, account| async move { offline.load(account).await });
        plan.account_removed(
            |offline: Arc<Self>, account| async move { offline.remove(account).await },
        );
        plan.on::<AccountAway>(Phase::Archive, OnFault::Refuse, Self::keep);
        plan.on::<PresenceChanged>(Phase::Act, OnFault::Skip, Self::drain);
        plan.task("writer", |offline: Arc<Self>, stop| async move {
            let Keeps { store, writer, .. } = &offline.keeps;
            writer.run(async { _ = stop.await }, &**store).await;
        });
        plan.written(|offline: Arc<Self>| async move {
            // What was given up is not coming.
            _ = offline.keeps.writer.barrier().await;
        });
        plan.task("expiry", |offline: Arc<Self>, stop| async move {
            offline.purge(stop).await
        });
        let millis = |span: Span| i64::try_from(span.get().as_millis()).unwrap_or(i64::MAX);
        let store: Arc<dyn OfflineStore> = match plan.uses::<Pool>() {
            Some(pool) => Arc::new(SqlOffline::new((*pool).clone())),
            None => plan.memory(MemOffline::default),
        };
        Ok(Self {
            router: plan.node().clone(),
            keeps: Keeps {
                store,
                writer: plan.lasting(|| Writer::new(QUEUE)),
                clock: plan.node().clock().clone(),
            },
            limits: Limits {
                messages: config.max_messages,
                bytes: config.max_bytes.bytes(),
            },
            expiry: config.expiry.map(millis),
            drains: Mutex::default(),
        })
    }
}

impl Offline {
    async fn load(&self, account: BareJid) -> Result<Spool, StanzaError> {
        Ok(Spool::new(self.keeps.lines(&account).await?))
    }

    /// A message found nobody.
    fn keep(&self, fold: &mut AwayFold<'_>) -> Flow {
        match lot(&fold.stanza) {
            Lot::Wait => {}
            Lot::Vanish => return Flow::Stop,
            Lot::Bounce => return Flow::Continue,
        }
        let Some(spool) = fold.account.slot::<Spool>() else {
            return Flow::Continue;
        };
        let account = fold.account.jid();
        let message = match stamp::without_forged(&fold.stanza, account.domain()) {
            Some(honest) => honest,
            None => fold.stanza.clone(),
        };
        let stanza = message.to_bytes();
        let now = self.keeps.clock.unix_millis();
        let expires_at = self.expiry.map(|expiry| now.saturating_add(expiry));
        let kept = spool.keep(stanza.len(), now, expires_at, self.limits, |line| {
            let waiting = Waiting {
                id: line.id,
                stored_at: now,
                expires_at,
                sender: message.from().map(Jid::to_string).unwrap_or_default(),
                stanza,
            };
            let write = OfflineWrite::Keep(account.clone(), waiting);
            self.keeps.writer.push(write).map(Ticket::forget)
        });
        match kept {
            Some(Ok(())) => Flow::Stop,
            Some(Err(error)) => Flow::Refuse(error.into()),
            // XEP-0160 §2, step 3.
            None => Flow::Refuse(
                StanzaError::new(Condition::ServiceUnavailable)
                    .with_text("too many messages wait for the receiver"),
            ),
        }
    }

    /// XEP-0160 §2, step 5: to the session that has just said it takes messages.
    fn drain(&self, fold: &mut PresenceFold<'_>) -> Flow {
        let took = fold
            .before
            .as_ref()
            .is_some_and(|before| before.priority >= 0);
        if fold.session.priority().is_some_and(|priority| priority >= 0)
            && let Some(spool) = fold.account.slot::<Spool>()
            && !spool.is_empty(self.keeps.clock.unix_millis())
            // What an earlier drain had to leave is asked for again, but not while it runs.
            && (!took || spool.is_idle())
            && !retrieval::is_by_hand(fold.account)
        {
            let drain = Drain {
                keeps: self.keeps.clone(),
                account: fold.account.clone(),
                session: fold.session.clone(),
                hold: fold.hold(),
            };
            let mut drains = self.drains.lock();
            while drains.try_join_next().is_some() {}
            drains.spawn(drain.run());
        }
        Flow::Continue
    }

    async fn remove(&self, account: BareJid) -> Result<(), StanzaError> {
        if let Some(there) = self.router.directory().account(account.as_ref())
            && let Some(spool) = there.slot::<Spool>()
        {
            spool.clear();
        }
        let removed = self.keeps.writer.push(OfflineWrite::Remove(account))?;
        Ok(patiently(removed).await?)
    }

    /// Deletes what has expired, now and then.
    async fn purge(&self, mut stop: oneshot::Receiver<()>) {
        loop {
            let now = self.keeps.clock.unix_millis();
            let mut purged = 0;
            loop {
                match self.keeps.store.purge(now, PURGE.1).await {
                    Ok(0) => break,
                    Ok(more) => purged += more,
                    Err(error) => {
                        tracing::warn!(what = "offline_not_purged", %error);
                        break;
                    }
                }
            }
            if purged > 0 {
                tracing::info!(what = "offline_purged", messages = purged);
            }
            if timeout(PURGE.0, &mut stop).await.is_ok() {
                return;
            }
        }
    }
}

impl Keeps {
    /// What waits for an account, with what is still on its way to the disk.
    async fn lines(&self, account: &BareJid) -> Result<Vec<Line>, StoreError> {
        patiently(async {
            self.writer.barrier().await?;
            self.store.lines(account).await
        })
        .await
    }
}

#[cfg(test)]
mod tests;
