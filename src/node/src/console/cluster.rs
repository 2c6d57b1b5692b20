//! The cluster that this node is part of.

use std::time::{Duration, SystemTime};

use actors::cluster::{Cluster, PeerView};
use admin::AdminError;
use admin::api::{self, Answer, ClusterLink, ClusterNode, ClusterView, NodeState};
use cluster::{Life, NodeName, NotForgotten};
use router::Router;

use crate::cluster::Joining;

/// The cluster as this node sees it; none if it is alone.
pub(crate) struct NodeCluster(Option<Seen>);

struct Seen {
    cluster: Cluster,
    /// Of the cluster and of this node.
    names: (String, String),
    address: String,
    needs_quorum: bool,
    started: SystemTime,
    router: Router,
}

impl NodeCluster {
    pub(crate) fn new(joining: Option<&Joining>, router: &Router) -> Self {
        Self(joining.map(|joining| Seen {
            cluster: joining.cluster.clone(),
            names: joining.names.clone(),
            address: joining.bound.address().to_string(),
            needs_quorum: joining.needs_quorum,
            started: SystemTime::now(),
            router: router.clone(),
        }))
    }

    fn seen(&self) -> Result<&Seen, AdminError> {
        let alone = || {
            AdminError::refused(
                "this node is part of no cluster: its configuration has no section `cluster`",
            )
        };
        self.0.as_ref().ok_or_else(alone)
    }
}

impl Seen {
    fn view(&self) -> ClusterView {
        let peers = self.cluster.view();
        let own = ClusterNode {
            node: self.names.1.clone(),
            state: NodeState::Itself,
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            address: Some(self.address.clone()),
            sessions: count(self.router.directory().len()).into(),
            since: self.started.into(),
        };
        let mut nodes: Vec<ClusterNode> = peers.iter().map(node).collect();
        nodes.push(own);
        nodes.sort_by(|one, other| one.node.cmp(&other.node));
        ClusterView {
            cluster: self.names.0.clone(),
            quorum: !self.needs_quorum || self.cluster.has_quorum(),
            nodes,
            links: peers.iter().map(link).collect(),
        }
    }
}

impl api::Cluster for NodeCluster {
    fn view(&self) -> Answer<'_, ClusterView> {
        Box::pin(async { Ok(self.seen()?.view()) })
    }

    fn forget<'a>(&'a self, name: &'a str) -> Answer<'a, ClusterNode> {
        Box::pin(async move {
            let seen = self.seen()?;
            let unknown = |error: NotForgotten| AdminError::not_found(error.to_string());
            let name = NodeName::new(name).map_err(|_| unknown(NotForgotten::Unknown))?;
            let known = seen.cluster.view().into_iter().find(|it| it.name == name);
            match (seen.cluster.forget(&name), known) {
                (Ok(()), Some(known)) => {
                    tracing::info!(what = "node_forgotten", node = %name);
                    Ok(node(&known))
                }
                (Err(error @ NotForgotten::Lives), _) => {
                    Err(AdminError::refused(error.to_string()))
                }
                (Err(error), _) => Err(unknown(error)),
                (Ok(()), None) => Err(unknown(NotForgotten::Unknown)),
            }
        })
    }
}

fn node(peer: &PeerView) -> ClusterNode {
    ClusterNode {
        node: peer.name.to_string(),
        state: match peer.life {
            Life::Alive => NodeState::Joined,
            Life::Unreachable | Life::Gone => NodeState::Missing,
        },
        version: None,
        address: peer.address.map(|address| address.to_string()),
        sessions: count(peer.entries).into(),
        since: peer.since.into(),
    }
}

fn link(peer: &PeerView) -> ClusterLink {
    ClusterLink {
        node: peer.name.to_string(),
        up: peer.life == Life::Alive,
        address: peer.address.map(|address| address.to_string()),
        round_trip_millis: peer.round_trip.map(|it| millis(it).into()),
        silent: peer.silent.unwrap_or_default().into(),
        unconfirmed: count(peer.held.1).into(),
        lag: peer.lag.into(),
        sent: peer.letters.0.into(),
        received: peer.letters.1.into(),
        last_error: peer.last_error.as_deref().map(str::to_owned),
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
