//! Presence among the sessions of one account, and directed presence (RFC 6121 §4).

use std::sync::Arc;

use xmpp::{Condition, Jid, Kind, PresenceType, Stanza, StanzaError, ns};

use crate::account::Account;
use crate::directory::{Available, SessionEntry};
use crate::route::deliver_each;
use crate::session::Session;

impl Session {
    /// A presence that this session sends.
    pub(crate) fn presence(&mut self, kind: PresenceType, stanza: Stanza, out: &mut Vec<Stanza>) {
        if stanza.to().is_some() {
            return self.directed_presence(kind, stanza, out);
        }
        match kind {
            PresenceType::Available => match priority(&stanza) {
                Ok(priority) => self.become_available(Available { stanza, priority }, out),
                Err(error) => out.extend(stanza.error(error)),
            },
            PresenceType::Unavailable => self.become_unavailable(&stanza, out),
            PresenceType::Probe | PresenceType::Error => {}
            // A subscription is always somebody's (RFC 6121 §3).
            _ => out.extend(stanza.error(StanzaError::new(Condition::BadRequest))),
        }
    }

    /// RFC 6121 §4.2.2 and §4.4.2: all resources that are available get it, this one too.
    fn become_available(&mut self, presence: Available, out: &mut Vec<Stanza>) {
        let own = Jid::from(self.account().jid().clone());
        let said = presence.stanza.clone();
        let to_own = said.with_to(own.clone());
        let takes_messages = presence.priority >= 0;
        let before = self.entry().set_available(Some(presence));
        if takes_messages && before.as_ref().is_none_or(|before| before.priority < 0) {
            // A message that found nobody is stored by now; the next one finds this session.
            drop(self.account().arrivals.lock());
        }
        if before.is_none() {
            // Before its contacts are looked for: who comes there now looks for this one after that.
            self.router().sessions_changed(self.account());
        }
        let others = others(self.account(), self.entry());
        deliver_each(&others, &to_own);
        self.emit(to_own, out);
        if before.is_none() {
            for other in others.iter().filter_map(|session| session.available()) {
                self.emit(other.stanza.with_to(own.clone()), out);
            }
        }
        self.presence_changed(before, &said);
    }

    /// RFC 6121 §4.5.2. The session stays bound; it just takes no messages to the bare JID.
    fn become_unavailable(&mut self, stanza: &Stanza, out: &mut Vec<Stanza>) {
        if let Some(before) = self.entry().set_available(None) {
            self.router().sessions_changed(self.account());
            let to_own = stanza.with_to(self.account().jid().clone());
            tell_others(self.account(), self.entry(), &to_own);
            self.emit(to_own, out);
            self.presence_changed(Some(before), stanza);
        }
        self.leave_directed(stanza);
    }

    /// RFC 6121 §4.6: to somebody in particular, who is told when this session leaves.
    fn directed_presence(&mut self, kind: PresenceType, stanza: Stanza, out: &mut Vec<Stanza>) {
        let Some(to) = stanza.to() else { return };
        match kind {
            PresenceType::Available if !self.directed.contains(to) => {
                if self.directed.len() >= self.router().settings().max_directed {
                    return out
                        .extend(stanza.error(StanzaError::new(Condition::ResourceConstraint)));
                }
                self.directed.insert(to.clone());
            }
            PresenceType::Unavailable => {
                self.directed.remove(to);
            }
            // Only servers probe (RFC 6121 §4.3).
            PresenceType::Probe => return,
            _ => {}
        }
        if let Some(reply) = self.send(stanza) {
            self.emit(reply, out);
        }
    }

    /// Tells those who had directed presence that this session has left.
    pub(crate) fn leave_directed(&mut self, unavailable: &Stanza) {
        for to in std::mem::take(&mut self.directed) {
            // Nobody is there any more who could be told that it did not arrive.
            let _refused = self.send(unavailable.with_to(to));
        }
    }

    /// What a session that ends without a word is taken to have said.
    pub(crate) fn unavailable(entry: &SessionEntry) -> Stanza {
        Stanza::presence(PresenceType::Unavailable)
            .from(entry.jid.clone())
            .build()
    }
}

/// Tells the account's other available sessions.
pub(crate) fn tell_others(account: &Account, entry: &SessionEntry, stanza: &Stanza) {
    deliver_each(&others(account, entry), stanza);
}

fn others(account: &Account, entry: &SessionEntry) -> Vec<Arc<SessionEntry>> {
    let sessions = account.sessions();
    sessions
        .into_iter()
        .filter(|s| s.id != entry.id && s.priority().is_some())
        .collect()
}

/// RFC 6121 §4.7.2.3: an integer from -128 to 127, 0 when it isn't said.
fn priority(stanza: &Stanza) -> Result<i8, StanzaError> {
    debug_assert!(matches!(stanza.kind(), Kind::Presence(_)));
    match stanza.child("priority", ns::CLIENT) {
        None => Ok(0),
        Some(said) => said
            .text()
            .trim()
            .parse()
            .map_err(|_| StanzaError::new(Condition::BadRequest)),
    }
}
