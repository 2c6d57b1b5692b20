//! Where the router and the links to other nodes meet.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ::cluster::{Change, KeyKind, Millis, NodeName, Resource, Resources, Winner, highest};
use bytes::Bytes;
use parking_lot::Mutex;
use router::{Account, Control, Elsewhere, Letter, OthersTold, Peer, Router, Unsent, Vanished};
use tokio::time::Instant;
use xmpp::{FullJid, StreamCondition, StreamError};

use super::{Cluster, NotSent, Receiver};
use crate::guests::Guests;

/// For so long after a node has come, what it says it has may be what it had while nobody saw it:
/// contacts of those accounts show themselves again.
const MEETING: Duration = Duration::from_secs(5);

/// Tells the router what comes from other nodes, and other nodes what the router has for them.
pub struct Crossing {
    router: Router,
    name: Peer,
    needs_quorum: bool,
    cluster: OnceLock<Cluster>,
    guests: OnceLock<Arc<Guests>>,
    /// Nodes that have come a moment ago.
    met: Mutex<HashMap<NodeName, Instant>>,
}

impl Crossing {
    /// One for the node `name`. With `needs_quorum` nobody logs in while most of the nodes are missing.
    #[must_use]
    pub fn new(router: Router, name: &NodeName, needs_quorum: bool) -> Arc<Self> {
        Arc::new(Self {
            router,
            name: Peer(name.shared()),
            needs_quorum,
            cluster: OnceLock::new(),
            guests: OnceLock::new(),
            met: Mutex::default(),
        })
    }

    /// The other nodes; from now on the router knows of them. Once, before anybody logs in.
    pub fn open(self: &Arc<Self>, cluster: Cluster, guests: Arc<Guests>) {
        // A node is put together once.
        let _ = self.cluster.set(cluster);
        let _ = self.guests.set(guests);
        self.router.join(self.clone());
    }

    /// This node has given way to another one, which has had the account for longer: its clients open
    /// their sessions there when they come back.
    fn give_way(&self, account: &str) {
        let Some(there) = self.router.directory().account(account) else {
            return;
        };
        tracing::info!(what = "two_homes", account, "its sessions here end");
        for session in there.sessions() {
            let reset = StreamError::new(StreamCondition::Reset);
            session.inbox.control(Control::Close(reset));
        }
    }

    /// What was for a node and did not get there.
    fn take_back(&self, peer: &Peer, untaken: Vec<Bytes>, is_gone: bool) {
        let letters = untaken
            .into_iter()
            .filter_map(|letter| Letter::read(letter).ok());
        let (stanzas, guests): (Vec<_>, Vec<_>) =
            letters.partition(|letter| matches!(letter, Letter::Stanza { .. }));
        if is_gone {
            if let Some(known) = self.guests.get() {
                known.peer_gone(peer, guests);
            }
            self.router.peer_gone(peer);
        }
        for letter in stanzas {
            self.router.receive(peer, letter);
        }
    }
}

impl Elsewhere for Crossing {
    fn home(&self, account: &str) -> Option<Peer> {
        let registry = self.cluster.get()?.registry();
        let home = registry.home(KeyKind::Account, account)?;
        registry.peer(home.peer).map(|name| Peer(name.shared()))
    }

    fn name(&self) -> Peer {
        self.name.clone()
    }

    fn serves(&self) -> bool {
        !self.needs_quorum || self.cluster.get().is_some_and(Cluster::has_quorum)
    }

    fn available(&self, account: &str) -> Vec<FullJid> {
        let registry = self.cluster.get().map(Cluster::registry);
        let there = registry.and_then(|registry| registry.resources(KeyKind::Account, account));
        there.map_or_else(Vec::new, |there| available(account, &there))
    }

    fn arbiter(&self, account: &str) -> Option<Peer> {
        let living = self.cluster.get()?.peers();
        let arbiter = highest(living.iter().map(NodeName::as_str), account)?;
        (arbiter != &*self.name.0).then(|| Peer(arbiter.into()))
    }

