//! The cluster that a node in memory is part of.

use std::time::Duration;

use admin::{
    AdminError,
    api::{Answer, Cluster, ClusterLink, ClusterNode, ClusterView, NodeState},
};

use super::{Memory, moment};

impl Memory {
    /// Makes it one of two nodes; a third is missing.
    pub(crate) fn in_cluster(self) -> Self {
        let node = |name: &str, state, sessions: u64| ClusterNode {
            node: name.to_owned(),
            state,
            version: (state != NodeState::Missing).then(|| "0.0.0".to_owned()),
            address: Some(format!("{name}.example:25269")),
            sessions: sessions.into(),
            since: moment().into(),
        };
        let link = |name: &str, up: bool| ClusterLink {
            node: name.to_owned(),
            up,
            address: up.then(|| format!("{name}.example:25269")),
            round_trip_millis: up.then(|| 85.into()),
            silent: Duration::from_secs(if up { 0 } else { 40 }).into(),
            unconfirmed: 0.into(),
            lag: 0.into(),
            sent: 7.into(),
            received: 8.into(),
            last_error: (!up).then(|| "connection refused".to_owned()),
        };
        self.lock().cluster = Some(ClusterView {
            cluster: "mungo".to_owned(),
            quorum: true,
            nodes: vec![
                node("a", NodeState::Itself, 2),
                node("b", NodeState::Joined, 3),
                node("c", NodeState::Missing, 0),
            ],
            links: vec![link("b", true), link("c", false)],
        });
        self
    }

    fn cluster(&self) -> Result<ClusterView, AdminError> {
        let alone = || AdminError::refused("the node is part of no cluster");
        self.lock().cluster.clone().ok_or_else(alone)
    }
}

impl Cluster for Memory {
    fn view(&self) -> Answer<'_, ClusterView> {
        Box::pin(async { self.cluster() })
    }

    fn forget<'a>(&'a self, node: &'a str) -> Answer<'a, ClusterNode> {
        Box::pin(async move {
            let mut view = self.cluster()?;
            let at = view.nodes.iter().position(|known| known.node == node);
            let at =
                at.ok_or_else(|| AdminError::not_found(format!("there is no node `{node}`")))?;
            let known = view.nodes.remove(at);
            self.lock().cluster = Some(view);
            Ok(known)
        })
    }
}
