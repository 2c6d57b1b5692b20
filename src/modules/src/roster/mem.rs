//! Rosters in memory, for tests and for nodes without a database.

use std::collections::{BTreeMap, HashMap};

use parking_lot::Mutex;
use store::{Apply, Pending};
use xmpp::BareJid;

use super::store::{Kept, RosterStore, RosterWrite};

/// Rosters in memory.
#[derive(Debug, Default)]
pub struct MemRosters(Mutex<HashMap<BareJid, BTreeMap<i32, Kept>>>);

impl Apply<RosterWrite> for MemRosters {
    fn apply<'a>(&'a self, batch: &'a [RosterWrite]) -> Pending<'a, ()> {
        Box::pin(async move {
            let mut accounts = self.0.lock();
            for write in batch {
                match write {
                    RosterWrite::Put(account, kept) => {
                        let items = accounts.entry(account.clone()).or_default();
                        items.insert(kept.item.number, kept.clone());
                    }
                    RosterWrite::Forget(account, numbers) => {
                        if let Some(items) = accounts.get_mut(account) {
                            items.retain(|number, _| !numbers.contains(number));
                        }
                    }
                    RosterWrite::Remove(account) => _ = accounts.remove(account),
                }
            }
            Ok(())
        })
    }
}

impl RosterStore for MemRosters {
    fn load<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Vec<Kept>> {
        Box::pin(async move {
            let accounts = self.0.lock();
            let items = accounts.get(account).into_iter().flat_map(BTreeMap::values);
            Ok(items.cloned().collect())
        })
    }
}
