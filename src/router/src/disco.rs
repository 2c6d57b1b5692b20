//! What the host and its accounts say of themselves (XEP-0030): the registry behind the disco
//! module.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// An identity of an entity (XEP-0030 §3.1; the registry of categories).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// Such as `server`.
    pub category: &'static str,
    /// Such as `im`.
    pub kind: &'static str,
    /// What a person may read; empty for no name.
    pub name: Cow<'static, str>,
}

/// More about an entity, in a form whose fields are registered under its type (XEP-0128).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// The value of `FORM_TYPE`.
    pub form_type: &'static str,
    /// The name of each field and its values.
    pub fields: BTreeMap<&'static str, Vec<String>>,
}

/// The identities, features and forms of one kind of address.
#[derive(Debug, Clone, Default)]
pub struct Disco {
    identities: BTreeSet<Identity>,
    features: BTreeSet<&'static str>,
    forms: BTreeMap<&'static str, Form>,
    nodes: BTreeSet<String>,
}

impl Disco {
    pub(crate) fn add_identity(&mut self, identity: Identity) {
        self.identities.insert(identity);
    }

    pub(crate) fn add_feature(&mut self, feature: &'static str) {
        self.features.insert(feature);
    }

    /// Of two forms of one type the later counts: a reader would take both for broken.
    pub(crate) fn add_form(&mut self, form: Form) {
        self.forms.insert(form.form_type, form);
    }

    pub(crate) fn add_node(&mut self, node: String) {
        self.nodes.insert(node);
    }

    /// Whether the same is told of this node as without a node.
    #[must_use]
    pub fn has_node(&self, node: &str) -> bool {
        self.nodes.contains(node)
    }

    /// The forms, in the order of their types, each once.
    pub fn forms(&self) -> impl Iterator<Item = &Form> {
        self.forms.values()
    }

    /// The identities, in order.
    pub fn identities(&self) -> impl Iterator<Item = &Identity> {
        self.identities.iter()
    }

    /// The features, in order, each once.
    pub fn features(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.features.iter().copied()
    }
}
