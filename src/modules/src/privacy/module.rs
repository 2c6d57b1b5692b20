//! The module: requests in, changes out.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;
use router::{
    Account, AccountStanza, Answering, Cx, IqRequest, Module, OnFault, Outbound, Phase, Plan,
    PlanError, PresenceChanged, SenderStanza, SessionEntry, SessionStanza, To, Xep,
};
use store::{Pool, Ticket, Writer};
use xmpp::{BareJid, Condition, StanzaError, ns};

use super::change::Bounds;
use super::command::{Command, write_block, write_block_list, write_unblock};
use super::effects::{Shift, rules_in_force};
use super::lists::Lists;
use super::push::{self, Cause};
use super::query::{Query, write_list, write_names};
use super::slots::{Kept, OfSession};
use super::store::{PrivacyStore, PrivacyWrite};
use super::table::MOST;
use super::{MemPrivacy, SqlPrivacy, contacts, guard};

/// Changes that wait to be written; for one more the client is told to wait.
const WAITING: usize = 4096;

config::settings! {
    /// Whom an account keeps away: blocking (XEP-0191) and privacy lists (XEP-0016). Both change
    /// the same lists.
    pub struct PrivacySettings {
        /// Whether clients may block and unblock (XEP-0191).
        blocking: bool = true,
        /// Whether clients may keep privacy lists (XEP-0016). Lists that are there hold all the
        /// same.
        lists: bool = true,
        /// Lists that an account may keep. For one more it is told `resource-constraint`.
        max_lists: usize = 20,
        /// Rules in one list, and so blocked addresses, at most; no more than 1048575 can be
        /// configured. For one more it is told `resource-constraint`.
        max_items: usize = 2_000,
    }
    check |privacy, problems| {
        problems.at_least("max_lists", privacy.max_lists, 1);
        problems.at_least("max_items", privacy.max_items, 1);
        if privacy.max_items > MOST {
            problems.error(
                "max_items",
                format!("{} is too much", privacy.max_items),
                format!("write {MOST} or less"),
            );
        }
    }
}

/// Keeps away whom accounts want kept away.
pub struct Privacy {
    store: Arc<dyn PrivacyStore>,
    queue: Arc<Queue>,
    bounds: Bounds,
}

/// What is to be written.
struct Queue {
    writer: Writer<PrivacyWrite>,
    /// Of each account with a write under way what it will have: who loads it meanwhile must not
    /// see less.
    newest: Mutex<HashMap<BareJid, Arc<Lists>>>,
}

impl Module for Privacy {
    const NAME: &'static str = "privacy";
    const XEPS: &'static [Xep] = &[
        Xep::new(16, "Privacy Lists", "1.7"),
        Xep::new(191, "Blocking Command", "1.3"),
    ];
    type Config = PrivacySettings;

    fn plan(config: Arc<PrivacySettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        if config.lists {
            plan.feature(To::Host, ns::PRIVACY);
            plan.iq_later(To::Account, ns::PRIVACY, |privacy, iq| {
                privacy.query(iq).unwrap_or_else(|error| Err(error).into())
            });
        }
        if config.blocking {
            plan.feature(To::Host, ns::BLOCKING);
            plan.iq_later(To::Account, ns::BLOCKING, |privacy, iq| {
                privacy
                    .command(iq)
                    .unwrap_or_else(|error| Err(error).into())
            });
        }
        plan.on::<SenderStanza>(Phase::Guard, OnFault::Refuse, |_, fold| guard::sent(fold));
        plan.on::<Outbound>(Phase::Guard, OnFault::Refuse, |_, fold| guard::leaves(fold));
        plan.on::<AccountStanza>(Phase::Guard, OnFault::Refuse, |_, fold| guard::comes(fold));
        plan.on::<SessionStanza>(Phase::Guard, OnFault::Refuse, |_, fold| {
            guard::delivered(fold)
        });
        plan.on::<PresenceChanged>(Phase::Observe, OnFault::Skip, |_, fold| {
            guard::presence_changed(fold)
        });
        plan.account_slot(|privacy: Arc<Self>, account| async move {
            Ok(Kept::new(privacy.load(&account).await?))
        });
        plan.account_removed(|privacy: Arc<Self>, account| async move {
            let none = Arc::new(Lists::default());
            let ticket = privacy.queue.push(&account, &none)?;
            privacy.queue.written(ticket, &account, &none).await
        });
        plan.task("writer", |privacy: Arc<Self>, stop| async move {
            let stop = async {
                // Whoever drops its end wants it stopped, too.
                let _ = stop.await;
            };
            privacy.queue.writer.run(stop, &*privacy.store).await;
        });
        plan.written(|privacy: Arc<Self>| async move {
            // What was given up is not coming.
            _ = privacy.queue.writer.barrier().await;
        });
        Ok(Self {
            store: match plan.uses::<Pool>() {
                Some(pool) => plan.lasting(|| SqlPrivacy::new(Pool::clone(&pool))),
                None => plan.memory(MemPrivacy::default),
            },
            queue: plan.lasting(|| Queue {
                writer: Writer::new(WAITING),
                newest: Mutex::default(),
            }),
            bounds: Bounds {
                lists: config.max_lists,
                items: config.max_items,
            },
        })
    }
}

