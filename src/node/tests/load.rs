//! `mungo-loadtest` against the real node: a little of each scenario that comes with it.

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

/// Plays something with JSON as its report; with the exit code.
async fn load(node: &Node, port: u16, arguments: &str) -> (Option<i32>, Value) {
    // Cargo names only the binaries of this package; the other one lies beside it.
    let program =
        std::path::Path::new(env!("CARGO_BIN_EXE_mungo")).with_file_name("mungo-loadtest");
    let output = Command::new(program)
        .args(arguments.split(' '))
        .args(["--server", &format!("127.0.0.1:{port}")])
        .args(["--pid", &node.pid().to_string(), "--json", "--no-out"])
        .args(["--set", &format!("password={PASSWORD}")])
        .stdin(Stdio::null())
        .output()
        .await
        .expect("mungo-loadtest is built: cargo build --workspace --bins");
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {output:?}\nthe node said:\n{}", node.log());
    });
    (output.status.code(), report)
}

/// A figure of a report.
fn figure(report: &Value, name: &str) -> f64 {
    report["figures"][name]
        .as_f64()
        .unwrap_or_else(|| panic!("there is no {name}: {report:#}"))
}

#[tokio::test]
async fn pairs_chat_and_nothing_is_lost() {
    let (node, port) = node_with_plain_tcp(4).await;
    for arguments in [
        "run chat-closed --set users=4 --set window=3 --set warm_up=1ms --set chat=1s",
        "run chat-open --set users=4 --set each_per_second=50 --set warm_up=1ms --set chat=1s",
    ] {
        let (code, report) = load(&node, port, arguments).await;
        assert_eq!(code, Some(0), "{report:#}");
        assert!(figure(&report, "message_count") >= 4.0, "{report:#}");
        let (half, most) = (
            figure(&report, "message_p50"),
            figure(&report, "message_p99"),
        );
        assert!(half > 0.0 && half <= most, "{report:#}");
        assert!(figure(&report, "memory_after") > 1.0, "{report:#}");
    }
}

#[tokio::test]
async fn idle_users_are_counted_over_tcp_and_tls() {
    let (node, port) = node_with_plain_tcp(3).await;
    for (port, settings) in [
        (port, "--set mechanism=SCRAM-SHA-256"),
        (node.c2s_tls.port(), "--set tls=direct"),
        (node.c2s.port(), "--set tls=starttls"),
    ] {
        let arguments = format!("run idle --set users=3 --set idle=1s {settings}");
        let (code, report) = load(&node, port, &arguments).await;
        assert_eq!(code, Some(0), "{report:#}");
        assert_eq!(figure(&report, "sessions"), 3.0);
        assert_eq!(figure(&report, "login_count"), 3.0);
        assert!(figure(&report, "memory_per_session") >= 0.0);
    }
}

#[tokio::test]
async fn who_never_reads_is_closed_again_and_again_in_a_flood() {
    // The first one never reads; the others write.
    let (node, port) = node_with_plain_tcp(4).await;
    let arguments = "run flood --set users=3 --set bytes=8192 --set flood=2s";
    let (code, report) = load(&node, port, arguments).await;
    assert_eq!(code, Some(0), "{report:#}");
    assert!(figure(&report, "closed_count") >= 1.0, "{report:#}");
    assert!(figure(&report, "messages_bounced") >= 1.0, "{report:#}");
    assert!(
        figure(&report, "memory_before") <= figure(&report, "memory_peak"),
        "{report:#}"
    );
}

#[tokio::test]
async fn users_with_rosters_see_each_other_come() {
    let (node, port) = node_with_plain_tcp(5).await;
    let befriend = "run contacts --set users=5 --set shape=ring --set size=1";
    // Those who are contacts stay it.
    for _ in 0..2 {
        let (code, report) = load(&node, port, befriend).await;
        assert_eq!(code, Some(0), "{report:#}");
    }
    let arguments = "run roster --set users=5 --set idle=1ms --set beside";
    let (code, report) = load(&node, port, &format!("{arguments}=1")).await;
    assert_eq!(code, Some(0), "{report:#}");
    assert_eq!(figure(&report, "sessions"), 5.0);
    assert!(figure(&report, "presences") >= 10.0, "{report:#}");
    // Those on both sides are contacts, others are not: their presence does not come.
    let (code, report) = load(&node, port, &format!("{arguments}=2")).await;
    assert_eq!(code, Some(1), "{report:#}");
    // Two who come at the same time may hear of each other twice, so the count is not exact.
    let missing = report["problems"]["a contact's presence did not come"].as_u64();
    assert!(missing >= Some(1) && missing <= Some(10), "{report:#}");
}

#[tokio::test]
async fn groups_change_their_presence_and_none_is_lost() {
    let (node, port) = node_with_plain_tcp(5).await;
    for arguments in [
        "run contacts --set users=5 --set shape=group --set size=3",
        "run presence --set users=5 --set group=3 --set warm_up=1ms --set rounds=1s",
    ] {
        let (code, report) = load(&node, port, arguments).await;
        assert_eq!(code, Some(0), "{report:#}");
        if arguments.contains("rounds") {
            assert!(figure(&report, "presence_count") >= 8.0, "{report:#}");
            let half = figure(&report, "presence_p50");
            assert!(
                half > 0.0 && half <= figure(&report, "presence_p99"),
                "{report:#}"
            );
        }
    }
}

