//! Announcements: what an administrator says to everybody who is online, and the message of the day,
//! which everybody else is told when they come online.
//!
//! They are messages to resources of a domain, the addresses that administrators of other servers
//! are used to. XEP-0133 §4.23 to §4.26 describe the same as commands.
//!
//! | resource | what happens |
//! |---|---|
//! | `announce/online` | everybody of the domain who is online gets it |
//! | `announce/motd` | the same, and it is kept: everybody else gets it once, when they come online |
//! | `announce/motd/update` | it is kept in the place of the last one; nobody gets it now |
//! | `announce/motd/delete` | none is kept any more |
//!
//! With `announce/all-hosts/` in the place of `announce/` they are for all domains.

mod address;
mod board;
mod desk;
mod entity;
mod mem;
mod seen;
mod sql;
mod store;

use std::sync::Arc;

use ::store::{Pool, StoreError, Ticket, Writer};
use config::Problems;
use router::{
    Account, Flow, HostFold, HostStanza, Module, MotdService, OnFault, Phase, Plan, PlanError,
    PresenceChanged, PresenceFold, Router, random_id,
};
use tokio::sync::{Mutex, mpsc, oneshot};
use xmpp::{BareJid, Condition, Kind, MessageType, Stanza, StanzaError, ns};

use crate::patience::patiently;
use address::{Deed, deed};
use board::Board;
use desk::Desk;
use seen::Seen;

pub use mem::MemMotd;
pub use sql::SqlMotd;
pub use store::{Motd, MotdStore, MotdWrite};

/// Announcements that wait until those before are out; for one more its sender is told
/// `resource-constraint`.
const WAITING: usize = 16;
/// Writes that may wait for the database.
const QUEUE: usize = 65_536;
/// Bytes of a message of the day.
const LONGEST: usize = 60_000;

config::settings! {
    /// Announcements: a message to `DOMAIN/announce/online` reaches everybody of the domain who is
    /// online; one to `DOMAIN/announce/motd` is kept as well, and everybody else gets it once, when
    /// they come online. `DOMAIN/announce/motd/update` replaces what is kept, and
    /// `DOMAIN/announce/motd/delete` forgets it. `DOMAIN/announce/all-hosts/…` is for all domains.
    /// Off unless it is configured.
    pub struct AnnounceSettings {
        /// Who may announce, as addresses: ["admin@example.org"]. Others are told `forbidden`.
        admins: Vec<String> = Vec::new(),
    }
    check |announce, problems| {
        problems.within("admins", |problems| each_is_an_account(&announce.admins, problems));
    }
}

fn each_is_an_account(admins: &[String], problems: &mut Problems) {
    for (index, admin) in admins.iter().enumerate() {
        if account(admin).is_none() {
            problems.within_item(index, |problems| {
                problems.error(
                    "",
                    format!("\"{admin}\" is not the address of an account"),
                    "write it without a resource, such as \"admin@example.org\"",
                );
            });
        }
    }
}

fn account(text: &str) -> Option<BareJid> {
    let jid: BareJid = text.parse().ok()?;
    jid.localpart().is_some().then_some(jid)
}

/// Says to everybody what an administrator says.
pub struct Announce {
    admins: Vec<BareJid>,
    queue: Arc<Queue>,
    board: Arc<Board>,
    store: Arc<dyn MotdStore>,
    /// Of who was told what. The messages themselves don't wait in it.
    writer: Arc<Writer<MotdWrite>>,
    router: Router,
}

/// What is asked for on its way to the task that does it. It outlives the module.
struct Queue {
    put: mpsc::Sender<Order>,
    take: Mutex<mpsc::Receiver<Order>>,
}

impl Queue {
    fn new() -> Self {
        let (put, take) = mpsc::channel(WAITING);
        Self {
            put,
            take: Mutex::new(take),
        }
    }
}

/// What is asked for.
struct Order {
    deed: Deed,
    audience: Audience,
    /// What is said, without addresses.
    message: Stanza,
    asker: Asker,
}

/// Who is told what became of an order.
enum Asker {
    /// Whoever has sent this message: it is returned if it can't be done.
    Sender(Stanza),
    /// Whoever runs the node. They needn't wait for it.
    Operator(oneshot::Sender<Result<usize, StanzaError>>),
}

enum Audience {
    /// Those of this domain.
    Domain(BareJid),
    /// Those of all domains.
    All,
}

impl Audience {
    fn domain(&self) -> Option<&str> {
        match self {
            Audience::Domain(domain) => Some(domain.domain()),
            Audience::All => None,
        }
    }
}

impl Module for Announce {
    const NAME: &'static str = "announce";
    type Config = AnnounceSettings;