impl Queue {
    fn push(&self, account: &BareJid, lists: &Arc<Lists>) -> Result<Ticket, StanzaError> {
        let mut newest = self.newest.lock();
        let ticket = self.writer.push(PrivacyWrite {
            account: account.clone(),
            lists: lists.clone(),
        })?;
        newest.insert(account.clone(), lists.clone());
        Ok(ticket)
    }

    /// Waits until it is on disk.
    async fn written(
        &self,
        ticket: Ticket,
        account: &BareJid,
        lists: &Arc<Lists>,
    ) -> Result<(), StanzaError> {
        let done = ticket.await;
        let mut newest = self.newest.lock();
        if newest
            .get(account)
            .is_some_and(|newest| Arc::ptr_eq(newest, lists))
        {
            newest.remove(account);
        }
        Ok(done?)
    }
}

/// A change that is made and not yet on disk.
struct Change {
    ticket: Ticket,
    lists: Arc<Lists>,
    shifts: Vec<Shift>,
}

/// The account that asks, and its session if that is still there.
struct Asker<'a> {
    cx: Cx<'a>,
    account: &'a Arc<Account>,
    kept: &'a Kept,
    session: Option<Arc<SessionEntry>>,
}

impl<'a> Asker<'a> {
    /// # Errors
    /// `forbidden` for others: lists are nobody else's business. `service-unavailable` for an
    /// account that was loaded before this module was there.
    fn of(iq: &IqRequest<'a>) -> Result<Self, StanzaError> {
        let account = iq.account.filter(|_| iq.own());
        let account = account.ok_or_else(|| StanzaError::new(Condition::Forbidden))?;
        let kept = account.slot::<Kept>();
        Ok(Self {
            cx: iq.cx,
            account,
            kept: kept.ok_or_else(|| StanzaError::new(Condition::ServiceUnavailable))?,
            session: iq.session(),
        })
    }

    /// The active lists of the other sessions.
    fn others(&self) -> Vec<Option<Arc<str>>> {
        let own = self.session.as_ref().map(|session| session.id);
        let sessions = self.account.sessions().into_iter();
        let others = sessions.filter(|session| Some(session.id) != own);
        others.map(|session| OfSession::active(&session)).collect()
    }

    /// Makes an active list of this session, or none.
    fn activate(&self, name: Option<&str>) -> Result<(), StanzaError> {
        let Some(session) = &self.session else {
            return Ok(());
        };
        let changing = self.kept.changing.lock();
        let lists = self.kept.all();
        let name = match name {
            Some(name) => match lists.get(name) {
                Some(list) => Some(list.name.clone()),
                None => return Err(StanzaError::new(Condition::ItemNotFound)),
            },
            None => None,
        };
        let of: Arc<OfSession> = session.slot();
        let now = rules_in_force(&lists, name.as_deref());
        let before = std::mem::replace(&mut *of.active.lock(), name);
        drop(changing);
        let before = rules_in_force(&lists, before.as_deref());
        if let Some(shift) = Shift::new(session, before, now) {
            shift.tell(self.cx, self.account);
        }
        Ok(())
    }
}

impl Privacy {
    async fn load(&self, account: &BareJid) -> Result<Lists, StanzaError> {
        let newest = self.queue.newest.lock().get(account).cloned();
        match newest {
            Some(newest) => Ok(Lists::clone(&newest)),
            None => Ok(self.store.lists(account).await?),
        }
    }

