//! The other nodes, as all of this node's parts share them: links, registry, and what comes.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use ::cluster::{
    Change, Cookie, Event, Life, Link, LinkLimits, Members, Met, Millis, NodeId, NodeName,
    NotTaken, Parcel, PeerIndex, Registry, Severed,
};
use bytes::{Bytes, BytesMut};
use ractor::Actor;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::caller::Linked;
use super::connection::Connection;
use super::link::{Link as LinkActor, LinkArgs};
use super::talk::{Ended, Talk};
use super::{NotSent, Receiver};
use crate::seat::Seat;
use crate::vitals::{Roll, lock};

/// Bytes of changes that are put into one delta, about.
const ONE_DELTA: usize = 64 << 10;

/// How often it is looked whether a node has confirmed what it was told: about a round trip.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// Who this node is among others.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The name of the cluster.
    pub cluster: Box<str>,
    /// This node in this life.
    pub node: NodeId,
    /// What all nodes of the cluster know.
    pub cookie: Cookie,
}

/// See the [module](self).
pub(super) struct Shared {
    pub(super) identity: Identity,
    started: Instant,
    pub(super) dead_after: Millis,
    pub(super) registry: Registry,
    members: Mutex<Members>,
    /// Events of the members are dealt with one after another.
    turn: Mutex<()>,
    peers: RwLock<HashMap<NodeName, Arc<Peer>>>,
    receiver: Arc<dyn Receiver>,
    links: Seat,
    down: Notify,
    roll: Roll,
}

/// What ties this node to another one.
pub(super) struct Peer {
    name: NodeName,
    /// While the other node isn't given up.
    link: Mutex<Option<Arc<parking_lot::Mutex<Link>>>>,
    /// Held while what came is dealt with, so that nothing overtakes it on another connection.
    order: Mutex<()>,
    wake: Arc<Notify>,
    /// Somebody was turned away and there is no room yet. Changed under the link's lock only.
    full: AtomicBool,
    room: Notify,
    pub(super) index: PeerIndex,
    pub(super) figures: PeerFigures,
    pub(super) last: Mutex<Last>,
}

/// What is counted of a peer since this node started.
#[derive(Debug, Default)]
pub(super) struct PeerFigures {
    pub(super) letters_sent: AtomicU64,
    pub(super) letters_received: AtomicU64,
    pub(super) bytes_sent: AtomicU64,
    pub(super) bytes_received: AtomicU64,
}

/// What was last seen of a peer.
#[derive(Debug, Clone)]
pub(super) struct Last {
    /// The other end of the connection, while there is one.
    pub(super) address: Option<SocketAddr>,
    /// Why the last connection ended.
    pub(super) error: Option<Arc<str>>,
    /// Since when it is so.
    pub(super) since: SystemTime,
}

impl Shared {
    pub(super) fn new(
        identity: Identity,
        limits: LinkLimits,
        forget_after: Millis,
        receiver: Arc<dyn Receiver>,
        links: Seat,
        roll: Roll,
    ) -> Arc<Self> {
        let members = Members::new(identity.node.clone(), limits, forget_after);
        Arc::new(Self {
            registry: Registry::new(identity.node.name.clone()),
            identity,
            started: Instant::now(),
            dead_after: limits.dead_after,
            members: Mutex::new(members),
            turn: Mutex::new(()),
            peers: RwLock::default(),
            receiver,
            links,
            down: Notify::new(),
            roll,
        })
    }

