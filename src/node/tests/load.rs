//! `mungo-loadtest` against the real node: a little of each scenario.

mod stage;

use std::process::Stdio;

use serde_json::Value;
use stage::{Node, PASSWORD};
use tokio::process::Command;

/// A node with plain TCP for clients, and its port.
async fn node_with_plain_tcp(users: u32) -> (Node, u16) {
    let port = stage::free_port();
    let node = Node::start_listening(
        &format!("(kind: c2s, port: {port}, tls: off)"),
        "auth: (iterations: 4096)",
    )
    .await;
    for user in 0..users {
        node.register(&format!("u{user}@localhost"))
            .await
            .expect("registered");
    }
    (node, port)
}

/// Runs the load test with JSON as its report; with its exit code.
async fn load(node: &Node, port: u16, arguments: &str) -> (Option<i32>, Value) {
    // Cargo names only the binaries of this package; the other one lies beside it.
    let program =
        std::path::Path::new(env!("CARGO_BIN_EXE_mungo")).with_file_name("mungo-loadtest");
    let output = Command::new(program)
        .args(arguments.split(' '))
        .args(["--server", &format!("127.0.0.1:{port}")])
        .args(["--pid", &node.pid().to_string()])
        .args(["--password", PASSWORD, "--json"])
        .stdin(Stdio::null())
        .output()
        .await
        .expect("mungo-loadtest is built: cargo build --workspace --bins");
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {output:?}\nthe node said:\n{}", node.log());
    });
    (output.status.code(), report)
}

#[tokio::test]
async fn pairs_chat_and_nothing_is_lost() {
    let (node, port) = node_with_plain_tcp(4).await;
    let (code, report) = load(
        &node,
        port,
        "chat --count 4 --window 3 --warm-up 0 --seconds 1",
    )
    .await;
    assert_eq!(code, Some(0), "{report:#}");
    let figure = |name: &str| report["figures"][name].as_f64().expect("a figure");
    assert!(figure("messages") >= 4.0, "{report:#}");
    assert!(
        figure("p50") > 0.0 && figure("p50") <= figure("p99"),
        "{report:#}"
    );
    assert!(figure("memory_after") > 1.0, "{report:#}");
}

#[tokio::test]
async fn idle_users_are_counted_over_tcp_and_tls() {
    let (node, port) = node_with_plain_tcp(3).await;
    for (port, arguments) in [
        (port, "idle --count 3 --seconds 1 --mechanism scram-sha-256"),
        (node.c2s_tls.port(), "idle --count 3 --seconds 1 --tls"),
    ] {
        let (code, report) = load(&node, port, arguments).await;
        assert_eq!(code, Some(0), "{report:#}");
        assert_eq!(report["figures"]["sessions"], 3.0);
        assert!(
            report["figures"]["memory_per_session"].is_number(),
            "{report:#}"
        );
    }
}

#[tokio::test]
async fn who_never_reads_is_closed_again_and_again_in_a_flood() {
    // The one behind those who write never reads.
    let (node, port) = node_with_plain_tcp(4).await;
    let (code, report) = load(&node, port, "flood --count 3 --body 8192 --seconds 2").await;
    assert_eq!(code, Some(0), "{report:#}");
    let figure = |name: &str| report["figures"][name].as_f64().expect("a figure");
    assert!(figure("closed") >= 1.0, "{report:#}");
    assert!(figure("bounced") >= 1.0, "{report:#}");
    assert!(
        figure("memory_before") <= figure("memory_peak"),
        "{report:#}"
    );
}

#[tokio::test]
async fn users_with_rosters_see_each_other_come() {
    let (node, port) = node_with_plain_tcp(5).await;
    for arguments in [
        "roster --count 5 --beside 1 --seconds 1 --prepare",
        // Contacts are kept.
        "roster --count 5 --beside 1 --seconds 1",
    ] {
        let (code, report) = load(&node, port, arguments).await;
        assert_eq!(code, Some(0), "{report:#}");
        assert_eq!(report["figures"]["sessions"], 5.0);
        assert!(
            report["figures"]["presences"].as_f64() >= Some(10.0),
            "{report:#}"
        );
    }
    // Those on both sides are contacts, others are not: their presence does not come.
    let (code, report) = load(&node, port, "roster --count 5 --beside 2 --seconds 1").await;
    assert_eq!(code, Some(1), "{report:#}");
    // Two who come at the same time may hear of each other twice, so the count is not exact.
    let missing = report["problems"]["a contact's presence did not come"].as_u64();
    assert!(missing >= Some(1) && missing <= Some(10), "{report:#}");
}

#[tokio::test]
async fn groups_change_their_presence_and_none_is_lost() {
    let (node, port) = node_with_plain_tcp(5).await;
    let (code, report) = load(
        &node,
        port,
        "presence --count 5 --group 3 --warm-up 0 --seconds 1 --prepare",
    )
    .await;
    assert_eq!(code, Some(0), "{report:#}");
    let figure = |name: &str| report["figures"][name].as_f64().expect("a figure");
    assert!(figure("deliveries") >= 8.0, "{report:#}");
    assert!(
        figure("p50") > 0.0 && figure("p50") <= figure("p99"),
        "{report:#}"
    );
}

#[tokio::test]
async fn who_can_not_log_in_is_reported() {
    let (node, port) = node_with_plain_tcp(1).await;
    let (code, report) = load(&node, port, "idle --count 2 --seconds 1").await;
    assert_eq!(code, Some(1), "{report:#}");
    assert_eq!(report["figures"]["sessions"], 1.0);
    assert_eq!(
        report["problems"]["the login was refused: not-authorized"],
        1
    );
}
