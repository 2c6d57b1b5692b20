//! Starting and stopping, as an operator sees it.

mod stage;

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Output};

use rustix::process::Signal;
use stage::{Node, NodeStage, free_port};

fn mungo(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mungo"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the binary starts")
}

fn config(folder: &Path, admin: u16) {
    let [c2s, tls] = [free_port(), free_port()];
    let text = format!(
        "(listeners: [(kind: c2s, port: {c2s}, tls: starttls), (kind: c2s, port: {tls}, tls: direct), (kind: admin, port: {admin})])"
    );
    std::fs::write(folder.join("mungo.ron"), text).expect("a configuration");
}

/// Starts a node that must not start and gives what it said.
fn refused(folder: &Path, data: &str) -> String {
    let output = mungo(folder, &["--config", "mungo.ron", "--data", data]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    said
}

#[test]
fn a_taken_port_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = taken.local_addr().expect("its address").port();
    config(folder.path(), port);
    let said = refused(folder.path(), "data");
    assert!(
        said.contains(&format!("127.0.0.1:{port}")) && said.contains("in use"),
        "{said}"
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    config(folder.path(), free_port());
    std::fs::write(folder.path().join("file"), "").expect("a file");
    let said = refused(folder.path(), "file/data");
    assert!(said.contains("file/data"), "{said}");
}

#[tokio::test]
async fn a_data_folder_in_use_is_left_alone() {
    let node = Node::start().await;
    config(node.folder(), free_port());
    let said = refused(node.folder(), "data");
    assert!(
        said.contains("data") && said.contains(&node.pid().to_string()),
        "{said}"
    );
}

#[tokio::test]
async fn a_damaged_database_or_certificate_is_named() {
    for (file, bytes) in [
        ("mungo.sqlite", &b"this is no database"[..]),
        ("self-signed.crt", b"nor a certificate"),
    ] {
        let mut node = Node::start().await;
        node.signal(Signal::TERM);
        assert_eq!(node.exit_code().await, Some(0), "{}", node.log());
        for leftover in ["mungo.sqlite-wal", "mungo.sqlite-shm"] {
            let _ = std::fs::remove_file(node.data().join(leftover));
        }
        std::fs::write(node.data().join(file), bytes).expect("damaged");
        let said = refused(node.folder(), "data");
        assert!(said.contains(file), "{said}");
    }
}

#[tokio::test]
async fn a_second_start_finds_everything_again() {
    let mut node = Node::start().await;
    let certificate = std::fs::read(node.data().join("self-signed.crt")).expect("a certificate");
    node.register("romeo@localhost").await.expect("registered");
    node.kill_and_restart().await;
    assert_eq!(
        std::fs::read(node.data().join("self-signed.crt")).expect("a certificate"),
        certificate
    );
    let answer = node
        .graphql(r#"{ account { list { accounts { account } } } }"#)
        .await
        .expect("an answer");
    assert!(answer.contains("romeo@localhost"), "{answer}");
}

#[tokio::test]
async fn accounts_that_were_told_of_outlive_a_kill_in_the_middle_of_registrations() {
    let mut node = Node::start_with("auth: (iterations: 4096)").await;
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let mut acknowledged = Vec::new();
    let register = async |first: u32| {
        for number in (first..).step_by(4) {
            let account = format!("u{number}@localhost");
            node.register(&account).await.expect("registered");
            tell.send(account).expect("somebody listens");
        }
    };
    let enough = async {
        while acknowledged.len() < 25 {
            acknowledged.extend(told.recv().await);
        }
    };
    // With four of them under way all the time.
    tokio::select! {
        _ = async { tokio::join!(register(0), register(1), register(2), register(3)) } => {}
        () = enough => {}
    }
    node.kill_and_restart().await;
    while let Ok(account) = told.try_recv() {
        acknowledged.push(account);
    }
    let listed = node
        .graphql(r#"{ account { list(limit: 100) { accounts { account } } } }"#)
        .await
        .expect("an answer");
    for account in acknowledged {
        assert!(
            listed.contains(&format!("\"{account}\"")),
            "{account} is not in {listed}"
        );
    }
}

#[tokio::test]
async fn a_node_whose_stages_fall_too_often_ends_with_a_code_and_its_streams_are_told() {
    let mut stage = NodeStage::perform("Romeo logs in").await;
    // A different one each time, so that none of them waits long for its restart.
    let stages = ["pools", "hosts", "accounts"].into_iter().cycle();
    let kills = async {
        for name in stages {
            let kill =
                format!(r#"mutation {{ actor {{ kill(path: "node/{name}") {{ path }} }} }}"#);
            if stage.node.graphql(&kill).await.is_err() {
                // Nobody is there any more.
                return;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), kills)
        .await
        .expect("it gives up");
    stage
        .act(
            "
            Romeo gets: <stream:error><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
            Romeo gets: </stream:stream>
            Romeo gets the end
            ",
        )
        .await;
    assert_eq!(
        stage.node.exit_code().await,
        Some(1),
        "{}",
        stage.node.log()
    );
    assert!(
        stage.node.log().contains("node_gave_up"),
        "{}",
        stage.node.log()
    );
}

#[tokio::test]
async fn a_signal_stops_the_node_in_order() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut stage = NodeStage::perform("Romeo logs in").await;
        stage.node.signal(signal);
        stage
            .act(
                "
                Romeo gets: <stream:error><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
                Romeo gets: </stream:stream>
                Romeo gets the end
                ",
            )
            .await;
        assert_eq!(
            stage.node.exit_code().await,
            Some(0),
            "{}",
            stage.node.log()
        );
    }
}

#[test]
fn secrets_are_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let node = Node::start().await;
        for file in ["admin.secret", "self-signed.key", "mungo.sqlite"] {
            let mode = std::fs::metadata(node.data().join(file))
                .expect(file)
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
    });
}

/// It measures, and is built for that alone.
#[test]
fn there_is_no_crowd_in_the_binary_as_it_is_released() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = mungo(folder.path(), &["crowd", "--users", "1"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("unrecognized subcommand 'crowd'"), "{said}");
}
