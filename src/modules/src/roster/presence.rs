//! Who sees whose presence (RFC 6121 §4).

use std::sync::Arc;

use router::{Account, Cx, Flow, OthersTold, PeersFold, PresenceFold};
use xmpp::{BareJid, Jid, PresenceType, Stanza};

use super::Roster;
use super::contacts::Contacts;
use super::subscribe;
use super::subscription::{State, Word};

impl Roster {
    /// A session tells all who may know that it is available or not (§4.2.2, §4.4.2, §4.5.2), and
    /// when it has just become available asks after those it may see (§4.3).
    pub(super) fn presence_changed(&self, fold: &mut PresenceFold<'_>) -> Flow {
        let Some(contacts) = Contacts::of(fold.account) else {
            return Flow::Continue;
        };
        let (cx, account, session) = (fold.cx, fold.account, fold.session);
        let comes = fold.is_available() && fold.before.is_none();
        let told = match comes {
            true => cx.router.others_told(),
            false => None,
        };
        let ((watchers, away), watched) = {
            let book = contacts.lock();
            if comes {
                // §3.1.3: as long as a request is not answered it is shown at each login.
                for request in book.requests() {
                    // The session that this is about.
                    let _ = session.inbox.deliver(request.clone());
                }
            }
            let watched = if comes {
                book.those(State::to, cx.router)
            } else {
                Vec::new()
            };
            (book.watchers(cx.router, told.is_some()), watched)
        };
        for watcher in watchers {
            // Errors of who can't be reached mean nothing here.
            let _ = cx.send(account, Some(session), fold.stanza.with_to(watcher));
        }
        if !fold.is_available() {
            // They know already.
            fold.directed
                .retain(|to| !(to.is_bare() && contacts.is_seen_by(to.bare_str())));
        }
        if let Some(told) = told
            && !away.is_empty()
        {
            look_again(fold, told, away);
        }
        for contact in watched {
            let probe = Stanza::presence(PresenceType::Probe)
                .from(session.jid.clone())
                .to(contact)
                .build();
            let _ = cx.send(account, Some(session), probe);
        }
        Flow::Continue
    }
}

/// A contact that comes at the same time at another node has not seen this session, which has not
/// seen it: once that node knows of this session, it is looked for again. What it has to say of
/// itself it says in the same way.
fn look_again(fold: &PresenceFold<'_>, told: OthersTold, away: Vec<BareJid>) {
    let (router, host) = (fold.cx.router.clone(), fold.cx.host.clone());
    let (account, session) = (fold.account.clone(), fold.session.clone());
    tokio::spawn(async move {
        told.await;
        let cx = Cx {
            router: &router,
            host: &host,
        };
        let come = |contact: &BareJid| !router.is_away(contact.as_ref());
        for contact in away.into_iter().filter(come) {
            if let Some(now) = session.available() {
                // Errors of who can't be reached mean nothing here.
                let _ = cx.send(&account, Some(&session), now.stanza.with_to(contact));
            }
        }
    });
}

impl Roster {
    /// Nodes are gone with all who were there, or are back and may not know who is here.
    pub(super) fn peers_changed(&self, fold: &mut PeersFold<'_>) -> Flow {
        let Some(contacts) = Contacts::of(fold.account) else {
            return Flow::Continue;
        };
        let (seen, come) = {
            let book = contacts.lock();
            let mut seen = Vec::new();
            let mut come = Vec::new();
            for item in book.all() {
                let contact = item.bare_jid();
                if item.state.to()
                    && let Some(gone) = fold.vanished.get(contact.as_str())
                {
                    seen.extend(gone.iter());
                }
                if item.state.from() && fold.come.contains(contact.as_str()) {
                    come.push(contact);
                }
            }
            (seen, come)
        };
        for gone in seen {
            fold.cx.router.report_vanished(fold.account, gone);
        }
        for contact in come {
            show(fold.cx, fold.account, &contact);
        }
        Flow::Continue
    }
}

/// §4.3.2: who asks gets the presence of every available session, if it may see it.
pub(super) fn answer_probe(cx: Cx<'_>, account: &Arc<Account>, from: &Jid) {
    let asker = from.to_bare();
    let may_see = match Contacts::of(account) {
        Some(contacts) => asker == *account.jid() || contacts.is_seen_by(asker.as_ref()),
        None => false,
    };
    if may_see {
        return show(cx, account, from);
    }
    if account.exists() && asker.localpart().is_some() {
        // Its roster says otherwise: it is put right.
        let no = subscribe::presence(Word::Unsubscribed, account.jid(), &asker);
        let _ = cx.send(account, None, no);
    }
}

/// Sends the presence of every available session to somebody who may see it from now on.
pub(super) fn show(cx: Cx<'_>, account: &Arc<Account>, to: &(impl Into<Jid> + Clone)) {
    for session in account.sessions() {
        if let Some(presence) = session.available() {
            let presence = presence.stanza.with_to(to.clone());
            // Errors of who can't be reached mean nothing here.
            let _ = cx.send(account, Some(&session), presence);
        }
    }
}

/// Withdraws it from somebody who may not see it any more.
pub(super) fn hide(cx: Cx<'_>, account: &Arc<Account>, to: &BareJid) {
    for session in account.sessions() {
        if session.priority().is_some() {
            let gone = Stanza::presence(PresenceType::Unavailable)
                .from(session.jid.clone())
                .to(to.clone())
                .build();
            let _ = cx.send(account, Some(&session), gone);
        }
    }
}
