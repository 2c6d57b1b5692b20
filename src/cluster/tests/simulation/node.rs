//! One node: what a driver does, without sockets.

use std::collections::BTreeSet;

use bytes::Bytes;
use cluster::{
    Boot, Change, Cookie, Event, Greeting, KeyKind, LinkLimits, Members, Millis, NodeId, NodeName,
    Parcel, Registry, Resource, Resources, Winner,
};

pub(crate) const LIMITS: LinkLimits = LinkLimits {
    bytes: 4_000,
    letters: 50,
    dead_after: Millis(5_000),
};

/// A letter: who sent it, in which life, to whom, and its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Letter {
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) number: u64,
}

impl Letter {
    pub(crate) fn to_bytes(self) -> Bytes {
        let numbers = [self.from, self.to, self.number];
        numbers.iter().flat_map(|n| n.to_be_bytes()).collect()
    }

    pub(crate) fn read(bytes: &[u8]) -> Self {
        let number = |i: usize| u64::from_be_bytes(bytes[i * 8..][..8].try_into().unwrap());
        Self {
            from: number(0),
            to: number(1),
            number: number(2),
        }
    }
}

pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) members: Members,
    pub(crate) registry: Registry,
    /// In the order in which they came.
    pub(crate) received: Vec<Letter>,
    /// Letters that were given back.
    pub(crate) returned: Vec<Letter>,
    /// What its clock is wrong by.
    pub(crate) clock: u64,
}

impl Node {
    pub(crate) fn new(name: &str, boot: u64, clock: u64) -> Self {
        let name = NodeName::new(name).unwrap();
        let id = NodeId {
            name: name.clone(),
            boot: Boot(boot),
        };
        Self {
            members: Members::new(id.clone(), LIMITS, Millis(60_000)),
            registry: Registry::new(name),
            id,
            received: Vec::new(),
            returned: Vec::new(),
            clock,
        }
    }

    pub(crate) fn greeting(&self, nonce: u64) -> Greeting {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&nonce.to_be_bytes());
        Greeting {
            cluster: "verona".into(),
            us: self.id.clone(),
            cookie: Cookie::new("a pair of star-crossed lovers"),
            versions: (1, 1),
            features: 0,
            clock: Millis(0),
            nonce: bytes,
            binding: None,
        }
    }

    pub(crate) fn login(&mut self, now: Millis, account: &str, resource: &str) {
        let value = Resources::new([Resource {
            name: resource,
            available: true,
        }]);
        let clock = Millis(now.0 + self.clock);
        let winner = self.registry.set(clock, KeyKind::Account, account, value);
        if let Some(Winner::Peer(_)) = winner {
            self.registry.remove(KeyKind::Account, account);
        }
    }

    /// Does what the members say is to be done.
    pub(crate) fn events(&mut self) {
        for event in self.members.events() {
            match event {
                Event::Returned { untaken, .. } => {
                    self.returned
                        .extend(untaken.iter().map(|l| Letter::read(l)));
                }
                Event::Gone { peer } => {
                    let index = self.registry.peer_index(&peer.name);
                    self.registry.sweep(index);
                }
                Event::Joined { peer } => {
                    let index = self.registry.peer_index(&peer.name);
                    self.registry.joined(index);
                }
            }
        }
    }

    pub(crate) fn parcels(&mut self, from: &NodeId, parcels: Vec<Parcel>) {
        let peer = self.registry.peer_index(&from.name);
        for parcel in parcels {
            match parcel {
                Parcel::Letter(bytes) => self.received.push(Letter::read(&bytes)),
                Parcel::Delta(delta) => {
                    let mut changes = Vec::new();
                    self.registry.apply(peer, delta, &mut changes).unwrap();
                    for change in changes {
                        if let Change::Conflict {
                            key,
                            winner: Winner::Peer(_),
                        } = change
                        {
                            self.registry.remove(key.kind, &key.name);
                        }
                    }
                }
            }
        }
    }

    pub(crate) fn own(&self) -> BTreeSet<(String, u64, String)> {
        let all = self.registry.all_own().into_iter();
        all.map(|(key, epoch, value)| (key.name.to_string(), epoch, format!("{value:?}")))
            .collect()
    }

    pub(crate) fn of(&self, peer: &NodeName) -> BTreeSet<(String, u64, String)> {
        let all = self.registry.of_peer(self.registry.peer_index(peer));
        all.into_iter()
            .map(|(key, epoch, value)| (key.name.to_string(), epoch, format!("{value:?}")))
            .collect()
    }
}
