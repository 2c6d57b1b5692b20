use std::io::Write;

use store::{FILE_NAME, NodeRow, Pool, PoolSettings};
use tempfile::TempDir;
use tokio::time::{Instant, timeout};

use super::*;

fn addresses(list: &[&str]) -> BTreeSet<SocketAddr> {
    list.iter()
        .map(|text| text.parse().expect("an address"))
        .collect()
}

/// Gives what it was told to, in turn, and the last of it for ever.
struct Script(Vec<Seen>, Vec<u64>, Instant);

impl Look for &mut Script {
    async fn look(&mut self) -> Seen {
        self.1.push(self.2.elapsed().as_secs());
        if self.0.len() > 1 {
            self.0.remove(0)
        } else {
            Seen {
                addresses: self.0[0].addresses.clone(),
                trouble: self.0[0].trouble.clone(),
            }
        }
    }
}

fn found(list: &[&str]) -> Seen {
    Seen {
        addresses: addresses(list),
        trouble: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_way_that_fails_keeps_what_it_gave() {
    let failing = Seen {
        trouble: Some("no answer".to_owned()),
        ..found(&["127.0.0.1:2"])
    };
    let mut script = Script(
        vec![found(&["127.0.0.1:1"]), failing, found(&["127.0.0.1:3"])],
        Vec::new(),
        Instant::now(),
    );
    let candidates = Candidates::default();
    let watch = async {
        let mut seen = Vec::new();
        for _ in 0..3 {
            candidates.changed().await;
            seen.push(candidates.all());
        }
        seen
    };
    let (_stays, told) = oneshot::channel();
    let every = Duration::from_secs(10);
    let searching = timeout(
        Duration::from_secs(25),
        search("test", &mut script, every, &candidates, told),
    );
    let (seen, ended) = tokio::join!(watch, searching);
    ended.expect_err("it looks for ever");
    assert_eq!(
        seen,
        [
            addresses(&["127.0.0.1:1"]),
            addresses(&["127.0.0.1:1", "127.0.0.1:2"]),
            addresses(&["127.0.0.1:3"]),
        ]
    );
    assert_eq!(script.1, [0, 10, 20]);
}

#[tokio::test]
async fn names_give_all_their_addresses_and_say_which_has_none() {
    let hosts = ["[::1]:7", "localhost:8", "nobody.invalid:9"].map(str::to_owned);
    let seen = names::Names::new(hosts).look().await;
    assert!(seen.addresses.is_superset(&addresses(&["[::1]:7"])));
    assert!(seen.addresses.iter().any(|address| address.port() == 8));
    let trouble = seen.trouble.expect("one has no address");
    assert!(
        trouble.starts_with("nobody.invalid:9 has no address"),
        "{trouble}"
    );
}

#[tokio::test]
async fn a_file_is_read_again_when_it_has_changed() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    let mut list = file::List::new(file.path().to_owned());
    assert_eq!(list.look().await, found(&[]));
    writeln!(file, "# ours\n127.0.0.1:1 # the first\n\n  [::1]:2").expect("written");
    assert_eq!(list.look().await, found(&["127.0.0.1:1", "[::1]:2"]));

    writeln!(file, "127.0.0.1").expect("written");
    let seen = list.look().await;
    assert_eq!(seen.addresses, addresses(&["127.0.0.1:1", "[::1]:2"]));
    let trouble = seen.trouble.expect("a line has no port");
    assert!(
        trouble.contains("line 5: \"127.0.0.1\" is no host and port"),
        "{trouble}"
    );

    let path = file.path().to_owned();
    file.close().expect("deleted");
    let trouble = list.look().await.trouble.expect("it is gone");
    assert!(trouble.contains(&path.display().to_string()), "{trouble}");
}

async fn nodes() -> (TempDir, Nodes) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(FILE_NAME);
    let pool = Pool::open(&file, PoolSettings::default()).await;
    (folder, Nodes::new(pool.expect("a database"), "test"))
}

fn own(name: &str, port: u16) -> OwnRow {
    OwnRow {
        name: name.to_owned(),
        address: format!("127.0.0.1:{port}"),
        // No clock is paused beside a real database: at once, or never.
        forget_after: Duration::MAX,
    }
}

#[tokio::test]
async fn nodes_find_each_other_in_a_table_until_they_leave() {
    let (_folder, nodes) = nodes().await;
    let mut a = database::Table::new(nodes.clone(), own("a", 1));
    let mut b = database::Table::new(nodes.clone(), own("b", 2));
    assert_eq!(a.look().await, found(&[]));
    assert_eq!(b.look().await, found(&["127.0.0.1:1"]));
    assert_eq!(a.look().await, found(&["127.0.0.1:2"]));
    b.leave().await;
    assert_eq!(a.look().await, found(&[]));
}

#[tokio::test]
async fn rows_that_stand_still_are_deleted_whatever_their_clock_said() {
    let (_folder, nodes) = nodes().await;
    let dead = NodeRow {
        name: "dead".to_owned(),
        address: "127.0.0.1:9".to_owned(),
        // An hour before its time, and ahead of it for ever.
        beat: i64::MAX,
    };
    nodes.say(dead).await.expect("said");
    let hasty = OwnRow {
        forget_after: Duration::ZERO,
        ..own("a", 1)
    };
    assert_eq!(
        database::Table::new(nodes.clone(), hasty).look().await,
        found(&[])
    );
    let left: Vec<String> = nodes
        .all()
        .await
        .expect("read")
        .into_iter()
        .map(|row| row.name)
        .collect();
    assert_eq!(left, ["a"]);
}

#[tokio::test]
async fn two_nodes_of_one_name_are_told() {
    let (_folder, nodes) = nodes().await;
    let mut one = database::Table::new(nodes.clone(), own("a", 1));
    let mut other = database::Table::new(nodes, own("a", 2));
    assert_eq!(one.look().await.trouble, None);
    assert_eq!(
        other.look().await.trouble,
        None,
        "it may be the first one restarted"
    );
    let trouble = one.look().await.trouble.expect("another took its row");
    assert!(trouble.contains("127.0.0.1:2"), "{trouble}");
}
