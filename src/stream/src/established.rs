//! What a client may send once it has bound a resource (RFC 6120 §8, §4.9.3).

use bytes::Bytes;
use xml::Element;
use xmpp::{Condition, Stanza, StanzaError, StreamCondition, StreamError, ns};

/// What a first-level element of an established stream is.
#[derive(Debug, Clone)]
pub enum Inbound {
    /// A stanza, not looked at any further.
    Stanza(Element),
    /// Another element, of a namespace that the caller knows.
    Nonza(Element),
    /// Something that we answer with these bytes, and that goes no further.
    Answer(Bytes),
    /// The client reports a stream error and is about to leave: close the stream.
    PeerError(Element),
}

/// Sorts a first-level element that came after negotiation.
///
/// `nonzas` are the namespaces of elements beside stanzas that the caller handles.
///
/// # Errors
/// The stream error that the client gets: `invalid-namespace` for a stanza in another content
/// namespace, `policy-violation` for a second login or handshake, `unsupported-stanza-type` for all
/// that nobody knows.
pub fn established(element: Element, nonzas: &[&str]) -> Result<Inbound, StreamError> {
    match (element.name(), element.ns()) {
        ("message" | "presence", ns::CLIENT) => Ok(Inbound::Stanza(element)),
        ("iq", ns::CLIENT) => Ok(match second_bind(&element) {
            Some(answer) => Inbound::Answer(answer),
            None => Inbound::Stanza(element),
        }),
        (_, ns) if nonzas.contains(&ns) => Ok(Inbound::Nonza(element)),
        ("error", ns::STREAM) => Ok(Inbound::PeerError(element)),
        // Both belong before binding; a second login would change whom the session belongs to.
        (_, ns::TLS | ns::SASL) => Err(StreamCondition::PolicyViolation.into()),
        ("message" | "presence" | "iq", ns::SERVER | "") => {
            Err(StreamCondition::InvalidNamespace.into())
        }
        _ => Err(StreamCondition::UnsupportedStanzaType.into()),
    }
}

/// A stream has one resource: who asks for another gets `not-allowed` (RFC 6120 §7.6.2.2).
fn second_bind(element: &Element) -> Option<Bytes> {
    if element.attr("type").as_deref() != Some("set") || element.child("bind", ns::BIND).is_none() {
        return None;
    }
    let stanza = Stanza::read(element.clone(), None).ok()?;
    let answer = stanza.error(StanzaError::new(Condition::NotAllowed))?;
    Some(answer.to_bytes())
}
