//! Loading accounts: for sessions that open, and for stanzas to accounts without one.
//!
//! A stanza that needs an account which is not in the directory is parked there and starts a
//! *visit*: the node runs it in an actor of its own, which loads the account, lets go what was
//! parked, and stays for a while, since where one stanza comes others follow.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use xmpp::{BareJid, Condition, IqType, Kind, MessageType, PresenceType, Stanza, StanzaError};

use crate::Router;
use crate::account::{Account, AccountHold, Parking, Slots, Wait};
use crate::accounts::AccountService;
use crate::directory::Held;
use crate::elsewhere::{Peer, Place};
use crate::host::Host;
use crate::iq::Cx;
use crate::route::{bounce, to_account_or_resource};
use crate::session::NotOpened;

/// How long an account stays loaded after a stanza to it when it has no session.
const STAYS: Duration = Duration::from_secs(10);
/// Accounts that may be loaded for stanzas at a time; for one more they are refused with
/// `resource-constraint`.
const VISITS: usize = 8_192;

/// Runs visits; offered to the router by the node, which gives each an actor of its own. Without
/// it they are tasks.
pub struct Visitor(
    /// Starts one. Dropping it is to give it up.
    pub Box<dyn Fn(Visit) + Send + Sync>,
);

/// An account that is loaded for stanzas that wait.
pub struct Visit(Loading);

impl Visit {
    /// Whose account it is.
    #[must_use]
    pub fn jid(&self) -> &BareJid {
        self.0.hold.jid()
    }

    /// Loads the account and lets go what waits. The account stays in the directory as long as
    /// what is returned is kept; nothing is when it could not be loaded.
    pub async fn load(self) -> Option<AccountHold> {
        self.0.load(false).await.ok()
    }

    /// How long to keep what [`load`](Self::load) gave.
    #[must_use]
    pub fn stays(router: &Router) -> Duration {
        match router.0.visits.load(Ordering::Relaxed) < VISITS {
            true => STAYS,
            false => Duration::ZERO,
        }
    }

    async fn run(self) {
        let router = self.0.router.clone();
        let hold = self.load().await;
        tokio::time::sleep(Self::stays(&router)).await;
        drop(hold);
    }
}

impl Router {
    /// The account, loaded and held, for a session of it: this node is its home then.
    pub(crate) async fn enter(
        &self,
        host: &Arc<Host>,
        bare: &BareJid,
    ) -> Result<AccountHold, NotOpened> {
        loop {
            let hold = match self.hold(bare) {
                Held::New(hold) => {
                    // What comes meanwhile waits here.
                    hold.set_home();
                    let mut loading = Loading::new(self, host, hold);
                    if let Place::At(peer) = self.claim(bare).await {
                        loading.home = Some(peer.clone());
                        return Err(NotOpened::Elsewhere(peer));
                    }
                    return loading.load(true).await.map_err(NotOpened::Refused);
                }
                Held::There(hold) => hold,
            };
            if !hold.is_home() {
                if let Place::At(peer) = self.claim(bare).await {
                    return Err(NotOpened::Elsewhere(peer));
                }
                hold.set_home();
            }
            let open = match hold.wait() {
                Wait::Open => true,
                Wait::Until(told) => told.await.unwrap_or(false),
                Wait::GaveUp => false,
            };
            if open {
                hold.set_exists(true);
                return Ok(hold);
            }
            // Who loaded it has failed: this one tries itself, and tells what went wrong.
        }
    }

    /// A stanza for an account that is not loaded, or was not a moment ago.
    pub(crate) fn arrive(
        &self,
        host: &Arc<Host>,
        bare: &BareJid,
        there: Option<Arc<Account>>,
        mut stanza: Stanza,
    ) -> Arrival {
        if let Some(account) = there {
            match account.park(stanza) {
                Parking::Open(stanza) => return Arrival::Deliver(account, stanza),
                Parking::Parked => return Arrival::Answer(None),
                Parking::Full(stanza) => return Arrival::Answer(refuse(&stanza)),
                Parking::GaveUp(back) => stanza = back,
            }
        }
        if !needs_account(&stanza) {
            return Arrival::Answer(without_account(&stanza));
        }
        loop {
            let visit = match self.hold(bare) {
                Held::There(hold) => match hold.park(stanza) {
                    Parking::Open(stanza) => {
                        return Arrival::Deliver(hold.account().clone(), stanza);
                    }
                    Parking::Parked => return Arrival::Answer(None),
                    Parking::Full(stanza) => return Arrival::Answer(refuse(&stanza)),
                    Parking::GaveUp(back) => {
                        stanza = back;
                        continue;
                    }
                },
                Held::New(hold) => {
                    let loading = Loading::new(self, host, hold);
                    if self.0.visits.load(Ordering::Relaxed) > VISITS {
                        drop(loading);
                        return Arrival::Answer(refuse(&stanza));
                    }
                    // It was made just now, for this stanza.
                    let _parked = loading.hold.park(stanza);
                    Visit(loading)
                }
            };
            match self.services().get::<Visitor>() {
                Some(visitor) => (visitor.0)(visit),
                None => drop(tokio::spawn(visit.run())),
            }
            return Arrival::Answer(None);
        }
    }

