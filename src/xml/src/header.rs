//! The opening tag of a stream.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;

use crate::element::Element;
use crate::index::Index;
use crate::scope::Scope;

/// A stream header (RFC 6120 §4.7), checked as XML but not for what it says.
#[derive(Debug, Clone)]
pub struct Header(Element);

impl Header {
    pub(crate) fn new(frame: Bytes, index: Index) -> Self {
        // The header is its own scope: what it declares surrounds everything after it.
        let outside = Element::new(frame, index, Arc::default());
        let scope = Scope {
            decls: outside
                .declarations()
                .map(|(prefix, ns)| (prefix.into(), ns.as_ref().into()))
                .collect(),
            lang: outside.lang().map(Into::into),
        };
        Self(outside.within(Arc::new(scope)))
    }

    pub(crate) fn scope(&self) -> Arc<Scope> {
        self.0.scope().clone()
    }

    /// Local name, `stream` in a proper header.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// Namespace of the header itself, `http://etherx.jabber.org/streams` in a proper one.
    pub fn ns(&self) -> &str {
        self.0.ns()
    }

    /// The content namespace: what `xmlns='…'` says, empty if it is missing.
    pub fn default_ns(&self) -> &str {
        self.0.scope().default_ns()
    }

    /// An attribute by the name as written, decoded.
    pub fn attr(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.attr(name)
    }

    /// `xml:lang`, the language of everything in the stream that says nothing else.
    pub fn lang(&self) -> Option<Cow<'_, str>> {
        self.0.attr("xml:lang")
    }

    /// Declared prefixes and namespaces; the empty prefix is the default namespace.
    pub fn declarations(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        self.0.declarations()
    }

    /// The tag as received.
    pub fn bytes(&self) -> &Bytes {
        self.0.bytes()
    }
}
