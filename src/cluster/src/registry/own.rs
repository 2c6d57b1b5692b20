//! What this node has, and what each peer has still to be told of it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::delta;
use super::holder::PeerIndex;
use super::key::{Key, Resources};
use crate::node::Millis;

#[derive(Debug, Default)]
pub(super) struct Own {
    entries: HashMap<Arc<Key>, Entry>,
    followers: HashMap<PeerIndex, Follower>,
    last_epoch: u64,
    version: u64,
}

#[derive(Debug)]
struct Entry {
    epoch: u64,
    value: Resources,
}

/// What a peer has to be told, in order.
#[derive(Debug, Default)]
struct Follower {
    queue: VecDeque<Untold>,
    dirty: HashSet<Arc<Key>>,
}

#[derive(Debug)]
enum Untold {
    Begin,
    End,
    /// It has changed; first at this version since the peer was told.
    Key(Arc<Key>, u64),
}

impl Own {
    /// Returns the epoch.
    pub(super) fn set(&mut self, clock: Millis, key: Key, value: Resources) -> u64 {
        let known = self.entries.get_key_value(&key);
        if let Some((_, entry)) = known.filter(|(_, entry)| entry.value == value) {
            return entry.epoch;
        }
        let key = known.map_or_else(|| Arc::new(key.clone()), |(key, _)| key.clone());
        let epoch = if let Some(entry) = self.entries.get_mut(&key) {
            entry.value = value;
            entry.epoch
        } else {
            // The clock may step back; epochs don't.
            self.last_epoch = clock.0.max(self.last_epoch + 1);
            let epoch = self.last_epoch;
            self.entries.insert(key.clone(), Entry { epoch, value });
            epoch
        };
        self.changed(&key);
        epoch
    }

    pub(super) fn remove(&mut self, key: &Key) {
        if let Some((key, _)) = self.entries.remove_entry(key) {
            self.changed(&key);
        }
    }

    pub(super) fn get(&self, key: &Key) -> Option<(u64, &Resources)> {
        self.entries.get(key).map(|e| (e.epoch, &e.value))
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn taken(&self, peer: PeerIndex) -> u64 {
        let Some(follower) = self.followers.get(&peer) else {
            return self.version;
        };
        let first = follower.queue.iter().find_map(|untold| match untold {
            Untold::Key(_, version) => Some(*version),
            Untold::Begin | Untold::End => None,
        });
        first.map_or(self.version, |first| first.saturating_sub(1))
    }

    fn changed(&mut self, key: &Arc<Key>) {
        self.version += 1;
        for follower in self.followers.values_mut() {
            follower.note(key, self.version);
        }
    }

    pub(super) fn joined(&mut self, peer: PeerIndex) {
        let mut follower = Follower::default();
        follower.queue.push_back(Untold::Begin);
        for key in self.entries.keys() {
            // None of it was told over this link: all is as old as the oldest.
            follower.note(key, 1);
        }
        follower.queue.push_back(Untold::End);
        self.followers.insert(peer, follower);
    }

    pub(super) fn gone(&mut self, peer: PeerIndex) {
        self.followers.remove(&peer);
    }

    pub(super) fn take(&mut self, peer: PeerIndex, most: usize) -> Option<Bytes> {
        let follower = self.followers.get_mut(&peer)?;
        let mut out = BytesMut::new();
        while out.len() < most
            && let Some(untold) = follower.queue.pop_front()
        {
            match untold {
                Untold::Begin => delta::put_begin(&mut out),
                Untold::End => delta::put_end(&mut out),
                Untold::Key(key, _) => {
                    follower.dirty.remove(&key);
                    match self.entries.get(&key) {
                        Some(entry) => delta::put_set(&mut out, &key, entry.epoch, &entry.value),
                        None => delta::put_drop(&mut out, &key),
                    }
                }
            }
        }
        (!out.is_empty()).then(|| out.freeze())
    }

    pub(super) fn all(&self) -> Vec<(Arc<Key>, u64, Resources)> {
        let all = self.entries.iter();
        all.map(|(key, e)| (key.clone(), e.epoch, e.value.clone()))
            .collect()
    }
}

impl Follower {
    fn note(&mut self, key: &Arc<Key>, version: u64) {
        if self.dirty.insert(key.clone()) {
            self.queue.push_back(Untold::Key(key.clone(), version));
        }
    }
}
