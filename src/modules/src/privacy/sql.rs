//! Privacy lists in the database.

use std::collections::HashMap;
use std::sync::Arc;

use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use store::{Apply, Pending, Pool, StoreError, StoreErrorKind};
use xmpp::BareJid;

use super::entity::{ActiveModel, Column, Entity, Model};
use super::lists::{List, Lists};
use super::rules::Rules;
use super::store::{PrivacyStore, PrivacyWrite};
use crate::owners::Owners;

/// Bytes of rules in one row: what the smallest column of bytes of any back end takes in.
const CHUNK: usize = 60_000;

/// Privacy lists in the database of a [`Pool`].
#[derive(Debug)]
pub struct SqlPrivacy {
    pool: Pool,
    owners: Owners,
}

impl SqlPrivacy {
    /// Privacy lists in that database. If it [is ours alone](Pool::is_exclusive), this is the one
    /// through which they are written.
    #[must_use]
    pub fn new(pool: Pool) -> Self {
        Self {
            pool,
            owners: Owners::default(),
        }
    }

    /// Domain and localpart of every account that has lists.
    async fn all(&self) -> Result<Vec<(String, String)>, StoreError> {
        let all = Entity::find()
            .select_only()
            .column(Column::Domain)
            .column(Column::Localpart)
            // Each has a first row.
            .filter(Column::Place.eq(0))
            .into_tuple()
            .all(self.pool.reader());
        Ok(all.await?)
    }
}

fn key(account: &BareJid) -> (String, String) {
    let localpart = account.localpart().unwrap_or_default();
    (account.domain().to_owned(), localpart.to_owned())
}

fn rows(account: &BareJid, lists: &Lists) -> Vec<ActiveModel> {
    let (domain, localpart) = key(account);
    let default = lists.default_list().map(|list| list.name.clone());
    let mut rows = Vec::new();
    for list in lists.all() {
        let bytes = list.rules.as_bytes();
        // A list without rules is a list, too.
        let none = bytes.is_empty().then_some(bytes);
        for rules in bytes.chunks(CHUNK).chain(none) {
            rows.push(ActiveModel {
                domain: Set(domain.clone()),
                localpart: Set(localpart.clone()),
                place: Set(i32::try_from(rows.len()).unwrap_or(i32::MAX)),
                name: Set(list.name.as_ref().to_owned()),
                is_default: Set(default.as_ref() == Some(&list.name)),
                rules: Set(rules.to_vec()),
            });
        }
    }
    rows
}

fn read(account: &BareJid, rows: Vec<Model>) -> Result<Lists, StoreError> {
    let mut read: Vec<(String, Vec<u8>)> = Vec::new();
    let mut default = None;
    for row in rows {
        if row.is_default {
            default = Some(row.name.clone());
        }
        match read.last_mut() {
            Some((name, bytes)) if *name == row.name => bytes.extend(row.rules),
            _ => read.push((row.name, row.rules)),
        }
    }
    let mut lists = Vec::with_capacity(read.len());
    for (name, bytes) in read {
        let rules = Rules::from_bytes(bytes).map_err(|_| {
            let whose = format!("privacy list {name:?} of {account}");
            StoreError::new(StoreErrorKind::Damaged, whose)
        })?;
        lists.push(List {
            name: name.into(),
            rules: Arc::new(rules),
        });
    }
    Ok(Lists::new(lists, default.as_deref()))
}

impl Apply<PrivacyWrite> for SqlPrivacy {
    fn apply<'a>(&'a self, batch: &'a [PrivacyWrite]) -> Pending<'a, ()> {
        Box::pin(async move {
            // Of several writes to one account the last one says it all.
            let mut last = HashMap::with_capacity(batch.len());
            for write in batch {
                last.insert(&write.account, &write.lists);
            }
            let transaction = self.pool.begin().await?;
            for (account, lists) in last {
                let (domain, localpart) = key(account);
                Entity::delete_many()
                    .filter(Column::Domain.eq(domain))
                    .filter(Column::Localpart.eq(localpart))
                    .exec(&transaction)
                    .await?;
                if !lists.is_empty() {
                    self.owners.add(account);
                }
                for row in rows(account, lists) {
                    Entity::insert(row)
                        .exec_without_returning(&transaction)
                        .await?;
                }
            }
            Ok(transaction.commit().await?)
        })
    }
}

impl PrivacyStore for SqlPrivacy {
    fn lists<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Lists> {
        Box::pin(async move {
            if self.pool.is_exclusive() && !self.owners.may_have(account, self.all()).await? {
                return Ok(Lists::default());
            }
            let (domain, localpart) = key(account);
            let rows = Entity::find()
                .filter(Column::Domain.eq(domain))
                .filter(Column::Localpart.eq(localpart))
                .order_by_asc(Column::Place)
                .all(self.pool.reader())
                .await?;
            read(account, rows)
        })
    }
}
