//! Administration of the real node while people chat.

mod stage;

use std::process::{Command, Output};

use rustix::process::Signal;
use stage::{Node, NodeStage};

/// Runs `mungoctl` for a node of the tests.
fn mungoctl(node: &Node, arguments: &[&str]) -> Output {
    // Cargo names only the binaries of this package; the other one lies beside it.
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_mungo")).with_file_name("mungoctl");
    Command::new(program)
        .args(arguments)
        .args(["--data".as_ref(), node.data().as_os_str()])
        .output()
        .expect("mungoctl is built: cargo build --workspace --bins")
}

/// The same, when it must go well; gives what it printed.
fn told(node: &Node, arguments: &[&str]) -> String {
    let output = mungoctl(node, arguments);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{arguments:?}: {said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    said
}

/// The same, when it must be refused: for this reason.
fn refused(node: &Node, arguments: &[&str], why: &str) {
    let output = mungoctl(node, arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(why), "{said}");
}

#[tokio::test]
async fn a_session_is_listed_and_kicked() {
    let mut stage = NodeStage::perform("Romeo logs in").await;
    let listed = told(&stage.node, &["session", "list"]);
    assert!(listed.contains("romeo@localhost/play"), "{listed}");
    told(&stage.node, &["session", "kick", "romeo@localhost/play"]);
    stage
        .act(
            "
            Romeo gets: <stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><**/></stream:error>
            Romeo gets: </stream:stream>
            Romeo gets the end
            ",
        )
        .await;
    assert_eq!(
        mungoctl(&stage.node, &["session", "kick", "romeo@localhost/play"])
            .status
            .code(),
        Some(1)
    );
}

#[tokio::test]
async fn an_account_that_is_unregistered_is_shown_out() {
    let mut stage = NodeStage::perform("Romeo logs in").await;
    told(&stage.node, &["account", "unregister", "romeo@localhost"]);
    stage
        .act(
            "
            Romeo gets: <stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
            Romeo gets: </stream:stream>
            Romeo gets the end
            ",
        )
        .await;
    assert_eq!(
        told(&stage.node, &["account", "list", "--json"])
            .matches("romeo")
            .count(),
        0
    );
}

#[tokio::test]
async fn actors_that_are_killed_come_back_while_chat_goes_on() {
    let mut stage = NodeStage::perform("Romeo logs in\nJuliet logs in").await;
    let listener = format!("node/listeners/c2s-{}", stage.node.c2s_tls);
    for path in [
        "node/hosts/default/ping",
        "node/pools/sqlite",
        &listener,
        "node/hosts",
    ] {
        told(&stage.node, &["actor", "kill", path]);
        stage
            .act(
                "
                Romeo: <message id='m' to='juliet@localhost/play'><body>Good morrow</body></message>
                Juliet gets: <message id='m' from='romeo@localhost/play' to='juliet@localhost/play'><body>Good morrow</body></message>
                ",
            )
            .await;
        let back = async {
            loop {
                let shown = told(&stage.node, &["actor", "show", path, "--json"]);
                if shown.contains("\"state\":\"running\"")
                    || shown.contains("\"state\": \"running\"")
                {
                    break;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), back)
            .await
            .expect(path);
    }
    // The port that was killed takes new people in.
    stage
        .act(
            "
            Nurse logs in
            Nurse: <iq type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>
            Nurse gets: <iq type='result' id='p' from='localhost' to='nurse@localhost/play'/>
            ",
        )
        .await;
}

#[tokio::test]
async fn a_session_whose_actor_is_killed_is_told_so_and_seen_to_leave() {
    let mut stage = NodeStage::perform(
        "
        Phone is juliet@localhost/phone
        Juliet logs in
        Juliet: <presence/>
        Juliet gets: <presence from='juliet@localhost/play' to='juliet@localhost'/>
        Phone logs in
        Phone: <presence/>
        Phone gets all of:
          <presence from='juliet@localhost/phone' to='juliet@localhost'/>
          <presence from='juliet@localhost/play' to='juliet@localhost'/>
        Juliet gets: <presence from='juliet@localhost/phone' to='juliet@localhost'/>
        ",
    )
    .await;
    let tree = told(&stage.node, &["actor", "tree", "--json"]);
    let path = tree
        .split('"')
        .find(|word| {
            word.starts_with("node/sessions/") && word.ends_with("/juliet@localhost/phone")
        })
        .expect("the session is in the tree")
        .to_owned();
    told(&stage.node, &["actor", "kill", &path]);
    stage
        .act(
            "
            Phone gets: <stream:error><internal-server-error xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
            Phone gets: </stream:stream>
            Phone gets the end
            Juliet gets: <presence type='unavailable' from='juliet@localhost/phone' to='juliet@localhost'/>
            ",
        )
        .await;
}

#[tokio::test]
async fn certificates_are_read_again_and_connections_stay() {
    let mut stage = NodeStage::perform("Romeo logs in").await;
    let old = std::fs::read(stage.node.data().join("self-signed.crt")).expect("a certificate");
    // Another node's certificate takes the place of this one's.
    let other = Node::start().await;
    for file in ["self-signed.crt", "self-signed.key"] {
        std::fs::copy(other.data().join(file), stage.node.data().join(file)).expect("copied");
    }
    let reloaded = told(&stage.node, &["tls", "reload"]);
    assert!(reloaded.contains("localhost"), "{reloaded}");
    // `Juliet logs in` trusts only what the file holds now.
    stage
        .act(
            "
            Juliet logs in
            Romeo: <iq type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>
            Romeo gets: <iq type='result' id='p' from='localhost' to='romeo@localhost/play'/>
            ",
        )
        .await;
    // By signal too, and a file that is damaged changes nothing.
    std::fs::write(stage.node.data().join("self-signed.crt"), "damaged").expect("written");
    assert_eq!(
        mungoctl(&stage.node, &["tls", "reload"]).status.code(),
        Some(1)
    );
    std::fs::write(stage.node.data().join("self-signed.crt"), old).expect("written");
    stage.node.signal(Signal::HUP);
    stage
        .act(
            "
            Romeo: <iq type='get' id='q' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>
            Romeo gets: <iq type='result' id='q' from='localhost' to='romeo@localhost/play'/>
            ",
        )
        .await;
}

#[tokio::test]
async fn tens_of_thousands_of_accounts_are_imported() {
    let node = Node::start().await;
    let file = node.folder().join("accounts.csv");
    let lines = (0..30_000).map(|n| format!("u{n}@localhost,open sesame\n"));
    let text: String = std::iter::once("jid,password\n".to_owned())
        .chain(lines)
        .collect();
    std::fs::write(&file, text).expect("written");
    told(
        &node,
        &["account", "import", file.to_str().expect("a path")],
    );
    told(
        &node,
        &[
            "account",
            "check-password",
            "u29999@localhost",
            "--password",
            "open sesame",
        ],
    );
    assert_eq!(
        mungoctl(
            &node,
            &[
                "account",
                "check-password",
                "u1@localhost",
                "--password",
                "open"
            ]
        )
        .status
        .code(),
        Some(1)
    );
}

/// Those of one domain, and those of all.
#[tokio::test]
async fn an_operator_speaks_to_everybody_who_is_online() {
    let node = Node::start_with("domains: [\"localhost\", \"example.org\"]").await;
    let mut stage = NodeStage::new(node);
    stage
        .act(
            "
            Romeo logs in
            Romeo: <presence/>
            Romeo gets: <presence *><**/></presence>
            Nurse is nurse@example.org/play
            Nurse logs in
            Nurse: <presence/>
            Nurse gets: <presence *><**/></presence>
            Juliet logs in
            ",
        )
        .await;
    let said = told(
        &stage.node,
        &["announce", "online", "Noon & <rest>", "--subject", "Hear"],
    );
    assert!(said.contains("told: 2"), "{said}");
    let said = told(
        &stage.node,
        &["announce", "online", "Hush", "--domain", "example.org"],
    );
    assert!(said.contains("told: 1"), "{said}");
    stage
        .act(
            "
            Romeo gets: <message id='*' from='localhost' to='romeo@localhost'><subject>Hear</subject><body>Noon &amp; &lt;rest&gt;</body></message>
            Romeo gets nothing
            Nurse gets: <message id='*' from='example.org' to='nurse@example.org'><subject>Hear</subject><body>Noon &amp; &lt;rest&gt;</body></message>
            Nurse gets: <message id='*' from='example.org' to='nurse@example.org'><body>Hush</body></message>
            Juliet gets nothing
            ",
        )
        .await;
    refused(
        &stage.node,
        &["announce", "online", "Hush", "--domain", "example.com"],
        "the domain `example.com` is not served here",
    );
    let book = "x".repeat(60_000);
    refused(
        &stage.node,
        &["announce", "online", &book],
        "an announcement has at most 60000 bytes",
    );
    // The message of the day needs the module.
    for arguments in [
        &["announce", "set-motd", "Be merry"][..],
        &["announce", "motd"],
        &["announce", "delete-motd"],
    ] {
        refused(
            &stage.node,
            arguments,
            "write `modules: (announce: ())` into the configuration",
        );
    }
}

#[tokio::test]
async fn an_operator_sets_shows_and_deletes_the_message_of_the_day() {
    let settings = "domains: [\"localhost\", \"example.org\"], modules: (announce: ())";
    let mut stage = NodeStage::new(Node::start_with(settings).await);
    stage
        .act(
            "
            Romeo logs in
            Romeo: <presence/>
            Romeo gets: <presence *><**/></presence>
            ",
        )
        .await;
    let set = ["announce", "set-motd", "Be merry", "--subject", "Today"];
    let said = told(&stage.node, &set);
    assert!(said.contains("told: 1"), "{said}");
    stage
        .act("Romeo gets: <message id='*' from='localhost' to='romeo@localhost'><subject>Today</subject><body>Be merry</body></message>")
        .await;
    let later = ["announce", "set-motd", "Be sad", "--later", "--domain"];
    let said = told(&stage.node, &[&later[..], &["example.org"]].concat());
    assert!(said.contains("told: 0"), "{said}");
    // What it said is true, whatever happens now.
    stage.node.kill_and_restart().await;
    stage.clear();
    let shown = told(&stage.node, &["announce", "motd"]);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 3, "{shown}");
    assert!(lines[1].starts_with("example.org"), "{shown}");
    assert!(lines[1].ends_with("Be sad"), "{shown}");
    assert!(lines[2].starts_with("localhost"), "{shown}");
    assert!(lines[2].ends_with("Today    Be merry"), "{shown}");
    stage
        .act(
            "
            Romeo logs in
            Romeo: <presence/>
            Romeo gets: <presence *><**/></presence>
            Juliet logs in
            Juliet: <presence/>
            Juliet gets: <presence *><**/></presence>
            Juliet gets: <message id='*' from='localhost' to='juliet@localhost'><subject>Today</subject><body>Be merry</body></message>
            Nurse is nurse@example.org/play
            Nurse logs in
            Nurse: <presence/>
            Nurse gets: <presence *><**/></presence>
            Nurse gets: <message id='*' from='example.org' to='nurse@example.org'><body>Be sad</body></message>
            ",
        )
        .await;
    let deleted = told(
        &stage.node,
        &["announce", "delete-motd", "--domain", "example.org"],
    );
    assert!(deleted.contains("Be sad"), "{deleted}");
    assert!(!deleted.contains("Be merry"), "{deleted}");
    told(&stage.node, &["announce", "delete-motd"]);
    refused(
        &stage.node,
        &["announce", "delete-motd"],
        "there is no message of the day",
    );
    let shown = told(&stage.node, &["announce", "motd"]);
    assert_eq!(shown.trim(), "no messages");
    stage
        .act(
            "
            Peter logs in
            Peter: <presence/>
            Peter gets: <presence *><**/></presence>
            Peter gets nothing
            ",
        )
        .await;
}
