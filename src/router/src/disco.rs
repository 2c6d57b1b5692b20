//! What the host and its accounts say of themselves (XEP-0030): the registry behind the disco
//! module.

use std::collections::BTreeSet;

/// An identity of an entity (XEP-0030 §3.1; the registry of categories).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// Such as `server`.
    pub category: &'static str,
    /// Such as `im`.
    pub kind: &'static str,
    /// What a person may read.
    pub name: &'static str,
}

/// The identities and features of one kind of address.
#[derive(Debug, Clone, Default)]
pub struct Disco {
    identities: BTreeSet<Identity>,
    features: BTreeSet<&'static str>,
}

impl Disco {
    pub(crate) fn add_identity(&mut self, identity: Identity) {
        self.identities.insert(identity);
    }

    pub(crate) fn add_feature(&mut self, feature: &'static str) {
        self.features.insert(feature);
    }

    /// The identities, in order.
    pub fn identities(&self) -> impl Iterator<Item = Identity> + '_ {
        self.identities.iter().copied()
    }

    /// The features, in order, each once.
    pub fn features(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.features.iter().copied()
    }
}
