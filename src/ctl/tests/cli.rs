//! The program itself against a real admin interface on a free port of the loopback.

#[path = "../../admin/tests/memory/mod.rs"]
mod memory;

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use admin::api::Presence;
use memory::{Kept, Memory, SECRET, Served};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A served node with its data folder.
struct House {
    data: TempDir,
    served: Served,
}

/// How the program ended.
#[derive(Debug, PartialEq, Eq)]
struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl Ended {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}

impl House {
    async fn of(node: &Memory) -> House {
        let served = node.serve().await;
        let data = tempfile::tempdir().expect("a folder");
        let url = format!("http://{}\n", served.address);
        std::fs::write(data.path().join("admin.url"), url).expect("writes");
        std::fs::write(data.path().join("admin.secret"), format!("{SECRET}\n")).expect("writes");
        House { data, served }
    }

    async fn run(&self, line: &str) -> Ended {
        self.run_with(line, "").await
    }

    async fn run_with(&self, line: &str, input: &str) -> Ended {
        let data = self.data.path().display().to_string();
        run(self.data.path(), &["--data", &data], line, input).await
    }
}

/// Runs the program in a folder; the rest of the line is cut at white space.
async fn run(folder: &Path, before: &[&str], line: &str, input: &str) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mungoctl"));
    command
        .current_dir(folder)
        .env_remove("MUNGO_ADMIN_SECRET")
        .args(before)
        .args(line.split_whitespace())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    run_command(command, input).await
}

