//! `account import` against a real admin interface.

#[path = "../../admin/tests/memory/mod.rs"]
mod memory;

use std::{
    fmt::Write as _,
    process::{Command, Output},
};

use memory::{Kept, Memory, SECRET};
use serde_json::{Value, json};

/// Imports a file; returns exit code, standard output and standard error.
async fn import(node: &Memory, file: &[u8], options: &[&str]) -> (i32, String, String) {
    let served = node.serve().await;
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("accounts.csv"), file).expect("writes");
    let mut command = Command::new(env!("CARGO_BIN_EXE_mungoctl"));
    command
        .current_dir(folder.path())
        .env("MUNGO_ADMIN_SECRET", SECRET)
        .arg("--url")
        .arg(format!("http://{}", served.address))
        .args(["account", "import", "accounts.csv"])
        .args(options);
    let Output {
        status,
        stdout,
        stderr,
    } = tokio::task::spawn_blocking(move || command.output().expect("the program runs"))
        .await
        .expect("no panic");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (
        status.code().expect("no signal"),
        text(stdout),
        text(stderr),
    )
}

fn kept(node: &Memory, localpart: &str) -> Option<Kept> {
    let key = ("localhost".to_owned(), localpart.to_owned());
    node.lock().accounts.get(&key).cloned()
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_accounts_go_in_batches() {
    let mut file = String::from("jid,password\n");
    for n in 0..2345 {
        let _ = writeln!(file, "user{n}@localhost,pencil");
    }
    let node = Memory::default();
    let (code, out, err) = import(&node, file.as_bytes(), &[]).await;
    assert_eq!(
        (code, out.as_str(), err.as_str()),
        (
            0,
            "2345 imported, 0 failed, of 2345 accounts read from accounts.csv\n",
            ""
        )
    );
    assert_eq!(node.lock().accounts.len(), 2345);
    assert_eq!(node.lock().batches, 5);
}

const MIXED: &[u8] = b"jid,password,scram_sha_1\n\
    a@localhost,\"p,\"\"q\"\"\",\n\
    a@localhost,pencil,\n\
    \n\
    bad@@localhost,pencil,\n\
    b@localhost,,\n\
    c@localhost,,4096:c2FsdA==:AAAAAAAAAAAAAAAAAAAAAAAAAAA=:AAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\
    d@localhost,pencil\n\
    e@elsewhere.example,pencil,\n\
    f@localhost,pencil,\n";

#[tokio::test(flavor = "multi_thread")]
async fn bad_lines_are_told_and_the_others_imported() {
    let node = Memory::default();
    let (code, out, err) = import(&node, MIXED, &[]).await;
    let lines: Vec<&str> = err.lines().collect();
    assert_eq!(lines.len(), 5, "{err}");
    assert_eq!(
        lines[0],
        "accounts.csv:3: a@localhost: there is an account `a@localhost` already"
    );
    assert!(
        lines[1].starts_with("accounts.csv:5: bad@@localhost: `bad@@localhost` is no JID: "),
        "{err}"
    );
    assert_eq!(
        lines[2..],
        [
            "accounts.csv:6: b@localhost: there is neither a password nor a key",
            "accounts.csv:8: d@localhost: 2 fields where the first line has 3",
            "accounts.csv:9: e@elsewhere.example: the domain of `e@elsewhere.example` is not served here",
        ]
    );
    assert_eq!(
        (code, out.as_str()),
        (
            1,
            "3 imported, 5 failed, of 8 accounts read from accounts.csv\n"
        )
    );
    assert_eq!(kept(&node, "a"), Some(Kept::Password("p,\"q\"".to_owned())));
    assert_eq!(kept(&node, "c"), Some(Kept::Keys([true, false, false])));
    assert_eq!(kept(&node, "f"), Some(Kept::Password("pencil".to_owned())));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_at_an_error_when_told_to() {
    let node = Memory::default();
    let (code, out, _) = import(&node, MIXED, &["--stop-on-error"]).await;
    assert_eq!(
        (code, out.as_str()),
        (
            1,
            "1 imported, 3 failed, of 4 accounts read from accounts.csv; stopped after line 6\n"
        ),
        "what was sent together is told together"
    );
    assert_eq!(kept(&node, "f"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_passes_over_what_is_there() {
    let file = b"jid,password\na@localhost,pencil\nb@localhost,pencil\n";
    let node = Memory::default().with_accounts(&["a@localhost"]);
    let (code, out, err) = import(&node, file, &["--skip-existing"]).await;
    assert_eq!(
        (code, out.as_str(), err.as_str()),
        (
            0,
            "1 imported, 1 there already, 0 failed, of 2 accounts read from accounts.csv\n",
            ""
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_summary_is_also_json() {
    let file = b"jid,password\na@localhost,pencil\na@localhost,pencil\n";
    let (code, out, err) = import(&Memory::default(), file, &["--json"]).await;
    let summary: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, err.as_str()), (1, ""));
    assert_eq!(
        summary,
        json!({
            "read": 2, "imported": 1, "skipped": 0, "failed": 1, "stoppedAfterLine": null,
            "failures": [{
                "line": 3, "account": "a@localhost", "code": "ALREADY_EXISTS",
                "message": "there is an account `a@localhost` already",
            }],
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_named_columns_is_refused_before_anything_is_sent() {
    let node = Memory::default();
    let (code, out, err) = import(&node, b"a@localhost,sesame\n", &[]).await;
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(
        err.starts_with("mungoctl: accounts.csv: the first line names the columns: "),
        "{err}"
    );
    assert!(!err.contains("sesame"), "{err}");
    assert_eq!(node.lock().batches, 0);
}
