//! What there is to see of the other nodes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use ::cluster::{Life, Millis, NodeName, NotForgotten};
use tokio::time::Instant;

use super::Cluster;
use super::peers::Shared;
use crate::vitals::lock;

/// Another node and the link to it.
#[derive(Debug, Clone)]
pub struct PeerView {
    /// Its name.
    pub name: NodeName,
    /// How it is.
    pub life: Life,
    /// The other end of the connection, while there is one.
    pub address: Option<SocketAddr>,
    /// Since when there is a connection, or none.
    pub since: SystemTime,
    /// Why the last connection ended.
    pub last_error: Option<Arc<str>>,
    /// What it has in the registry.
    pub entries: usize,
    /// Changes of the registry that it was not told.
    pub lag: u64,
    /// Letters that it has not confirmed, and their bytes.
    pub held: (usize, usize),
    /// To it and back.
    pub round_trip: Option<Duration>,
    /// Nothing was heard of it for so long; nothing is known of one that is gone.
    pub silent: Option<Duration>,
    /// Letters to it and from it since this node started.
    pub letters: (u64, u64),
    /// Bytes to it and from it since this node started.
    pub bytes: (u64, u64),
}

impl Cluster {
    /// The other nodes that are known, by name.
    #[must_use]
    pub fn view(&self) -> Vec<PeerView> {
        self.shared.view()
    }

    /// Forgets a node that is gone.
    ///
    /// # Errors
    /// It is not known, or it is there.
    pub fn forget(&self, name: &NodeName) -> Result<(), NotForgotten> {
        self.shared.with_members(|_, members| members.forget(name))
    }

    /// Tells the other nodes that this one leaves, as soon as they have confirmed what was sent.
    pub fn leave(&self) {
        self.shared.leave();
    }
}

impl Shared {
    fn view(&self) -> Vec<PeerView> {
        let now = self.millis(Instant::now());
        let names = self.known_lives();
        names
            .into_iter()
            .map(|(name, life)| self.peer_view(name, life, now))
            .collect()
    }

    fn peer_view(&self, name: NodeName, life: Life, now: Millis) -> PeerView {
        let peer = self.known(&name);
        let last = lock(&peer.last).clone();
        let link = peer.link();
        let link = link.as_ref().map(|link| link.lock());
        // It is dead so long after it was heard.
        let heard = link.as_ref().map(|link| link.deadline() - self.dead_after);
        let told = self.registry.taken(peer.index);
        let load = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
        let figures = &peer.figures;
        PeerView {
            name,
            life,
            address: last.address,
            since: last.since,
            last_error: last.error,
            entries: self.registry.peer_len(peer.index),
            lag: self.registry.version().saturating_sub(told),
            held: link.as_ref().map_or((0, 0), |link| link.held()),
            round_trip: link
                .as_ref()
                .and_then(|link| link.round_trip())
                .map(|Millis(millis)| Duration::from_millis(millis)),
            silent: heard.map(|heard| Duration::from_millis((now - heard).0)),
            letters: (load(&figures.letters_sent), load(&figures.letters_received)),
            bytes: (load(&figures.bytes_sent), load(&figures.bytes_received)),
        }
    }
}
