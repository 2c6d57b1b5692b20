//! Nodes that are found in a file, an address in each line.

use std::path::PathBuf;
use std::time::SystemTime;

use tokio::io::AsyncReadExt;

use super::names::resolve;
use super::{Look, Seen};

/// A larger file is not what it should be.
const LARGEST: u64 = 256 << 10;

/// A file, read when it has changed.
pub(super) struct List {
    path: PathBuf,
    /// When it was last written, and how long it was, when it was read.
    read: Option<(SystemTime, u64)>,
    hosts: Vec<String>,
    bad_line: Option<String>,
}

impl List {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            read: None,
            hosts: Vec::new(),
            bad_line: None,
        }
    }

    async fn refresh(&mut self) -> std::io::Result<()> {
        let facts = tokio::fs::metadata(&self.path).await?;
        let version = Some((facts.modified()?, facts.len()));
        if self.read == version {
            return Ok(());
        }
        let mut text = String::new();
        let file = tokio::fs::File::open(&self.path).await?;
        file.take(LARGEST).read_to_string(&mut text).await?;
        self.read = version;
        self.hosts.clear();
        self.bad_line = None;
        for (n, line) in text.lines().enumerate() {
            let host = line.split('#').next().unwrap_or_default().trim();
            let port = host.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
            match port {
                _ if host.is_empty() => {}
                Some(Ok(1..)) => self.hosts.push(host.to_owned()),
                _ => {
                    let path = self.path.display();
                    self.bad_line = Some(format!(
                        "{path}, line {}: \"{}\" is no host and port; write such as 10.0.0.5:25269",
                        n + 1,
                        host.escape_debug()
                    ));
                }
            }
        }
        Ok(())
    }
}

impl Look for List {
    async fn look(&mut self) -> Seen {
        if let Err(error) = self.refresh().await {
            // Those who were in it are kept by whoever asks.
            self.read = None;
            let path = self.path.display();
            return Seen {
                trouble: Some(format!(
                    "cannot read {path}: {error}; create it, or mend it"
                )),
                ..Seen::default()
            };
        }
        let seen = resolve(self.hosts.iter().map(String::as_str)).await;
        Seen {
            trouble: seen.trouble.or_else(|| self.bad_line.clone()),
            ..seen
        }
    }
}
