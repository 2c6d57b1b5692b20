//! Several real nodes that are one server: they find each other, and notice who dies.

mod stage;

use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use stage::{Node, free_port};

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
async fn sees(node: &Node, wanted: &[&str]) {
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
