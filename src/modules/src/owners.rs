//! Which accounts have anything at all of a kind: often hardly any, so that hardly any login has to
//! ask the database.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use parking_lot::RwLock;
use store::StoreError;
use tokio::sync::OnceCell;
use xmpp::BareJid;

/// The hashes of accounts that have something or had it: eight bytes each. Only for a database that
/// nobody else writes to ([`Pool::is_exclusive`](store::Pool::is_exclusive)).
#[derive(Debug, Default)]
pub(crate) struct Owners {
    hashes: RwLock<HashSet<u64>>,
    hasher: RandomState,
    read: OnceCell<()>,
}

impl Owners {
    /// Whether `account` may have something. At first `all` that have, domain and localpart of each,
    /// are read.
    ///
    /// # Errors
    /// What the database says; it is asked again next time.
    pub(crate) async fn may_have(
        &self,
        account: &BareJid,
        all: impl Future<Output = Result<Vec<(String, String)>, StoreError>>,
    ) -> Result<bool, StoreError> {
        let read = async || {
            let all = all.await?;
            let hashes = all
                .iter()
                .map(|(domain, localpart)| self.hash(domain, localpart));
            self.hashes.write().extend(hashes);
            Ok::<(), StoreError>(())
        };
        self.read.get_or_try_init(read).await?;
        let hash = self.hash(account.domain(), account.localpart().unwrap_or_default());
        Ok(self.hashes.read().contains(&hash))
    }

    /// `account` will have something. Said before it is committed, it is never missed.
    pub(crate) fn add(&self, account: &BareJid) {
        let hash = self.hash(account.domain(), account.localpart().unwrap_or_default());
        self.hashes.write().insert(hash);
    }

    fn hash(&self, domain: &str, localpart: &str) -> u64 {
        self.hasher.hash_one((domain, localpart))
    }
}
