//! `route()`: from an address to those who get the stanza (RFC 6120 §10, RFC 6121 §8).

use std::sync::Arc;

use smallvec::SmallVec;
use xmpp::{Condition, IqType, Jid, Kind, MessageType, PresenceType, Stanza, StanzaError};

use crate::Router;
use crate::account::Account;
use crate::directory::SessionEntry;
use crate::hooks::{AccountAway, AccountFold, AccountStanza, AwayFold, Flow, HostFold, HostStanza};
use crate::host::Host;
use crate::inbox::Undelivered;
use crate::iq::{self, Cx, To};
use crate::visit::{Arrival, needs_account};

impl Router {
    /// Routes a stanza of the server's own making, `from` and `to` set. What comes back to its
    /// sender (an error, an answer) is routed as well.
    pub fn route(&self, stanza: Stanza) {
        if let Some(reply) = dispatch(self, stanza) {
            // A result or an error is never answered, so this ends here.
            dispatch(self, reply);
        }
    }
}

/// Routes `stanza`. At most one stanza comes back for its sender: an answer, or why it could
/// not be delivered.
pub(crate) fn dispatch(router: &Router, stanza: Stanza) -> Option<Stanza> {
    dispatch_after(router, stanza, 0)
}

/// Routes a stanza that so many nodes have passed on.
pub(crate) fn dispatch_after(router: &Router, stanza: Stanza, hops: u8) -> Option<Stanza> {
    let to = stanza.to()?.clone();
    let Some(host) = router.host(to.domain()) else {
        return match router.service(to.domain()) {
            Some((host, name)) => to_service(router, &host, name, &stanza),
            None => bounce(&stanza, Condition::RemoteServerNotFound),
        };
    };
    let cx = Cx {
        router,
        host: &host,
    };
    if to.localpart().is_none() {
        return to_host(cx, stanza);
    }
    let found = router.directory().account(to.bare_str());
    match found {
        Some(account) if account.is_open() && !may_change(&account, &stanza) => {
            to_account_or_resource(cx, &account, stanza)
        }
        found => match router.other_place(found.as_deref(), to.bare_str(), &stanza, hops) {
            Some(peer) => router.pass_on(&peer, stanza, hops),
            None => load_and_deliver(cx, &to, found, stanza),
        },
    }
}

/// Whether `stanza` may change what is kept of the account: then it has to be the one that is in
/// the directory, not one that has just left it.
fn may_change(account: &Account, stanza: &Stanza) -> bool {
    needs_account(stanza)
        && (!matches!(stanza.kind(), Kind::Message(_)) || account.sessions.read().is_empty())
}

fn load_and_deliver(
    cx: Cx<'_>,
    to: &Jid,
    mut found: Option<Arc<Account>>,
    stanza: Stanza,
) -> Option<Stanza> {
    let mut stanza = stanza;
    loop {
        match cx.router.arrive(cx.host, &to.to_bare(), found, stanza) {
            Arrival::Answer(answer) => return answer,
            Arrival::Deliver(account, back) => {
                match cx.router.directory().keep(cx.router, &account) {
                    Some(_held) => return to_account_or_resource(cx, &account, back),
                    None => (found, stanza) = (None, back),
                }
            }
        }
    }
}

/// RFC 6121 §8.5: a stanza for an account that is loaded.
pub(crate) fn to_account_or_resource(
    cx: Cx<'_>,
    account: &Arc<Account>,
    stanza: Stanza,
) -> Option<Stanza> {
    let mut fold = AccountFold {
        cx,
        account,
        stanza,
    };
    match cx.host.run::<AccountStanza>(&mut fold) {
        Flow::Continue => {}
        Flow::Stop => return None,
        Flow::Refuse(error) => return fold.stanza.error(error),
    }
    let stanza = fold.stanza;
    let resource = stanza
        .to()
        .and_then(|to| to.resource().map(Box::<str>::from));
    match resource {
        None => to_account(cx, account, stanza),
        Some(resource) => to_full(cx, account, &resource, stanza),
    }
}

/// RFC 6120 §10.5.1 and §10.5.2: the domain, with a resource or without.
fn to_host(cx: Cx<'_>, stanza: Stanza) -> Option<Stanza> {
    let mut fold = HostFold { cx, stanza };
    match cx.host.run::<HostStanza>(&mut fold) {
        Flow::Continue => {}
        Flow::Stop => return None,
        Flow::Refuse(error) => return fold.stanza.error(error),
    }
    let stanza = fold.stanza;
    if stanza.to().is_some_and(|to| to.resource().is_some()) {
        return bounce(&stanza, Condition::ServiceUnavailable);
    }
    match stanza.kind() {
        Kind::Iq(_) => iq::answer(cx, &stanza, To::Host, None),
        Kind::Message(MessageType::Headline | MessageType::Error) | Kind::Presence(_) => None,
        Kind::Message(_) => bounce(&stanza, Condition::ServiceUnavailable),
    }
}