    /// The moment as the members count it.
    pub(super) fn millis(&self, at: Instant) -> Millis {
        let since = at.saturating_duration_since(self.started);
        Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    fn instant(&self, at: Millis) -> Instant {
        self.started + std::time::Duration::from_millis(at.0)
    }

    /// Does something with the members, and then what follows from it.
    pub(super) fn with_members<T>(&self, act: impl FnOnce(Millis, &mut Members) -> T) -> T {
        let done = act(self.millis(Instant::now()), &mut lock(&self.members));
        self.settle();
        done
    }

    /// When the members have something to do, if nothing is heard until then.
    pub(super) fn due(&self) -> Option<Instant> {
        lock(&self.members).due().map(|due| self.instant(due))
    }

    /// Deals with what has happened to the members, in its order.
    fn settle(&self) {
        let _turn = lock(&self.turn);
        loop {
            let events = lock(&self.members).events();
            if events.is_empty() {
                return;
            }
            let mut swept = None;
            for event in events {
                self.deal_with(event, &mut swept);
            }
        }
    }

    /// `swept` is what a peer had whose letters come back next.
    fn deal_with(&self, event: Event, swept: &mut Option<Vec<Change>>) {
        match event {
            Event::Joined { peer } => {
                tracing::info!(what = "node_joined", node = %peer.name);
                self.registry.joined(self.known(&peer.name).index);
                self.receiver.peer_up(&peer.name);
            }
            Event::Gone { peer } => {
                tracing::warn!(what = "node_gone", node = %peer.name);
                let known = self.known(&peer.name);
                // What it said before is dealt with first.
                let _order = lock(&known.order);
                *swept = Some(self.registry.sweep(known.index));
            }
            Event::Returned { peer, untaken } => {
                let known = self.known(&peer.name);
                self.refresh(&known);
                known.full.store(false, Ordering::Relaxed);
                known.room.notify_waiters();
                match swept.take() {
                    Some(gone) => self.receiver.peer_gone(&peer.name, untaken, gone),
                    None => self.receiver.returned(&peer.name, untaken),
                }
            }
        }
    }

    /// Takes over which link the members have.
    fn refresh(&self, peer: &Peer) {
        let members = lock(&self.members);
        let link = members.get(&peer.name).and_then(|member| member.link());
        *lock(&peer.link) = link.cloned();
    }

    /// This node has something or has it no more: all peers are told.
    pub(super) fn changed(&self) {
        let peers = self.peers.read().unwrap_or_else(PoisonError::into_inner);
        peers.values().for_each(|peer| peer.wake.notify_one());
    }

    /// Those that are there, and the state of the registry that they are to be told.
    pub(super) fn untold(&self) -> Vec<(Arc<Peer>, u64)> {
        let version = self.registry.version();
        let peers = self.peers.read().unwrap_or_else(PoisonError::into_inner);
        let there = peers.values().filter(|peer| peer.link().is_some());
        there.map(|peer| (peer.clone(), version)).collect()
    }

    /// Waits until these have confirmed that, or are gone.
    pub(super) async fn told(&self, waiting: Vec<(Arc<Peer>, u64)>) {
        for (peer, version) in waiting {
            let mut deltas = None;
            while let Some(link) = peer.link() {
                if deltas.is_none() && self.registry.taken(peer.index) >= version {
                    deltas = Some(link.lock().deltas().0);
                }
                if deltas.is_some_and(|deltas| link.lock().deltas().1 >= deltas) {
                    break;
                }
                sleep(LOOK_AGAIN).await;
            }
        }
    }

    /// All that are known, and how they are.
    pub(super) fn known_lives(&self) -> Vec<(NodeName, Life)> {
        let members = lock(&self.members);
        let lives = members.members();
        lives
            .map(|(name, member)| (name.clone(), member.life()))
            .collect()
    }

    /// Has every link tell the other side that this node leaves.
    pub(super) fn leave(&self) {
        let peers = self.peers.read().unwrap_or_else(PoisonError::into_inner);
        for peer in peers.values() {
            if let Some(link) = peer.link() {
                link.lock().leave();
                peer.wake.notify_one();
            }
        }
    }

    /// Waits until no link has a connection.
    pub(super) async fn all_down(&self) {
        loop {
            // Before the look, or what goes down in between is missed.
            let down = self.down.notified();
            if !self.is_any_up() {
                return;
            }
            down.await;
        }
    }

    fn is_any_up(&self) -> bool {
        let peers = self.peers.read().unwrap_or_else(PoisonError::into_inner);
        let mut links = peers.values().filter_map(|peer| peer.link());
        links.any(|link| link.lock().is_attached())
    }

    pub(super) fn has_quorum(&self) -> bool {
        let members = lock(&self.members);
        members.has_quorum(members.members().count() + 1)
    }

    /// The names of the nodes that are not given up, this one among them.
    pub(super) fn living(&self) -> Vec<NodeName> {
        let living = |name: &str| NodeName::new(name).ok();
        lock(&self.members).living().filter_map(living).collect()
    }

    pub(super) fn peer(&self, name: &NodeName) -> Option<Arc<Peer>> {
        let peers = self.peers.read().unwrap_or_else(PoisonError::into_inner);
        peers.get(name).cloned()
    }

    /// A connection carries the link to a peer from now on.
    ///
    /// # Errors
    /// If its actor does not start.
    pub(super) async fn link(
        self: &Arc<Self>,
        met: Met,
        connection: Connection,
        said: BytesMut,
    ) -> Result<(), String> {
        let peer = self.known(&met.peer.name);
        self.refresh(&peer);
        *lock(&peer.last) = Last {
            address: Some(connection.remote),
            error: None,
            since: SystemTime::now(),
        };
        let conversation = Conversation {
            shared: self.clone(),
            peer: peer.clone(),
            node: met.peer,
            link: met.link,
            connection: met.connection,
        };
        let over = conversation.over();
        let args = LinkArgs {
            peer: peer.name.shared(),
            connection,
            said,
            talk: conversation,
            wake: peer.wake.clone(),
            over,
            roll: self.roll.clone(),
        };
        let Some(supervisor) = self.links.current() else {
            return Err("this node is still starting".to_owned());
        };
        let started = Actor::spawn_linked(None, LinkActor::default(), args, supervisor).await;
        started.map(|_| ()).map_err(|error| error.to_string())
    }

    pub(super) fn known(&self, name: &NodeName) -> Arc<Peer> {
        if let Some(peer) = self.peer(name) {
            return peer;
        }
        let mut peers = self.peers.write().unwrap_or_else(PoisonError::into_inner);
        let fresh = || {
            Arc::new(Peer {
                name: name.clone(),
                link: Mutex::new(None),
                order: Mutex::new(()),
                wake: Arc::default(),
                full: AtomicBool::new(false),
                room: Notify::new(),
                index: self.registry.peer_index(name),
                figures: PeerFigures::default(),
                last: Mutex::new(Last {
                    address: None,
                    error: None,
                    since: SystemTime::now(),
                }),
            })
        };
        peers.entry(name.clone()).or_insert_with(fresh).clone()
    }

    pub(super) fn send(&self, name: &NodeName, letter: Bytes) -> Result<(), NotSent> {
        let peer = self.peer(name).ok_or(NotSent::Gone)?;
        let link = lock(&peer.link).clone().ok_or(NotSent::Gone)?;
        let mut link = link.lock();
        match link.push(letter) {
            Ok(()) => {
                drop(link);
                peer.figures.letters_sent.fetch_add(1, Ordering::Relaxed);
                peer.wake.notify_one();
                Ok(())
            }
            Err(NotTaken::Full) => {
                peer.full.store(true, Ordering::Relaxed);
                Err(NotSent::Full)
            }
            Err(NotTaken::Gone) => Err(NotSent::Gone),
            Err(NotTaken::Long) => Err(NotSent::Long),
        }
    }

    /// Resolves when a full link has room again, or is given up.
    pub(super) async fn room(&self, name: &NodeName) {
        let Some(peer) = self.peer(name) else {
            return;
        };
        let room = peer.room.notified();
        tokio::pin!(room);
        // Before the look, or room that comes in between is missed.
        room.as_mut().enable();
        if peer.full.load(Ordering::Relaxed) {
            room.await;
        }
    }
}

impl Peer {
    /// Its link, while it isn't given up.
    pub(super) fn link(&self) -> Option<Arc<parking_lot::Mutex<Link>>> {
        lock(&self.link).clone()
    }
}

impl Linked for Shared {
    fn is_linked(&self, node: &str) -> bool {
        let Ok(name) = NodeName::new(node) else {
            return false;
        };
        let peer = self.peer(&name);
        peer.is_some_and(|peer| {
            let link = lock(&peer.link);
            link.as_ref().is_some_and(|link| link.lock().is_attached())
        })
    }

