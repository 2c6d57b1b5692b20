//! Other nodes: finding them and talking to them.
//!
//! ```text
//! discovery ─ candidates ─▶ caller ─┐
//!                                   ├─ gate: TLS, deadline ─ greet ─▶ link actor, one a connection
//!                        listener ──┘                                   └─ conversation ◀▶ cluster::Link
//! ```

mod caller;
mod calls;
mod connection;
mod crossing;
pub mod discovery;
mod gate;
mod greet;
mod link;
mod peers;
mod talk;
mod view;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ::cluster::{Change, LinkLimits, Millis, NodeName, Registry};
use bytes::Bytes;
use tokio::time::{Instant, sleep_until};

use crate::background::BackgroundArgs;
use crate::listener::Serve;
use crate::seat::Seat;
use crate::tls::NodeCertificates;
use crate::vitals::Roll;
use caller::Caller;
pub use crossing::Crossing;
use discovery::Candidates;
use gate::Gate;
use greet::Greeter;
pub use peers::Identity;
use peers::Shared;
pub use view::PeerView;

/// The dead are noticed so soon behind their time.
const LOOK: Duration = Duration::from_millis(500);

/// Whom what comes from other nodes is for. Called in the order of each link; must not wait.
pub trait Receiver: Send + Sync + 'static {
    /// A letter has come.
    fn letter(&self, from: &NodeName, letter: Bytes);

    /// What a node has is different now.
    fn changes(&self, from: &NodeName, changes: Vec<Change>);

    /// A node is there. Its changes follow.
    fn peer_up(&self, peer: &NodeName);

    /// A node has died or left: what it had, and the letters to it that it did not confirm.
    fn peer_gone(&self, peer: &NodeName, unconfirmed: Vec<Bytes>, gone: Vec<Change>);

    /// Letters to a node that is there, which it did not confirm before its link began anew: it may
    /// have had them.
    fn returned(&self, peer: &NodeName, unconfirmed: Vec<Bytes>);
}

/// Why a letter was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// As much waits for the node as may; [`Cluster::room`] tells when there is room again.
    #[error("more waits for the node than may")]
    Full,
    /// The node is not there.
    #[error("the node is gone")]
    Gone,
    /// It is longer than a letter may be.
    #[error("it is too long")]
    Long,
}

/// How this node is one of several.
pub struct ClusterSettings {
    /// Who it is.
    pub identity: Identity,
    /// What a link may hold, and when the other node is dead.
    pub limits: LinkLimits,
    /// A node that was not there for so long is forgotten.
    pub forget_after: Duration,
    /// Two nodes have so long to find out who the other one is.
    pub handshake: Duration,
    /// What they show each other, if connections are encrypted.
    pub tls: Option<Arc<NodeCertificates>>,
}

/// The other nodes. Clones are the same.
#[derive(Clone)]
pub struct Cluster {
    shared: Arc<Shared>,
    gate: Arc<Gate<Greeter>>,
    candidates: Arc<Candidates>,
}

impl Cluster {
    /// Nobody yet. Actors of links are started under the supervisor in `links`.
    #[must_use]
    pub fn new(
        settings: ClusterSettings,
        receiver: Arc<dyn Receiver>,
        links: Seat,
        roll: Roll,
    ) -> Self {
        let forget_after = settings.forget_after.as_millis();
        let forget_after = Millis(u64::try_from(forget_after).unwrap_or(u64::MAX));
        let shared = Shared::new(
            settings.identity,
            settings.limits,
            forget_after,
            receiver,
            links,
            roll,
        );
        let gate = Gate::new(Greeter(shared.clone()), settings.tls, settings.handshake);
        Self {
            shared,
            gate,
            candidates: Arc::default(),
        }
    }

    /// What is where. After a change of what this node has, call [`changed`](Self::changed).
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.shared.registry
    }

    /// Has all nodes told what is different in the registry.
    pub fn changed(&self) {
        self.shared.changed();
    }

    /// Sends a letter. Never waits.
    ///
    /// # Errors
    /// [`NotSent`].
    pub fn send(&self, peer: &NodeName, letter: Bytes) -> Result<(), NotSent> {
        self.shared.send(peer, letter)
    }

    /// Resolves when every node that is there has been told what is in the registry now, and has said
    /// so. Nothing when there is no other.
    #[must_use]
    pub fn told(&self) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        let shared = self.shared.clone();
        let waiting = shared.untold();
        if waiting.is_empty() {
            return None;
        }
        Some(Box::pin(async move { shared.told(waiting).await }))
    }

    /// Resolves when there is room for letters to that node again, or it is gone.
    pub async fn room(&self, peer: &NodeName) {
        self.shared.room(peer).await;
    }

    /// Whether more than half of the nodes that are known are here, those among them that are missing
    /// and not forgotten.
    #[must_use]
    pub fn has_quorum(&self) -> bool {
        self.shared.has_quorum()
    }

    /// The nodes that are there, this one among them.
    #[must_use]
    pub fn peers(&self) -> Vec<NodeName> {
        self.shared.living()
    }

    /// What is done with those who connect to the cluster's port.
    #[must_use]
    pub fn serve(&self) -> Serve {
        self.gate.serve()
    }

    /// Where nodes are looked for is told here.
    #[must_use]
    pub fn candidates(&self) -> &Arc<Candidates> {
        &self.candidates
    }

    /// The actor that calls nodes that were found.
    #[must_use]
    pub fn caller(&self, roll: Roll) -> BackgroundArgs {
        let caller = Caller {
            gate: self.gate.clone(),
            candidates: self.candidates.clone(),
            linked: self.shared.clone(),
        };
        caller.into_args(roll)
    }

    /// The actor that notices the dead and forgets the gone. When it stops in order, the other nodes
    /// are told that this one leaves.
    #[must_use]
    pub fn members(&self, roll: Roll) -> BackgroundArgs {
        let shared = self.shared.clone();
        BackgroundArgs {
            kind: "members",
            name: "members".into(),
            run: Arc::new(move |mut told| {
                let shared = shared.clone();
                Box::pin(async move {
                    loop {
                        let look = Instant::now() + LOOK;
                        let next = shared.due().map_or(look, |due| due.min(look));
                        tokio::select! {
                            () = sleep_until(next) => {}
                            _ = &mut told => break,
                        }
                        shared.with_members(|now, members| members.tick(now));
                    }
                    shared.leave();
                    shared.all_down().await;
                })
            }),
            patience: Duration::from_secs(1),
            roll,
        }
    }
}

#[cfg(test)]
mod tests;
