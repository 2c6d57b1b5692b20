//! A first-level element: a view of its bytes.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::XmlError::{self, NotWellFormed};
use crate::attr::Attr;
use crate::child::Child;
use crate::class::{self, SPACE};
use crate::content;
use crate::escape::{escape_attr, unescape_attr};
use crate::index::{AttrAt, ChildAt, Index, text};
use crate::limits::Limits;
use crate::scan::{Around, Found, Scanner};
use crate::scope::{CLIENT_NS, Scope};
use crate::tree::Tree;

/// An element as it was received, checked and indexed. Cloning copies the index and counts.
#[derive(Clone)]
pub struct Element {
    frame: Bytes,
    index: Index,
    scope: Arc<Scope>,
}

impl Element {
    pub(crate) fn new(frame: Bytes, index: Index, scope: Arc<Scope>) -> Self {
        Self {
            frame,
            index,
            scope,
        }
    }

    pub(crate) fn within(mut self, scope: Arc<Scope>) -> Self {
        self.scope = scope;
        self
    }

    pub(crate) fn scope(&self) -> &Arc<Scope> {
        &self.scope
    }

    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    /// A whole element from our own bytes or a test, white space around it allowed, within the
    /// default namespace `jabber:client`.
    ///
    /// # Errors
    /// What is wrong with the bytes; the limits are those of [`Limits::OWN`].
    pub fn parse(bytes: &[u8]) -> Result<Self, XmlError> {
        Self::parse_in(bytes, CLIENT_NS)
    }

    /// As [`Element::parse`], within another default namespace.
    ///
    /// # Errors
    /// As [`Element::parse`].
    pub fn parse_in(bytes: &[u8], default_ns: &str) -> Result<Self, XmlError> {
        Self::from_bytes(
            Bytes::copy_from_slice(bytes),
            Scope::of_default(default_ns),
            &Limits::OWN,
        )
    }

    /// As [`Element::parse`] without copying.
    ///
    /// # Errors
    /// As [`Element::parse`].
    pub fn parse_bytes(bytes: Bytes) -> Result<Self, XmlError> {
        Self::from_bytes(bytes, Scope::of_default(CLIENT_NS), &Limits::OWN)
    }

