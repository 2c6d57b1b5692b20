//! Privacy lists in memory: for tests, and gone with the process.

use std::collections::HashMap;
use std::future::ready;
use std::sync::Arc;

use parking_lot::Mutex;
use store::{Apply, Pending};
use xmpp::BareJid;

use super::lists::Lists;
use super::store::{PrivacyStore, PrivacyWrite};

/// Privacy lists in memory.
#[derive(Debug, Default)]
pub struct MemPrivacy(Mutex<HashMap<BareJid, Arc<Lists>>>);

impl Apply<PrivacyWrite> for MemPrivacy {
    fn apply<'a>(&'a self, batch: &'a [PrivacyWrite]) -> Pending<'a, ()> {
        let mut rows = self.0.lock();
        for PrivacyWrite { account, lists } in batch {
            match lists.is_empty() {
                true => _ = rows.remove(account),
                false => _ = rows.insert(account.clone(), lists.clone()),
            }
        }
        Box::pin(ready(Ok(())))
    }
}

impl PrivacyStore for MemPrivacy {
    fn lists<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Lists> {
        let lists = self.0.lock().get(account).cloned();
        Box::pin(ready(Ok(lists.as_deref().cloned().unwrap_or_default())))
    }
}
