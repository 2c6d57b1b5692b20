//! Messages, presence and IQs: a head in front of bytes that nobody touches.

mod answer;
mod build;
mod edit;
mod read;
mod write;

use std::sync::Arc;

use smallvec::SmallVec;
use xml::{Child, Element};

use crate::jid::Jid;
use crate::kind::Kind;

pub use build::StanzaBuilder;
pub use edit::Edit;
pub use read::Rejected;

/// A stanza. Cloning counts; changing one makes a new one that shares the received bytes.
#[derive(Debug, Clone)]
pub struct Stanza(Arc<Inner>);

/// What a stanza is made of. Type, addresses, id and language are kept beside the frame and take
/// the place of the frame's own when the opening tag is written anew; everything else of the tag
/// stays as it was received.
#[derive(Debug, Clone)]
struct Inner {
    kind: Kind,
    to: Option<Jid>,
    from: Option<Jid>,
    id: Word,
    lang: Word,
    frame: Element,
    /// Places of the frame's children that are cut out.
    cuts: SmallVec<[u16; 2]>,
    /// Appended behind the frame's children.
    added: Vec<Element>,
}

/// An attribute of the head, decoded.
#[derive(Debug, Clone)]
enum Word {
    None,
    /// The frame's attribute of this name, which stands for itself.
    Frame(&'static str),
    /// The stream's language.
    Stream,
    Own(Arc<str>),
}

impl Word {
    fn text<'a>(&'a self, frame: &'a Element) -> Option<&'a str> {
        match self {
            Self::None => None,
            Self::Frame(name) => frame.plain_attr(name),
            Self::Stream => frame.outer_lang(),
            Self::Own(text) => Some(text),
        }
    }

    /// The frame's attribute, which is copied only if it is written with references.
    fn of(frame: &Element, name: &'static str) -> Self {
        match (frame.plain_attr(name), frame.attr(name)) {
            (Some(_), _) => Self::Frame(name),
            (None, Some(text)) => Self::Own(text.as_ref().into()),
            (None, None) => Self::None,
        }
    }
}

impl Stanza {
    /// Message, presence or IQ, and its type.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Whom it is for; `None`: the sender's own account or server (RFC 6120 §10.3).
    pub fn to(&self) -> Option<&Jid> {
        self.0.to.as_ref()
    }

    /// Who sent it.
    pub fn from(&self) -> Option<&Jid> {
        self.0.from.as_ref()
    }

    /// The sender's name for it.
    pub fn id(&self) -> Option<&str> {
        self.0.id.text(&self.0.frame)
    }

    /// The language of its texts, its own or that of the stream it came by.
    pub fn lang(&self) -> Option<&str> {
        self.0.lang.text(&self.0.frame)
    }

    /// An attribute of the opening tag beside those of the head, by its name as written.
    pub fn attr(&self, name: &str) -> Option<std::borrow::Cow<'_, str>> {
        self.0.frame.attr(name)
    }

    /// The first child.
    pub fn payload(&self) -> Option<Child<'_>> {
        self.children().next()
    }

    /// The first child of this name and namespace.
    pub fn child(&self, name: &str, ns: &str) -> Option<Child<'_>> {
        self.children().find(|child| child.is(name, ns))
    }

    /// The children that will be forwarded, appended ones last.
    pub fn children(&self) -> impl Iterator<Item = Child<'_>> {
        let cuts = &self.0.cuts;
        self.0
            .frame
            .children()
            .enumerate()
            .filter(|(place, _)| !cuts.contains(&(*place as u16)))
            .map(|(_, child)| child)
            .chain(self.0.added.iter().map(Element::as_child))
    }

    /// Bytes on the wire, about: what queues count with.
    pub fn size(&self) -> usize {
        let jid = |jid: &Option<Jid>| jid.as_ref().map_or(0, |j| j.as_ref().len() + 10);
        let added: usize = self.0.added.iter().map(|el| el.bytes().len()).sum();
        self.0.frame.bytes().len() + jid(&self.0.to) + jid(&self.0.from) + added
    }

    /// The same stanza from somebody.
    pub fn with_from(&self, from: impl Into<Jid>) -> Self {
        self.change(|inner| inner.from = Some(from.into()))
    }

    /// The same stanza for somebody.
    pub fn with_to(&self, to: impl Into<Jid>) -> Self {
        self.change(|inner| inner.to = Some(to.into()))
    }

    fn change(&self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = Inner::clone(&self.0);
        change(&mut inner);
        Self(Arc::new(inner))
    }
}