    fn send(&self, to: &Peer, letter: Bytes) -> Result<(), Unsent> {
        let name = NodeName::new(&to.0).map_err(|_| Unsent::Gone)?;
        let cluster = self.cluster.get().ok_or(Unsent::Gone)?;
        cluster.send(&name, letter).map_err(|error| match error {
            NotSent::Full | NotSent::Long => Unsent::Full,
            NotSent::Gone => Unsent::Gone,
        })
    }

    fn changed(&self, account: &Account) {
        let Some(cluster) = self.cluster.get() else {
            return;
        };
        let sessions = account.sessions();
        let resources = Resources::new(sessions.iter().map(|session| Resource {
            name: session.jid.resource(),
            available: session.priority().is_some(),
        }));
        let clock = Millis(u64::try_from(self.router.clock().unix_millis()).unwrap_or_default());
        let bare = account.jid().as_ref();
        let rival = cluster
            .registry()
            .set(clock, KeyKind::Account, bare, resources);
        cluster.changed();
        if let Some(Winner::Peer(_)) = rival {
            self.give_way(bare);
        }
    }

    fn left(&self, account: &str) {
        if let Some(cluster) = self.cluster.get() {
            cluster.registry().remove(KeyKind::Account, account);
            cluster.changed();
        }
    }

    fn told(&self) -> Option<OthersTold> {
        self.cluster.get()?.told()
    }
}

impl Receiver for Crossing {
    fn letter(&self, from: &NodeName, letter: Bytes) {
        let from = Peer(from.shared());
        match Letter::read(letter) {
            Ok(letter) => {
                if let Some(letter) = self.router.receive(&from, letter)
                    && let Some(guests) = self.guests.get()
                {
                    guests.letter(&from, letter);
                }
            }
            Err(error) => tracing::warn!(what = "bad_letter", node = %from, %error),
        }
    }

    fn changes(&self, from: &NodeName, changes: Vec<Change>) {
        let now = Instant::now();
        let meets = {
            let mut met = self.met.lock();
            met.retain(|_, since| now.duration_since(*since) < MEETING);
            met.contains_key(from)
        };
        let mut come = HashSet::new();
        for change in changes {
            match change {
                Change::Appeared(key) if key.kind == KeyKind::Account => {
                    self.router.homes_changed([&*key.name]);
                    if meets {
                        come.insert(key.name.clone());
                    }
                }
                Change::Gone { key, .. } if key.kind == KeyKind::Account => {
                    self.router.homes_changed([&*key.name]);
                }
                Change::Conflict {
                    key,
                    winner: Winner::Peer(_),
                } if key.kind == KeyKind::Account => self.give_way(&key.name),
                _ => {}
            }
        }
        if !come.is_empty() {
            let router = self.router.clone();
            tokio::spawn(async move { router.peers_changed(Vanished::new(), come).await });
        }
    }

    fn peer_up(&self, peer: &NodeName) {
        self.met.lock().insert(peer.clone(), Instant::now());
    }

    fn peer_gone(&self, peer: &NodeName, unconfirmed: Vec<Bytes>, gone: Vec<Change>) {
        let mut vanished = Vanished::new();
        for change in gone {
            if let Change::Gone { key, before } = change
                && key.kind == KeyKind::Account
            {
                let sessions = available(&key.name, &before);
                if !sessions.is_empty() {
                    vanished.insert(key.name, sessions);
                }
            }
        }
        self.take_back(&Peer(peer.shared()), unconfirmed, true);
        let router = self.router.clone();
        tokio::spawn(async move { router.peers_changed(vanished, HashSet::new()).await });
    }

    fn returned(&self, peer: &NodeName, unconfirmed: Vec<Bytes>) {
        self.take_back(&Peer(peer.shared()), unconfirmed, false);
    }
}

fn available(account: &str, resources: &Resources) -> Vec<FullJid> {
    let full = |resource: &str| FullJid::new(&[account, "/", resource].concat()).ok();
    resources.available().filter_map(full).collect()
}
