//! Subscriptions (RFC 6121 §3): what the account says to contacts, and they to it.

use std::sync::Arc;

use router::{Account, AccountFold, Cx, Flow, SenderFold};
use xmpp::{BareJid, Condition, Kind, PresenceType, Stanza, StanzaError};

use super::contacts::Contacts;
use super::subscription::{Delivery, Word};
use super::{Roster, presence};

/// Bytes of a request that are kept until it is answered; of a longer one only the question is.
const REQUEST: usize = 4 * 1024;

/// A presence of the account itself.
pub(super) fn presence(word: Word, from: &BareJid, to: &BareJid) -> Stanza {
    Stanza::presence(word.presence())
        .from(from.clone())
        .to(to.clone())
        .build()
}

fn word_of(stanza: &Stanza) -> Option<Word> {
    match stanza.kind() {
        Kind::Presence(kind) => Word::of(kind),
        _ => None,
    }
}

impl Roster {
    /// A session says a word to a contact (§3.1.2, §3.1.5, §3.2.2, §3.3.2, §3.4.2).
    pub(super) fn say(&self, fold: &mut SenderFold<'_>) -> Flow {
        let (Some(word), Some(to)) = (word_of(&fold.stanza), fold.stanza.to()) else {
            return Flow::Continue;
        };
        let (cx, account) = (fold.cx, fold.account);
        let contact = to.to_bare();
        if contact == *account.jid() {
            // Everybody sees themselves; there is nothing to ask.
            return Flow::Stop;
        }
        let Some(contacts) = Contacts::of(account) else {
            return Flow::Refuse(StanzaError::new(Condition::ServiceUnavailable));
        };
        let stanza = fold
            .stanza
            .with_from(account.jid().clone())
            .with_to(contact.clone());
        let stanza = match cx.let_out(account, Some(fold.session), stanza) {
            Ok(stanza) => stanza,
            Err(flow) => return flow,
        };

        let mut book = contacts.lock();
        let before = book.item(&contact);
        let (routed, state) = before.state.say(word);
        let mut item = before.clone();
        item.state = state;
        match word {
            Word::Subscribe => item.listed = true,
            Word::Unsubscribe => {}
            // §3.4.2: said before it was asked for, it approves what will be asked.
            Word::Subscribed if !state.from() => (item.approved, item.listed) = (true, true),
            Word::Subscribed => (item.approved, item.listed) = (false, true),
            Word::Unsubscribed => item.approved = false,
        }
        if self.is_one_too_many(&book, &before, &item) {
            return Flow::Refuse(StanzaError::new(Condition::ResourceConstraint));
        }
        if item != before {
            if let Err(error) = self.keep(book.writes(account.jid(), &mut item, None)) {
                return Flow::Refuse(error);
            }
            book.apply(item, None);
            book.push(account, &before);
        }
        drop(book);

        if !routed {
            return Flow::Stop;
        }
        if let Some(reply) = cx.route(stanza) {
            // One that has gone meanwhile needs no answer.
            let _ = fold.session.inbox.deliver(reply);
        }
        match word {
            Word::Subscribed => presence::show(cx, account, &contact),
            Word::Unsubscribed if before.state.from() => presence::hide(cx, account, &contact),
            _ => {}
        }
        Flow::Stop
    }

    /// Presence that a contact sends to the account: words (§3.1.3, §3.1.6, §3.2.3, §3.3.3) and
    /// probes (§4.3.2).
    pub(super) fn hear(&self, fold: &mut AccountFold<'_>) -> Flow {
        let Kind::Presence(kind) = fold.stanza.kind() else {
            return Flow::Continue;
        };
        let Some(from) = fold.stanza.from().cloned() else {
            return Flow::Continue;
        };
        if kind == PresenceType::Probe {
            presence::answer_probe(fold.cx, fold.account, &from);
            return Flow::Stop;
        }
        let Some(word) = Word::of(kind) else {
            return Flow::Continue;
        };
        let contact = from.to_bare();
        let exists = fold.account.exists();
        match Contacts::of(fold.account) {
            // §8.5.1: for an account that is not there, silence.
            Some(contacts) if exists && contact != *fold.account.jid() => {
                let stanza = fold.stanza.with_from(contact.clone());
                self.heard(fold.cx, fold.account, contacts, &contact, word, stanza)
            }
            _ => Flow::Stop,
        }
    }

    fn heard(
        &self,
        cx: Cx<'_>,
        account: &Arc<Account>,
        contacts: &Contacts,
        contact: &BareJid,
        word: Word,
        stanza: Stanza,
    ) -> Flow {
        let mut book = contacts.lock();
        let before = book.item(contact);
        let (mut delivery, mut state) = before.state.hear(word);
        let mut item = before.clone();
        if before.approved && state.pending_in() {
            // §3.4.2: it was approved beforehand.
            (delivery, state) = (Delivery::Answer, state.say(Word::Subscribed).1);
            item.approved = false;
        }
        item.state = state;
        if self.is_one_too_many(&book, &before, &item) {
            // Strangers who ask must not fill the memory; this one may ask again.
            return Flow::Refuse(StanzaError::new(Condition::ResourceConstraint));
        }
        let asks = word == Word::Subscribe && delivery == Delivery::Deliver;
        let request = asks.then(|| match stanza.size() > REQUEST {
            true => presence(word, contact, account.jid()),
            false => stanza.clone(),
        });
        if item != before {
            let writes = book.writes(account.jid(), &mut item, request.as_ref());
            if let Err(error) = self.keep(writes) {
                return Flow::Refuse(error);
            }
        }
        if delivery == Delivery::Deliver {
            // A question goes to all who are there, the rest to those who have the roster.
            let mut sessions = account.sessions();
            if asks {
                sessions.retain(|session| session.priority().is_some());
            } else {
                sessions = book.interested(account);
            }
            for session in &sessions {
                // One that takes no more is closed, and sees the roster when it is back.
                let _ = session.inbox.deliver(stanza.clone());
            }
        }
        if item != before {
            book.apply(item, request);
            book.push(account, &before);
        }
        drop(book);

        if delivery == Delivery::Answer {
            let answer = presence(Word::Subscribed, account.jid(), contact);
            // A contact that is gone needs no answer.
            let _ = cx.send(account, None, answer);
        }
        if state.from() && !before.state.from() {
            presence::show(cx, account, contact);
        }
        if before.state.from() && !state.from() {
            presence::hide(cx, account, contact);
        }
        Flow::Stop
    }
}
