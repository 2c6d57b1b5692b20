//! What a change of lists does to presence (XEP-0191 §3.3 and §3.4, XEP-0016 §2.10 and §2.11).
//!
//! Who may no longer see a session sees it leave, who may again sees it as it is; the other way
//! round the session sees contacts leave, and the server asks for their presence again. Only for
//! contacts that are entitled to it by their subscription, and for those who were sent directed
//! presence.

use std::collections::HashSet;
use std::sync::Arc;

use router::{Account, Cx, SessionEntry};
use xmpp::{BareJid, Jid, PresenceType, Stanza};

use super::contacts::{self, Roster};
use super::guard::is_exempt;
use super::lists::Lists;
use super::rule::{Action, Contacts, Subject, Subscription, Traffic};
use super::rules::Rules;
use super::slots::OfSession;

/// The rules that hold for a session: before, and now.
pub(super) struct Shift {
    session: Arc<SessionEntry>,
    before: Option<Arc<Rules>>,
    now: Option<Arc<Rules>>,
}

/// Which rules hold for a session of this active list.
pub(super) fn rules_in_force(lists: &Lists, active: Option<&str>) -> Option<Arc<Rules>> {
    lists.in_force(active).map(|list| list.rules.clone())
}

impl Shift {
    /// `None` if nothing changes for anybody.
    pub(super) fn new(
        session: &Arc<SessionEntry>,
        before: Option<Arc<Rules>>,
        now: Option<Arc<Rules>>,
    ) -> Option<Self> {
        let same = match (&before, &now) {
            (Some(before), Some(now)) => Arc::ptr_eq(before, now),
            (None, None) => true,
            _ => false,
        };
        (!same && session.priority().is_some()).then(|| Self {
            session: session.clone(),
            before,
            now,
        })
    }

    /// Tells everybody whom it concerns.
    pub(super) fn tell(&self, cx: Cx<'_>, account: &Arc<Account>) {
        let contacts = contacts::of(account);
        let mut probed = HashSet::new();
        for (who, subscription) in self.concerned(account.jid(), contacts) {
            if subscription.is_from() {
                match self.turn(&who, Traffic::PresenceOut, contacts) {
                    Some(Action::Deny) => self.leave(cx, who.clone()),
                    Some(Action::Allow) => self.show(cx, account, who.clone()),
                    None => {}
                }
            }
            if subscription.is_to() {
                for address in addresses(cx, &who) {
                    match self.turn(&address, Traffic::PresenceIn, contacts) {
                        Some(Action::Deny) => self.hide(address),
                        Some(Action::Allow) => _ = probed.insert(who.to_bare()),
                        None => {}
                    }
                }
                if self.turn(&who, Traffic::PresenceIn, contacts) == Some(Action::Allow) {
                    probed.insert(who.to_bare());
                }
            }
        }
        for contact in probed {
            self.probe(cx, account, contact);
        }
    }

    /// Contacts, resources of them that rules name, and whoever was sent directed presence; each
    /// with what it is entitled to.
    fn concerned(&self, account: &BareJid, contacts: Roster<'_>) -> Vec<(Jid, Subscription)> {
        let subscribed = contacts.subscribed().into_iter();
        let mut concerned: Vec<(Jid, Subscription)> = subscribed
            .map(|(contact, how)| (Jid::from(contact), how))
            .collect();
        let mut seen = HashSet::new();
        for rules in [&self.before, &self.now].into_iter().flatten() {
            for item in rules.items() {
                if let Subject::Jid(jid) = item.subject
                    && jid.localpart().is_some()
                    && !jid.is_bare()
                {
                    let subscription = contacts.subscription(&jid.to_bare());
                    if subscription != Subscription::None && seen.insert(jid.clone()) {
                        concerned.push((jid, subscription));
                    }
                }
            }
        }
        for jid in OfSession::directed(&self.session) {
            let sees = concerned
                .iter()
                .any(|(who, subscription)| *who == jid && subscription.is_from());
            if !sees {
                concerned.push((jid, Subscription::From));
            }
        }
        concerned.retain(|(who, _)| !is_exempt(account, who));
        concerned
    }

    /// What is said of `traffic` with `who` now, if it was not said before.
    fn turn(&self, who: &Jid, traffic: Traffic, contacts: Roster<'_>) -> Option<Action> {
        let said = |rules: &Option<Arc<Rules>>| match rules {
            Some(rules) => rules.check(who, traffic, &contacts),
            None => Action::Allow,
        };
        let now = said(&self.now);
        (said(&self.before) != now).then_some(now)
    }

    /// It leaves for somebody who may no longer see it. That much of presence still goes out.
    fn leave(&self, cx: Cx<'_>, who: Jid) {
        OfSession::leave(&self.session, Some(&who));
        let gone = Stanza::presence(PresenceType::Unavailable).from(self.session.jid.clone());
        cx.router.route(gone.to(who).build());
    }

    /// It comes back for somebody who may see it again.
    fn show(&self, cx: Cx<'_>, account: &Arc<Account>, who: Jid) {
        if let Some(now) = self.session.available() {
            // Whether it arrives is nobody's business here.
            let _ = cx.send(account, Some(&self.session), now.stanza.with_to(who));
        }
    }

    /// Somebody leaves for it whom it may no longer see.
    fn hide(&self, who: Jid) {
        let gone = Stanza::presence(PresenceType::Unavailable).from(who);
        // A session that has ended sees nobody.
        let _ = self
            .session
            .inbox
            .deliver(gone.to(self.session.jid.clone()).build());
    }

    /// It sees somebody again: the server asks for the presence that it has missed.
    fn probe(&self, cx: Cx<'_>, account: &Arc<Account>, who: BareJid) {
        let probe = Stanza::presence(PresenceType::Probe)
            .from(self.session.jid.clone())
            .to(who)
            .build();
        // The answer is a presence of its own.
        let _ = cx.send(account, Some(&self.session), probe);
    }
}

/// The addresses from which the presence of a contact comes: of one who is served here those of its
/// available sessions, of another one its own.
fn addresses(cx: Cx<'_>, who: &Jid) -> Vec<Jid> {
    if cx.router.host(who.domain()).is_none() {
        return vec![who.clone()];
    }
    if !who.is_bare() {
        // It is among those of the contact.
        return Vec::new();
    }
    let available = cx.router.available(who.bare_str());
    available.into_iter().map(Jid::from).collect()
}
