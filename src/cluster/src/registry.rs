//! What is where: what this node has, and what the others say they have.
//!
//! Each node says of its own entries what has changed, in *deltas*, to each peer. A change is written down once
//! however often it happens before the peer is told. To a peer with a new link everything is told, between a
//! begin and an end; what the peer knew before and is not told again is dropped there at the end.

mod delta;
mod holder;
mod key;
mod own;
mod peers;

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use crate::frame::Garbage;
use crate::node::{Millis, NodeName};

pub use holder::{Holder, Home, PeerIndex, Winner};
pub use key::{Key, KeyKind, Resource, Resources};

use own::Own;
use peers::Peers;

/// What a delta of a peer, or its end, has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The peer has a key that it did not have.
    Appeared(Key),
    /// It has other resources than before.
    Changed {
        /// Which.
        key: Key,
        /// What it had.
        before: Resources,
    },
    /// It does not have it any more.
    Gone {
        /// Which.
        key: Key,
        /// What it had.
        before: Resources,
    },
    /// Both this node and the peer have it: whoever does not win gives it up.
    Conflict {
        /// Which.
        key: Key,
        /// Whose it stays.
        winner: Winner,
    },
}

/// What is where. Looking up takes one read lock; any thread may do anything.
#[derive(Debug)]
pub struct Registry {
    us: NodeName,
    own: Mutex<Own>,
    peers: Peers,
}

impl Registry {
    /// That of this node, empty.
    #[must_use]
    pub fn new(us: NodeName) -> Self {
        Self {
            us,
            own: Mutex::default(),
            peers: Peers::default(),
        }
    }

    /// This node has `key`, with these resources. Its epoch is that of its first time; `clock` counts from 1970.
    ///
    /// Returns who keeps it if a peer has it too.
    pub fn set(
        &self,
        clock: Millis,
        kind: KeyKind,
        name: &str,
        value: Resources,
    ) -> Option<Winner> {
        let epoch = self.own.lock().set(clock, Key::new(kind, name), value);
        // After it was written down: a delta that comes just now finds it.
        self.rival(kind, name, epoch)
    }

    /// This node does not have `key` any more.
    pub fn remove(&self, kind: KeyKind, name: &str) {
        self.own.lock().remove(&Key::new(kind, name));
    }

    /// What this node has of `key`, with its epoch.
    #[must_use]
    pub fn own(&self, kind: KeyKind, name: &str) -> Option<(u64, Resources)> {
        let own = self.own.lock();
        own.get(&Key::new(kind, name))
            .map(|(epoch, value)| (epoch, value.clone()))
    }

    /// How many keys this node has.
    #[must_use]
    pub fn own_len(&self) -> usize {
        self.own.lock().len()
    }

    /// How many keys this peer has.
    #[must_use]
    pub fn peer_len(&self, peer: PeerIndex) -> usize {
        self.peers.len(peer)
    }

    /// The peer that has `key`; if several say so, the one that keeps it.
    #[must_use]
    pub fn home(&self, kind: KeyKind, name: &str) -> Option<Home> {
        self.peers.read(kind, name, |holder| Home {
            peer: holder.peer,
            epoch: holder.epoch,
        })
    }

    /// The resources of `key` at its home, if that is a peer.
    #[must_use]
    pub fn resources(&self, kind: KeyKind, name: &str) -> Option<Resources> {
        self.peers.read(kind, name, |holder| holder.value.clone())
    }

    /// The name of a peer.
    #[must_use]
    pub fn peer(&self, peer: PeerIndex) -> Option<NodeName> {
        self.peers.name(peer)
    }

    /// The number of a peer; it stays the same in all its lives.
    pub fn peer_index(&self, name: &NodeName) -> PeerIndex {
        self.peers.index(name)
    }

    /// A number that grows with every change of what this node has.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.own.lock().version()
    }

    /// All changes up to this [`version`](Self::version) were taken for `peer`.
    #[must_use]
    pub fn taken(&self, peer: PeerIndex) -> u64 {
        self.own.lock().taken(peer)
    }

    /// There is a new link to a peer: it is told everything. Call it before the link carries anything.
    pub fn joined(&self, peer: PeerIndex) {
        self.own.lock().joined(peer);
    }

    /// Takes what `peer` is to be told, about `most` bytes. Nothing: it was told everything.
    pub fn take(&self, peer: PeerIndex, most: usize) -> Option<Bytes> {
        self.own.lock().take(peer, most)
    }

    /// A delta has come from a peer. Those of one peer are applied one after another.
    ///
    /// # Errors
    /// It makes no sense; what came before the bad part was applied, and is in `changes`.
    pub fn apply(
        &self,
        peer: PeerIndex,
        delta: Bytes,
        changes: &mut Vec<Change>,
    ) -> Result<(), Garbage> {
        let mut items = delta;
        while let Some(item) = delta::next(&mut items)? {
            match item {
                delta::Item::Begin => self.peers.begin(peer),
                delta::Item::End => self.peers.end(peer, changes),
                delta::Item::Set {
                    kind: Some(kind),
                    name,
                    epoch,
                    value,
                } => self.applied(peer, kind, &name, epoch, value, changes),
                delta::Item::Drop {
                    kind: Some(kind),
                    name,
                } => self.peers.remove(peer, kind, &name, changes),
                // Of a kind that a later version knows.
                delta::Item::Set { .. } | delta::Item::Drop { .. } => {}
            }
        }
        Ok(())
    }

    fn applied(
        &self,
        peer: PeerIndex,
        kind: KeyKind,
        name: &str,
        epoch: u64,
        value: Resources,
        changes: &mut Vec<Change>,
    ) {
        self.peers.set(peer, kind, name, epoch, value, changes);
        // After it was written down: whoever sets ours just now finds it.
        let key = Key::new(kind, name);
        let ours = self.own.lock().get(&key).map(|(epoch, _)| epoch);
        if let Some(winner) = ours.and_then(|ours| self.against(peer, epoch, ours)) {
            changes.push(Change::Conflict { key, winner });
        }
    }

    /// Who keeps a key that this node has with this epoch, if a peer has it too.
    fn rival(&self, kind: KeyKind, name: &str, ours: u64) -> Option<Winner> {
        let theirs = self.home(kind, name)?;
        self.against(theirs.peer, theirs.epoch, ours)
    }

    fn against(&self, peer: PeerIndex, theirs: u64, ours: u64) -> Option<Winner> {
        let name = self.peers.name(peer)?;
        let we = (ours, &self.us) < (theirs, &name);
        Some(if we { Winner::Us } else { Winner::Peer(peer) })
    }

    /// A peer is gone: so is what it had, and nobody has to be told for it.
    pub fn sweep(&self, peer: PeerIndex) -> Vec<Change> {
        self.own.lock().gone(peer);
        let mut changes = Vec::new();
        self.peers.sweep(peer, &mut changes);
        changes
    }

    /// What a peer has, by key; for checks, since it looks at everything.
    #[must_use]
    pub fn of_peer(&self, peer: PeerIndex) -> Vec<(Key, u64, Resources)> {
        self.peers.of(peer)
    }

    /// What this node has; for checks, since it looks at everything.
    #[must_use]
    pub fn all_own(&self) -> Vec<(Arc<Key>, u64, Resources)> {
        self.own.lock().all()
    }
}
