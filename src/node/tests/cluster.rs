//! Several real nodes that are one server: they find each other, and notice who dies.

mod stage;

use std::path::Path;
use std::time::Duration;

use play::{Received, Stage};
use rustix::process::Signal;
use stage::{Client, Node, NodeStage, free_port};

/// What nodes of one cluster have in common.
struct Common {
    folder: tempfile::TempDir,
    ports: Vec<u16>,
}

impl Common {
    fn new(nodes: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("cookie"), "0123456789abcdef").expect("written");
        Self {
            folder,
            ports: (0..nodes).map(|_| free_port()).collect(),
        }
    }

    /// Starts one of them, with a way to find the others.
    async fn start(&self, at: usize, name: &str, cookie: &Path, way: &str) -> Node {
        let database = self.folder.path().join("shared.sqlite");
        Node::start_with(&format!(
            "store: (url: \"sqlite:{}\"), cluster: (node: \"{name}\", cookie: \"{}\", \
             listen: \"127.0.0.1:{}\", dead_after: \"1s\", {way})",
            database.display(),
            cookie.display(),
            self.ports[at],
        ))
        .await
    }

    async fn with_seeds(&self, at: usize, name: &str) -> Node {
        let cookie = self.folder.path().join("cookie");
        self.start(at, name, &cookie, &self.seeds()).await
    }

    fn seeds(&self) -> String {
        let seeds = self.ports.iter();
        let seeds: Vec<String> = seeds.map(|port| format!("\"127.0.0.1:{port}\"")).collect();
        format!("seeds: [{}]", seeds.join(", "))
    }
}

