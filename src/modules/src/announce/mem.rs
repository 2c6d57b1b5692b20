//! Messages of the day in memory: for tests, and gone with the process.

use std::collections::HashMap;
use std::future::ready;

use parking_lot::Mutex;
use store::{Apply, Pending};
use xmpp::BareJid;

use super::store::{Motd, MotdStore, MotdWrite};

/// Messages of the day in memory.
#[derive(Debug, Default)]
pub struct MemMotd(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    motds: HashMap<String, Motd>,
    seen: HashMap<BareJid, String>,
}

impl Apply<MotdWrite> for MemMotd {
    fn apply<'a>(&'a self, batch: &'a [MotdWrite]) -> Pending<'a, ()> {
        let mut kept = self.0.lock();
        for write in batch {
            match write {
                MotdWrite::Set(motd) => {
                    kept.motds.insert(motd.domain.clone(), motd.clone());
                }
                MotdWrite::Delete(domain) => _ = kept.motds.remove(domain),
                MotdWrite::Seen(account, id) => {
                    kept.seen.insert(account.clone(), id.clone());
                }
                MotdWrite::Remove(account) => _ = kept.seen.remove(account),
            }
        }
        Box::pin(ready(Ok(())))
    }
}

impl MotdStore for MemMotd {
    fn motds(&self) -> Pending<'_, Vec<Motd>> {
        Box::pin(ready(Ok(self.0.lock().motds.values().cloned().collect())))
    }

    fn seen<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Option<String>> {
        Box::pin(ready(Ok(self.0.lock().seen.get(account).cloned())))
    }
}
