//! Which accounts have lists at all: hardly any, so that hardly any login has to ask the database.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use parking_lot::RwLock;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use store::{Pool, StoreError};
use tokio::sync::OnceCell;
use xmpp::BareJid;

use super::entity::{Column, Entity};

/// The hashes of accounts that have lists or had some: eight bytes each. Only for a database that
/// nobody else writes to ([`Pool::is_exclusive`]).
#[derive(Debug, Default)]
pub(super) struct Owners {
    hashes: RwLock<HashSet<u64>>,
    hasher: RandomState,
    read: OnceCell<()>,
}

impl Owners {
    /// Whether `account` may have lists. At first all that have some are read.
    ///
    /// # Errors
    /// What the database says; it is asked again next time.
    pub(super) async fn may_have(
        &self,
        account: &BareJid,
        pool: &Pool,
    ) -> Result<bool, StoreError> {
        self.read.get_or_try_init(|| self.read(pool)).await?;
        let hash = self.hash(account.domain(), account.localpart().unwrap_or_default());
        Ok(self.hashes.read().contains(&hash))
    }

    /// `account` will have lists. Said before they are committed, it is never missed.
    pub(super) fn add(&self, account: &BareJid) {
        let hash = self.hash(account.domain(), account.localpart().unwrap_or_default());
        self.hashes.write().insert(hash);
    }

    fn hash(&self, domain: &str, localpart: &str) -> u64 {
        self.hasher.hash_one((domain, localpart))
    }

    async fn read(&self, pool: &Pool) -> Result<(), StoreError> {
        // Each has a first row.
        let owners: Vec<(String, String)> = Entity::find()
            .select_only()
            .column(Column::Domain)
            .column(Column::Localpart)
            .filter(Column::Place.eq(0))
            .into_tuple()
            .all(pool.reader())
            .await?;
        let hashes = owners
            .iter()
            .map(|(domain, localpart)| self.hash(domain, localpart));
        self.hashes.write().extend(hashes);
        Ok(())
    }
}
