//! A first-level child of an element.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;

use crate::XmlError;
use crate::content::{self, RawAttrs};
use crate::element::Element;
use crate::escape::unescape_attr;
use crate::index::{ChildAt, text};
use crate::tree::Tree;

/// A view of a child: cheap to copy, reads its attributes and text only when asked.
#[derive(Debug, Clone, Copy)]
pub struct Child<'a> {
    element: &'a Element,
    at: ChildAt,
}

impl<'a> Child<'a> {
    pub(crate) fn new(element: &'a Element, at: ChildAt) -> Self {
        Self { element, at }
    }

    /// Local name.
    pub fn name(&self) -> &'a str {
        text(self.at.name.local(self.element.frame()))
    }

    /// Namespace; empty if it has none.
    pub fn ns(&self) -> &'a str {
        let element = self.element;
        self.at
            .ns
            .text(element.frame(), &element.index().odd, element.scope())
    }

    /// True if name and namespace are these.
    pub fn is(&self, name: &str, ns: &str) -> bool {
        self.name() == name && self.ns() == ns
    }

    /// An attribute by its name as written, decoded.
    pub fn attr(&self, name: &str) -> Option<Cow<'a, str>> {
        self.raw_attrs()
            .find(|(n, _)| *n == name)
            .map(|(_, value)| unescape_attr(value))
    }

    /// The attributes as written and decoded, without namespace declarations.
    pub fn attrs(&self) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
        self.raw_attrs()
            .filter(|(name, _)| *name != "xmlns" && !name.starts_with("xmlns:"))
            .map(|(name, value)| (name, unescape_attr(value)))
    }

    fn raw_attrs(&self) -> RawAttrs<'a> {
        let open = self.at.start as usize..self.at.open_end as usize;
        RawAttrs::new(text(&self.element.frame()[open]))
    }

    /// The text directly in the child, that of its own children left out.
    pub fn text(&self) -> Cow<'a, str> {
        content::text(text(&self.element.frame()[self.content()]))
    }

    /// True if there is nothing between its tags.
    pub fn is_empty(&self) -> bool {
        self.content().is_empty()
    }

    fn content(&self) -> Range<usize> {
        let frame = self.element.frame();
        let (open_end, end) = (self.at.open_end as usize, self.at.end as usize);
        if open_end == end {
            return end..end;
        }
        // A closing tag holds no other '<' and stands at the very end.
        let close = memchr::memrchr(b'<', &frame[open_end..end]).map_or(end, |i| open_end + i);
        open_end..close
    }

    /// Where it stands in the bytes of its element.
    pub fn range(&self) -> Range<usize> {
        self.at.start as usize..self.at.end as usize
    }

    /// Its bytes as received, sharing the element's memory. They may need declarations of the
    /// surrounding element; [`Child::element`] and [`Child::tree`] know them.
    pub fn bytes(&self) -> Bytes {
        self.element.bytes().slice(self.range())
    }

    /// The child as an element of its own, to look at its children without copying anything.
    ///
    /// # Errors
    /// Policy errors only, if it is nested deeper than [`crate::Limits::OWN`].
    pub fn element(&self) -> Result<Element, XmlError> {
        content::enter(self.element, self.range())
    }

    /// An owned tree of the child.
    ///
    /// # Errors
    /// Never for an element that was framed; the type keeps the reader honest.
    pub fn tree(&self) -> Result<Tree, XmlError> {
        let outside = match self.range() == (0..self.element.frame().len()) {
            true => content::scope_around(self.element),
            false => content::scope_within(self.element),
        };
        Tree::read(text(&self.element.frame()[self.range()]), &outside)
    }
}
