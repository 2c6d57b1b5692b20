//! There is a report however a run ends: `mungo-loadtest` against servers that never answer.

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