#[tokio::test]
async fn everybody_comes_in_a_storm_and_comes_back_after_a_break() {
    let (node, port) = node_with_plain_tcp(5).await;
    let arguments = "run reconnect-storm --set users=5 --set wait=10ms --set calm=1ms";
    let (code, report) = load(&node, port, arguments).await;
    assert_eq!(code, Some(0), "{report:#}");
    assert_eq!(figure(&report, "logins"), 10.0);
    assert_eq!(figure(&report, "back_count"), 5.0);

    let arguments = "run login-storm --set users=5 --set per_second=50 --set storm=200ms";
    let (code, report) = load(&node, port, arguments).await;
    let due = "somebody was due and no account was free";
    let without = report["problems"][due].as_u64().unwrap_or_default();
    assert_eq!(code == Some(0), without == 0, "{report:#}");
    assert!(figure(&report, "login_count") >= 1.0, "{report:#}");
}

#[tokio::test]
async fn accounts_are_made_over_the_stream() {
    let node = Node::start_with("modules: (register: ())").await;
    for _ in 0..2 {
        let (code, report) = load(&node, node.c2s_tls.port(), "run register --set users=2").await;
        assert_eq!(code, Some(0), "{report:#}");
        assert_eq!(figure(&report, "register_count"), 2.0);
    }
    let arguments = "run idle --set users=2 --set idle=1ms --set tls=direct";
    let (code, report) = load(&node, node.c2s_tls.port(), arguments).await;
    assert_eq!(code, Some(0), "{report:#}");
}

/// A scenario with a branch, a loop, a question whose answer decides, and messages to whom is away.
const STORY: &str = r#"(
    about: "all kinds of steps",
    parameters: {"server": "127.0.0.1:5222", "password": "pw"},
    targets: [(address: "$server")],
    users: (count: 3, password: "$password"),
    phases: [(name: "all", lasts: "30s", come: at_once(users: 1), until_settled: true, measured: true),
             (name: "end", lasts: "5s", until_settled: true)],
    sessions: [(name: "one", steps: [
        connect, authenticate, roster, presence, show("away"),
        ask(xml: "<iq type='get' id='{id}' to='{domain}'><query xmlns='jabber:iq:version'/></iq>",
            keep: {"server": "query/name"}),
        when(variable: "server", is: "Mungo",
            steps: [transaction(name: "known", steps: [ping])],
            otherwise: [transaction(name: "unknown", steps: [ping])]),
        repeat(times: 3, steps: [
            transaction(name: "round", steps: [message(to: offline, text: "{user} was here"), ping]),
            think(constant("1ms")),
        ]),
        chance(percent: 0, steps: [transaction(name: "never", steps: [ping])]),
        wait_for("end"),
        cut,
    ]), (name: "nobody", weight: 0, steps: [connect])],
)"#;

#[tokio::test]
async fn steps_are_done_as_they_are_written() {
    let (node, port) = node_with_plain_tcp(3).await;
    let file = node.folder().join("story.ron");
    std::fs::write(&file, STORY).expect("written");
    let (code, report) = load(&node, port, &format!("run {}", file.display())).await;
    assert_eq!(code, Some(0), "{report:#}");
    assert_eq!(figure(&report, "round_count"), 3.0);
    assert_eq!(figure(&report, "known_count"), 1.0);
    for never in ["unknown_count", "never_count"] {
        assert!(report["figures"][never].is_null(), "{report:#}");
    }
}

#[tokio::test]
async fn who_can_not_log_in_is_reported() {
    let (node, port) = node_with_plain_tcp(1).await;
    let (code, report) = load(&node, port, "run idle --set users=2 --set idle=1ms").await;
    assert_eq!(code, Some(1), "{report:#}");
    assert_eq!(figure(&report, "sessions"), 1.0);
    assert_eq!(
        report["problems"]["the login was refused: not-authorized"],
        1
    );
}

#[tokio::test]
async fn a_run_that_is_stopped_reports_until_then() {
    let (node, port) = node_with_plain_tcp(2).await;
    let file = node.folder().join("stopped.ron");
    let story = r#"(
        about: "a rule that holds at once",
        parameters: {"server": "127.0.0.1:5222", "password": "pw"},
        targets: [(address: "$server")],
        users: (count: 2, password: "$password"),
        phases: [
            (name: "come", lasts: "10m", come: at_once(users: 2), until_settled: true, measured: true),
            (name: "all", lasts: "10m", measured: true),
        ],
        sessions: [(name: "one", steps: [
            transaction(name: "login", steps: [connect, authenticate, presence]),
            wait_for("all"),
            chat_closed(window: 1, until: "all"),
        ])],
        stop: (slow: [(transaction: "login", percent: 50, above: "1ms")]),
    )"#;
    std::fs::write(&file, story).expect("written");
    let (code, report) = load(&node, port, &format!("run {}", file.display())).await;
    assert_eq!(code, Some(1), "{report:#}");
    let problems = report["problems"].as_object().expect("problems");
    assert_eq!(problems.len(), 1, "{report:#}");
    assert!(
        problems
            .keys()
            .all(|problem| problem.contains("login took longer than 1ms")),
        "{report:#}"
    );
    assert_eq!(figure(&report, "login_count"), 2.0);
}