    fn down(&self) -> &Notify {
        &self.down
    }
}

/// What is said over one connection of a link.
struct Conversation {
    shared: Arc<Shared>,
    peer: Arc<Peer>,
    node: NodeId,
    link: Arc<parking_lot::Mutex<Link>>,
    connection: ::cluster::Connection,
}

impl Conversation {
    /// What is to be done when the connection is over.
    fn over(&self) -> super::link::Over {
        let (shared, peer) = (self.shared.clone(), self.peer.clone());
        let (link, connection) = (self.link.clone(), self.connection);
        Box::new(move |ended: &Ended| {
            let carried = {
                let mut link = link.lock();
                let before = link.is_attached();
                link.disconnected(connection);
                before && !link.is_attached()
            };
            if carried {
                tracing::info!(what = "link_down", node = %peer.name, "{ended}");
                *lock(&peer.last) = Last {
                    address: None,
                    error: Some(ended.to_string().into()),
                    since: SystemTime::now(),
                };
            }
            shared.down.notify_one();
        })
    }

    /// What the peer is to be told of this node goes first.
    fn put_deltas(&self, link: &mut Link) -> Result<(), NotTaken> {
        while link.delta_room() >= ONE_DELTA {
            match self.shared.registry.take(self.peer.index, ONE_DELTA) {
                Some(delta) => link.push_delta(delta)?,
                None => break,
            }
        }
        Ok(())
    }

