//! `cluster`: the nodes that are one server.

use async_graphql::{Context, Object, SimpleObject};

use super::{answer, api};
use crate::{
    api::{ClusterLink, ClusterNode, ClusterView, NodeState},
    scalar::Count,
};

/// How the cluster does, as this node sees it.
#[derive(SimpleObject)]
pub struct ClusterStatus {
    /// The name of the cluster.
    pub cluster: String,
    /// The name of this node.
    pub node: String,
    /// Whether enough of its nodes are here for logins to be taken.
    pub quorum: bool,
    /// Sessions on all nodes.
    pub sessions: Count,
    /// Its nodes.
    pub nodes: Vec<ClusterNode>,
    /// The links of this node.
    pub links: Vec<ClusterLink>,
}

/// Nodes of the cluster.
#[derive(SimpleObject)]
pub struct ClusterNodes {
    /// All of them, by name.
    pub nodes: Vec<ClusterNode>,
}

/// Links to other nodes.
#[derive(SimpleObject)]
pub struct ClusterLinks {
    /// One for each node.
    pub links: Vec<ClusterLink>,
}

/// What can be asked of the cluster.
pub struct ClusterQuery;

/// What can be asked of the cluster.
#[Object]
impl ClusterQuery {
    /// Show how the cluster does: its nodes, and the links of this one.
    async fn status(&self, ctx: &Context<'_>) -> async_graphql::Result<ClusterStatus> {
        answer(api(ctx).cluster.view().await.map(status))
    }

    /// List the nodes of the cluster: who is there, which version, how many sessions.
    async fn nodes(&self, ctx: &Context<'_>) -> async_graphql::Result<ClusterNodes> {
        let view = answer(api(ctx).cluster.view().await)?;
        Ok(ClusterNodes { nodes: view.nodes })
    }

    /// List the links of this node to others: round trips, what waits, what went wrong.
    async fn links(&self, ctx: &Context<'_>) -> async_graphql::Result<ClusterLinks> {
        let view = answer(api(ctx).cluster.view().await)?;
        Ok(ClusterLinks { links: view.links })
    }
}

/// What can be done to the cluster.
pub struct ClusterMutation;

/// What can be done to the cluster.
#[Object]
impl ClusterMutation {
    /// Forget a node that is gone for good. Refused while it is there.
    ///
    /// One that comes back is known again.
    async fn forget(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The name of the node")] node: String,
    ) -> async_graphql::Result<ClusterNode> {
        answer(api(ctx).cluster.forget(&node).await)
    }
}

fn status(view: ClusterView) -> ClusterStatus {
    let itself = |node: &&ClusterNode| node.state == NodeState::Itself;
    ClusterStatus {
        cluster: view.cluster,
        node: view
            .nodes
            .iter()
            .find(itself)
            .map(|node| node.node.clone())
            .unwrap_or_default(),
        quorum: view.quorum,
        sessions: view
            .nodes
            .iter()
            .map(|node| node.sessions.0)
            .sum::<u64>()
            .into(),
        nodes: view.nodes,
        links: view.links,
    }
}
