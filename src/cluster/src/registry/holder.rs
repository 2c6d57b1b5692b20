//! A peer that says it has a key.

use super::key::Resources;

/// A peer, in as few bytes as it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerIndex(pub(crate) u32);

/// Where a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Home {
    /// Who has it.
    pub peer: PeerIndex,
    /// Since when, by its clock; never the same for two things of one node.
    pub epoch: u64,
}

/// Who keeps a key that two nodes have: the one that has had it for longer; of two with one epoch, the one with
/// the smaller name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Winner {
    /// This node.
    Us,
    /// That one.
    Peer(PeerIndex),
}

/// What a peer says it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub(crate) peer: PeerIndex,
    /// Of which full sync it is, or after which it came.
    pub(crate) sync: u32,
    pub(crate) epoch: u64,
    pub(crate) value: Resources,
}
