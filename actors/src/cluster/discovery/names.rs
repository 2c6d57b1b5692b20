//! Nodes that are found by the names of their hosts.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::timeout;

use super::{Look, Seen};

/// A resolver that takes longer has no answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Hosts with ports, resolved anew at each look.
pub(super) struct Names(Vec<String>);

impl Names {
    pub(super) fn new(hosts: impl Into<Vec<String>>) -> Self {
        Self(hosts.into())
    }
}

impl Look for Names {
    async fn look(&mut self) -> Seen {
        resolve(self.0.iter().map(String::as_str)).await
    }
}

/// All addresses of all these hosts.
pub(super) async fn resolve(hosts: impl Iterator<Item = &str> + Send) -> Seen {
    let mut addresses = BTreeSet::new();
    let mut trouble = None;
    for host in hosts {
        // An address needs no resolver.
        if let Ok(address) = host.parse() {
            addresses.insert(address);
            continue;
        }
        match timeout(PATIENCE, lookup_host(host)).await {
            Ok(Ok(found)) => addresses.extend(found),
            Ok(Err(error)) => trouble = Some(format!("{host} has no address: {error}")),
            Err(_) => trouble = Some(format!("the resolver doesn't answer for {host}")),
        }
    }
    Seen { addresses, trouble }
}
