//! Private data in memory: for tests, and gone with the process.

use std::collections::HashMap;
use std::future::ready;

use bytes::Bytes;
use parking_lot::Mutex;
use store::{Apply, Pending};
use xmpp::BareJid;

use super::store::{PrivateStore, PrivateWrite};

/// Private data in memory.
#[derive(Debug, Default)]
pub struct MemPrivate(Mutex<HashMap<BareJid, HashMap<String, Bytes>>>);

impl Apply<PrivateWrite> for MemPrivate {
    fn apply<'a>(&'a self, batch: &'a [PrivateWrite]) -> Pending<'a, ()> {
        let mut kept = self.0.lock();
        for write in batch {
            match write {
                PrivateWrite::Put {
                    account,
                    namespace,
                    elements,
                } => {
                    let of = kept.entry(account.clone()).or_default();
                    of.insert(namespace.clone(), elements.clone());
                }
                PrivateWrite::Forget(account) => _ = kept.remove(account),
            }
        }
        Box::pin(ready(Ok(())))
    }
}

impl PrivateStore for MemPrivate {
    fn elements<'a>(
        &'a self,
        account: &'a BareJid,
        namespace: &'a str,
    ) -> Pending<'a, Option<Bytes>> {
        let kept = self.0.lock();
        let elements = kept.get(account).and_then(|of| of.get(namespace)).cloned();
        Box::pin(ready(Ok(elements)))
    }

    fn sizes<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Vec<(String, u64)>> {
        let kept = self.0.lock();
        let sizes = kept.get(account).into_iter().flatten();
        let sizes = sizes.map(|(namespace, bytes)| (namespace.clone(), bytes.len() as u64));
        Box::pin(ready(Ok(sizes.collect())))
    }
}