async fn run_command(mut command: Command, input: &str) -> Ended {
    let input = input.to_owned();
    let output = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().expect("the program starts");
        let mut stdin = child.stdin.take().expect("piped");
        // It may end without reading all.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        child.wait_with_output().expect("the program ends")
    })
    .await
    .expect("no panic");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ended {
        code: output.status.code().expect("no signal"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

fn ended(code: i32, out: &str, err: &str) -> Ended {
    Ended {
        code,
        out: out.to_owned(),
        err: err.to_owned(),
    }
}

fn kept(node: &Memory, localpart: &str) -> Option<Kept> {
    let key = ("localhost".to_owned(), localpart.to_owned());
    node.lock().accounts.get(&key).cloned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_lives_and_ends() {
    let node = Memory::default();
    let house = House::of(&node).await;
    assert_eq!(
        house
            .run("account register Alice@localhost --password pencil")
            .await,
        ended(
            0,
            "account:    alice@localhost\nregistered: 2026-03-01 12:00:00Z\n",
            ""
        )
    );
    assert_eq!(
        house
            .run("account register alice@localhost --password pencil")
            .await,
        ended(
            1,
            "",
            "mungoctl: there is an account `alice@localhost` already\n"
        )
    );
    let changed = house
        .run_with(
            "account change-password alice@localhost --password-stdin",
            " with spaces \nmore\n",
        )
        .await;
    assert_eq!(changed, ended(0, "account: alice@localhost\n", ""));
    assert_eq!(
        kept(&node, "alice"),
        Some(Kept::Password(" with spaces ".to_owned()))
    );
    assert_eq!(
        house
            .run("account check-password alice@localhost --password pencil")
            .await,
        ended(
            1,
            "",
            "mungoctl: that is not the password of `alice@localhost`\n"
        )
    );
    let unregistered = house
        .run("account unregister --account alice@localhost --json")
        .await;
    assert_eq!(
        (unregistered.code, unregistered.json()),
        (0, json!({"account": "alice@localhost"}))
    );
    let again = house.run("--json account unregister alice@localhost").await;
    assert_eq!(
        (again.code, again.json()),
        (
            1,
            json!({"error": {"code": "NOT_FOUND", "message": "there is no account `alice@localhost`"}})
        )
    );
    assert_eq!(again.err, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_command_lines_end_with_2() {
    let house = House::of(&Memory::default()).await;
    for line in [
        "",
        "account",
        "account register",
        "account register a@localhost b@localhost --password x",
        "account register a@localhost --password x --password-stdin",
        "account list --limit many",
        "account list --limit 0",
        "account import",
        "explode",
        "status --timeout 0",
        "--url ftp://127.0.0.1 status",
        // No terminal to ask on, and nothing on standard input.
        "account register a@localhost",
        "account register a@localhost --password-stdin",
    ] {
        let ended = house.run(line).await;
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (2, ""),
            "{line}: {ended:?}"
        );
        assert!(!ended.err.is_empty(), "{line}");
    }
    let missing = house.run("actor show").await;
    assert_eq!(
        missing,
        ended(
            2,
            "",
            "mungoctl: PATH is missing: The actor, as the tree names it\n\n\
             Usage: mungoctl actor show [OPTIONS] <PATH>\n\n\
             For more information, try `mungoctl actor show --help`.\n"
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn help_is_there_at_every_level() {
    let folder = tempfile::tempdir().expect("a folder");
    for (line, expected) in [
        (
            "--help",
            ["account", "Exit codes:", "mungoctl session list"],
        ),
        ("account --help", ["register", "Make an account", "import"]),
        (
            "account register --help",
            ["<ACCOUNT>", "--password-stdin", "Examples:"],
        ),
        (
            "account import --help",
            ["jid,password", "scram_sha_256", "--skip-existing"],
        ),
        (
            "session list --help",
            ["--of <JID>", "[default: all]", "Examples:"],
        ),
    ] {
        let ended = run(folder.path(), &[], line, "").await;
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{line}");
        for text in expected {
            assert!(
                ended.out.contains(text),
                "{line} lacks {text}:\n{}",
                ended.out
            );
        }
    }
    let version = run(folder.path(), &[], "--version", "").await;
    assert!(version.out.starts_with("mungoctl "), "{version:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_not_there_ends_with_3() {
    let folder = tempfile::tempdir().expect("a folder");
    let nowhere = run(folder.path(), &[], "status", "").await;
    assert_eq!(
        nowhere,
        ended(
            3,
            "",
            "mungoctl: there is no node with the data folder data (it has no admin.url): start \
             one, or name another by --data or --url\n"
        )
    );
    let mut house = House::of(&Memory::default()).await;
    drop(house.served.stop.take());
    (&mut house.served.task).await.expect("no panic");
    let stopped = house.run("status").await;
    assert_eq!(stopped.code, 3, "{stopped:?}");
    let start = format!(
        "mungoctl: there is no node at http://{} (",
        house.served.address
    );
    assert!(stopped.err.starts_with(&start), "{stopped:?}");
    assert!(stopped.err.ends_with("): is it running?\n"), "{stopped:?}");
    assert_eq!(stopped.err.lines().count(), 1);
    let json = house.run("status --json").await;
    assert_eq!(
        (json.code, &json.json()["error"]["code"]),
        (3, &json!("NOT_THERE"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_admin_interface_ends_with_3() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        // Takes every connection and closes it without an answer.
        while let Ok((stream, _)) = listener.accept().await {
            drop(stream);
        }
    });
    let house = House::of(&Memory::default()).await;
    let ended = house.run(&format!("--url http://{address} status")).await;
    assert_eq!((ended.code, ended.out.as_str()), (3, ""), "{ended:?}");
    let elsewhere = format!("--url http://{}/elsewhere status", house.served.address);
    let ended = house.run(&elsewhere).await;
    assert_eq!(ended.code, 3);
    assert!(ended.err.contains("is no admin interface"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_does_not_answer_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let house = House::of(&Memory::default()).await;
    let ended = house
        .run(&format!("--url http://{address} --timeout 1 status"))
        .await;
    assert_eq!(ended.code, 3);
    assert!(
        ended.err.ends_with("has not answered within 1 s\n"),
        "{ended:?}"
    );
    drop(listener);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_comes_from_a_file_the_environment_or_the_data_folder() {
    let house = House::of(&Memory::default()).await;
    let url = format!("http://{}", house.served.address);
    let elsewhere = tempfile::tempdir().expect("a folder");

    let none = run(elsewhere.path(), &["--url", &url], "status", "").await;
    assert_eq!(none.code, 2);
    assert!(none.err.contains("MUNGO_ADMIN_SECRET"), "{none:?}");

    std::fs::write(elsewhere.path().join("secret"), SECRET).expect("writes");
    let named = run(
        elsewhere.path(),
        &["--url", &url, "--secret-file", "secret"],
        "status",
        "",
    )
    .await;
    assert_eq!(named.code, 0, "{named:?}");

    for (secret, code) in [(SECRET, 0), ("wrong", 1)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mungoctl"));
        command
            .env("MUNGO_ADMIN_SECRET", secret)
            .args(["--url", &url, "status"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let ended = run_command(command, "").await;
        assert_eq!(ended.code, code, "{ended:?}");
        assert_eq!(
            ended.err.contains("does not accept the admin secret"),
            code == 1
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_tables_over_all_pages() {
    let names: Vec<String> = (0..2500).map(|n| format!("user{n:04}@localhost")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let node = Memory::default().with_accounts(&names);
    let house = House::of(&node).await;
    let all = house.run("account list").await;
    assert_eq!(all.code, 0, "{}", all.err);
    let lines: Vec<&str> = all.out.lines().collect();
    assert_eq!(lines.len(), 2501);
    assert_eq!(lines[0], "ACCOUNT             REGISTERED");
    assert_eq!(lines[2500], "user2499@localhost  2026-03-01 12:00:00Z");
    let some = house
        .run("account list --after user1000@localhost --limit 1200 --json")
        .await;
    let some = some.json();
    let accounts = some["accounts"].as_array().expect("a list");
    assert_eq!(accounts.len(), 1200);
    assert_eq!(accounts[0]["account"], "user1001@localhost");
    assert_eq!(
        (&some["total"], &some["next"]),
        (&json!(2500), &json!("user2200@localhost"))
    );
    let none = house.run("account list --domain example.org").await;
    assert_eq!(none, ended(0, "no accounts\n", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_status_and_certificates_read_well() {
    let node = Memory::default()
        .with_session("bob@localhost/desk", Presence::Away)
        .with_session("alice@localhost/phone", Presence::None);
    let house = House::of(&node).await;
    assert_eq!(
        house.run("session list").await,
        ended(
            0,
            "\
JID                    PEER       TLS  SINCE                       IDLE  PRIORITY  PRESENCE
alice@localhost/phone  127.0.0.1  yes  2026-03-01 12:00:00Z  1 min 15 s         5  none
bob@localhost/desk     127.0.0.1  yes  2026-03-01 12:00:00Z  1 min 15 s         5  away
",
            ""
        )
    );
    assert_eq!(
        house.run("status").await,
        ended(
            0,
            "\
version:     0.0.0
process:     4711
started:     2026-03-01 12:00:00Z
uptime:      1 d 2 h
data-folder: /srv/mungo
domains:     example.org, localhost
sessions:    2
memory:      12.0 MiB
listeners:
  KIND  ADDRESS         TLS       CONNECTIONS
  c2s   127.0.0.1:5222  starttls            2
",
            ""
        )
    );
    assert_eq!(
        house
            .run("session kick bob@localhost --reason maintenance")
            .await,
        ended(0, "kicked: bob@localhost/desk\n", "")
    );
    assert_eq!(node.lock().reasons, [Some("maintenance".to_owned())]);
    let reloaded = house.run("tls reload").await;
    assert_eq!(
        (reloaded.code, reloaded.out.lines().count()),
        (0, 2),
        "{reloaded:?}"
    );
    node.lock().broken_tls = Some("localhost.pem: \x1b[31mbroken".to_owned());
    let broken = house.run("tls reload").await;
    assert_eq!(
        broken,
        ended(1, "", "mungoctl: localhost.pem: \\u{1b}[31mbroken\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn actors_are_a_tree() {
    let node = Memory::default().with_actors(&[
        "node",
        "node/pools",
        "node/pools/db",
        "node/sessions",
        "node/sessions/0",
    ]);
    node.lock().actors[4].omitted = 98.into();
    let house = House::of(&node).await;
    let tree = house.run("actor tree").await;
    let names: Vec<&str> = tree
        .out
        .lines()
        .map(|line| {
            line.split("  supervisor")
                .next()
                .unwrap_or_default()
                .trim_end()
        })
        .collect();
    assert_eq!(
        names[1..],
        [
            "node",
            "├─ pools",
            "│  └─ db",
            "└─ sessions",
            "   └─ 0",
            "      └─ … 98 more"
        ],
        "{}",
        tree.out
    );
    assert!(
        !tree.out.contains("LAST-ERROR"),
        "nobody has one:\n{}",
        tree.out
    );
    let part = house
        .run("actor tree --path node/pools --json")
        .await
        .json();
    assert_eq!(part["actors"].as_array().map(Vec::len), Some(2));
    let show = house.run("actor show node/pools/db").await;
    assert!(show.out.contains("state:      running\n"), "{}", show.out);
    assert!(
        show.out
            .contains("figures:\n  NAME         VALUE\n  connections  3\n"),
        "{}",
        show.out
    );
    assert_eq!(house.run("actor kill node/pools/db").await.code, 0);
    assert_eq!(node.lock().actors[2].restarts.0, 1);
    assert_eq!(
        house.run("actor kill node").await,
        ended(1, "", "mungoctl: the root is not killed; stop the node\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_has_enough_is_no_error() {
    let names: Vec<String> = (0..5000).map(|n| format!("user{n:04}@localhost")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let house = House::of(&Memory::default().with_accounts(&names)).await;
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg("{ \"$0\" --data \"$1\" account list; echo \"exit $?\" >&2; } | head -n 1")
        .arg(env!("CARGO_BIN_EXE_mungoctl"))
        .arg(house.data.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let ended = run_command(command, "").await;
    assert_eq!(ended.out.lines().count(), 1);
    assert_eq!(ended.err, "exit 0\n");
}
