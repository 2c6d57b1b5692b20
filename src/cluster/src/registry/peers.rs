//! What the peers say they have: a map in shards, so that readers and writers seldom meet.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use parking_lot::{Mutex, RwLock};
use smallvec::SmallVec;

use super::Change;
use super::holder::{Holder, PeerIndex};
use super::key::{Key, KeyKind, Resources};
use crate::node::NodeName;

const SHARDS: usize = 64;

/// Who says to have a key, the one that keeps it first. More than one only after a split.
type Holders = SmallVec<[Holder; 1]>;
type Shard = RwLock<HashMap<Box<str>, Holders>>;

#[derive(Debug)]
pub(super) struct Peers {
    hasher: RandomState,
    /// By kind.
    shards: [[Shard; SHARDS]; KeyKind::ALL.len()],
    peers: Mutex<Vec<Known>>,
}

#[derive(Debug)]
struct Known {
    name: NodeName,
    /// Which full sync its entries are of.
    sync: u32,
    entries: usize,
}

impl Default for Peers {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            shards: std::array::from_fn(|_| std::array::from_fn(|_| Shard::default())),
            peers: Mutex::default(),
        }
    }
}

impl Peers {
    fn shard(&self, kind: KeyKind, name: &str) -> &Shard {
        // The top bits: the maps use the others.
        let hash = self.hasher.hash_one(name) >> 58;
        &self.shards[kind.index()][(hash as usize) % SHARDS]
    }

    pub(super) fn read<T>(
        &self,
        kind: KeyKind,
        name: &str,
        look: impl FnOnce(&Holder) -> T,
    ) -> Option<T> {
        let shard = self.shard(kind, name).read();
        shard.get(name)?.first().map(look)
    }

    pub(super) fn index(&self, name: &NodeName) -> PeerIndex {
        let mut peers = self.peers.lock();
        let found = peers.iter().position(|known| known.name == *name);
        let index = found.unwrap_or_else(|| {
            peers.push(Known {
                name: name.clone(),
                sync: 0,
                entries: 0,
            });
            peers.len() - 1
        });
        PeerIndex(u32::try_from(index).unwrap_or(u32::MAX))
    }

    pub(super) fn name(&self, peer: PeerIndex) -> Option<NodeName> {
        self.with(peer, |known| known.name.clone())
    }

    pub(super) fn len(&self, peer: PeerIndex) -> usize {
        self.with(peer, |known| known.entries).unwrap_or(0)
    }

    fn with<T>(&self, peer: PeerIndex, look: impl FnOnce(&mut Known) -> T) -> Option<T> {
        self.peers.lock().get_mut(peer.0 as usize).map(look)
    }

    pub(super) fn set(
        &self,
        peer: PeerIndex,
        kind: KeyKind,
        name: &str,
        epoch: u64,
        value: Resources,
        changes: &mut Vec<Change>,
    ) {
        let Some(sync) = self.with(peer, |known| known.sync) else {
            return;
        };
        let holder = Holder {
            peer,
            sync,
            epoch,
            value,
        };
        let mut shard = self.shard(kind, name).write();
        if !shard.contains_key(name) {
            shard.insert(name.into(), Holders::new());
        }
        let Some(holders) = shard.get_mut(name) else {
            return;
        };
        match holders.iter_mut().find(|held| held.peer == peer) {
            Some(held) => {
                let before = std::mem::replace(held, holder);
                if before.value != held.value || before.epoch != held.epoch {
                    changes.push(Change::Changed {
                        key: Key::new(kind, name),
                        before: before.value,
                    });
                }
            }
            None => {
                holders.push(holder);
                self.with(peer, |known| known.entries += 1);
                changes.push(Change::Appeared(Key::new(kind, name)));
            }
        }
        if holders.len() > 1 {
            holders.sort_by_cached_key(|held| (held.epoch, self.name(held.peer)));
        }
    }

    pub(super) fn remove(
        &self,
        peer: PeerIndex,
        kind: KeyKind,
        name: &str,
        changes: &mut Vec<Change>,
    ) {
        let mut shard = self.shard(kind, name).write();
        let Some(holders) = shard.get_mut(name) else {
            return;
        };
        let Some(at) = holders.iter().position(|held| held.peer == peer) else {
            return;
        };
        let before = holders.remove(at).value;
        if holders.is_empty() {
            shard.remove(name);
        }
        self.with(peer, |known| known.entries -= 1);
        changes.push(Change::Gone {
            key: Key::new(kind, name),
            before,
        });
    }

    /// Whatever is not said again until the end is no more.
    pub(super) fn begin(&self, peer: PeerIndex) {
        self.with(peer, |known| known.sync = known.sync.wrapping_add(1));
    }

    pub(super) fn end(&self, peer: PeerIndex, changes: &mut Vec<Change>) {
        let Some(sync) = self.with(peer, |known| known.sync) else {
            return;
        };
        self.drop_all(|held| held.peer == peer && held.sync != sync, changes);
    }

    pub(super) fn sweep(&self, peer: PeerIndex, changes: &mut Vec<Change>) {
        if self.len(peer) > 0 {
            self.drop_all(|held| held.peer == peer, changes);
        }
    }

    fn drop_all(&self, which: impl Fn(&Holder) -> bool, changes: &mut Vec<Change>) {
        for kind in KeyKind::ALL {
            for shard in &self.shards[kind.index()] {
                // A shard at a time: stanzas pass in between.
                shard.write().retain(|name, holders| {
                    holders.retain(|held| {
                        let gone = which(held);
                        if gone {
                            self.with(held.peer, |known| known.entries -= 1);
                            changes.push(Change::Gone {
                                key: Key::new(kind, name),
                                before: std::mem::take(&mut held.value),
                            });
                        }
                        !gone
                    });
                    !holders.is_empty()
                });
            }
        }
    }

    pub(super) fn of(&self, peer: PeerIndex) -> Vec<(Key, u64, Resources)> {
        let mut all = Vec::new();
        for kind in KeyKind::ALL {
            for shard in &self.shards[kind.index()] {
                for (name, holders) in &*shard.read() {
                    let held = holders.iter().filter(|held| held.peer == peer);
                    all.extend(held.map(|h| (Key::new(kind, name), h.epoch, h.value.clone())));
                }
            }
        }
        all
    }
}
