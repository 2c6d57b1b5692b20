//! `route()`: from an address to those who get the stanza (RFC 6120 §10, RFC 6121 §8).

use std::sync::Arc;

use smallvec::SmallVec;
use xmpp::{BareJid, Condition, IqType, Kind, MessageType, PresenceType, Stanza, StanzaError};

use crate::Router;
use crate::directory::{Account, SessionEntry};
use crate::hooks::{AccountFold, AccountStanza, Flow};
use crate::inbox::Undelivered;
use crate::iq::{self, Cx};

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
    let to = stanza.to()?.clone();
    let Some(host) = router.host(to.domain()) else {
        return bounce(&stanza, Condition::RemoteServerNotFound);
    };
    let cx = Cx {
        router,
        host: &host,
    };
    if to.localpart().is_none() {
        return match to.resource() {
            None => to_host(cx, &stanza),
            Some(_) => bounce(&stanza, Condition::ServiceUnavailable),
        };
    }
    let account = router.directory().account(to.bare_str());
    let jid = account
        .as_ref()
        .map_or_else(|| to.to_bare(), |account| account.jid().clone());
    let mut fold = AccountFold {
        cx,
        jid: &jid,
        account: account.as_deref(),
        stanza,
    };
    match host.run::<AccountStanza>(&mut fold) {
        Flow::Continue => {}
        Flow::Stop => return None,
        Flow::Refuse(error) => return fold.stanza.error(error),
    }
    let stanza = fold.stanza;
    match to.resource() {
        None => to_account(cx, &jid, account.as_deref(), stanza),
        Some(resource) => to_full(cx, &jid, account.as_deref(), resource, stanza),
    }
}

fn to_host(cx: Cx<'_>, stanza: &Stanza) -> Option<Stanza> {
    match stanza.kind() {
        Kind::Iq(_) => iq::answer(cx, stanza, None),
        Kind::Message(MessageType::Headline | MessageType::Error) | Kind::Presence(_) => None,
        Kind::Message(_) => bounce(stanza, Condition::ServiceUnavailable),
    }
}

/// RFC 6121 §8.5.1 and §8.5.2: the bare JID.
fn to_account(
    cx: Cx<'_>,
    jid: &BareJid,
    account: Option<&Account>,
    stanza: Stanza,
) -> Option<Stanza> {
    match stanza.kind() {
        Kind::Iq(_) => iq::answer(cx, &stanza, Some(jid)),
        Kind::Message(kind) => message(kind, account, &stanza),
        Kind::Presence(PresenceType::Available | PresenceType::Unavailable) => {
            let available = sessions(account, |session| session.priority().is_some());
            deliver_each(&available, &stanza);
            None
        }
        // Probes and errors are answered for nobody; subscriptions need a roster.
        Kind::Presence(PresenceType::Probe | PresenceType::Error) => None,
        Kind::Presence(_) => bounce(&stanza, Condition::ServiceUnavailable),
    }
}

/// RFC 6121 §8.5.3: the full JID.
fn to_full(
    cx: Cx<'_>,
    jid: &BareJid,
    account: Option<&Account>,
    resource: &str,
    stanza: Stanza,
) -> Option<Stanza> {
    if let Some(session) = account.and_then(|account| account.session(resource)) {
        match session.inbox.deliver(stanza.clone()) {
            Ok(()) => return None,
            Err(Undelivered::Full) => return bounce(&stanza, Condition::ResourceConstraint),
            Err(Undelivered::Gone) => {}
        }
    }
    match stanza.kind() {
        Kind::Message(kind @ (MessageType::Chat | MessageType::Normal)) => {
            message(kind, account, &stanza)
        }
        Kind::Message(MessageType::Groupchat) => bounce(&stanza, Condition::ServiceUnavailable),
        Kind::Iq(IqType::Get | IqType::Set) => bounce(&stanza, Condition::ServiceUnavailable),
        Kind::Presence(
            PresenceType::Subscribe
            | PresenceType::Subscribed
            | PresenceType::Unsubscribe
            | PresenceType::Unsubscribed,
        ) => to_account(cx, jid, account, stanza),
        Kind::Message(_) | Kind::Iq(_) | Kind::Presence(_) => None,
    }
}

/// A message to whoever of the account is to get it.
fn message(kind: MessageType, account: Option<&Account>, stanza: &Stanza) -> Option<Stanza> {
    match kind {
        MessageType::Chat | MessageType::Normal => {
            let best = account.map(Account::most_available).unwrap_or_default();
            match deliver_each(&best, stanza) {
                0 => bounce(stanza, Condition::ServiceUnavailable),
                _ => None,
            }
        }
        MessageType::Headline => {
            let all = sessions(account, |session| {
                session.priority().is_some_and(|p| p >= 0)
            });
            deliver_each(&all, stanza);
            None
        }
        MessageType::Groupchat => bounce(stanza, Condition::ServiceUnavailable),
        MessageType::Error => None,
    }
}

type Sessions = SmallVec<[Arc<SessionEntry>; 2]>;

fn sessions(account: Option<&Account>, wanted: impl Fn(&SessionEntry) -> bool) -> Sessions {
    let mut all = account.map(Account::sessions).unwrap_or_default();
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
