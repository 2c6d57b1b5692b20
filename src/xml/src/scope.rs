//! The namespaces and the language that a stream header declares for everything inside it.

use std::sync::{Arc, LazyLock};

use crate::index::same;

/// Namespace of the prefix `xml`.
pub(crate) const XML_NS: &str = "http://www.w3.org/XML/1998/namespace";
/// Namespace of the prefix `xmlns`, which nobody may declare.
pub(crate) const XMLNS_NS: &str = "http://www.w3.org/2000/xmlns/";
/// The content namespace of clients, taken as the surrounding one where no stream says otherwise.
pub(crate) const CLIENT_NS: &str = "jabber:client";

/// Declarations that surround an element, shared by all elements of one stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    /// `(prefix, namespace)`; the empty prefix is the default namespace. At most 64.
    pub(crate) decls: Vec<(Box<str>, Box<str>)>,
    /// The stream's `xml:lang`.
    pub(crate) lang: Option<Box<str>>,
}

impl Scope {
    /// Most declarations a scope holds: an element marks the ones it needs in 64 bits.
    pub(crate) const MAX: usize = 64;

    /// A scope with a default namespace and nothing else.
    pub(crate) fn of_default(ns: &str) -> Arc<Self> {
        if ns == CLIENT_NS {
            static CLIENT: LazyLock<Arc<Scope>> = LazyLock::new(|| {
                Arc::new(Scope {
                    decls: vec![("".into(), CLIENT_NS.into())],
                    lang: None,
                })
            });
            return CLIENT.clone();
        }
        Arc::new(Self {
            decls: vec![("".into(), ns.into())],
            lang: None,
        })
    }

    /// Place of a prefix among the declarations.
    pub(crate) fn find(&self, prefix: &[u8]) -> Option<usize> {
        self.decls
            .iter()
            .position(|(p, _)| same(p.as_bytes(), prefix))
    }

    /// The default namespace, empty if there is none.
    pub(crate) fn default_ns(&self) -> &str {
        self.find(b"").map_or("", |i| &self.decls[i].1)
    }
}
