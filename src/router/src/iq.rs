//! The IQ table: who answers what.

use std::collections::HashMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use xml::Child;
use xmpp::{Condition, IqType, Kind, Stanza, StanzaError};

use crate::Router;
use crate::account::{Account, AccountHold};
use crate::directory::SessionEntry;
use crate::disco::Disco;
use crate::hooks::{Flow, Outbound, OutboundFold};
use crate::host::Host;
use crate::lanes::Lanes;
use crate::module::ModuleFigures;
use crate::route::dispatch;

/// Who is asked: the kind of address that an IQ goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum To {
    /// The server itself.
    Host,
    /// An account, answered by the server on its behalf (RFC 6121 §8.5.1).
    Account,
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
        match self.let_out(account, session, stanza) {
            Ok(stanza) => dispatch(self.router, stanza),
            Err(refused) => refused,
        }
    }

    /// Runs [`Outbound`]; the error is what the sender gets in the place of it.
    pub(crate) fn let_out(
        self,
        account: &Arc<Account>,
        session: Option<&Arc<SessionEntry>>,
        stanza: Stanza,
    ) -> Result<Stanza, Option<Stanza>> {
        let mut fold = OutboundFold {
            cx: self,
            account,
            session,
            stanza,
        };
        match self.host.run::<Outbound>(&mut fold) {
            Flow::Continue => Ok(fold.stanza),
            Flow::Stop => Err(None),
            Flow::Refuse(error) => Err(fold.stanza.error(error)),
        }
    }

    /// What addresses of the kind `to` say of themselves on this host.
    #[must_use]
    pub fn disco(&self, to: To) -> Disco {
        self.host
            .host_type()
            .tables()
            .disco
            .get(&to)
            .cloned()
            .unwrap_or_default()
    }
}

/// What an IQ is answered with: the payload of the result, or none, or an error.
pub type IqAnswer = Result<Option<Bytes>, StanzaError>;

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
    /// The account that was asked, where one was.
    pub account: Option<AccountHold>,
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

#[derive(Clone)]
pub(crate) enum Handle {
    Sync {
        call: SyncIq,
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
pub(crate) struct IqTable(HashMap<(To, &'static str), Handle>);

impl IqTable {
    pub(crate) fn insert(&mut self, to: To, ns: &'static str, handle: Handle) {
        self.0.insert((to, ns), handle);
    }
}

/// Answers an IQ to the host or to an account. `None`: there is no answer, or it comes later.
pub(crate) fn answer(
    cx: Cx<'_>,
    stanza: &Stanza,
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
    let to = if account.is_some() {
        To::Account
    } else {
        To::Host
    };
    let handle = cx
        .host
        .host_type()
        .tables()
        .iq
        .0
        .get(&(to, payload.ns()))
        .cloned();
    match handle {
        None => stanza.error(StanzaError::new(Condition::ServiceUnavailable)),
        Some(Handle::Sync { call, figures }) => {
            let request = IqRequest {
                cx,
                stanza,
                payload,
                set,
                account,
            };
            let answered =
                catch_unwind(AssertUnwindSafe(|| call(&request))).unwrap_or_else(|panic| {
                    figures.fault("iq", &panic);
                    Err(StanzaError::new(Condition::InternalServerError))
                });
            figures.answer();
            reply(stanza, answered)
        }
        Some(Handle::Async {
            call,
            lanes,
            figures,
        }) => {
            let owned = OwnedIq {
                router: cx.router.clone(),
                host: cx.host.clone(),
                stanza: stanza.clone(),
                set,
                account: account.and_then(|account| cx.router.directory().keep(cx.router, account)),
            };
            match lanes.submit(owned, call, figures) {
                Ok(()) => None,
                Err(error) => stanza.error(error),
            }
        }
    }
}

pub(crate) fn reply(request: &Stanza, answer: IqAnswer) -> Option<Stanza> {
    match answer {
        Ok(payload) => Some(request.iq_result(payload.unwrap_or_default())),
        Err(error) => request.error(error),
    }
}