    fn plan(config: Arc<AnnounceSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.on::<HostStanza>(Phase::Act, OnFault::Refuse, Self::hear);
        plan.on::<PresenceChanged>(Phase::Act, OnFault::Skip, Self::greet);
        plan.offer(|announce| MotdService(Arc::new(Desk(announce.clone()))));
        plan.account_slot(|announce: Arc<Self>, account| async move {
            Ok(announce.load(&account).await?)
        });
        plan.account_removed(|announce: Arc<Self>, account| async move {
            announce.remove(account).await
        });
        plan.task("crier", |announce: Arc<Self>, stop| async move {
            announce.cry(stop).await;
        });
        plan.task("writer", |announce: Arc<Self>, stop| async move {
            let stopped = async { _ = stop.await };
            announce.writer.run(stopped, &*announce.store).await;
        });
        plan.written(|announce: Arc<Self>| async move {
            // What was given up is not coming.
            _ = announce.writer.barrier().await;
        });
        let store: Arc<dyn MotdStore> = match plan.uses::<Pool>() {
            Some(pool) => Arc::new(SqlMotd::new((*pool).clone())),
            None => plan.memory(MemMotd::default),
        };
        Ok(Self {
            // What is no address was refused with the configuration.
            admins: config.admins.iter().filter_map(|a| account(a)).collect(),
            queue: plan.lasting(Queue::new),
            board: plan.lasting(Board::default),
            store,
            writer: plan.lasting(|| Writer::new(QUEUE)),
            router: plan.node().clone(),
        })
    }
}

impl Announce {
    fn hear(&self, fold: &mut HostFold<'_>) -> Flow {
        let stanza = &fold.stanza;
        let kind = match stanza.kind() {
            Kind::Message(MessageType::Headline) => MessageType::Headline,
            // Clients send from chat windows what no chat shall follow.
            Kind::Message(MessageType::Normal | MessageType::Chat) => MessageType::Normal,
            _ => return Flow::Continue,
        };
        let resource = stanza.to().and_then(|to| to.resource());
        let Some((deed, everywhere)) = resource.and_then(deed) else {
            return Flow::Continue;
        };
        let from = stanza.from().map(|from| from.bare_str());
        if !self.admins.iter().any(|admin| Some(admin.as_ref()) == from) {
            return Flow::Refuse(StanzaError::new(Condition::Forbidden));
        }
        let (message, says) = texts(stanza, kind);
        // Nothing at all is enough to delete.
        let means_it = says || (deed == Deed::Delete && stanza.children().next().is_none());
        if !means_it {
            // Its sender begins to write, or wants to know nothing but that it was received.
            return Flow::Stop;
        }
        if matches!(deed, Deed::Post | Deed::Replace)
            && let Err(error) = fits(&message)
        {
            return Flow::Refuse(error);
        }
        let audience = match everywhere {
            true => Audience::All,
            false => Audience::Domain(fold.cx.host.domain().clone()),
        };
        let order = Order {
            deed,
            audience,
            message,
            asker: Asker::Sender(stanza.clone()),
        };
        match self.queue.put.try_send(order) {
            Ok(()) => Flow::Stop,
            Err(_) => Flow::Refuse(StanzaError::new(Condition::ResourceConstraint)),
        }
    }

    /// Does what is asked for, one after another.
    async fn cry(&self, mut stop: oneshot::Receiver<()>) {
        let mut queue = self.queue.take.lock().await;
        loop {
            tokio::select! {
                _ = &mut stop => return,
                order = queue.recv() => match order {
                    Some(order) => self.carry_out(order).await,
                    // The other end is in the same hand.
                    None => return,
                },
            }
        }
    }

    async fn carry_out(&self, order: Order) {
        let Order {
            deed,
            audience,
            message,
            asker,
        } = order;
        let done = match deed {
            Deed::Online => {
                let say = self
                    .router
                    .say_to_online(audience.domain(), &message, |_| true);
                Ok(say.await)
            }
            Deed::Post => self.post(&audience, &message).await,
            Deed::Replace => self.replace(&audience, &message).await.map(|_| 0),
            Deed::Delete => self.delete(&audience).await.map(|()| 0),
        };
        let done = done.map_err(|error| {
            tracing::error!(what = "motd_not_changed", %error);
            StanzaError::from(&error)
        });
        match (asker, done) {
            (Asker::Sender(asked), Err(error)) => {
                if let Some(refused) = asked.error(error) {
                    self.router.route(refused);
                }
            }
            (Asker::Sender(_), Ok(_)) => {}
            // They may have gone.
            (Asker::Operator(told), done) => _ = told.send(done),
        }
    }

