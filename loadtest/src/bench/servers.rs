//! Servers that scripts start and stop.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::failure::Failure;

/// A server that runs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Server {
    /// Its process.
    pub(super) pid: u32,
    /// Where it takes clients.
    pub(super) address: String,
}

impl Server {
    /// Starts the one of this name with so many accounts, by the script `up` of a folder.
    ///
    /// # Errors
    /// There is no such script or server, or it does not start.
    pub(super) async fn start(peers: &Path, name: &str, accounts: u32) -> Result<Server, Failure> {
        let script = peers.join("up");
        let output = Command::new(&script)
            .args([name, &accounts.to_string()])
            .stdin(Stdio::null())
            .output()
            .await
            .map_err(|error| Failure::Peer(format!("{}: {error}", script.display())))?;
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            let last = said.trim().lines().last().unwrap_or("it says nothing");
            return Err(Failure::Peer(format!("{name} was not started: {last}")));
        }
        let line = String::from_utf8_lossy(&output.stdout);
        Server::told(line.trim()).ok_or_else(|| {
            let what = format!("{name}: \"{}\" is no process and address", line.trim());
            Failure::Peer(what)
        })
    }

    /// What `up` prints: the process and the address.
    fn told(line: &str) -> Option<Server> {
        let (pid, address) = line.split_once(' ')?;
        Some(Server {
            pid: pid.parse().ok()?,
            address: address.to_owned(),
        })
    }

    /// Stops the one of this name, if it runs, by the script `down`.
    pub(super) async fn stop(peers: &Path, name: &str) {
        // One that does not stop is found by the next who starts it.
        let _ = Command::new(peers.join("down"))
            .arg(name)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .await;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn scripts(up: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a place");
        for (name, text) in [
            ("up", up),
            ("down", "touch \"$(dirname \"$0\")/$1-is-down\""),
        ] {
            let file = folder.path().join(name);
            fs::write(&file, format!("#!/bin/sh\n{text}\n")).expect("written");
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("set");
        }
        folder
    }

    #[tokio::test]
    async fn a_script_says_what_it_started() {
        let folder = scripts("echo \"$2 127.0.0.1:5222\"; echo noise >&2");
        let server = Server::start(folder.path(), "mungo", 77).await;
        let wanted = Server {
            pid: 77,
            address: "127.0.0.1:5222".to_owned(),
        };
        assert_eq!(server.expect("started"), wanted);
        Server::stop(folder.path(), "mungo").await;
        assert!(folder.path().join("mungo-is-down").exists());
    }

    #[tokio::test]
    async fn a_script_says_why_it_did_not() {
        for (up, reason) in [
            (
                "echo first >&2; echo no erl here >&2; exit 1",
                "no erl here",
            ),
            ("echo 127.0.0.1:5222", "no process"),
            ("exit 3", "nothing"),
        ] {
            let folder = scripts(up);
            let failure = Server::start(folder.path(), "ejabberd", 1).await;
            let failure = failure.expect_err("not started").to_string();
            assert!(
                failure.contains("ejabberd") && failure.contains(reason),
                "{failure}"
            );
        }
        let nowhere = Server::start(Path::new("/nowhere"), "x", 1).await;
        assert!(
            nowhere
                .expect_err("no script")
                .to_string()
                .contains("/nowhere/up")
        );
    }
}
