//! The IQ table: who answers what.

use std::collections::HashMap;
use std::future::Future;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use xml::Child;
use xmpp::{Condition, IqType, Kind, Stanza, StanzaError, ns};

use crate::Router;
use crate::account::{Account, AccountHold};
use crate::directory::SessionEntry;
use crate::disco::Disco;
use crate::hooks::{Flow, Outbound, OutboundFold};
use crate::host::Host;
use crate::lanes::{Lanes, answered};
use crate::module::ModuleFigures;
use crate::route::dispatch;

/// Who is asked: the kind of address that an IQ goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum To {
    /// The server itself.
    Host,
    /// An account, answered by the server on its behalf (RFC 6121 §8.5.1).
    Account,
    /// A service of the host at a domain below its own, such as `vjud` of `vjud.example.org`.
    Service(&'static str),
    /// Any service that does not answer by itself.
    Services,
    /// The server, asked by somebody who has not logged in (XEP-0077). Only what is planned with
    /// [`iq_async`](crate::Plan::iq_async) is answered.
    Stranger,
}

/// The node around a handler.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    /// The router.
    pub router: &'a Router,
    /// The served domain whose handlers run.
    pub host: &'a Arc<Host>,
}

impl Cx<'_> {
    /// Sends a copy on behalf of an account to somebody else: what [`Outbound`] lets through is
    /// routed, and what comes back is returned (an answer, an error, a refusal).
    #[must_use]
    pub fn send(
        self,
        account: &Arc<Account>,
        session: Option<&Arc<SessionEntry>>,
        stanza: Stanza,
    ) -> Option<Stanza> {
        match self.let_out(account, session, stanza.clone()) {
            Ok(stanza) => self.route(stanza),
            Err(Flow::Refuse(error)) => stanza.error(error),
            Err(_) => None,
        }
    }

    /// Runs [`Outbound`]: the stanza that may leave, or what is to become of it instead.
    ///
    /// # Errors
    /// [`Flow::Stop`] or [`Flow::Refuse`].
    pub fn let_out(
        self,
        account: &Arc<Account>,
        session: Option<&Arc<SessionEntry>>,
        stanza: Stanza,
    ) -> Result<Stanza, Flow> {
        let mut fold = OutboundFold {
            cx: self,
            account,
            session,
            stanza,
        };
        match self.host.run::<Outbound>(&mut fold) {
            Flow::Continue => Ok(fold.stanza),
            flow => Err(flow),
        }
    }

    /// Routes a stanza; what comes back at once is returned (an answer, an error).
    #[must_use]
    pub fn route(self, stanza: Stanza) -> Option<Stanza> {
        dispatch(self.router, stanza)
    }

    /// What addresses of the kind `to` say of themselves on this host.
    #[must_use]
    pub fn disco(&self, to: To) -> Disco {
        let tables = self.host.host_type().tables();
        let mut said = tables.disco.get(&to).cloned().unwrap_or_default();
        if let (To::Service(_), Some(all)) = (to, tables.disco.get(&To::Services)) {
            all.features().for_each(|feature| said.add_feature(feature));
        }
        said
    }

    /// The services of this host by their names, in order.
    #[must_use]
    pub fn services(&self) -> Vec<&'static str> {
        let tables = self.host.host_type().tables();
        tables.services.iter().copied().collect()
    }
}

/// What an IQ is answered with: the payload of the result, or none, or an error.
pub type IqAnswer = Result<Option<Bytes>, StanzaError>;

/// What an IQ is answered with when it was dealt with at once, but the answer may have to wait: for
/// what was changed to reach the disk.
pub enum Answering {
    /// The answer.
    Now(IqAnswer),
    /// It comes later. What the client asks meanwhile is not held up, but for other answers of this
    /// kind from the same module.
    Later(LaterAnswer),
}

/// An answer that comes later.
pub type LaterAnswer = Pin<Box<dyn Future<Output = IqAnswer> + Send>>;

impl Answering {
    /// An answer that `answer` resolves to.
    pub fn later(answer: impl Future<Output = IqAnswer> + Send + 'static) -> Self {
        Self::Later(Box::pin(answer))
    }
}

impl From<IqAnswer> for Answering {
    fn from(answer: IqAnswer) -> Self {
        Self::Now(answer)
    }
}

/// An IQ of type get or set that the server answers.
pub struct IqRequest<'a> {
    /// The node around it.
    pub cx: Cx<'a>,
    /// The IQ.
    pub stanza: &'a Stanza,
    /// Its payload.
    pub payload: Child<'a>,
    /// Whether it is a set.
    pub set: bool,
    /// Who was asked.
    pub to: To,
    /// The account that was asked, where one was.
    pub account: Option<&'a Arc<Account>>,
}

