//! Messages of the day in the database.

use std::collections::HashMap;

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{DatabaseTransaction, EntityTrait};
use store::{Apply, Pending, Pool, StoreError};
use xmpp::BareJid;

use super::entity::{motd, seen};
use super::store::{Motd, MotdStore, MotdWrite};

/// Rows in one statement: three values each stay far below what any back end binds at once.
const ROWS: usize = 500;

/// Messages of the day in the database of a [`Pool`].
#[derive(Debug, Clone)]
pub struct SqlMotd {
    pool: Pool,
}

impl SqlMotd {
    /// Messages of the day in that database.
    #[must_use]
    pub fn new(pool: Pool) -> Self {
        Self { pool }
    }
}

fn key(account: &BareJid) -> (String, String) {
    let localpart = account.localpart().unwrap_or_default();
    (account.domain().to_owned(), localpart.to_owned())
}

async fn put(transaction: &DatabaseTransaction, motd: &Motd) -> Result<(), StoreError> {
    let row = motd::ActiveModel {
        domain: Set(motd.domain.clone()),
        id: Set(motd.id.clone()),
        since: Set(motd.since),
        message: Set(motd.message.to_vec()),
    };
    let newer = OnConflict::column(motd::Column::Domain)
        .update_columns([motd::Column::Id, motd::Column::Since, motd::Column::Message])
        .to_owned();
    motd::Entity::insert(row)
        .on_conflict(newer)
        .exec_without_returning(transaction)
        .await?;
    Ok(())
}

async fn note(
    transaction: &DatabaseTransaction,
    mut rows: Vec<seen::ActiveModel>,
) -> Result<(), StoreError> {
    while !rows.is_empty() {
        let newer = OnConflict::columns([seen::Column::Domain, seen::Column::Localpart])
            .update_column(seen::Column::Id)
            .to_owned();
        let rows = rows.drain(..rows.len().min(ROWS));
        seen::Entity::insert_many(rows)
            .on_conflict(newer)
            .exec_without_returning(transaction)
            .await?;
    }
    Ok(())
}

impl Apply<MotdWrite> for SqlMotd {
    fn apply<'a>(&'a self, batch: &'a [MotdWrite]) -> Pending<'a, ()> {
        Box::pin(async move {
            let transaction = self.pool.begin().await?;
            // Of several writes to one account only the last counts, and one statement must not
            // touch a row twice.
            let mut last = HashMap::with_capacity(batch.len());
            for write in batch {
                match write {
                    MotdWrite::Set(motd) => put(&transaction, motd).await?,
                    MotdWrite::Delete(domain) => {
                        let delete = motd::Entity::delete_by_id(domain.clone());
                        delete.exec(&transaction).await?;
                    }
                    MotdWrite::Seen(account, id) => _ = last.insert(account, Some(id)),
                    MotdWrite::Remove(account) => _ = last.insert(account, None),
                }
            }
            let mut rows = Vec::new();
            for (account, id) in last {
                let (domain, localpart) = key(account);
                match id {
                    Some(id) => rows.push(seen::ActiveModel {
                        domain: Set(domain),
                        localpart: Set(localpart),
                        id: Set(id.clone()),
                    }),
                    None => {
                        let delete = seen::Entity::delete_by_id((domain, localpart));
                        delete.exec(&transaction).await?;
                    }
                }
            }
            note(&transaction, rows).await?;
            Ok(transaction.commit().await?)
        })
    }
}

impl MotdStore for SqlMotd {
    fn motds(&self) -> Pending<'_, Vec<Motd>> {
        Box::pin(async move {
            let rows = motd::Entity::find().all(self.pool.reader()).await?;
            let motds = rows.into_iter().map(|row| Motd {
                domain: row.domain,
                id: row.id,
                since: row.since,
                message: row.message.into(),
            });
            Ok(motds.collect())
        })
    }

    fn seen<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Option<String>> {
        Box::pin(async move {
            let row = seen::Entity::find_by_id(key(account)).one(self.pool.reader());
            Ok(row.await?.map(|row| row.id))
        })
    }
}
