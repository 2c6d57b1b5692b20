//! From a received element to a stanza (RFC 6120 §8, RFC 6121 §4.7, §5.2).

use std::sync::Arc;

use smallvec::SmallVec;
use xml::Element;

use super::{Inner, Stanza, Word};
use crate::error::{Condition, StanzaError, StreamCondition, StreamError};
use crate::jid::{FullJid, Jid};
use crate::kind::{IqType, Kind, MessageType, PresenceType};
use crate::ns;

/// What becomes of an element that is no acceptable stanza.
#[derive(Debug, Clone)]
pub enum Rejected {
    /// The sender gets this error; the stream goes on.
    Reply(Stanza),
    /// The stream ends.
    Stream(StreamError),
    /// Nothing: errors and results are never answered. Says why, for the count.
    Drop(&'static str),
}

impl Stanza {
    /// Reads a first-level element.
    ///
    /// `sender` is the session it came from. Its full JID becomes the `from` (its bare JID for the
    /// four subscription types, RFC 6121 §3); a `from` that says something else than one of the two
    /// ends the stream (RFC 6120 §8.1.2.1). Without a sender `from` stays as it is.
    ///
    /// # Errors
    /// [`Rejected`] says who is told what.
    pub fn read(element: Element, sender: Option<&FullJid>) -> Result<Self, Rejected> {
        if !matches!(element.ns(), ns::CLIENT | ns::SERVER) {
            return Err(stream(StreamCondition::InvalidNamespace));
        }
        let (kind, fault) = kind(&element)?;
        let from = match sender {
            Some(sender) => Some(stamp(&element, kind, sender)?),
            None => match element.attr("from") {
                None => None,
                Some(from) => {
                    Some(Jid::new(&from).map_err(|_| stream(StreamCondition::ImproperAddressing))?)
                }
            },
        };
        let to = element.attr("to").map(|to| Jid::new(&to));
        let (to, malformed) = match to {
            Some(Ok(to)) => (Some(to), None),
            Some(Err(error)) => (None, Some(error)),
            None => (None, None),
        };
        let id = Word::of(&element, "id");
        let lang = match Word::of(&element, "xml:lang") {
            // A stanza takes the stream's language along where it goes (§8.1.5).
            Word::None if element.outer_lang().is_some() => Word::Stream,
            lang => lang,
        };
        let fault = fault.or_else(|| iq_fault(kind, &id, &element));
        let stanza = Self(Arc::new(Inner {
            kind,
            to,
            from,
            id,
            lang,
            frame: element,
            cuts: SmallVec::new(),
            added: Vec::new(),
        }));
        let error = match (malformed, fault) {
            (Some(error), _) => {
                StanzaError::new(Condition::JidMalformed).with_text(format!("to: {error}"))
            }
            (None, Some(fault)) => StanzaError::new(Condition::BadRequest).with_text(fault),
            (None, None) => return Ok(stanza),
        };
        let answer = stanza
            .error(error)
            .ok_or(Rejected::Drop("malformed error or result"))?;
        // Nobody at a malformed address can have answered: the server itself does.
        Err(Rejected::Reply(match (malformed, sender) {
            (Some(_), Some(sender)) => match Jid::new(sender.domain()) {
                Ok(domain) => answer.with_from(domain),
                Err(_) => answer,
            },
            _ => answer,
        }))
    }
}

/// The kind, and what is wrong with the type if it is not one.
fn kind(element: &Element) -> Result<(Kind, Option<&'static str>), Rejected> {
    let given = element.attr("type");
    let given = given.as_deref();
    Ok(match element.name() {
        // Unknown types count as normal (RFC 6121 §5.2.2).
        "message" => {
            let kind = given.and_then(MessageType::of);
            (Kind::Message(kind.unwrap_or(MessageType::Normal)), None)
        }
        "presence" => match given.map(PresenceType::of) {
            None => (Kind::Presence(PresenceType::Available), None),
            Some(Some(kind)) if kind != PresenceType::Available => (Kind::Presence(kind), None),
            Some(_) => (
                Kind::Presence(PresenceType::Available),
                Some("unknown type of presence"),
            ),
        },
        "iq" => match given.and_then(IqType::of) {
            Some(kind) => (Kind::Iq(kind), None),
            None => (Kind::Iq(IqType::Get), Some("missing or unknown type of iq")),
        },
        _ => return Err(stream(StreamCondition::UnsupportedStanzaType)),
    })
}

/// Rules for IQs (RFC 6120 §8.2.3).
fn iq_fault(kind: Kind, id: &Word, element: &Element) -> Option<&'static str> {
    if !matches!(kind, Kind::Iq(_)) {
        return None;
    }
    if matches!(id, Word::None) {
        return Some("an iq without an id");
    }
    if kind.is_request() && element.children().len() != 1 {
        return Some("an iq of type get or set must have exactly one child");
    }
    None
}

fn stamp(element: &Element, kind: Kind, sender: &FullJid) -> Result<Jid, Rejected> {
    if let Some(from) = element.attr("from") {
        let same = from == sender.as_str()
            || from == sender.bare_str()
            || Jid::new(&from).is_ok_and(|jid| {
                jid.as_ref() == sender.as_str() || jid.as_ref() == sender.bare_str()
            });
        if !same {
            return Err(stream(StreamCondition::InvalidFrom));
        }
    }
    Ok(match kind {
        Kind::Presence(kind) if kind.is_subscription() => sender.bare().into(),
        _ => sender.into(),
    })
}

fn stream(condition: StreamCondition) -> Rejected {
    Rejected::Stream(StreamError::new(condition))
}
