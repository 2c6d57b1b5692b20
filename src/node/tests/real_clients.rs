//! The clients that people use, against the running node: slixmpp, xmpp.js and profanity. Their scripts
//! are in `ci/clients`; what they need is installed by `ci/test tools`.

mod stage;

use std::path::{Path, PathBuf};

use stage::{Node, PASSWORD};
use tokio::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("two folders up")
        .to_owned()
}

/// A file that `ci/test tools` made.
fn tool(path: &Path) -> PathBuf {
    assert!(
        path.exists(),
        "{} is missing: run `ci/test tools` once",
        path.display()
    );
    path.to_owned()
}

/// Performs a script with the accounts alice and bob on a node of its own.
async fn chat(script: &str, start: impl FnOnce(&Node) -> Command) {
    let node = Node::start().await;
    for account in ["alice@localhost", "bob@localhost"] {
        node.register(account).await.expect("registered");
    }
    let mut command = start(&node);
    let output = command
        .current_dir(root().join("ci/clients"))
        .env("CHAT_PASSWORD", PASSWORD)
        .kill_on_drop(true)
        .output()
        .await
        .unwrap_or_else(|error| panic!("{script} does not start: {error}"));
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{script} failed:\n{said}{complained}\nthe node said:\n{}",
        node.log()
    );
    assert!(
        said.lines().count() > 1,
        "{script} played no scene:\n{said}{complained}"
    );
}

#[tokio::test]
async fn slixmpp_chats() {
    let tools =
        std::env::var_os("CI_TOOLS").map_or_else(|| root().join("target/ci"), PathBuf::from);
    let python = tool(&tools.join("venv/bin/python"));
    chat("slixmpp_chat.py", |node| {
        let mut command = Command::new(python);
        command
            .arg("slixmpp_chat.py")
            .args(["127.0.0.1", &node.c2s.port().to_string()]);
        command
            .arg(node.c2s_tls.port().to_string())
            .arg(node.data().join("self-signed.crt"));
        command
    })
    .await;
}

#[tokio::test]
async fn xmpp_js_chats() {
    tool(&root().join("ci/clients/node_modules/@xmpp/client"));
    chat("xmppjs_chat.mjs", |node| {
        let mut command = Command::new("node");
        command
            .arg("xmppjs_chat.mjs")
            .args(["127.0.0.1", &node.c2s.port().to_string()]);
        command.arg(node.c2s_tls.port().to_string());
        command.env("NODE_EXTRA_CA_CERTS", node.data().join("self-signed.crt"));
        command
    })
    .await;
}

#[tokio::test]
async fn a_terminal_client_chats() {
    chat("terminal.sh", |node| {
        let mut command = Command::new("bash");
        command
            .arg("terminal.sh")
            .args(["127.0.0.1", &node.c2s.port().to_string()]);
        command
    })
    .await;
}
