//! What nodes of a cluster say of themselves.

use store::{FILE_NAME, NodeRow, Nodes, Pool, PoolSettings};

fn row(name: &str, beat: i64) -> NodeRow {
    NodeRow {
        name: name.to_owned(),
        address: format!("{name}.example:25269"),
        beat,
    }
}

#[tokio::test]
async fn the_last_word_of_each_node_counts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE_NAME);
    let pool = Pool::open(&file, PoolSettings::default()).await.unwrap();
    let nodes = Nodes::new(pool.clone(), "one");
    let other_cluster = Nodes::new(pool, "two");
    for beat in [row("b", 1), row("a", 7), row("b", 2)] {
        nodes.say(beat).await.unwrap();
    }
    assert_eq!(nodes.all().await.unwrap(), [row("a", 7), row("b", 2)]);
    assert_eq!(other_cluster.all().await.unwrap(), []);

    // It has spoken since it was looked at.
    nodes.forget(&row("b", 1)).await.unwrap();
    other_cluster.forget(&row("a", 7)).await.unwrap();
    assert_eq!(nodes.all().await.unwrap().len(), 2);
    nodes.forget(&row("b", 2)).await.unwrap();
    assert_eq!(nodes.all().await.unwrap(), [row("a", 7)]);
}