impl IqRequest<'_> {
    /// Whether an account is asked by one of its own sessions.
    #[must_use]
    pub fn own(&self) -> bool {
        match (self.account, self.stanza.from()) {
            (Some(account), Some(from)) => from.bare_str() == account.jid().as_ref(),
            _ => false,
        }
    }

    /// The account of the one who asks, if it is one of this node.
    #[must_use]
    pub fn own_account(&self) -> Option<Arc<Account>> {
        asker(self.cx.router, self.stanza)
    }

    /// The session that asks, if it is one of this node.
    #[must_use]
    pub fn session(&self) -> Option<Arc<SessionEntry>> {
        asking_session(self.cx.router, self.stanza)
    }

    /// What an IQ of the wrong type is answered with.
    #[must_use]
    pub fn not_allowed() -> StanzaError {
        StanzaError::new(Condition::NotAllowed)
    }
}

/// The same for an answer that takes time.
#[derive(Clone)]
pub struct OwnedIq {
    /// The router.
    pub router: Router,
    /// The served domain.
    pub host: Arc<Host>,
    /// The IQ.
    pub stanza: Stanza,
    /// Whether it is a set.
    pub set: bool,
    /// Who was asked.
    pub to: To,
    /// The account that was asked, where one was.
    pub account: Option<AccountHold>,
    /// Where somebody comes from who has not logged in.
    pub stranger: Option<IpAddr>,
    /// Whether it was answered.
    pub(crate) answered: Arc<AtomicBool>,
}

impl OwnedIq {
    /// Whether an account is asked by one of its own sessions.
    #[must_use]
    pub fn own(&self) -> bool {
        match (&self.account, self.stanza.from()) {
            (Some(account), Some(from)) => from.bare_str() == account.jid().as_ref(),
            _ => false,
        }
    }

    /// The account of the one who asks, if it is one of this node.
    #[must_use]
    pub fn own_account(&self) -> Option<Arc<Account>> {
        asker(&self.router, &self.stanza)
    }

    /// The session that asks, if it is one of this node.
    #[must_use]
    pub fn session(&self) -> Option<Arc<SessionEntry>> {
        asking_session(&self.router, &self.stanza)
    }

    /// Answers it before its handler has ended; what the handler returns then goes nowhere. Not for
    /// strangers, who get what is returned.
    pub fn answer(&self, answer: IqAnswer) {
        if self.answered.swap(true, Ordering::AcqRel) {
            return;
        }
        if let Some(stanza) = reply(&self.stanza, answer) {
            self.router.route(stanza);
        }
    }

    /// The node around it.
    #[must_use]
    pub fn cx(&self) -> Cx<'_> {
        Cx {
            router: &self.router,
            host: &self.host,
        }
    }
}

fn asker(router: &Router, stanza: &Stanza) -> Option<Arc<Account>> {
    router.directory().account(stanza.from()?.bare_str())
}

fn asking_session(router: &Router, stanza: &Stanza) -> Option<Arc<SessionEntry>> {
    asker(router, stanza)?.session(stanza.from()?.resource()?)
}

pub(crate) type AsyncIq =
    Arc<dyn Fn(OwnedIq) -> Pin<Box<dyn Future<Output = IqAnswer> + Send>> + Send + Sync>;
