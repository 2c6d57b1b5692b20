//! Last activities in the database.

use std::collections::HashMap;

use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;
use sea_orm::sea_query::OnConflict;
use store::{Apply, Pending, Pool};
use xmpp::BareJid;

use super::entity::{ActiveModel, Column, Entity};
use super::store::{LastStore, LastWrite, Left};

/// Rows in one statement: four values each stay far below what any back end binds at once.
const ROWS: usize = 500;

/// Last activities in the database of a [`Pool`].
#[derive(Debug, Clone)]
pub struct SqlLast {
    pool: Pool,
}

impl SqlLast {
    /// Last activities in that database.
    #[must_use]
    pub fn new(pool: Pool) -> Self {
        Self { pool }
    }
}

fn key(account: &BareJid) -> (String, String) {
    let localpart = account.localpart().unwrap_or_default();
    (account.domain().to_owned(), localpart.to_owned())
}

fn row(account: &BareJid, left: &Left) -> ActiveModel {
    let (domain, localpart) = key(account);
    ActiveModel {
        domain: Set(domain),
        localpart: Set(localpart),
        at: Set(left.at),
        status: Set(left.status.clone()),
    }
}

impl Apply<LastWrite> for SqlLast {
    fn apply<'a>(&'a self, batch: &'a [LastWrite]) -> Pending<'a, ()> {
        Box::pin(async move {
            // Of several writes to one account only the last counts, and one statement must not
            // touch a row twice.
            let mut last = HashMap::with_capacity(batch.len());
            for write in batch {
                match write {
                    LastWrite::Left(account, left) => _ = last.insert(account, Some(left)),
                    LastWrite::Remove(account) => _ = last.insert(account, None),
                }
            }
            let transaction = self.pool.begin().await?;
            let mut rows = Vec::new();
            for (account, left) in last {
                match left {
                    Some(left) => rows.push(row(account, left)),
                    None => {
                        _ = Entity::delete_by_id(key(account))
                            .exec(&transaction)
                            .await?
                    }
                }
            }
            while !rows.is_empty() {
                let newer = OnConflict::columns([Column::Domain, Column::Localpart])
                    .update_columns([Column::At, Column::Status])
                    .to_owned();
                let rows = rows.drain(..rows.len().min(ROWS));
                Entity::insert_many(rows)
                    .on_conflict(newer)
                    .exec_without_returning(&transaction)
                    .await?;
            }
            Ok(transaction.commit().await?)
        })
    }
}

impl LastStore for SqlLast {
    fn last<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Option<Left>> {
        Box::pin(async move {
            let row = Entity::find_by_id(key(account)).one(self.pool.reader());
            Ok(row.await?.map(|row| Left {
                at: row.at,
                status: row.status,
            }))
        })
    }
}
