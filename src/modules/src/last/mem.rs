//! Last activities in memory: for tests, and gone with the process.

use std::collections::HashMap;
use std::future::ready;

use parking_lot::Mutex;
use store::{Apply, Pending};
use xmpp::BareJid;

use super::store::{LastStore, LastWrite, Left};

/// Last activities in memory.
#[derive(Debug, Default)]
pub struct MemLast(Mutex<HashMap<BareJid, Left>>);

impl Apply<LastWrite> for MemLast {
    fn apply<'a>(&'a self, batch: &'a [LastWrite]) -> Pending<'a, ()> {
        let mut rows = self.0.lock();
        for write in batch {
            match write {
                LastWrite::Left(account, left) => _ = rows.insert(account.clone(), left.clone()),
                LastWrite::Remove(account) => _ = rows.remove(account),
            }
        }
        Box::pin(ready(Ok(())))
    }
}

impl LastStore for MemLast {
    fn last<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Option<Left>> {
        Box::pin(ready(Ok(self.0.lock().get(account).cloned())))
    }
}
