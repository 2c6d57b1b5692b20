//! The words of XMPP: JIDs, stanzas, errors, namespaces.
//!
//! A [`Stanza`] is its head (kind, addresses, id, language) in front of the bytes that were
//! received; forwarding it writes a new opening tag and copies the rest. [`Jid`]s follow RFC 7622
//! and are cheap to clone, compare and hash. Nothing here knows a clock, a socket or chance.

mod error;
pub mod jid;
mod kind;
pub mod ns;
pub mod stanza;

pub use error::{Condition, ErrorType, StanzaError, StreamCondition, StreamError};
pub use jid::{BareJid, FullJid, Jid, JidError};
pub use kind::{IqType, Kind, MessageType, PresenceType};
pub use stanza::{Edit, Rejected, Stanza, StanzaBuilder};