    /// XEP-0016.
    fn query(&self, iq: &IqRequest<'_>) -> Result<Answering, StanzaError> {
        let asker = Asker::of(iq)?;
        if let Some(session) = &asker.session {
            let of: Arc<OfSession> = session.slot();
            of.sees_lists.store(true, Ordering::Relaxed);
        }
        let change = match Query::read(&iq.payload, iq.set, self.bounds.items)? {
            Query::Names => {
                let active = asker.session.as_deref().and_then(OfSession::active);
                return Ok(Ok(Some(write_names(&asker.kept.all(), active.as_deref()))).into());
            }
            Query::Get(name) => {
                let lists = asker.kept.all();
                let list = lists.get(&name);
                let list = list.ok_or_else(|| StanzaError::new(Condition::ItemNotFound))?;
                return Ok(Ok(Some(write_list(list))).into());
            }
            Query::Active(name) => {
                asker.activate(name.as_deref())?;
                return Ok(Ok(None).into());
            }
            Query::Default(name) => self.change(&asker, Cause::Choice, |lists| {
                lists.choose_default(name.as_deref(), &asker.others())
            }),
            Query::Put(name, rules) => {
                let group = |group: &str| contacts::of(asker.account).has_group(group);
                self.change(&asker, Cause::Put(name.clone()), |lists| {
                    lists.put(&name, rules, self.bounds, group)
                })
            }
            Query::Remove(name) => self.change(&asker, Cause::Choice, |lists| {
                lists.remove(&name, &asker.others())
            }),
        };
        Ok(self.finish(&asker, change?))
    }

    /// XEP-0191.
    fn command(&self, iq: &IqRequest<'_>) -> Result<Answering, StanzaError> {
        let asker = Asker::of(iq)?;
        let broken = |_| StanzaError::new(Condition::InternalServerError);
        let change = match Command::read(&iq.payload, iq.set, self.bounds.items)? {
            Command::BlockList => {
                if let Some(session) = &asker.session {
                    let of: Arc<OfSession> = session.slot();
                    of.sees_blocks.store(true, Ordering::Relaxed);
                }
                return Ok(Ok(Some(write_block_list(asker.kept.all().blocked()))).into());
            }
            Command::Block(jids) => {
                let cause = Cause::Command(write_block(&jids));
                self.change(&asker, cause, |lists| {
                    lists.block(&jids).map_err(broken)?.within(self.bounds)
                })
            }
            Command::Unblock(jids) => {
                let cause = Cause::Command(write_unblock(&jids));
                self.change(&asker, cause, |lists| {
                    lists.unblock(Some(&jids)).map_err(broken)
                })
            }
            Command::UnblockAll => {
                let none: [&str; 0] = [];
                let cause = Cause::Command(write_unblock(none));
                self.change(&asker, cause, |lists| lists.unblock(None).map_err(broken))
            }
        };
        Ok(self.finish(&asker, change?))
    }

    /// Changes the lists of an account, in memory and for all who look from now on, tells its
    /// sessions, and hands the change to the writer.
    fn change(
        &self,
        asker: &Asker<'_>,
        cause: Cause,
        change: impl FnOnce(&Lists) -> Result<Lists, StanzaError>,
    ) -> Result<Change, StanzaError> {
        let account = asker.account;
        let _changing = asker.kept.changing.lock();
        let before = asker.kept.all();
        let now = Arc::new(change(&before)?);
        let ticket = self.queue.push(account.jid(), &now)?;
        asker.kept.put(now.clone());
        let mut shifts = Vec::new();
        for session in account.sessions() {
            let active = OfSession::active(&session);
            let ruled = rules_in_force(&before, active.as_deref());
            let rules = rules_in_force(&now, active.as_deref());
            shifts.extend(Shift::new(&session, ruled, rules));
            // A list that comes later must not be active because it has the name.
            if active.is_some_and(|name| now.get(&name).is_none()) {
                let of: Arc<OfSession> = session.slot();
                *of.active.lock() = None;
            }
        }
        push::tell(account, &cause, &before, &now);
        Ok(Change {
            ticket,
            lists: now,
            shifts,
        })
    }

    /// What a change does to others, with no lock held. The answer waits until it is on disk.
    fn finish(&self, asker: &Asker<'_>, change: Change) -> Answering {
        for shift in &change.shifts {
            shift.tell(asker.cx, asker.account);
        }
        let (queue, account) = (self.queue.clone(), asker.account.jid().clone());
        Answering::later(async move {
            queue
                .written(change.ticket, &account, &change.lists)
                .await?;
            Ok(None)
        })
    }
}

#[cfg(test)]
mod tests;
