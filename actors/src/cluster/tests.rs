//! Nodes that talk over real sockets.

use ::cluster::{Boot, Cookie, KeyKind, Life, NodeId, Resource, Resources};
use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use ractor_cluster_derive::RactorMessage;
use tokio::sync::{mpsc, oneshot};

use super::*;
use crate::listener::{Bound, Listener, ListenerArgs};

/// Supervises links, as the template of a node does.
struct Root;

#[derive(RactorMessage)]
enum RootMsg {}

impl Actor for Root {
    type Msg = RootMsg;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<RootMsg>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<RootMsg>,
        _: SupervisionEvent,
        _: &mut (),
    ) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}

/// What a node was told.
#[derive(Debug, PartialEq)]
enum Told {
    Letter(String, String),
    Appeared(String, String),
    Up(String),
    Gone(String, usize, usize),
    Returned(String, usize),
}

struct Tell(mpsc::UnboundedSender<Told>);

impl Tell {
    fn tell(&self, told: Told) {
        let _ = self.0.send(told);
    }
}

impl Receiver for Tell {
    fn letter(&self, from: &NodeName, letter: Bytes) {
        let letter = String::from_utf8_lossy(&letter).into_owned();
        self.tell(Told::Letter(from.to_string(), letter));
    }

    fn changes(&self, from: &NodeName, changes: Vec<Change>) {
        for change in changes {
            if let Change::Appeared(key) = change {
                self.tell(Told::Appeared(from.to_string(), key.name.to_string()));
            }
        }
    }

    fn peer_up(&self, peer: &NodeName) {
        self.tell(Told::Up(peer.to_string()));
    }

    fn peer_gone(&self, peer: &NodeName, unconfirmed: Vec<Bytes>, gone: Vec<Change>) {
        self.tell(Told::Gone(peer.to_string(), unconfirmed.len(), gone.len()));
    }

    fn returned(&self, peer: &NodeName, unconfirmed: Vec<Bytes>) {
        self.tell(Told::Returned(peer.to_string(), unconfirmed.len()));
    }
}

struct Node {
    cluster: Cluster,
    told: mpsc::UnboundedReceiver<Told>,
    bound: Arc<Bound>,
    root: ActorRef<RootMsg>,
    _stay: Vec<oneshot::Sender<()>>,
}

fn name(name: &str) -> NodeName {
    NodeName::new(name).expect("a name")
}

async fn node(called: &str, cookie: &str) -> Node {
    life(called, 1, cookie).await
}

async fn life(called: &str, boot: u64, cookie: &str) -> Node {
    let (tell, told) = mpsc::unbounded_channel();
    let (root, _) = Actor::spawn(None, Root, ()).await.expect("started");
    let links = Seat::default();
    links.take(root.get_cell());
    let settings = ClusterSettings {
        identity: Identity {
            cluster: "test".into(),
            node: NodeId {
                name: name(called),
                boot: Boot(boot),
            },
            cookie: Cookie::new(cookie),
        },
        limits: LinkLimits {
            dead_after: Millis(1_000),
            ..LinkLimits::default()
        },
        forget_after: Duration::from_secs(3_600),
        handshake: Duration::from_secs(600),
        tls: None,
    };
    let roll = Roll::default();
    let cluster = Cluster::new(settings, Arc::new(Tell(tell)), links, roll.clone());
    let bound = Bound::bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let args = ListenerArgs {
        name: "cluster".into(),
        bound: bound.clone(),
        accept_rate: 1_000,
        serve: cluster.serve(),
        roll: roll.clone(),
    };
    Actor::spawn_linked(None, Listener, args, root.get_cell())
        .await
        .expect("started");
    let mut stay = Vec::new();
    for background in [cluster.caller(roll.clone()), cluster.members(roll)] {
        let (stays, told) = oneshot::channel();
        tokio::spawn((background.run)(told));
        stay.push(stays);
    }
    Node {
        cluster,
        told,
        bound,
        root,
        _stay: stay,
    }
}

impl Node {
    async fn next(&mut self) -> Told {
        self.told.recv().await.expect("told")
    }

    /// Waits until its one peer is like that.
    async fn until(&self, is: impl Fn(&PeerView) -> bool) {
        while !self.cluster.view().iter().any(&is) {
            tokio::task::yield_now().await;
        }
    }

    fn finds(&self, other: &Node) {
        self.cluster.candidates.found(&[other.bound.address()]);
    }
}

