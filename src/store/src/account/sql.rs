//! Accounts in the database.

use super::{
    Account, AccountStore, Added, Pending,
    entity::{ActiveModel, Column, Entity, Model},
    key, missing, now_ms, time_of,
};
use crate::{AccountKeys, Pool, StoreError, StoreErrorKind};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    Select, TryInsertResult,
};
use std::collections::HashSet;
use xmpp::BareJid;

/// Rows in one statement: six values each stay far below what any back end binds at once.
const ROWS: usize = 500;

/// Accounts in the database of a [`Pool`].
#[derive(Debug, Clone)]
pub struct SqlAccounts {
    pool: Pool,
}

impl SqlAccounts {
    /// Accounts in that database.
    pub fn new(pool: Pool) -> Self {
        SqlAccounts { pool }
    }
}

fn row(account: &BareJid, keys: &AccountKeys, created_at: i64) -> ActiveModel {
    let (domain, localpart) = key(account);
    ActiveModel {
        domain: Set(domain),
        localpart: Set(localpart),
        scram_sha1: Set(keys.sha1.as_ref().map(ToString::to_string)),
        scram_sha256: Set(keys.sha256.as_ref().map(ToString::to_string)),
        scram_sha512: Set(keys.sha512.as_ref().map(ToString::to_string)),
        created_at: Set(created_at),
    }
}

impl TryFrom<Model> for Account {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Account, StoreError> {
        let jid = format!("{}@{}", row.localpart, row.domain);
        let jid = jid
            .parse()
            .map_err(|_| StoreError::new(StoreErrorKind::Damaged, format!("account {jid:?}")))?;
        Ok(Account {
            jid,
            created_at: time_of(row.created_at),
        })
    }
}

impl AccountStore for SqlAccounts {
    fn create<'a>(&'a self, account: &'a BareJid, keys: AccountKeys) -> Pending<'a, Account> {
        Box::pin(async move {
            let now = now_ms();
            Entity::insert(row(account, &keys, now))
                .exec_without_returning(self.pool.writer())
                .await?;
            Ok(Account {
                jid: account.clone(),
                created_at: time_of(now),
            })
        })
    }

    fn create_many(&self, batch: Vec<(BareJid, AccountKeys)>) -> Pending<'_, Vec<Added>> {
        Box::pin(async move {
            let now = now_ms();
            let mut created = HashSet::with_capacity(batch.len());
            let transaction = self.pool.begin().await?;
            for rows in batch.chunks(ROWS) {
                let rows = rows.iter().map(|(jid, keys)| row(jid, keys, now));
                let insert = Entity::insert_many(rows)
                    .on_conflict_do_nothing()
                    .exec_with_returning_keys(&transaction);
                if let TryInsertResult::Inserted(keys) = insert.await? {
                    created.extend(keys);
                }
            }
            transaction.commit().await?;
            let added = batch
                .iter()
                .map(|(jid, _)| match created.remove(&key(jid)) {
                    true => Added::New,
                    false => Added::Existed,
                });
            Ok(added.collect())
        })
    }

    fn replace_keys<'a>(&'a self, account: &'a BareJid, keys: AccountKeys) -> Pending<'a, ()> {
        Box::pin(async move {
            let mut change = row(account, &keys, 0);
            change.created_at = NotSet;
            let update = Entity::update(change).exec(self.pool.writer());
            update.await.map(drop).map_err(Into::into)
        })
    }

    fn remove<'a>(&'a self, account: &'a BareJid) -> Pending<'a, ()> {
        Box::pin(async move {
            let delete = Entity::delete_by_id(key(account)).exec(self.pool.writer());
            match delete.await?.rows_affected {
                0 => Err(missing(account)),
                _ => Ok(()),
            }
        })
    }

    fn keys<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Option<AccountKeys>> {
        Box::pin(async move {
            let row = Entity::find_by_id(key(account)).one(self.pool.reader());
            row.await?.as_ref().map(Model::keys).transpose()
        })
    }

    fn exists<'a>(&'a self, account: &'a BareJid) -> Pending<'a, bool> {
        Box::pin(async move {
            let row = Entity::find_by_id(key(account))
                .select_only()
                .column(Column::Localpart)
                .into_tuple::<String>()
                .one(self.pool.reader());
            Ok(row.await?.is_some())
        })
    }

    fn list<'a>(
        &'a self,
        domain: Option<&'a str>,
        after: Option<&'a BareJid>,
        limit: u64,
    ) -> Pending<'a, Vec<Account>> {
        Box::pin(async move {
            let mut page = of(domain)
                .order_by_asc(Column::Domain)
                .order_by_asc(Column::Localpart)
                // A database counts with a sign.
                .limit(limit.clamp(0, i64::MAX as u64));
            if let Some(after) = after {
                let (domain, localpart) = key(after);
                let next = Column::Domain
                    .eq(domain.as_str())
                    .and(Column::Localpart.gt(localpart));
                page = page.filter(Column::Domain.gt(domain).or(next));
            }
            let rows = page.all(self.pool.reader()).await?;
            rows.into_iter().map(Account::try_from).collect()
        })
    }

    fn count<'a>(&'a self, domain: Option<&'a str>) -> Pending<'a, u64> {
        Box::pin(async move { Ok(of(domain).count(self.pool.reader()).await?) })
    }
}

/// The accounts of one domain or of all.
fn of(domain: Option<&str>) -> Select<Entity> {
    match domain {
        Some(domain) => Entity::find().filter(Column::Domain.eq(domain)),
        None => Entity::find(),
    }
}