    /// Says it and keeps it, on disk before anybody hears it. Says how many accounts were told.
    async fn post(&self, audience: &Audience, message: &Stanza) -> Result<usize, StoreError> {
        let id = self.replace(audience, message).await?;
        // Who comes online meanwhile is told by `greet`, or here: whoever is first.
        let untold = |account: &BareJid| {
            let there = self.router.directory().account(account.as_ref());
            there.is_some_and(|there| self.is_new_to(&there, &id))
        };
        let say = self
            .router
            .say_to_online(audience.domain(), message, untold);
        Ok(say.await)
    }

    /// Keeps it and says under which id.
    async fn replace(&self, audience: &Audience, message: &Stanza) -> Result<Arc<str>, StoreError> {
        let id = random_id();
        let set = |domain: &BareJid| {
            MotdWrite::Set(Motd {
                domain: domain.domain().to_owned(),
                id: id.clone(),
                since: self.router.clock().unix_millis(),
                message: message.to_bytes(),
            })
        };
        let writes: Vec<_> = self.domains(audience).iter().map(set).collect();
        patiently(self.board.change(&*self.store, &writes)).await?;
        Ok(id.into())
    }

    async fn delete(&self, audience: &Audience) -> Result<(), StoreError> {
        let delete = |domain: &BareJid| MotdWrite::Delete(domain.domain().to_owned());
        let writes: Vec<_> = self.domains(audience).iter().map(delete).collect();
        patiently(self.board.change(&*self.store, &writes)).await
    }

    fn domains(&self, audience: &Audience) -> Vec<BareJid> {
        match audience {
            Audience::Domain(domain) => vec![domain.clone()],
            Audience::All => {
                let hosts = self.router.hosts();
                hosts.iter().map(|host| host.domain().clone()).collect()
            }
        }
    }

    /// What the account was told; looked up only if there is something to tell.
    async fn load(&self, account: &BareJid) -> Result<Seen, StoreError> {
        patiently(async {
            self.board.known(&*self.store).await?;
            let Some(posted) = self.board.of(account.domain()) else {
                return Ok(Seen::new(None));
            };
            self.writer.barrier().await?;
            let seen = self.store.seen(account).await?;
            let told = seen.is_some_and(|seen| *seen == *posted.id);
            Ok(Seen::new(told.then(|| posted.id.clone())))
        })
        .await
    }

    /// Somebody comes online: a session that takes messages from now on.
    fn greet(&self, fold: &mut PresenceFold<'_>) -> Flow {
        let before = fold.before.as_ref().map(|before| before.priority);
        let takes = |priority: Option<i8>| priority.is_some_and(|priority| priority >= 0);
        let host = fold.cx.host.domain();
        if takes(fold.session.priority())
            && !takes(before)
            && let Some(posted) = self.board.of(host.domain())
            && self.is_new_to(fold.account, &posted.id)
        {
            let message = posted.message.with_from(host.clone());
            self.router
                .route(message.with_to(fold.account.jid().clone()));
        }
        Flow::Continue
    }

    /// Whether the account was not told this one yet. From now on it was.
    fn is_new_to(&self, account: &Account, id: &Arc<str>) -> bool {
        let Some(seen) = account.slot::<Seen>() else {
            // It was loaded before there was this module: nobody knows what it was told.
            return false;
        };
        seen.tell(id, || {
            let write = MotdWrite::Seen(account.jid().clone(), id.to_string());
            if let Err(error) = self.writer.push(write).map(Ticket::forget) {
                // It will be told again.
                tracing::warn!(what = "motd_not_noted", account = %account.jid(), %error);
            }
        })
    }

    async fn remove(&self, account: BareJid) -> Result<(), StanzaError> {
        if let Some(there) = self.router.directory().account(account.as_ref())
            && let Some(seen) = there.slot::<Seen>()
        {
            seen.remove();
        }
        let removed = self.writer.push(MotdWrite::Remove(account))?;
        Ok(patiently(removed).await?)
    }
}

/// The texts of a message, in a message of its own, and whether there is one; nothing else of it is
/// for everybody.
fn texts(stanza: &Stanza, kind: MessageType) -> (Stanza, bool) {
    let mut message = Stanza::message(kind).id(&random_id());
    if let Some(lang) = stanza.lang() {
        message = message.lang(lang);
    }
    let mut says = false;
    for child in stanza.children() {
        if (child.is("subject", ns::CLIENT) || child.is("body", ns::CLIENT))
            && let Ok(text) = child.element()
        {
            message = message.payload(text.standing_in(ns::CLIENT));
            says = true;
        }
    }
    (message.build(), says)
}

/// Whether a message can be kept.
fn fits(message: &Stanza) -> Result<(), StanzaError> {
    if message.to_bytes().len() <= LONGEST {
        return Ok(());
    }
    let most = format!("a message of the day has at most {LONGEST} bytes");
    Err(StanzaError::new(Condition::NotAcceptable).with_text(most))
}

#[cfg(test)]
mod tests;