    /// A whole element from a peer whose transport frames it (RFC 7395 §3.3), so that nothing
    /// surrounds it: no default namespace but its own.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn parse_frame(bytes: Bytes, limits: &Limits) -> Result<Self, XmlError> {
        Self::from_bytes(bytes, Arc::default(), limits)
    }

    pub(crate) fn from_bytes(
        mut bytes: Bytes,
        scope: Arc<Scope>,
        limits: &Limits,
    ) -> Result<Self, XmlError> {
        let before = class::run_of(&bytes, SPACE);
        let _ = bytes.split_to(before);
        let around = Around {
            limits,
            scope: &scope,
            stream: b"",
        };
        let mut scanner = Scanner::element();
        match scanner.run(&bytes, &around)? {
            Some(Found::Element) => {}
            _ => return Err(NotWellFormed("an element without its end")),
        }
        let after = bytes.split_off(scanner.pos);
        if class::run_of(&after, SPACE) != after.len() {
            return Err(NotWellFormed("something behind the element"));
        }
        Ok(Self::new(bytes, scanner.index, scope))
    }

    /// Local name.
    pub fn name(&self) -> &str {
        text(self.index.name.local(&self.frame))
    }

    /// Name as written, with its prefix.
    pub fn qualified_name(&self) -> &str {
        text(self.index.name.whole(&self.frame))
    }

    /// Namespace; empty if it has none.
    pub fn ns(&self) -> &str {
        self.index
            .ns
            .text(&self.frame, &self.index.odd, &self.scope)
    }

    /// True if name and namespace are these.
    pub fn is(&self, name: &str, ns: &str) -> bool {
        self.name() == name && self.ns() == ns
    }

    /// An attribute by its name as written (`xml:lang` with its prefix), decoded.
    pub fn attr(&self, name: &str) -> Option<Cow<'_, str>> {
        self.find(name).map(|at| {
            let raw = text(at.raw(&self.frame));
            match at.plain {
                true => Cow::Borrowed(raw),
                false => unescape_attr(raw),
            }
        })
    }

    /// An attribute that stands for itself, needing no decoding: `None` if it is missing or written
    /// with references.
    pub fn plain_attr(&self, name: &str) -> Option<&str> {
        self.find(name)
            .filter(|at| at.plain)
            .map(|at| text(at.raw(&self.frame)))
    }

    fn find(&self, name: &str) -> Option<AttrAt> {
        self.index
            .attrs
            .iter()
            .find(|at| at.name.whole(&self.frame) == name.as_bytes())
            .copied()
    }

    /// The attributes, without namespace declarations, in their order.
    pub fn attrs(&self) -> impl Iterator<Item = Attr<'_>> {
        self.tag().filter(|attr| !attr.is_declaration())
    }

    /// Attributes and namespace declarations, in their order.
    pub fn tag(&self) -> impl Iterator<Item = Attr<'_>> {
        self.index.attrs.iter().map(|&at| Attr::new(self, at))
    }

    pub(crate) fn frame(&self) -> &[u8] {
        &self.frame
    }

    /// Prefixes and namespaces declared on the element itself; the empty prefix is the default
    /// namespace.
    pub fn declarations(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        self.tag()
            .filter_map(|attr| attr.declares().map(|prefix| (prefix, attr.value())))
    }

    /// Prefixes the element needs that were declared outside of it, in the stream header: a new
    /// opening tag has to declare them. The default namespace is not among them, see
    /// [`Element::outer_default_ns`].
    pub fn outer_declarations(&self) -> impl Iterator<Item = (&str, &str)> {
        self.scope
            .decls
            .iter()
            .enumerate()
            .filter(|(i, (prefix, _))| self.index.outer & (1 << i) != 0 && !prefix.is_empty())
            .map(|(_, (prefix, ns))| (&**prefix, &**ns))
    }

    /// The default namespace that surrounded the element when it was received.
    pub fn outer_default_ns(&self) -> &str {
        self.scope.default_ns()
    }

    /// The bytes of the element, to be put where `default_ns` is the default namespace and no prefix
    /// is declared: what it needs from outside is declared on its opening tag, all else is as
    /// received.
    pub fn standing_in(&self, default_ns: &str) -> Bytes {
        let mut needs = String::new();
        for (prefix, ns) in self.outer_declarations() {
            needs.push_str(&format!(" xmlns:{prefix}='{}'", escape_attr(ns)));
        }
        let default = self.outer_default_ns();
        let own = self.declarations().any(|(prefix, _)| prefix.is_empty());
        let used = self
            .scope
            .find(b"")
            .is_none_or(|i| self.index.outer & (1 << i) != 0);
        if used && !own && default != default_ns {
            needs.push_str(&format!(" xmlns='{}'", escape_attr(default)));
        }
        if needs.is_empty() {
            return self.frame.clone();
        }
        let (tag, rest) = self.frame.split_at(1 + self.qualified_name().len());
        [tag, needs.as_bytes(), rest].concat().into()
    }

    /// `xml:lang`, its own or that of the stream around it.
    pub fn lang(&self) -> Option<Cow<'_, str>> {
        self.attr("xml:lang")
            .or_else(|| self.outer_lang().map(Cow::Borrowed))
    }

    /// `xml:lang` of the stream header.
    pub fn outer_lang(&self) -> Option<&str> {
        self.scope.lang.as_deref()
    }

    /// The first child of this name and namespace.
    pub fn child(&self, name: &str, ns: &str) -> Option<Child<'_>> {
        self.children().find(|child| child.is(name, ns))
    }

    /// The first-level children, in their order.
    pub fn children(&self) -> impl ExactSizeIterator<Item = Child<'_>> + Clone {
        self.index.children.iter().map(|&at| Child::new(self, at))
    }

    /// The element itself, seen as a child.
    pub fn as_child(&self) -> Child<'_> {
        Child::new(
            self,
            ChildAt {
                name: self.index.name,
                ns: self.index.ns,
                start: 0,
                open_end: self.index.open_end,
                end: self.frame.len() as u32,
            },
        )
    }

    /// The text directly in the element, that of its children left out.
    pub fn text(&self) -> Cow<'_, str> {
        content::text(text(&self.frame[self.content()]))
    }

    /// All bytes, as received.
    pub fn bytes(&self) -> &Bytes {
        &self.frame
    }

    /// Where the content is, between opening and closing tag; empty, behind the tag, for `<a/>`.
    pub fn content(&self) -> Range<usize> {
        self.index.open_end as usize..self.index.content_end as usize
    }

    /// True if it was written as `<a/>`.
    pub fn is_self_closed(&self) -> bool {
        self.index.closed
    }

    /// An owned tree of the whole element.
    ///
    /// # Errors
    /// Never for an element that was framed; the type keeps the reader honest.
    pub fn tree(&self) -> Result<Tree, XmlError> {
        self.as_child().tree()
    }
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Element").field(&text(&self.frame)).finish()
    }
}