    fn deal_with(&self, parcel: Parcel) -> Result<(), String> {
        match parcel {
            Parcel::Letter(letter) => {
                self.peer
                    .figures
                    .letters_received
                    .fetch_add(1, Ordering::Relaxed);
                self.shared.receiver.letter(&self.node.name, letter);
            }
            Parcel::Delta(delta) => {
                let mut changes = Vec::new();
                let applied = self
                    .shared
                    .registry
                    .apply(self.peer.index, delta, &mut changes);
                if !changes.is_empty() {
                    self.shared.receiver.changes(&self.node.name, changes);
                }
                applied.map_err(|garbage| garbage.to_string())?;
            }
        }
        Ok(())
    }
}

impl Talk for Conversation {
    fn received(&self, now: Instant, bytes: &mut BytesMut) -> Result<(), String> {
        let now = self.shared.millis(now);
        let order = lock(&self.peer.order);
        let before = bytes.len();
        let mut parcels = Vec::new();
        let (result, drained) = {
            let mut link = self.link.lock();
            let result = link.received(self.connection, now, bytes, &mut parcels);
            let drained = link.drained();
            if drained {
                self.peer.full.store(false, Ordering::Relaxed);
            }
            (result, drained)
        };
        let taken = u64::try_from(before - bytes.len()).unwrap_or(u64::MAX);
        self.peer
            .figures
            .bytes_received
            .fetch_add(taken, Ordering::Relaxed);
        if drained {
            self.peer.room.notify_waiters();
        }
        // All of them count as taken, whatever is wrong with one.
        let mut dealt_with = Ok(());
        for parcel in parcels {
            dealt_with = dealt_with.and(self.deal_with(parcel));
        }
        drop(order);
        if result == Err(Severed::Left) {
            self.shared
                .with_members(|now, members| members.left(now, &self.node));
        }
        result.map_err(|severed| severed.to_string())?;
        dealt_with
    }

    fn write(&self, now: Instant, most: usize, out: &mut BytesMut) -> Result<(), String> {
        let now = self.shared.millis(now);
        let mut link = self.link.lock();
        self.put_deltas(&mut link)
            .map_err(|error| error.to_string())?;
        let before = out.len();
        let written = link.write(self.connection, now, most, out);
        let bytes = u64::try_from(out.len() - before).unwrap_or(u64::MAX);
        self.peer
            .figures
            .bytes_sent
            .fetch_add(bytes, Ordering::Relaxed);
        written.map_err(|severed| severed.to_string())
    }

    fn due(&self) -> Instant {
        self.shared.instant(self.link.lock().due())
    }

    fn deadline(&self) -> Instant {
        self.shared.instant(self.link.lock().deadline())
    }
}
