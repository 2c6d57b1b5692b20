//! Finding other nodes: each way to find them is looked at again and again, and what all of them
//! give together is what is dialled.

mod database;
mod file;
mod names;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use store::Nodes;
use tokio::sync::{Notify, oneshot};
use tokio::time::sleep;

use crate::background::BackgroundArgs;
use crate::vitals::{Roll, lock};

pub use database::OwnRow;

/// A way that gives more addresses than this is cut there: it isn't what it should be.
const MOST: usize = 1_000;
/// How long a way may take to say good-bye.
const PATIENCE: Duration = Duration::from_secs(1);

/// A way to find nodes.
#[derive(Debug, Clone)]
pub enum Way {
    /// Hosts with a port.
    Seeds(Vec<String>),
    /// A host with a port, all of whose addresses are nodes.
    Dns(String),
    /// A file with a host and a port in each line.
    File(PathBuf),
    /// A table in the database that the nodes share.
    Database(Nodes, OwnRow),
}

impl Way {
    fn name(&self) -> &'static str {
        match self {
            Way::Seeds(_) => "seeds",
            Way::Dns(_) => "dns",
            Way::File(_) => "file",
            Way::Database(..) => "database",
        }
    }

    /// The actor that looks there, every so often.
    #[must_use]
    pub fn search(
        self,
        every: Duration,
        candidates: &Arc<Candidates>,
        roll: &Roll,
    ) -> BackgroundArgs {
        let (name, candidates) = (self.name(), candidates.clone());
        BackgroundArgs {
            kind: "discovery",
            name: name.into(),
            run: Arc::new(move |told| {
                let (way, candidates) = (self.clone(), candidates.clone());
                Box::pin(async move {
                    match way {
                        Way::Seeds(hosts) => {
                            search(name, names::Names::new(hosts), every, &candidates, told).await;
                        }
                        Way::Dns(host) => {
                            search(name, names::Names::new([host]), every, &candidates, told).await;
                        }
                        Way::File(path) => {
                            search(name, file::List::new(path), every, &candidates, told).await;
                        }
                        Way::Database(nodes, own) => {
                            let table = database::Table::new(nodes, own);
                            search(name, table, every, &candidates, told).await;
                        }
                    }
                })
            }),
            patience: PATIENCE,
            roll: roll.clone(),
        }
    }
}

/// What was seen at one look.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    addresses: BTreeSet<SocketAddr>,
    /// What kept the look from being complete, for the operator.
    trouble: Option<String>,
}

/// A way to find nodes, at work.
trait Look: Send {
    fn look(&mut self) -> impl Future<Output = Seen> + Send;

    /// The node goes: nobody needs to find it any more.
    fn leave(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// Looks for ever, until it is told to end.
async fn search(
    name: &'static str,
    mut way: impl Look,
    every: Duration,
    candidates: &Candidates,
    mut told: oneshot::Receiver<()>,
) {
    let mut trouble = None;
    loop {
        let seen = tokio::select! {
            seen = way.look() => seen,
            _ = &mut told => break,
        };
        if seen.trouble != trouble {
            match &seen.trouble {
                Some(trouble) => {
                    tracing::warn!(what = "discovery_failed", way = name, "{trouble}");
                }
                None => tracing::info!(what = "discovery_mended", way = name),
            }
            trouble = seen.trouble.clone();
        }
        candidates.note(name, seen);
        tokio::select! {
            () = sleep(every) => {}
            _ = &mut told => break,
        }
    }
    way.leave().await;
}

/// The addresses where nodes may be.
#[derive(Debug, Default)]
pub struct Candidates {
    by_way: Mutex<BTreeMap<&'static str, BTreeSet<SocketAddr>>>,
    changed: Notify,
}

impl Candidates {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> BTreeSet<SocketAddr> {
        lock(&self.by_way).values().flatten().copied().collect()
    }

    /// Waits until there are others than at the last time.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// These were found.
    #[cfg(test)]
    pub(super) fn found(&self, addresses: &[SocketAddr]) {
        let seen = Seen {
            addresses: addresses.iter().copied().collect(),
            trouble: None,
        };
        self.note("test", seen);
    }

    fn note(&self, name: &'static str, seen: Seen) {
        let mut by_way = lock(&self.by_way);
        let known = by_way.entry(name).or_default();
        let mut addresses = seen.addresses;
        if seen.trouble.is_some() {
            // What could not be asked may well be as it was.
            addresses.extend(known.iter());
        }
        let addresses = addresses.into_iter().take(MOST).collect();
        if *known != addresses {
            *known = addresses;
            self.changed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests;
