//! The check on the way of a stanza, in both directions.
//!
//! Lists come before all other rules of delivery (XEP-0016 §2.2, rule 4): all of this runs in the
//! guard phase. An account's own sessions are never kept from each other (XEP-0016 §2.1), nor is
//! an account from its server: it could not be asked for anything any more.

use router::{
    Account, AccountFold, Flow, OutboundFold, PresenceFold, SenderFold, SessionEntry, SessionFold,
};
use xmpp::{BareJid, Condition, Jid, Kind, MessageType, PresenceType, Stanza, StanzaError};

use super::command::blocked;
use super::contacts;
use super::lists::{List, Lists};
use super::rule::{Action, Traffic};
use super::slots::{Kept, OfSession};

/// Whether `who` is never kept from `account`.
pub(super) fn is_exempt(account: &BareJid, who: &Jid) -> bool {
    who.bare_str() == account.as_ref() || (who.is_domain() && who.domain() == account.domain())
}

fn passes(account: &Account, list: Option<&List>, who: &Jid, traffic: Traffic) -> bool {
    list.is_none_or(|list| {
        let contacts = contacts::of(account);
        list.rules.check(who, traffic, &contacts) == Action::Allow
    })
}

/// The list that holds for `session`.
fn in_force<'l>(lists: &'l Lists, session: &SessionEntry) -> Option<&'l List> {
    lists.in_force(OfSession::active(session).as_deref())
}

/// What a session sends to somebody in particular.
pub(super) fn sent(fold: &mut SenderFold<'_>) -> Flow {
    let Some(to) = fold.stanza.to() else {
        return Flow::Continue;
    };
    if let Some(lists) = Kept::lists_of(fold.account)
        && !is_exempt(fold.account.jid(), to)
    {
        let list = in_force(&lists, fold.session);
        let traffic = Traffic::outgoing(fold.stanza.kind());
        if !passes(fold.account, list, to, traffic) {
            return Flow::Refuse(blocked());
        }
    }
    match fold.stanza.kind() {
        Kind::Presence(PresenceType::Available) => {
            OfSession::direct(fold.session, to);
        }
        Kind::Presence(PresenceType::Unavailable) => OfSession::leave(fold.session, Some(to)),
        _ => {}
    }
    Flow::Continue
}

/// What is sent on behalf of an account without being asked for: each copy of a broadcast, what
/// the server answers. Nobody waits for an error. What a session sends itself was seen by
/// [`sent`], presence excepted.
pub(super) fn leaves(fold: &mut OutboundFold<'_>) -> Flow {
    let is_presence = matches!(fold.stanza.kind(), Kind::Presence(_));
    if fold.session.is_some() && !is_presence {
        return Flow::Continue;
    }
    let (Some(lists), Some(to)) = (Kept::lists_of(fold.account), fold.stanza.to()) else {
        return Flow::Continue;
    };
    if is_exempt(fold.account.jid(), to) {
        return Flow::Continue;
    }
    let list = match fold.session {
        Some(session) => in_force(&lists, session),
        None => lists.default_list(),
    };
    let traffic = Traffic::outgoing(fold.stanza.kind());
    match passes(fold.account, list, to, traffic) {
        true => Flow::Continue,
        false => Flow::Stop,
    }
}

/// A session takes back the presence that it sent to all, and all directed presence with it.
pub(super) fn presence_changed(fold: &mut PresenceFold<'_>) -> Flow {
    if !fold.is_available() {
        OfSession::leave(fold.session, None);
    }
    Flow::Continue
}

/// What comes for an account, with or without sessions.
pub(super) fn comes(fold: &mut AccountFold<'_>) -> Flow {
    let (Some(lists), Some(from)) = (Kept::lists_of(fold.account), fold.stanza.from()) else {
        return Flow::Continue;
    };
    if is_exempt(fold.account.jid(), from) || may_come(fold.account, &lists, from, &fold.stanza) {
        return Flow::Continue;
    }
    // XEP-0016 §2.13 and XEP-0191 §3.3. Errors and results get no error of their own.
    match fold.stanza.kind() {
        Kind::Presence(_) => Flow::Stop,
        _ => Flow::Refuse(StanzaError::new(Condition::ServiceUnavailable)),
    }
}

/// A stanza to a session is judged by that session's list, one to the account by the lists of
/// those who would get it: it comes in if one of them lets it. All else is for the default list.
fn may_come(account: &Account, lists: &Lists, from: &Jid, stanza: &Stanza) -> bool {
    let traffic = Traffic::incoming(stanza.kind());
    let resource = stanza.to().and_then(Jid::resource);
    let by = |list| passes(account, list, from, traffic);
    if let Some(session) = resource.and_then(|resource| account.session(resource)) {
        return by(in_force(lists, &session));
    }
    let takers = match stanza.kind() {
        Kind::Message(MessageType::Chat | MessageType::Normal) => account.most_available(),
        Kind::Message(MessageType::Headline) => {
            let mut all = account.sessions();
            all.retain(|session| session.priority().is_some_and(|priority| priority >= 0));
            all
        }
        Kind::Presence(PresenceType::Available | PresenceType::Unavailable) => {
            let mut all = account.sessions();
            all.retain(|session| session.priority().is_some());
            all
        }
        _ => return by(lists.default_list()),
    };
    match takers.is_empty() {
        true => by(lists.default_list()),
        false => takers.iter().any(|session| by(in_force(lists, session))),
    }
}

/// What came for the account, or for a session that is gone, and is about to be written to one of
/// its sessions, whose own list may say something else. What came for this session in particular
/// was judged by that list already.
pub(super) fn delivered(fold: &mut SessionFold<'_>) -> Flow {
    let (Some(lists), Some(from), Some(to)) = (
        Kept::lists_of(fold.account),
        fold.stanza.from(),
        fold.stanza.to(),
    ) else {
        return Flow::Continue;
    };
    // An error to the account is the answer to a subscription that was refused.
    let was_judged = to.resource() == Some(fold.session.jid.resource());
    if was_judged || fold.stanza.kind().is_error() || is_exempt(fold.account.jid(), from) {
        return Flow::Continue;
    }
    let list = in_force(&lists, fold.session);
    let traffic = Traffic::incoming(fold.stanza.kind());
    match passes(fold.account, list, from, traffic) {
        true => Flow::Continue,
        false => Flow::Stop,
    }
}
