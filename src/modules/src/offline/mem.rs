//! Waiting messages in memory: for tests, and gone with the process.

use std::collections::{BTreeMap, HashMap};
use std::future::ready;

use parking_lot::Mutex;
use store::{Apply, Pending};
use xmpp::BareJid;

use super::store::{Head, Line, OfflineStore, OfflineWrite, Waiting};

/// Waiting messages in memory.
#[derive(Debug, Default)]
pub struct MemOffline(Mutex<HashMap<BareJid, BTreeMap<i64, Waiting>>>);

impl MemOffline {
    fn each<T>(&self, account: &BareJid, of: impl Fn(&Waiting) -> T) -> Vec<T> {
        let rows = self.0.lock();
        let rows = rows.get(account);
        rows.map(|rows| rows.values().map(of).collect())
            .unwrap_or_default()
    }
}

impl Apply<OfflineWrite> for MemOffline {
    fn apply<'a>(&'a self, batch: &'a [OfflineWrite]) -> Pending<'a, ()> {
        let mut rows = self.0.lock();
        for write in batch {
            match write {
                OfflineWrite::Keep(account, message) => {
                    let rows = rows.entry(account.clone()).or_default();
                    rows.entry(message.id).or_insert_with(|| message.clone());
                }
                OfflineWrite::Forget(account, ids) => {
                    if let Some(rows) = rows.get_mut(account) {
                        rows.retain(|id, _| !ids.contains(id));
                    }
                }
                OfflineWrite::Remove(account) => _ = rows.remove(account),
            }
        }
        Box::pin(ready(Ok(())))
    }
}

impl OfflineStore for MemOffline {
    fn lines<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Vec<Line>> {
        let lines = self.each(account, |row| Line {
            id: row.id,
            size: row.stanza.len(),
            expires_at: row.expires_at,
        });
        Box::pin(ready(Ok(lines)))
    }

    fn heads<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Vec<Head>> {
        let heads = self.each(account, |row| Head {
            id: row.id,
            sender: row.sender.clone(),
        });
        Box::pin(ready(Ok(heads)))
    }

    fn read<'a>(
        &'a self,
        account: &'a BareJid,
        first: i64,
        last: i64,
    ) -> Pending<'a, Vec<Waiting>> {
        let mut rows = self.each(account, Waiting::clone);
        rows.retain(|row| (first..=last).contains(&row.id));
        Box::pin(ready(Ok(rows)))
    }

    fn purge(&self, now: i64, limit: u64) -> Pending<'_, u64> {
        let mut purged = 0;
        for rows in self.0.lock().values_mut() {
            rows.retain(|_, row| {
                let old = purged < limit && row.expires_at.is_some_and(|at| at <= now);
                purged += u64::from(old);
                !old
            });
        }
        Box::pin(ready(Ok(purged)))
    }
}
