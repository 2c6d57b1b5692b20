//! Stanzas of our own.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use smallvec::SmallVec;
use xml::{Element, Writer};

use super::{Inner, Stanza, Word};
use crate::jid::Jid;
use crate::kind::{IqType, Kind, MessageType, PresenceType};

/// A stanza in the making. Nothing is required: who builds an IQ gives it an id.
#[derive(Debug, Clone)]
#[must_use = "nothing is built before build()"]
pub struct StanzaBuilder(Inner);

impl Stanza {
    /// Begins a message.
    pub fn message(kind: MessageType) -> StanzaBuilder {
        StanzaBuilder::new(Kind::Message(kind))
    }

    /// Begins a presence.
    pub fn presence(kind: PresenceType) -> StanzaBuilder {
        StanzaBuilder::new(Kind::Presence(kind))
    }

    /// Begins an IQ.
    pub fn iq(kind: IqType) -> StanzaBuilder {
        StanzaBuilder::new(Kind::Iq(kind))
    }
}

impl StanzaBuilder {
    fn new(kind: Kind) -> Self {
        Self(Inner {
            kind,
            to: None,
            from: None,
            id: Word::None,
            lang: Word::None,
            frame: empty(kind),
            cuts: SmallVec::new(),
            added: Vec::new(),
        })
    }

    /// Whom it is for.
    pub fn to(mut self, to: impl Into<Jid>) -> Self {
        self.0.to = Some(to.into());
        self
    }

    /// Who sends it.
    pub fn from(mut self, from: impl Into<Jid>) -> Self {
        self.0.from = Some(from.into());
        self
    }

    /// The sender's name for it.
    pub fn id(mut self, id: &str) -> Self {
        self.0.id = Word::Own(id.into());
        self
    }

    /// The language of its texts.
    pub fn lang(mut self, lang: &str) -> Self {
        self.0.lang = Word::Own(lang.into());
        self
    }

    /// Appends one whole element, written for the default namespace `jabber:client`. Other bytes are
    /// left out (and fail in debug builds).
    pub fn payload(mut self, element: Bytes) -> Self {
        self.0.append_own(element);
        self
    }

    /// Appends an element of the stanza's namespace that holds text, such as a message's `body`.
    pub fn leaf(self, name: &str, text: &str) -> Self {
        let mut w = Writer::new();
        w.leaf(name, text);
        self.payload(w.finish())
    }

    /// The stanza.
    pub fn build(self) -> Stanza {
        Stanza(Arc::new(self.0))
    }
}

/// The frame of stanzas that have no received bytes.
pub(super) fn empty(kind: Kind) -> Element {
    static FRAMES: LazyLock<[Element; 3]> = LazyLock::new(|| {
        [&b"<message/>"[..], b"<presence/>", b"<iq/>"]
            .map(|frame| Element::parse_bytes(Bytes::from_static(frame)).expect("written here"))
    });
    FRAMES[match kind {
        Kind::Message(_) => 0,
        Kind::Presence(_) => 1,
        Kind::Iq(_) => 2,
    }]
    .clone()
}
