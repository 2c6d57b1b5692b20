//! Accounts in memory: for tests, and gone with the process.

use super::{Account, AccountStore, Added, Key, Pending, key, missing, now_ms, time_of};
use crate::{AccountKeys, StoreError, StoreErrorKind};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};
use xmpp::BareJid;

/// Accounts in memory.
#[derive(Debug, Default)]
pub struct MemAccounts {
    rows: Mutex<Rows>,
}

type Rows = BTreeMap<Key, (Account, AccountKeys)>;

impl MemAccounts {
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds an account; `None` if it is there.
fn add(rows: &mut Rows, jid: &BareJid, keys: AccountKeys) -> Option<Account> {
    match rows.entry(key(jid)) {
        Entry::Occupied(_) => None,
        Entry::Vacant(free) => {
            let account = Account {
                jid: jid.clone(),
                created_at: time_of(now_ms()),
            };
            free.insert((account.clone(), keys));
            Some(account)
        }
    }
}

/// An answer that is there at once.
fn at_once<'a, T: Send + 'a>(answer: Result<T, StoreError>) -> Pending<'a, T> {
    Box::pin(std::future::ready(answer))
}

impl AccountStore for MemAccounts {
    fn create<'a>(&'a self, account: &'a BareJid, keys: AccountKeys) -> Pending<'a, Account> {
        let added = add(&mut self.rows(), account, keys);
        let exists = || StoreError::new(StoreErrorKind::Exists, account.to_string());
        at_once(added.ok_or_else(exists))
    }

    fn create_many(&self, batch: Vec<(BareJid, AccountKeys)>) -> Pending<'_, Vec<Added>> {
        let mut rows = self.rows();
        let added = batch.into_iter().map(|(jid, keys)| {
            let added = add(&mut rows, &jid, keys);
            added.map_or(Added::Existed, |_| Added::New)
        });
        at_once(Ok(added.collect()))
    }

    fn replace_keys<'a>(&'a self, account: &'a BareJid, keys: AccountKeys) -> Pending<'a, ()> {
        at_once(match self.rows().get_mut(&key(account)) {
            Some((_, old)) => {
                *old = keys;
                Ok(())
            }
            None => Err(missing(account)),
        })
    }

    fn remove<'a>(&'a self, account: &'a BareJid) -> Pending<'a, ()> {
        let removed = self.rows().remove(&key(account));
        at_once(removed.map(drop).ok_or_else(|| missing(account)))
    }

    fn keys<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Option<AccountKeys>> {
        let rows = self.rows();
        at_once(Ok(rows.get(&key(account)).map(|(_, keys)| keys.clone())))
    }

    fn exists<'a>(&'a self, account: &'a BareJid) -> Pending<'a, bool> {
        at_once(Ok(self.rows().contains_key(&key(account))))
    }

    fn list<'a>(
        &'a self,
        domain: Option<&'a str>,
        after: Option<&'a BareJid>,
        limit: u64,
    ) -> Pending<'a, Vec<Account>> {
        let start = after.map_or(Bound::Unbounded, |after| Bound::Excluded(key(after)));
        let rows = self.rows();
        let page = rows
            .range((start, Bound::Unbounded))
            .filter(|((of, _), _)| domain.is_none_or(|domain| of == domain))
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .map(|(_, (account, _))| account.clone());
        at_once(Ok(page.collect()))
    }

    fn count<'a>(&'a self, domain: Option<&'a str>) -> Pending<'a, u64> {
        let rows = self.rows();
        let counted = rows
            .keys()
            .filter(|(of, _)| domain.is_none_or(|domain| of == domain));
        at_once(Ok(counted.count() as u64))
    }
}
