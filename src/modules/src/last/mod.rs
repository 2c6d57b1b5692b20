//! XEP-0012: Last Activity.
//!
//! An account's last activity is when its last session ended, with the status text of its last
//! unavailable presence.

mod entity;
mod mem;
mod sql;
mod store;

use std::sync::Arc;

use ::store::{Pool, StoreError, Ticket, Writer};
use parking_lot::Mutex;
use router::{
    Account, AccountFold, AccountStanza, Flow, IqAnswer, IqRequest, Module, OnFault, OwnedIq,
    Phase, Plan, PlanError, PresenceChanged, PresenceFold, SessionClosed, SessionClosedFold, To,
    Xep,
};
use xmpp::{BareJid, Condition, IqType, Jid, Kind, Stanza, StanzaError, ns};

use crate::patience::patiently;
use crate::roster::Contacts;

pub use mem::MemLast;
pub use sql::SqlLast;
pub use store::{LastStore, LastWrite, Left};

/// Writes that may wait for the database.
const QUEUE: usize = 65_536;
/// Bytes of a status text that are kept.
const STATUS: usize = 1024;

config::settings! {
    /// Last Activity (XEP-0012): tells contacts how long an account has been away, and anybody how
    /// long the server has been running.
    pub struct LastSettings {}
}

/// Notes who leaves when, and tells those who may know.
pub struct Last {
    store: Arc<dyn LastStore>,
    writer: Arc<Writer<LastWrite>>,
}

/// What a session said in its last unavailable presence.
#[derive(Default)]
struct Farewell(Mutex<String>);

impl Module for Last {
    const NAME: &'static str = "last";
    const XEPS: &'static [Xep] = &[Xep::new(12, "Last Activity", "2.0")];
    type Config = LastSettings;

    fn plan(_: Arc<LastSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.feature(To::Host, ns::LAST);
        plan.feature(To::Account, ns::LAST);
        plan.iq(To::Host, ns::LAST, Self::uptime);
        plan.iq_async(To::Account, ns::LAST, |last: Arc<Self>, iq| async move {
            last.answer(&iq).await
        });
        plan.on::<AccountStanza>(Phase::Guard, OnFault::Refuse, Self::guard);
        plan.on::<PresenceChanged>(Phase::Observe, OnFault::Skip, Self::hear);
        plan.on::<SessionClosed>(Phase::Observe, OnFault::Skip, Self::note);
        plan.account_removed(|last: Arc<Self>, account| async move {
            let removed = last.writer.push(LastWrite::Remove(account))?;
            Ok(patiently(removed).await?)
        });
        plan.task("writer", |last: Arc<Self>, stop| async move {
            let stopped = async { _ = stop.await };
            last.writer.run(stopped, &*last.store).await;
        });
        plan.written(|last: Arc<Self>| async move {
            // What was given up is not coming.
            _ = last.writer.barrier().await;
        });
        let store: Arc<dyn LastStore> = match plan.uses::<Pool>() {
            Some(pool) => Arc::new(SqlLast::new((*pool).clone())),
            None => plan.memory(MemLast::default),
        };
        Ok(Self {
            store,
            writer: plan.lasting(|| Writer::new(QUEUE)),
        })
    }
}

impl Last {
    /// XEP-0012 §5: of the server it is how long it has been running.
    fn uptime(&self, iq: &IqRequest<'_>) -> IqAnswer {
        if iq.set {
            return Err(IqRequest::not_allowed());
        }
        Ok(Some(query(iq.cx.router.clock().uptime().as_secs(), "")))
    }

    /// XEP-0012 §3: of an account it is how long it has been away.
    async fn answer(&self, iq: &OwnedIq) -> IqAnswer {
        let (Some(account), Some(from)) = (&iq.account, iq.stanza.from()) else {
            return Err(StanzaError::new(Condition::BadRequest));
        };
        if !may_know(account, from) {
            return Err(StanzaError::new(Condition::Forbidden));
        }
        if iq.set {
            return Err(IqRequest::not_allowed());
        }
        if !account.sessions().is_empty() {
            return Ok(Some(query(0, "")));
        }
        let left = self.left(account.jid()).await?;
        // It never came, or hasn't since the server began to note it.
        let left = left.ok_or(StanzaError::new(Condition::ItemNotFound))?;
        let away = iq.router.clock().unix_millis().saturating_sub(left.at);
        // The clock may have been set back meanwhile.
        let seconds = u64::try_from(away / 1000).unwrap_or_default();
        Ok(Some(query(seconds, &left.status)))
    }

    async fn left(&self, account: &BareJid) -> Result<Option<Left>, StoreError> {
        patiently(async {
            self.writer.barrier().await?;
            self.store.last(account).await
        })
        .await
    }

    /// XEP-0012 §4: a query to a session is for its client, if the one who asks may know.
    fn guard(&self, fold: &mut AccountFold<'_>) -> Flow {
        if is_query_to_session(&fold.stanza)
            && let Some(from) = fold.stanza.from()
            && !may_know(fold.account, from)
        {
            return Flow::Refuse(StanzaError::new(Condition::Forbidden));
        }
        Flow::Continue
    }

    fn hear(&self, fold: &mut PresenceFold<'_>) -> Flow {
        if fold.is_available() {
            return Flow::Continue;
        }
        let status = fold.stanza.child("status", ns::CLIENT);
        let status = status.map(|status| status.text().into_owned());
        match status {
            Some(mut status) => {
                status.truncate(status.floor_char_boundary(STATUS));
                *fold.session.slot::<Farewell>().0.lock() = status;
            }
            // What it said at an earlier leave holds no longer.
            None => {
                if let Some(farewell) = fold.session.peek::<Farewell>() {
                    farewell.0.lock().clear();
                }
            }
        }
        Flow::Continue
    }

    fn note(&self, fold: &mut SessionClosedFold<'_>) -> Flow {
        let account = fold.account;
        if account.exists() && account.sessions().is_empty() {
            let farewell = fold.session.peek::<Farewell>();
            let left = Left {
                at: fold.cx.router.clock().unix_millis(),
                status: farewell.map_or_else(String::new, |said| said.0.lock().clone()),
            };
            let write = LastWrite::Left(account.jid().clone(), left);
            if let Err(error) = self.writer.push(write).map(Ticket::forget) {
                tracing::warn!(what = "last_not_noted", account = %account.jid(), %error);
            }
        }
        Flow::Continue
    }
}

/// Whether `from` may know when `account` was here (XEP-0012 §3): itself, and those who are
/// subscribed to its presence.
fn may_know(account: &Account, from: &Jid) -> bool {
    let from = from.bare_str();
    from == account.jid().as_ref()
        || Contacts::of(account).is_some_and(|contacts| contacts.is_seen_by(from))
}

fn is_query_to_session(stanza: &Stanza) -> bool {
    matches!(stanza.kind(), Kind::Iq(IqType::Get))
        && stanza.to().is_some_and(|to| to.resource().is_some())
        && stanza.payload().is_some_and(|query| query.ns() == ns::LAST)
}

fn query(seconds: u64, status: &str) -> bytes::Bytes {
    let mut w = xml::Writer::new();
    w.start("query", ns::LAST)
        .attr("seconds", &seconds.to_string())
        .text(status)
        .end();
    w.finish()
}

#[cfg(test)]
mod tests;
