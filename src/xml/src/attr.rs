//! One attribute of an opening tag.

use std::borrow::Cow;
use std::ops::Range;

use crate::element::Element;
use crate::escape::unescape_attr;
use crate::index::{AttrAt, text};
use crate::scope::XML_NS;

/// An attribute or namespace declaration of an [`Element`]'s opening tag.
#[derive(Debug, Clone, Copy)]
pub struct Attr<'a> {
    element: &'a Element,
    at: AttrAt,
}

impl<'a> Attr<'a> {
    pub(crate) fn new(element: &'a Element, at: AttrAt) -> Self {
        Self { element, at }
    }

    /// Name as written, with its prefix.
    pub fn name(&self) -> &'a str {
        text(self.at.name.whole(self.element.frame()))
    }

    /// Name without its prefix.
    pub fn local_name(&self) -> &'a str {
        text(self.at.name.local(self.element.frame()))
    }

    /// Namespace of its prefix; empty without a prefix.
    pub fn ns(&self) -> Cow<'a, str> {
        match text(self.at.name.prefix(self.element.frame())) {
            "" => Cow::Borrowed(""),
            "xml" => Cow::Borrowed(XML_NS),
            prefix => self
                .element
                .declarations()
                .find(|(declared, _)| *declared == prefix)
                .map(|(_, ns)| ns)
                .or_else(|| {
                    let scope = self.element.scope();
                    let place = scope.find(prefix.as_bytes())?;
                    Some(Cow::Borrowed(&*scope.decls[place].1))
                })
                .unwrap_or_default(),
        }
    }

    /// Value, decoded.
    pub fn value(&self) -> Cow<'a, str> {
        match self.at.plain {
            true => Cow::Borrowed(self.raw()),
            false => unescape_attr(self.raw()),
        }
    }

    /// Value as written, without its quotes.
    pub fn raw(&self) -> &'a str {
        text(self.at.raw(self.element.frame()))
    }

    /// Where `name='value'` stands in the element's bytes, both quotes included.
    pub fn range(&self) -> Range<usize> {
        self.at.name.start as usize..(self.at.value + self.at.len) as usize + 1
    }

    /// The prefix it declares (empty: the default namespace), if it is a namespace declaration.
    pub fn declares(&self) -> Option<&'a str> {
        self.at.declares(self.element.frame()).map(text)
    }

    /// True for `xmlns` and `xmlns:…`.
    pub fn is_declaration(&self) -> bool {
        self.declares().is_some()
    }
}
