//! There is a report however a run ends: `mungo-loadtest` against servers that never answer, and others.

use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A server that takes connections and says nothing.
fn silent() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it has one");
    (listener, address)
}

fn start(folder: &Path, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_mungo-loadtest"))
        .args(arguments)
        .args(["--pid", &std::process::id().to_string()])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("started")
}

/// What it printed, and its exit code.
fn end(mut child: Child) -> (String, Option<i32>) {
    let mut text = String::new();
    let mut stdout = child.stdout.take().expect("piped");
    stdout.read_to_string(&mut text).expect("text");
    (text, child.wait().expect("ended").code())
}

#[test]
fn who_is_interrupted_has_a_report() {
    let place = tempfile::tempdir().expect("a place");
    let (listener, address) = silent();
    let server = address.to_string();
    let child = start(
        place.path(),
        &[
            "run",
            "idle",
            "--set",
            &format!("server={server}"),
            "--json",
        ],
    );
    // Somebody has come: now it runs.
    let (_kept, _) = listener.accept().expect("a client");
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process")).expect("not zero");
    kill_process(pid, Signal::INT).expect("it is there");
    let (text, code) = end(child);
    let report: Value =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(code, Some(1), "{report:#}");
    assert_eq!(
        report["problems"]["somebody stopped the run"], 1,
        "{report:#}"
    );
    assert_eq!(report["schema"], 1);
    assert_eq!(report["settings"]["server"], server.as_str());
    assert_eq!(
        report["settings"].get("password"),
        None,
        "reports are shown around"
    );

    // The folder is where nobody said anything else.
    let all = place.path().join("loadtest-results");
    let folders: Vec<_> = std::fs::read_dir(all).expect("it is there").collect();
    let [Ok(folder)] = &folders[..] else {
        panic!("{folders:?}");
    };
    let name = folder.file_name();
    assert!(name.to_string_lossy().starts_with("idle-20"), "{name:?}");
    let kept = std::fs::read_to_string(folder.path().join("report.json")).expect("it is there");
    assert_eq!(kept, text);
    for file in ["report.html", "scenario.ron"] {
        assert!(folder.path().join(file).exists(), "{file}");
    }
}