fn letter(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

#[tokio::test]
async fn nodes_that_find_each_other_at_once_have_one_link() {
    let (mut a, mut b) = (node("a", "secret").await, node("b", "secret").await);
    a.cluster
        .registry()
        .set(Millis(1), KeyKind::Account, "romeo@localhost", resources());
    a.finds(&b);
    b.finds(&a);
    assert_eq!(a.next().await, Told::Up("b".into()));
    assert_eq!(b.next().await, Told::Up("a".into()));
    let appeared = Told::Appeared("a".into(), "romeo@localhost".into());
    assert_eq!(b.next().await, appeared, "a full sync");
    for n in 0..100 {
        let sent = a.cluster.send(&name("b"), letter(&n.to_string()));
        assert_eq!(sent, Ok(()));
    }
    for n in 0..100 {
        let came = Told::Letter("a".into(), n.to_string());
        assert_eq!(b.next().await, came, "once and in order");
    }
    a.cluster
        .registry()
        .set(Millis(2), KeyKind::Account, "juliet@localhost", resources());
    a.cluster.changed();
    let appeared = Told::Appeared("a".into(), "juliet@localhost".into());
    assert_eq!(b.next().await, appeared, "a change");
    assert_eq!(a.cluster.peers().len(), 2);
}

fn resources() -> Resources {
    Resources::new([Resource {
        name: "desk",
        available: true,
    }])
}

#[tokio::test]
async fn a_link_that_is_killed_goes_on_over_another_connection() {
    let (mut a, mut b) = (node("a", "secret").await, node("b", "secret").await);
    a.finds(&b);
    assert_eq!(a.next().await, Told::Up("b".into()));
    assert_eq!(b.next().await, Told::Up("a".into()));
    for n in 0..20 {
        // The listener is a child as well, and another one listens no more.
        for child in a.root.get_children() {
            child.kill();
        }
        let sent = a.cluster.send(&name("b"), letter(&n.to_string()));
        assert_eq!(sent, Ok(()));
    }
    for n in 0..20 {
        let came = Told::Letter("a".into(), n.to_string());
        assert_eq!(b.next().await, came, "nothing is lost, nothing comes twice");
    }
}

#[tokio::test]
async fn a_node_with_another_cookie_is_kept_out_and_disturbs_nobody() {
    let (mut a, mut b) = (node("a", "secret").await, node("b", "secret").await);
    let stranger = node("c", "guessed").await;
    stranger.finds(&a);
    let refused = stranger.cluster.gate.call(a.bound.address()).await;
    let refused = refused.expect_err("refused");
    assert!(refused.contains("another cookie"), "{refused}");
    a.finds(&b);
    assert_eq!(a.next().await, Told::Up("b".into()));
    assert_eq!(b.next().await, Told::Up("a".into()));
    assert_eq!(stranger.cluster.peers(), [name("c")]);
}

#[tokio::test]
async fn who_calls_itself_notices() {
    let a = node("a", "secret").await;
    let met = a.cluster.gate.call(a.bound.address()).await;
    assert_eq!(met, Ok(calls::Who::Ourselves));
}

#[tokio::test]
async fn a_second_node_of_the_name_is_refused_and_told_why() {
    let (a, second) = (node("a", "secret").await, life("a", 2, "secret").await);
    let refused = second.cluster.gate.call(a.bound.address()).await;
    let refused = refused.expect_err("refused");
    assert!(refused.contains("the name of this node"), "{refused}");
}

#[tokio::test]
async fn what_a_dead_node_did_not_confirm_comes_back_and_what_it_had_is_gone() {
    let (mut a, mut b) = (node("a", "secret").await, node("b", "secret").await);
    for account in ["romeo@localhost", "juliet@localhost"] {
        let registry = b.cluster.registry();
        registry.set(Millis(1), KeyKind::Account, account, resources());
    }
    a.finds(&b);
    assert_eq!(a.next().await, Told::Up("b".into()));
    assert_eq!(b.next().await, Told::Up("a".into()));
    for _ in 0..2 {
        assert!(matches!(a.next().await, Told::Appeared(..)));
    }
    // No connection comes about any more, nor does the one that is there go on.
    b.bound.close();
    b.root.kill();
    a.until(|peer| peer.life == Life::Unreachable).await;
    let unsent = a.cluster.send(&name("b"), letter("to nobody"));
    assert_eq!(unsent, Ok(()));
    assert_eq!(a.next().await, Told::Gone("b".into(), 1, 2));
    assert_eq!(
        a.cluster.send(&name("b"), letter("to nobody")),
        Err(NotSent::Gone)
    );
    assert_eq!(a.cluster.peers(), [name("a")]);
    assert_eq!(a.cluster.forget(&name("b")), Ok(()));
    assert!(a.cluster.view().is_empty());
}

#[tokio::test]
async fn a_node_that_leaves_is_gone_at_once() {
    let (mut a, mut b) = (node("a", "secret").await, node("b", "secret").await);
    a.finds(&b);
    assert_eq!(a.next().await, Told::Up("b".into()));
    assert_eq!(b.next().await, Told::Up("a".into()));
    b.cluster.leave();
    assert_eq!(a.next().await, Told::Gone("b".into(), 0, 0));
}
