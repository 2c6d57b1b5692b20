//! The heart of the node: who gets a stanza.
//!
//! The router is functions over concurrent maps, never an actor: a stanza is routed in the
//! actor of the session that received it, by one look-up among the served domains and one in
//! the [`directory`]. It knows no socket, no database and, but for service discovery, no
//! extension: what an extension wants of the way of a stanza it says in its [`Plan`].
//!
//! ```text
//! session.handle ─ sender fold ─ route ─┬─ account ─ account fold ─ sessions ─ inbox
//!                                       ├─ IQ table ─ answer
//!                                       └─ bounce
//! ```

mod account;
mod accounts;
pub mod clock;
pub mod directory;
pub mod disco;
mod elsewhere;
mod figures;
mod hold;
mod hooks;
mod host;
mod ids;
mod inbox;
mod iq;
mod lanes;
mod lifetime;
mod module;
mod motd;
mod online;
mod plan;
mod presence;
mod route;
mod services;
mod session;
mod visit;

#[cfg(feature = "check")]
pub mod check;

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;

pub use account::{Account, AccountHold};
pub use accounts::{AccountAnswer, AccountService, Accounts};
pub use clock::Clock;
pub use directory::{Available, Directory, SessionEntry, SessionId};
pub use elsewhere::{
    BadLetter, Elsewhere, GuestId, GuestOpen, Letter, OthersTold, Peer, Place, ToGuest, ToHome,
    Unsent, Vanished,
};
pub use figures::{Counted, Figures, SAMPLED, Timed, Times};
pub use hold::Hold;
pub use hooks::{
    AccountAway, AccountFold, AccountStanza, AwayFold, Flow, Hook, HostFold, HostStanza, OnFault,
    Outbound, OutboundFold, PeersChanged, PeersFold, Phase, PresenceChanged, PresenceFold,
    SenderFold, SenderStanza, SessionClosed, SessionClosedFold, SessionFold, SessionOpened,
    SessionOpenedFold, SessionStanza,
};
pub use host::{Host, HostType, Installed, Withdraw};
pub use ids::random_id;
pub use inbox::{Control, Inbox, Undelivered};
pub use iq::{Answering, Cx, IqAnswer, IqRequest, LaterAnswer, OwnedIq, To};
pub use lifetime::NotRemoved;
pub use module::{Module, ModuleFigures, Xep};
pub use motd::{MessageOfTheDay, MessagesOfTheDay, MotdService};
pub use plan::{Plan, PlanError, Planned, RunTask, Task, Timer};
pub use services::Services;
pub use session::{ConnectionFacts, Ending, NotOpened, ResourceConflict, Session};
pub use visit::{Visit, Visitor};

/// What a router is told when the node starts.
#[derive(Debug, Clone)]
pub struct RouterSettings {
    /// What happens when a resource is bound that is bound already (RFC 6120 §7.7.2.2).
    pub resource_conflict: ResourceConflict,
    /// How many sessions one account may have at a time; one more is refused with
    /// `resource-constraint` (RFC 6120 §7.6.2.1).
    pub max_sessions: usize,
    /// To how many addresses one session may send directed presence (RFC 6121 §4.6).
    pub max_directed: usize,
}

impl Default for RouterSettings {
    fn default() -> Self {
        Self {
            resource_conflict: ResourceConflict::default(),
            max_sessions: 32,
            max_directed: 512,
        }
    }
}

/// The router of a node. Cloning it is a counter.
#[derive(Clone)]
pub struct Router(Arc<Inner>);

struct Inner {
    hosts: ArcSwap<HashMap<Box<str>, Arc<Host>>>,
    directory: Directory,
    clock: Clock,
    settings: RouterSettings,
    figures: Figures,
    services: Services,
    /// Accounts that are being loaded.
    visits: AtomicUsize,
    /// The rest of the cluster, if there is one.
    elsewhere: OnceLock<Arc<dyn Elsewhere>>,
    claims: elsewhere::Claims,
}

impl Router {
    /// A router that serves no domain yet.
    #[must_use]
    pub fn new(settings: RouterSettings, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            hosts: ArcSwap::default(),
            directory: Directory::new(),
            clock,
            settings,
            figures: Figures::default(),
            services: Services::default(),
            visits: AtomicUsize::new(0),
            elsewhere: OnceLock::new(),
            claims: elsewhere::Claims::default(),
        }))
    }

    /// Serves `host` from now on, in the place of one of the same domain.
    pub fn serve(&self, host: Host) {
        let host = Arc::new(host);
        self.0.hosts.rcu(|hosts| {
            let mut hosts = HashMap::clone(hosts);
            hosts.insert(host.domain().domain().into(), host.clone());
            hosts
        });
    }

    /// The host that serves `domain` here, if one does.
    #[must_use]
    pub fn host(&self, domain: &str) -> Option<Arc<Host>> {
        self.0.hosts.load().get(domain).cloned()
    }

    /// The host one of whose services has the address `domain`, and the service's name.
    pub(crate) fn service(&self, domain: &str) -> Option<(Arc<Host>, &'static str)> {
        let (name, parent) = domain.split_once('.')?;
        let host = self.host(parent)?;
        let name = host.host_type().tables().services.get(name).copied()?;
        Some((host, name))
    }

    /// Every served host, in no order.
    #[must_use]
    pub fn hosts(&self) -> Vec<Arc<Host>> {
        self.0.hosts.load().values().cloned().collect()
    }

    /// What the node offers to modules.
    #[must_use]
    pub fn services(&self) -> &Services {
        &self.0.services
    }

    /// Who is here.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.0.directory
    }

    /// The node's clock, which tests can set.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// What was counted since the node started.
    #[must_use]
    pub fn figures(&self) -> &Figures {
        &self.0.figures
    }

    pub(crate) fn settings(&self) -> &RouterSettings {
        &self.0.settings
    }
}
