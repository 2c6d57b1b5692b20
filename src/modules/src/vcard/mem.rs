//! vCards in memory: for tests, and gone with the process.

use std::collections::HashMap;
use std::future::ready;

use bytes::Bytes;
use parking_lot::Mutex;
use store::{Apply, Pending};
use xmpp::BareJid;

use super::field::{Fields, Wanted, folded};
use super::photo::PhotoHash;
use super::store::{Found, VcardStore, VcardWrite};

/// vCards in memory.
#[derive(Debug, Default)]
pub struct MemVcard(Mutex<HashMap<BareJid, Kept>>);

#[derive(Debug)]
struct Kept {
    card: Bytes,
    photo: Option<PhotoHash>,
    fields: Fields,
}

impl Apply<VcardWrite> for MemVcard {
    fn apply<'a>(&'a self, batch: &'a [VcardWrite]) -> Pending<'a, ()> {
        let mut kept = self.0.lock();
        for write in batch {
            match write.clone() {
                VcardWrite::Put {
                    account,
                    card,
                    photo,
                    fields,
                } => {
                    let put = Kept {
                        card,
                        photo,
                        fields,
                    };
                    kept.insert(account, put);
                }
                VcardWrite::Forget(account) => _ = kept.remove(&account),
            }
        }
        Box::pin(ready(Ok(())))
    }
}

impl VcardStore for MemVcard {
    fn card<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Option<Bytes>> {
        let card = self.0.lock().get(account).map(|kept| kept.card.clone());
        Box::pin(ready(Ok(card)))
    }

    fn photo<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Option<PhotoHash>> {
        let photo = self.0.lock().get(account).and_then(|kept| kept.photo);
        Box::pin(ready(Ok(photo)))
    }

    fn search<'a>(
        &'a self,
        domain: &'a str,
        wanted: &'a [Wanted],
        limit: u64,
    ) -> Pending<'a, Vec<Found>> {
        let Some(first) = wanted.first() else {
            return Box::pin(ready(Ok(Vec::new())));
        };
        let kept = self.0.lock();
        let is_wanted = |fields: &Fields| {
            let is = |wanted: &Wanted| fields.get(&wanted.field).is_some_and(|v| wanted.is(v));
            wanted.iter().all(is)
        };
        let mut found: Vec<Found> = kept
            .iter()
            .filter(|(account, kept)| account.domain() == domain && is_wanted(&kept.fields))
            .map(|(account, kept)| Found {
                account: account.clone(),
                fields: kept.fields.clone(),
            })
            .collect();
        found.sort_by_key(|found| {
            let value = found.fields.get(&first.field).map(|value| folded(value));
            (value, found.account.clone())
        });
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Box::pin(ready(Ok(found)))
    }
}