/// A service of `host` has nothing but its own address, and answers IQs.
fn to_service(
    router: &Router,
    host: &Arc<Host>,
    name: &'static str,
    stanza: &Stanza,
) -> Option<Stanza> {
    let to = stanza.to()?;
    match stanza.kind() {
        Kind::Iq(_) if to.localpart().is_none() && to.resource().is_none() => {
            iq::answer(Cx { router, host }, stanza, To::Service(name), None)
        }
        Kind::Message(MessageType::Headline) | Kind::Presence(_) => None,
        Kind::Iq(_) | Kind::Message(_) => bounce(stanza, Condition::ServiceUnavailable),
    }
}

/// RFC 6121 §8.5.1 and §8.5.2: the bare JID.
fn to_account(cx: Cx<'_>, account: &Arc<Account>, stanza: Stanza) -> Option<Stanza> {
    match stanza.kind() {
        Kind::Iq(_) => iq::answer(cx, &stanza, To::Account, Some(account)),
        Kind::Message(kind) => message(cx, kind, account, stanza),
        Kind::Presence(PresenceType::Available | PresenceType::Unavailable) => {
            deliver_each(&sessions(account, |s| s.priority().is_some()), &stanza);
            None
        }
        // Probes and errors are answered for nobody; subscriptions need a roster.
        Kind::Presence(PresenceType::Probe | PresenceType::Error) => None,
        Kind::Presence(_) => bounce(&stanza, Condition::ServiceUnavailable),
    }
}

/// RFC 6121 §8.5.3: the full JID.
fn to_full(cx: Cx<'_>, account: &Arc<Account>, resource: &str, stanza: Stanza) -> Option<Stanza> {
    if let Some(session) = account.session(resource) {
        match session.inbox.deliver(stanza.clone()) {
            Ok(()) => return None,
            Err(Undelivered::Full) => return bounce(&stanza, Condition::ResourceConstraint),
            Err(Undelivered::Gone) => {}
        }
    }
    match stanza.kind() {
        Kind::Message(kind @ (MessageType::Chat | MessageType::Normal)) => {
            message(cx, kind, account, stanza)
        }
        Kind::Message(MessageType::Groupchat) => bounce(&stanza, Condition::ServiceUnavailable),
        Kind::Iq(IqType::Get | IqType::Set) => bounce(&stanza, Condition::ServiceUnavailable),
        Kind::Presence(
            PresenceType::Subscribe
            | PresenceType::Subscribed
            | PresenceType::Unsubscribe
            | PresenceType::Unsubscribed,
        ) => to_account(cx, account, stanza),
        Kind::Message(_) | Kind::Iq(_) | Kind::Presence(_) => None,
    }
}

/// A message to whoever of the account is to get it.
fn message(
    cx: Cx<'_>,
    kind: MessageType,
    account: &Arc<Account>,
    stanza: Stanza,
) -> Option<Stanza> {
    match kind {
        MessageType::Chat | MessageType::Normal => {
            match deliver_each(&account.most_available(), &stanza) {
                0 => away(cx, account, stanza),
                _ => None,
            }
        }
        MessageType::Headline => {
            let all = sessions(account, |s| s.priority().is_some_and(|p| p >= 0));
            deliver_each(&all, &stanza);
            None
        }
        MessageType::Groupchat => bounce(&stanza, Condition::ServiceUnavailable),
        MessageType::Error => None,
    }
}

/// A message that no session took. A session that becomes available now either is seen here, or
/// sees what is stored here: both hold the lock.
fn away(cx: Cx<'_>, account: &Arc<Account>, stanza: Stanza) -> Option<Stanza> {
    let arrivals = account.arrivals.lock();
    let Some(_held) = cx.router.directory().keep(cx.router, account) else {
        // Its last session has closed meanwhile: nobody who comes would look at this one.
        drop(arrivals);
        return dispatch(cx.router, stanza);
    };
    if deliver_each(&account.most_available(), &stanza) > 0 {
        return None;
    }
    if !account.exists() {
        return bounce(&stanza, Condition::ServiceUnavailable);
    }
    let mut fold = AwayFold {
        cx,
        account,
        stanza,
    };
    match cx.host.run::<AccountAway>(&mut fold) {
        Flow::Continue => bounce(&fold.stanza, Condition::ServiceUnavailable),
        Flow::Stop => None,
        Flow::Refuse(error) => fold.stanza.error(error),
    }
}

type Sessions = SmallVec<[Arc<SessionEntry>; 2]>;

fn sessions(account: &Account, wanted: impl Fn(&SessionEntry) -> bool) -> Sessions {
    let mut all = account.sessions();
    all.retain(|session| wanted(session));
    all
}

/// Delivers to each of `sessions` and says how many took it.
pub(crate) fn deliver_each(sessions: &[Arc<SessionEntry>], stanza: &Stanza) -> usize {
    sessions
        .iter()
        .filter(|session| session.inbox.deliver(stanza.clone()).is_ok())
        .count()
}

pub(crate) fn bounce(stanza: &Stanza, condition: Condition) -> Option<Stanza> {
    stanza.error(StanzaError::new(condition))
}
