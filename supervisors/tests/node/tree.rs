//! The tree as a whole: what it shows, and when it gives up.

use std::time::Duration;

use supervisors::snapshot::Extent;
use tokio::time::timeout;

use crate::stage::{Node, stream_error};

#[tokio::test(start_paused = true)]
async fn the_tree_shows_its_stages_and_pages_of_sessions() {
    let node = Node::start().await;
    let _clients = [
        node.login("romeo").await,
        node.login("juliet").await,
        node.login("nurse").await,
    ];
    let root = node.look("node");
    let stages: Vec<&str> = root.children.iter().map(|stage| &*stage.path).collect();
    assert_eq!(
        stages,
        [
            "node/pools",
            "node/hosts",
            "node/accounts",
            "node/sessions",
            "node/listeners"
        ]
    );
    assert!(root.children.iter().all(|stage| stage.state == "running"));
    let page = |after| {
        let extent = Extent {
            levels: 1,
            page: 2,
            after,
        };
        let view = node
            .tree
            .snapshot()
            .view("node/sessions/0", extent)
            .expect("is there");
        assert_eq!(view.child_count, 3);
        view.children
            .into_iter()
            .map(|child| child.path)
            .collect::<Vec<_>>()
    };
    let path = |name| format!("node/sessions/0/{name}@localhost/here");
    assert_eq!(page(None), [path("juliet"), path("nurse")]);
    assert_eq!(page(Some("nurse@localhost/here")), [path("romeo")]);
    for nowhere in [
        "",
        "nod",
        "node/",
        "node/sessions/7",
        "node/sessions/0/romeo@localhost",
        "node/hosts/x/y",
    ] {
        assert!(node.tree.snapshot().cell(nowhere).is_none(), "{nowhere}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_root_that_has_borne_too_much_gives_up_and_its_streams_are_told() {
    let mut node = Node::start().await;
    let mut romeo = node.login("romeo").await;
    // A different stage each time, so that none of them has to wait long for its restart.
    let stages = ["node/pools", "node/hosts", "node/listeners"];
    for stage in stages.into_iter().cycle().take(11) {
        node.until(|node| node.look(stage).state == "running").await;
        let actor = node.cell(stage);
        actor.kill();
        actor.wait(None).await.expect("it dies");
        // As long as the root stands it notes what fell.
        let noted = |node: &Node| node.tree.snapshot().cell(stage).is_none();
        node.until(noted).await;
    }
    let gave_up = timeout(Duration::from_secs(60), node.tree.gave_up()).await;
    assert!(
        gave_up
            .expect("it gives up")
            .to_string()
            .contains("given up")
    );
    let got = romeo.rest().await;
    let told = stream_error(xmpp::StreamCondition::SystemShutdown);
    assert!(got.ends_with(&(told + "</stream:stream>")), "{got}");
}
