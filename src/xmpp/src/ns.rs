//! Namespaces.

/// Stanzas between client and server.
pub const CLIENT: &str = "jabber:client";
/// Stanzas between servers.
pub const SERVER: &str = "jabber:server";
/// Stanzas of external components that a server accepts (XEP-0114).
pub const COMPONENT_ACCEPT: &str = "jabber:component:accept";
/// The stream element, its features and its errors.
pub const STREAM: &str = "http://etherx.jabber.org/streams";
/// Framing over WebSocket (RFC 7395).
pub const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";
/// STARTTLS.
pub const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
/// SASL.
pub const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
/// Channel binding types (XEP-0440).
pub const SASL_CHANNEL_BINDING: &str = "urn:xmpp:sasl-cb:0";
/// Resource binding.
pub const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
/// The session request of RFC 3921.
pub const SESSION: &str = "urn:ietf:params:xml:ns:xmpp-session";
/// Conditions of stanza errors.
pub const STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
/// Conditions of stream errors.
pub const STREAMS: &str = "urn:ietf:params:xml:ns:xmpp-streams";
/// Service discovery, what an entity is and can do (XEP-0030).
pub const DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";
/// Service discovery, what belongs to an entity (XEP-0030).
pub const DISCO_ITEMS: &str = "http://jabber.org/protocol/disco#items";
/// Ping (XEP-0199).
pub const PING: &str = "urn:xmpp:ping";
/// Software version (XEP-0092).
pub const VERSION: &str = "jabber:iq:version";
/// Entity time (XEP-0202).
pub const TIME: &str = "urn:xmpp:time";
/// Roster (RFC 6121 §2).
pub const ROSTER: &str = "jabber:iq:roster";
/// Private XML storage (XEP-0049).
pub const PRIVATE: &str = "jabber:iq:private";
/// Privacy lists (XEP-0016).
pub const PRIVACY: &str = "jabber:iq:privacy";
/// The blocking command (XEP-0191).
pub const BLOCKING: &str = "urn:xmpp:blocking";
/// What is said of a stanza to somebody who is blocked (XEP-0191).
pub const BLOCKING_ERRORS: &str = "urn:xmpp:blocking:errors";
/// Last activity (XEP-0012).
pub const LAST: &str = "jabber:iq:last";
/// In-band registration (XEP-0077).
pub const REGISTER: &str = "jabber:iq:register";
/// vCards (XEP-0054).
pub const VCARD: &str = "vcard-temp";
/// The hash of a vCard's photo in presence (XEP-0153).
pub const VCARD_UPDATE: &str = "vcard-temp:x:update";
/// Search (XEP-0055).
pub const SEARCH: &str = "jabber:iq:search";
/// Data forms (XEP-0004).
pub const DATA: &str = "jabber:x:data";
/// The type of forms with contact addresses of a server (XEP-0157).
pub const SERVER_INFO: &str = "http://jabber.org/network/serverinfo";
/// The type of forms with what a software is (XEP-0232).
pub const SOFTWARE_INFO: &str = "urn:xmpp:dataforms:softwareinfo";
/// Delayed delivery (XEP-0203).
pub const DELAY: &str = "urn:xmpp:delay";
/// Hints for those who might store or copy a message (XEP-0334).
pub const HINTS: &str = "urn:xmpp:hints";
/// What somebody does in a chat just now (XEP-0085).
pub const CHAT_STATES: &str = "http://jabber.org/protocol/chatstates";
/// The feature of a server that keeps messages for those who are offline (XEP-0160).
pub const MSG_OFFLINE: &str = "msgoffline";
/// Waiting messages one by one (XEP-0013).
pub const OFFLINE: &str = "http://jabber.org/protocol/offline";
/// Message carbons (XEP-0280).
pub const CARBONS: &str = "urn:xmpp:carbons:2";
/// Stream management (XEP-0198).
pub const SM: &str = "urn:xmpp:sm:3";
/// Stanza ids (XEP-0359).
pub const SID: &str = "urn:xmpp:sid:0";
/// Entity capabilities (XEP-0115).
pub const CAPS: &str = "http://jabber.org/protocol/caps";
/// The namespace of the prefix `xml`.
pub const XML: &str = "http://www.w3.org/XML/1998/namespace";