    /// Whether `account`, a bare JID, is of a domain that is served here, and nobody is there who could
    /// be told anything.
    #[must_use]
    pub fn is_away(&self, account: &str) -> bool {
        self.directory().account(account).is_none()
            && self
                .elsewhere()
                .is_none_or(|elsewhere| elsewhere.home(account).is_none())
            && account
                .split_once('@')
                .is_some_and(|(_, domain)| self.host(domain).is_some())
    }

    fn hold(&self, bare: &BareJid) -> Held {
        self.directory().hold(self, bare)
    }
}

/// What is to be done with a stanza for an account.
pub(crate) enum Arrival {
    Deliver(Arc<Account>, Stanza),
    Answer(Option<Stanza>),
}

fn refuse(stanza: &Stanza) -> Option<Stanza> {
    bounce(stanza, Condition::ResourceConstraint)
}

/// Whether a stanza means something to an account that has no session here.
pub(crate) fn needs_account(stanza: &Stanza) -> bool {
    match stanza.kind() {
        Kind::Message(MessageType::Chat | MessageType::Normal) => true,
        Kind::Message(_) => false,
        Kind::Iq(IqType::Get | IqType::Set) => {
            stanza.to().is_some_and(|to| to.resource().is_none())
        }
        Kind::Iq(_) => false,
        Kind::Presence(
            PresenceType::Subscribe
            | PresenceType::Subscribed
            | PresenceType::Unsubscribe
            | PresenceType::Unsubscribed,
        ) => true,
        Kind::Presence(_) => false,
    }
}

/// The others, when there is no session (RFC 6121 §8.5.1 and §8.5.3.2).
fn without_account(stanza: &Stanza) -> Option<Stanza> {
    match stanza.kind() {
        Kind::Message(MessageType::Groupchat) | Kind::Iq(IqType::Get | IqType::Set) => {
            bounce(stanza, Condition::ServiceUnavailable)
        }
        _ => None,
    }
}

/// An account that is being loaded. Dropped before it is done, what waits is refused and the
/// account leaves the directory.
struct Loading {
    router: Router,
    host: Arc<Host>,
    hold: AccountHold,
    error: StanzaError,
    /// Another node, if that turns out to be the account's home.
    home: Option<Peer>,
    done: bool,
}

impl Loading {
    fn new(router: &Router, host: &Arc<Host>, hold: AccountHold) -> Self {
        router.0.visits.fetch_add(1, Ordering::Relaxed);
        Self {
            router: router.clone(),
            host: host.clone(),
            hold,
            error: StanzaError::new(Condition::InternalServerError),
            home: None,
            done: false,
        }
    }

    /// Loads it. Who is `known` to exist is not looked up.
    async fn load(mut self, known: bool) -> Result<AccountHold, StanzaError> {
        match self.slots(known).await {
            Ok(slots) => {
                let (router, host) = (self.router.clone(), self.host.clone());
                let cx = Cx {
                    router: &router,
                    host: &host,
                };
                let account = self.hold.account().clone();
                account.open(slots, |stanza| {
                    if let Some(reply) = to_account_or_resource(cx, &account, stanza) {
                        router.route(reply);
                    }
                });
                self.done = true;
                Ok(self.hold.clone())
            }
            Err(error) => {
                self.error = error.clone();
                Err(error)
            }
        }
    }

    async fn slots(&self, known: bool) -> Result<Slots, StanzaError> {
        let jid = self.hold.jid();
        if !known && let Some(accounts) = self.router.services().get::<AccountService>() {
            self.hold.set_exists(accounts.0.exists(jid.clone()).await?);
        }
        let loads = self.host.host_type().tables().slots.clone();
        let mut slots = Slots::with_capacity(loads.len());
        for load in loads {
            slots.push((load.of, (load.load)(jid.clone()).await?));
        }
        Ok(slots)
    }
}

impl Drop for Loading {
    fn drop(&mut self) {
        self.router.0.visits.fetch_sub(1, Ordering::Relaxed);
        if self.done {
            return;
        }
        self.router.directory().forget(self.hold.account());
        for stanza in self.hold.give_up() {
            if let Some(home) = &self.home {
                if let Some(reply) = self.router.pass_on(home, stanza, 0) {
                    self.router.route(reply);
                }
                continue;
            }
            if let Some(reply) = stanza.error(self.error.clone()) {
                self.router.route(reply);
            }
        }
    }
}