#[test]
fn a_server_that_stalls_is_counted() {
    let place = tempfile::tempdir().expect("a place");
    let (listener, address) = silent();
    let scenario = format!(
        "(
            about: \"a server that says nothing\",
            patience: \"100ms\",
            targets: [(address: \"{address}\", domain: \"localhost\")],
            users: (count: 3),
            phases: [(name: \"come\", lasts: \"10s\", come: at_once(users: 3), until_settled: true, measured: true)],
            sessions: [(name: \"visitor\", steps: [transaction(name: \"login\", steps: [connect, authenticate])])],
        )"
    );
    std::fs::write(place.path().join("stalled.ron"), scenario).expect("written");
    // Whoever comes is kept until the test ends.
    std::thread::spawn(move || -> Vec<TcpStream> { listener.incoming().flatten().collect() });
    let child = start(place.path(), &["run", "stalled.ron", "--out", "here"]);
    let (text, code) = end(child);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("no answer within 0.1 s (3 times)"), "{text}");
    assert!(text.contains("here/report.html"), "{text}");
    let page = std::fs::read_to_string(place.path().join("here/report.html")).expect("it is there");
    assert!(page.contains("no answer within 0.1 s"), "{page}");

    // And it can be compared, with itself too.
    let (table, code) = end(Command::new(env!("CARGO_BIN_EXE_mungo-loadtest"))
        .args(["compare", "here", "here/report.json"])
        .current_dir(place.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("started"));
    assert_eq!(code, Some(0), "{table}");
    assert!(
        table.contains("login failed") && table.contains("1.00"),
        "{table}"
    );
}

/// What a run came to would be lost in the end: nobody connects.
#[test]
fn a_folder_that_cannot_be_made_is_told_before_the_run() {
    let place = tempfile::tempdir().expect("a place");
    std::fs::write(place.path().join("taken"), "").expect("a file");
    let (listener, address) = silent();
    let server = format!("server={address}");
    let child = start(
        place.path(),
        &["run", "idle", "--set", &server, "--out", "taken/results"],
    );
    let (text, code) = end(child);
    assert_eq!((text.as_str(), code), ("", Some(1)));
    listener.set_nonblocking(true).expect("a socket");
    assert!(listener.accept().is_err(), "somebody connected");
}

/// An address that nobody listens at, as long as it is kept.
fn refusing() -> (tokio::net::TcpSocket, SocketAddr) {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket
        .bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .expect("a port");
    let address = socket.local_addr().expect("it has one");
    (socket, address)
}

/// Plays a scenario of one phase on a server that refuses everybody; gives the report.
fn refused(come: &str) -> Value {
    let place = tempfile::tempdir().expect("a place");
    let (_kept, address) = refusing();
    let scenario = format!(
        "(
            about: \"a server that refuses everybody\",
            targets: [(address: \"{address}\")],
            users: (count: 3),
            phases: [(name: \"come\", lasts: \"500ms\", come: {come}, measured: true)],
            sessions: [(name: \"visitor\", steps: [transaction(name: \"login\", steps: [connect, authenticate])])],
        )"
    );
    std::fs::write(place.path().join("refused.ron"), scenario).expect("written");
    let child = start(place.path(), &["run", "refused.ron", "--no-out", "--json"]);
    let (text, code) = end(child);
    assert_eq!(code, Some(1), "{text}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// How often a report says that the server refused a connection.
fn refusals(report: &Value) -> u64 {
    let problems = report["problems"].as_object().expect("problems");
    let refused = problems
        .iter()
        .find(|(what, _)| what.contains("Connection refused"));
    refused
        .and_then(|(_, times)| times.as_u64())
        .unwrap_or_else(|| panic!("{report:#}"))
}

#[test]
fn a_server_that_refuses_is_counted() {
    assert_eq!(refusals(&refused("at_once(users: 3)")), 3);
}

/// A constant crowd comes again and again, after pauses of 50, 100, 200 ms and so on.
#[test]
fn a_server_that_refuses_everybody_is_not_asked_all_the_time() {
    let tries = refusals(&refused("keep(users: 3)"));
    assert!((4..=15).contains(&tries), "{tries}");
}

#[test]
fn too_few_files_are_told_of_before_anybody_connects() {
    let limited = Command::new("sh")
        .args([
            "-c",
            "ulimit -n 100; exec \"$0\" run idle --no-out --set users=90",
        ])
        .arg(env!("CARGO_BIN_EXE_mungo-loadtest"))
        .output()
        .expect("a shell");
    let said = String::from_utf8_lossy(&limited.stderr);
    assert_eq!((limited.stdout.len(), limited.status.code()), (0, Some(1)));
    let wanted = "154 open files are needed and the system allows 100 (ulimit -Hn)";
    assert!(said.contains(wanted), "{said}");
}

/// The scripts of a bench whose server is this test.
fn scripts(folder: &Path, address: SocketAddr) {
    use std::os::unix::fs::PermissionsExt;
    let up = format!("echo {} {address}", std::process::id());
    for (name, text) in [("up", up.as_str()), ("down", "touch \"$0-was-called\"")] {
        let file = folder.join(name);
        std::fs::write(&file, format!("#!/bin/sh\n{text}\n")).expect("written");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("set");
    }
}

#[test]
fn a_bench_that_is_stopped_has_a_table_and_the_report_of_its_last_run() {
    let place = tempfile::tempdir().expect("a place");
    let (listener, address) = silent();
    scripts(place.path(), address);
    let child = Command::new(env!("CARGO_BIN_EXE_mungo-loadtest"))
        .args([
            "bench",
            "--servers",
            "mungo",
            "--only",
            "idle",
            "--peers",
            ".",
            "--out",
            "here",
        ])
        .current_dir(place.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    let (_kept, _) = listener.accept().expect("a client");
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process")).expect("not zero");
    kill_process(pid, Signal::INT).expect("it is there");
    let (table, code) = end(child);
    assert_eq!(code, Some(1), "{table}");
    for wanted in [
        "| what | mungo |",
        "somebody stopped the bench",
        "is in here/mungo-idle-1",
    ] {
        assert!(table.contains(wanted), "{wanted}: {table}");
    }
    let read = |file: &str| std::fs::read_to_string(place.path().join(file)).expect("it is there");
    assert_eq!(read("here/table.md"), table);
    assert!(read("here/mungo-idle-1/report.json").contains("somebody stopped the run"));
    assert!(place.path().join("down-was-called").exists());
}