/// Waits until a node sees exactly these others as `name:STATE`.
async fn sees<S: AsRef<str>>(node: &Node, wanted: &[S]) {
    let wanted: Vec<&str> = wanted.iter().map(AsRef::as_ref).collect();
    let mut last = String::new();
    let seen = async {
        loop {
            last = others(node).await.join(" ");
            if last == wanted.join(" ") {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(60), seen).await;
    assert!(in_time.is_ok(), "{last}\n{}", node.log());
}

async fn others(node: &Node) -> Vec<String> {
    let query = "{ cluster { nodes { nodes { node state } } } }";
    let answer = node.graphql(query).await.expect("an answer");
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    let nodes = answer["data"]["cluster"]["nodes"]["nodes"].as_array();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    nodes
        .unwrap_or_else(|| panic!("{answer}"))
        .iter()
        .map(|node| format!("{}:{}", text(&node["node"]), text(&node["state"])))
        .filter(|node| !node.ends_with(":ITSELF"))
        .collect()
}

#[tokio::test]
async fn nodes_join_by_seeds_and_notice_who_is_killed_or_stopped() {
    let common = Common::new(3);
    let a = common.with_seeds(0, "a").await;
    let mut b = common.with_seeds(1, "b").await;
    let c = common.with_seeds(2, "c").await;
    sees(&a, &["b:JOINED", "c:JOINED"]).await;
    sees(&b, &["a:JOINED", "c:JOINED"]).await;
    sees(&c, &["a:JOINED", "b:JOINED"]).await;

    b.kill_and_restart().await;
    sees(&a, &["b:JOINED", "c:JOINED"]).await;
    sees(&b, &["a:JOINED", "c:JOINED"]).await;

    c.signal(Signal::STOP);
    sees(&a, &["b:JOINED", "c:MISSING"]).await;
    sees(&b, &["a:JOINED", "c:MISSING"]).await;
    c.signal(Signal::CONT);
    sees(&a, &["b:JOINED", "c:JOINED"]).await;
    sees(&c, &["a:JOINED", "b:JOINED"]).await;

    b.signal(Signal::TERM);
    assert_eq!(b.exit_code().await, Some(0));
    sees(&a, &["c:JOINED"]).await;
}

/// Somebody logs in at a node, in a play that is on at another one.
async fn logs_in(stage: &mut NodeStage, who: &str, node: &Node, jid: &str) {
    let account = jid.split('/').next().expect("an account");
    node.register(account).await.expect("registered");
    let client = Client::log_in(node, jid).await.expect("logged in");
    stage.admit(who, client);
}

#[tokio::test]
async fn people_at_three_nodes_chat_as_at_one_and_go_on_when_nodes_are_killed() {
    let common = Common::new(3);
    let a = common.with_seeds(0, "a").await;
    let mut b = common.with_seeds(1, "b").await;
    let c = common.with_seeds(2, "c").await;
    for (node, others) in [(&a, ["b", "c"]), (&b, ["a", "c"]), (&c, ["a", "b"])] {
        sees(node, &others.map(|other| format!("{other}:JOINED"))).await;
    }
    let mut stage = NodeStage::new(a);
    stage
        .act(
            "
        Romeo logs in
        Romeo: <presence/>
        Romeo gets: <presence from='romeo@localhost/play' to='romeo@localhost'/>
            ",
        )
        .await;
    logs_in(&mut stage, "Juliet", &b, "juliet@localhost/balcony").await;
    logs_in(&mut stage, "Phone", &c, "romeo@localhost/phone").await;
    // What they are to each other, and a word each way, the second to both of Romeo's.
    stage
        .act(
            "
        Juliet: <presence/>
        Juliet gets: <presence from='juliet@localhost/balcony' to='juliet@localhost'/>
        Phone: <presence/>
        Phone gets all of:
          <presence from='romeo@localhost/phone' to='romeo@localhost'/>
          <presence from='romeo@localhost/play' to='romeo@localhost'/>
        Romeo gets: <presence from='romeo@localhost/phone' to='romeo@localhost'/>
        Romeo: <presence type='subscribe' to='juliet@localhost'/>
        Juliet gets: <presence type='subscribe' from='romeo@localhost' to='juliet@localhost'/>
        Juliet: <presence type='subscribed' to='romeo@localhost'/>
        Romeo gets: <presence from='juliet@localhost/balcony' to='romeo@localhost'/>
        Phone gets: <presence from='juliet@localhost/balcony' to='romeo@localhost'/>
        # What is acknowledged is on disk, and what was changed before.
        Juliet: <iq type='set' id='s'><query xmlns='jabber:iq:roster'><item jid='romeo@localhost' name='Romeo'/></query></iq>
        Juliet gets: <iq type='result' id='s' from='juliet@localhost' to='juliet@localhost/balcony'/>
        Phone: <message type='chat' to='juliet@localhost/balcony' id='1'><body>Soft!</body></message>
        Juliet gets: <message type='chat' from='romeo@localhost/phone' to='juliet@localhost/balcony' id='1'><body>Soft!</body></message>
        Juliet: <message type='chat' to='romeo@localhost' id='2'><body>O Romeo</body></message>
        Romeo gets: <message type='chat' from='juliet@localhost/balcony' to='romeo@localhost' id='2'><body>O Romeo</body></message>
        Phone gets: <message type='chat' from='juliet@localhost/balcony' to='romeo@localhost' id='2'><body>O Romeo</body></message>
            ",
        )
        .await;

    // Juliet's node is killed: she has left, for both of Romeo's, once.
    b.kill_and_restart().await;
    stage
        .act(
            "
        Romeo gets: <presence type='unavailable' from='juliet@localhost/balcony' to='romeo@localhost'/>
        Phone gets: <presence type='unavailable' from='juliet@localhost/balcony' to='romeo@localhost'/>
            ",
        )
        .await;
    sees(&b, &["a:JOINED", "c:JOINED"]).await;
    logs_in(&mut stage, "Juliet", &b, "juliet@localhost/balcony").await;
    stage
        .act(
            "
        Juliet: <presence/>
        Juliet gets: <presence from='juliet@localhost/balcony' to='juliet@localhost'/>
        Romeo gets: <presence from='juliet@localhost/balcony' to='romeo@localhost'/>
        Phone gets: <presence from='juliet@localhost/balcony' to='romeo@localhost'/>
        Romeo gets nothing
            ",
        )
        .await;

    // The home of Romeo's account is killed: his phone, which is connected elsewhere, is still there.
    stage.node.kill_and_restart().await;
    stage
        .act("Juliet: <message type='chat' to='romeo@localhost/phone'><body>Art thou there?</body></message>")
        .await;
    hears(&mut stage, "Phone", "<body>Art thou there?</body>").await;
    stage
        .act("Phone: <message type='chat' to='juliet@localhost'><body>I am</body></message>")
        .await;
    hears(&mut stage, "Juliet", "<body>I am</body>").await;
}

/// Waits until somebody gets that: presence may come before it.
async fn hears(stage: &mut NodeStage, who: &str, text: &str) {
    loop {
        match stage.receive(who).await {
            Ok(Received::Text(came)) if came.contains(text) => return,
            Ok(Received::Text(_)) => {}
            other => panic!("{who} got {other:?} and not {text}"),
        }
    }
}

#[tokio::test]
async fn nodes_join_by_their_database_and_by_a_file() {
    let common = Common::new(3);
    let cookie = common.folder.path().join("cookie");
    let way = "database: (every: \"100ms\")";
    let a = common.start(0, "a", &cookie, way).await;
    let _b = common.start(1, "b", &cookie, way).await;
    sees(&a, &["b:JOINED"]).await;

    let file = common.folder.path().join("nodes.txt");
    std::fs::write(&file, "# nobody yet\n").expect("written");
    let way = format!("file: (path: \"{}\", every: \"100ms\")", file.display());
    let c = common.start(2, "c", &cookie, &way).await;
    std::fs::write(&file, format!("127.0.0.1:{}\n", common.ports[0])).expect("written");
    sees(&c, &["a:JOINED"]).await;
}

#[tokio::test]
async fn strangers_are_refused_and_both_sides_say_why() {
    let common = Common::new(3);
    let a = common.with_seeds(0, "a").await;
    let wrong = common.folder.path().join("wrong");
    std::fs::write(&wrong, "fedcba9876543210").expect("written");
    let stranger = common.start(1, "b", &wrong, &common.seeds()).await;
    says(&a, "it has another cookie").await;
    says(&stranger, "it has another cookie").await;
    let namesake = common.with_seeds(2, "a").await;
    says(&a, "it has the name of this node").await;
    says(&namesake, "it has the name of this node").await;
    assert_eq!(others(&a).await, [""; 0]);
}

/// Waits until a node has logged that.
async fn says(node: &Node, text: &str) {
    let said = async {
        while !node.log().contains(text) {
            tokio::task::yield_now().await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(60), said).await;
    assert!(in_time.is_ok(), "{text}\n{}", node.log());
}