type SyncIq = Arc<dyn Fn(&IqRequest<'_>) -> IqAnswer + Send + Sync>;
type LaterIq = Arc<dyn Fn(&IqRequest<'_>) -> Answering + Send + Sync>;

#[derive(Clone)]
pub(crate) enum Handle {
    Sync {
        call: SyncIq,
        figures: Arc<ModuleFigures>,
    },
    Later {
        call: LaterIq,
        lanes: Arc<Lanes>,
        figures: Arc<ModuleFigures>,
    },
    Async {
        call: AsyncIq,
        lanes: Arc<Lanes>,
        figures: Arc<ModuleFigures>,
    },
}

/// Who answers which IQs on a host.
#[derive(Default)]
pub(crate) struct IqTable {
    /// By the namespace of what is asked.
    asked: HashMap<(To, &'static str), Handle>,
    /// Service discovery at a node, by its name.
    nodes: HashMap<(To, &'static str), Handle>,
}

impl Router {
    /// Whether somebody who has not logged in may ask `domain` IQs of the namespace `ns`.
    #[must_use]
    pub fn strangers_may_ask(&self, domain: &str, ns: &str) -> bool {
        self.host(domain).is_some_and(|host| {
            let tables = host.host_type().tables();
            matches!(tables.iq.get(To::Stranger, ns), Some(Handle::Async { .. }))
        })
    }

    /// Answers an IQ of somebody at `peer` who has not logged in.
    pub async fn answer_stranger(&self, domain: &str, request: Stanza, peer: IpAddr) -> Stanza {
        let ns = request.payload().map(|payload| payload.ns().to_owned());
        let handle = self.host(domain).and_then(|host| {
            let tables = host.host_type().tables();
            let handle = tables.iq.get(To::Stranger, &ns?)?;
            Some((host.clone(), handle.clone()))
        });
        let answer = match handle {
            Some((host, Handle::Async { call, figures, .. })) => {
                let owned = OwnedIq {
                    router: self.clone(),
                    host,
                    stanza: request.clone(),
                    set: matches!(request.kind(), Kind::Iq(IqType::Set)),
                    to: To::Stranger,
                    account: None,
                    stranger: Some(peer),
                    answered: Arc::default(),
                };
                // The connection's own task is the one that waits, and falls with it.
                answered(&call, owned, &figures).await
            }
            _ => Err(StanzaError::new(Condition::ServiceUnavailable)),
        };
        match answer {
            Ok(payload) => request.iq_result(payload.unwrap_or_default()),
            Err(error) => request
                .error(error)
                .unwrap_or_else(|| request.iq_result(Bytes::new())),
        }
    }
}

impl IqTable {
    fn get(&self, to: To, ns: &str) -> Option<&Handle> {
        // The names in the table live as long as the program; those asked for do not.
        self.asked
            .iter()
            .find(|((there, name), _)| *there == to && *name == ns)
            .map(|(_, handle)| handle)
    }

    pub(crate) fn insert(&mut self, to: To, ns: &'static str, handle: Handle) {
        self.asked.insert((to, ns), handle);
    }

    pub(crate) fn insert_node(&mut self, to: To, node: &'static str, handle: Handle) {
        self.nodes.insert((to, node), handle);
    }

    fn find(&self, to: To, payload: &Child<'_>) -> Option<Handle> {
        let ns = payload.ns();
        if let ns::DISCO_INFO | ns::DISCO_ITEMS = ns
            && let Some(node) = payload.attr("node")
            && let Some(handle) = self.nodes.get(&(to, &*node))
        {
            return Some(handle.clone());
        }
        let of = |to| self.asked.get(&(to, ns)).cloned();
        match to {
            To::Service(_) => of(to).or_else(|| of(To::Services)),
            _ => of(to),
        }
    }
}

/// Answers an IQ to the host, to one of its services or to an account. `None`: there is no answer,
/// or it comes later.
pub(crate) fn answer(
    cx: Cx<'_>,
    stanza: &Stanza,
    to: To,
    account: Option<&Arc<Account>>,
) -> Option<Stanza> {
    let set = match stanza.kind() {
        Kind::Iq(IqType::Get) => false,
        Kind::Iq(IqType::Set) => true,
        _ => return None,
    };
    let Some(payload) = stanza.payload() else {
        return stanza.error(StanzaError::new(Condition::BadRequest));
    };
    let handle = cx.host.host_type().tables().iq.find(to, &payload);
    match handle {
        None => stanza.error(StanzaError::new(Condition::ServiceUnavailable)),
        Some(Handle::Sync { call, figures }) => {
            let request = IqRequest {
                cx,
                stanza,
                payload,
                set,
                to,
                account,
            };
            let answered = caught(&figures, || call(&request)).unwrap_or_else(Err);
            figures.answer();
            reply(stanza, answered)
        }
        Some(Handle::Later {
            call,
            lanes,
            figures,
        }) => {
            // What is changed below must have a place for its answer.
            if let Err(error) = lanes.has_room(stanza) {
                return stanza.error(error);
            }
            let request = IqRequest {
                cx,
                stanza,
                payload,
                set,
                to,
                account,
            };
            match caught(&figures, || call(&request)).unwrap_or_else(|error| Err(error).into()) {
                Answering::Now(answer) => {
                    figures.answer();
                    reply(stanza, answer)
                }
                Answering::Later(answer) => {
                    let answer = Mutex::new(Some(answer));
                    let call: AsyncIq = Arc::new(move |_| match answer.lock().take() {
                        Some(answer) => answer,
                        // It is called once.
                        None => Box::pin(std::future::pending()),
                    });
                    match lanes.submit(owned(cx, stanza, set, to, account), call, figures) {
                        Ok(()) => None,
                        Err(error) => stanza.error(error),
                    }
                }
            }
        }
        Some(Handle::Async {
            call,
            lanes,
            figures,
        }) => match lanes.submit(owned(cx, stanza, set, to, account), call, figures) {
            Ok(()) => None,
            Err(error) => stanza.error(error),
        },
    }
}

fn owned(
    cx: Cx<'_>,
    stanza: &Stanza,
    set: bool,
    to: To,
    account: Option<&Arc<Account>>,
) -> OwnedIq {
    OwnedIq {
        router: cx.router.clone(),
        host: cx.host.clone(),
        stanza: stanza.clone(),
        set,
        to,
        account: account.and_then(|account| cx.router.directory().keep(cx.router, account)),
        stranger: None,
        answered: Arc::default(),
    }
}

/// Calls a handler; a panic is a fault of its module and an error for who asked.
fn caught<T>(figures: &ModuleFigures, call: impl FnOnce() -> T) -> Result<T, StanzaError> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| {
        figures.fault("iq", &panic);
        StanzaError::new(Condition::InternalServerError)
    })
}

pub(crate) fn reply(request: &Stanza, answer: IqAnswer) -> Option<Stanza> {
    match answer {
        Ok(payload) => Some(request.iq_result(payload.unwrap_or_default())),
        Err(error) => request.error(error),
    }
}
