//! Two nodes, and clients at one of them whose account has its home at the other.

use std::sync::Arc;
use std::time::Duration;

use actors::guests::Guests;
use actors::pipe::Pipe;
use router::check::mesh::{GuestNews, MeshNode, tie};
use xmpp::StreamCondition;

use crate::stage::{Client, Node, stream_error};

const END: &str = "</stream:stream>";

/// Nodes of a cluster.
struct Cluster {
    nodes: Vec<Node>,
    mesh: Vec<Arc<MeshNode>>,
}

impl Cluster {
    async fn of_two() -> Self {
        let nodes = vec![Node::start().await, Node::start().await];
        let routers: Vec<_> = nodes.iter().map(|node| node.router.clone()).collect();
        let mesh = tie(&routers);
        for (node, mesh) in nodes.iter().zip(&mesh) {
            let service = &node.service;
            let guests = Guests::new(
                node.router.clone(),
                mesh.clone(),
                service.shards.clone(),
                service.roll.clone(),
                service.inbox,
                service.figures.clone(),
            );
            assert!(service.guests.set(guests.clone()).is_ok(), "set once");
            mesh.on_guests(move |news| match news {
                GuestNews::Letter(from, letter) => guests.letter(&from, letter),
                GuestNews::Gone(peer) => guests.peer_gone(&peer, Vec::new()),
            });
        }
        Self { nodes, mesh }
    }

    /// Lets both run until something holds.
    async fn until(&self, holds: impl Fn(&[Node]) -> bool) {
        while !holds(&self.nodes) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Romeo's sessions: one at node 0, which is the home of his account, and one at node 1.
    async fn romeo_at_both(&self) -> (Client<Pipe>, Client<Pipe>) {
        let mut home = self.nodes[0].login("romeo").await;
        home.send("<presence/>").await;
        home.until("<presence").await;
        let mut away = self.nodes[1].connect();
        away.login_as("romeo", "away").await;
        (home, away)
    }
}

#[tokio::test(start_paused = true)]
async fn two_sessions_of_an_account_at_two_nodes_are_as_two_at_one() {
    let cluster = Cluster::of_two().await;
    let (mut home, mut away) = cluster.romeo_at_both().await;
    assert_eq!(cluster.nodes[0].router.directory().len(), 2);
    assert_eq!(cluster.nodes[1].router.directory().len(), 0);

    away.send("<presence/>").await;
    away.until("from='romeo@localhost/away'").await;
    away.until("from='romeo@localhost/here'").await;
    home.until("from='romeo@localhost/away'").await;
    home.message("romeo@localhost/away", "Soft!").await;
    away.until("<body>Soft!</body>").await;
    away.message("romeo@localhost/here", "What light?").await;
    home.until("<body>What light?</body>").await;
    away.send("<iq type='get' id='q' to='localhost'><nothing xmlns='nobody'/></iq>")
        .await;
    let answer = away.until("</iq>").await;
    assert!(answer.contains("service-unavailable"), "{answer}");

    // Juliet, whose home is the other node, writes to both of them.
    let mut juliet = cluster.nodes[1].login("juliet").await;
    juliet.message("romeo@localhost", "O Romeo").await;
    home.until("<body>O Romeo</body>").await;
    away.until("<body>O Romeo</body>").await;
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_closes_or_is_lost_leaves_no_session_behind() {
    let cluster = Cluster::of_two().await;
    let (mut home, mut away) = cluster.romeo_at_both().await;
    away.send("<presence/>").await;
    home.until("from='romeo@localhost/away'").await;
    away.send(END).await;
    assert!(away.rest().await.ends_with(END));
    home.until("type='unavailable'").await;
    cluster
        .until(|nodes| nodes[0].router.directory().len() == 1)
        .await;

    let mut lost = cluster.nodes[1].connect();
    lost.login_as("romeo", "lost").await;
    lost.send("<presence/>").await;
    home.until("from='romeo@localhost/lost'").await;
    drop(lost);
    home.until("type='unavailable'").await;
    cluster
        .until(|nodes| {
            let guests = |node: &Node| node.service.guests.get().expect("set").count();
            nodes[0].router.directory().len() == 1 && nodes.iter().all(|n| guests(n) == (0, 0))
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_newer_session_replaces_the_older_one_of_its_name_at_another_node() {
    let cluster = Cluster::of_two().await;
    let (mut home, mut away) = cluster.romeo_at_both().await;
    let conflict = stream_error(StreamCondition::Conflict) + END;

    let mut newer = cluster.nodes[0].connect();
    newer.login_as("romeo", "away").await;
    assert!(away.rest().await.ends_with(&conflict));
    let mut newest = cluster.nodes[1].connect();
    newest.login_as("romeo", "here").await;
    assert!(home.rest().await.ends_with(&conflict));
    newest.message("romeo@localhost/away", "Here I am").await;
    newer.until("<body>Here I am</body>").await;
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_home_dies_goes_on_at_its_own_node() {
    let cluster = Cluster::of_two().await;
    let (_home, mut away) = cluster.romeo_at_both().await;
    away.send("<presence><status>still here</status></presence>")
        .await;
    away.until("<status>still here</status>").await;
    let mut juliet = cluster.nodes[1].login("juliet").await;

    cluster.mesh[0].die();
    cluster
        .until(|nodes| nodes[1].router.directory().len() == 2)
        .await;
    // Its presence is that from before.
    away.until("<status>still here</status>").await;
    juliet.message("romeo@localhost", "Art thou there?").await;
    away.until("<body>Art thou there?</body>").await;
    away.message("juliet@localhost/here", "I am").await;
    juliet.until("<body>I am</body>").await;
}

#[tokio::test(start_paused = true)]
async fn a_home_that_stops_in_order_sends_its_guests_on() {
    let mut cluster = Cluster::of_two().await;
    let (mut home, mut away) = cluster.romeo_at_both().await;
    away.send("<presence/>").await;
    away.until("from='romeo@localhost/here'").await;

    cluster.nodes.remove(0).stop().await;
    let shutdown = stream_error(StreamCondition::SystemShutdown) + END;
    assert!(home.rest().await.ends_with(&shutdown));
    cluster
        .until(|nodes| nodes[0].router.directory().len() == 1)
        .await;
    away.message("romeo@localhost/away", "to myself").await;
    away.until("<body>to myself</body>").await;
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_client_was_at_a_dead_node_ends() {
    let cluster = Cluster::of_two().await;
    let (mut home, mut away) = cluster.romeo_at_both().await;
    away.send("<presence/>").await;
    home.until("from='romeo@localhost/away'").await;
    cluster.mesh[1].die();
    home.until("type='unavailable'").await;
    cluster
        .until(|nodes| nodes[0].router.directory().len() == 1)
        .await;
}
