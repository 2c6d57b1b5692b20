//! Waiting messages in the database.

use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use sha2::{Digest, Sha256};
use store::{Apply, Pending, Pool, StoreError};
use xmpp::BareJid;

use super::entity::{ActiveModel, Column, Entity, Model};
use super::store::{Head, Line, OfflineStore, OfflineWrite, Waiting};
use crate::owners::Owners;
use crate::pieces::pieces;

/// Rows in one statement: ten values each stay far below what any back end binds at once.
const ROWS: usize = 500;

/// Waiting messages in the database of a [`Pool`].
#[derive(Debug)]
pub struct SqlOffline {
    pool: Pool,
    /// For whom something waits.
    owners: Owners,
}

impl SqlOffline {
    /// Waiting messages in that database. If it [is ours alone](Pool::is_exclusive), this is the
    /// one through which they are written.
    #[must_use]
    pub fn new(pool: Pool) -> Self {
        Self {
            pool,
            owners: Owners::default(),
        }
    }

    /// Domain and localpart of every account for which something waits.
    async fn all(&self) -> Result<Vec<(String, String)>, StoreError> {
        let all = Entity::find()
            .select_only()
            .columns([Column::Domain, Column::Localpart])
            .distinct()
            .into_tuple()
            .all(self.pool.reader());
        Ok(all.await?)
    }
}

/// What stands for the account in the key.
fn owner(account: &BareJid) -> Vec<u8> {
    Sha256::digest(account.as_ref()).to_vec()
}

fn rows<'a>(
    account: &'a BareJid,
    message: &'a Waiting,
) -> impl Iterator<Item = ActiveModel> + use<'a> {
    let owner = owner(account);
    pieces(&message.stanza).map(move |(place, piece)| ActiveModel {
        domain: Set(account.domain().to_owned()),
        localpart: Set(account.localpart().unwrap_or_default().to_owned()),
        owner: Set(owner.clone()),
        id: Set(message.id),
        place: Set(place),
        stored_at: Set(message.stored_at),
        expires_at: Set(message.expires_at),
        sender: Set(Some(message.sender.clone()).filter(|sender| !sender.is_empty())),
        size: Set(i64::try_from(message.stanza.len()).unwrap_or(i64::MAX)),
        stanza: Set(piece.to_vec()),
    })
}

/// The messages of one account, whose rows come in their order.
fn whole(rows: Vec<Model>) -> Vec<Waiting> {
    let runs = rows.chunk_by(|one, next| one.id == next.id);
    runs.filter_map(|run| {
        let first = run.first()?;
        let pieces: Vec<&[u8]> = run.iter().map(|row| &row.stanza[..]).collect();
        Some(Waiting {
            id: first.id,
            stored_at: first.stored_at,
            expires_at: first.expires_at,
            sender: first.sender.clone().unwrap_or_default(),
            stanza: pieces.concat().into(),
        })
    })
    .collect()
}

/// The rows of one account, in their order.
fn of(account: &BareJid) -> Select<Entity> {
    Entity::find()
        .filter(Column::Owner.eq(owner(account)))
        .order_by_asc(Column::Id)
        .order_by_asc(Column::Place)
}

/// Takes the messages out whose ids are `ids`; all of the account for `None`.
async fn delete(
    db: &impl ConnectionTrait,
    account: &BareJid,
    ids: Option<&[i64]>,
) -> Result<(), StoreError> {
    let mut delete = Entity::delete_many().filter(Column::Owner.eq(owner(account)));
    if let Some(ids) = ids {
        delete = delete.filter(Column::Id.is_in(ids.iter().copied()));
    }
    delete.exec(db).await?;
    Ok(())
}

async fn insert(db: &impl ConnectionTrait, rows: &mut Vec<ActiveModel>) -> Result<(), StoreError> {
    while !rows.is_empty() {
        let rows = rows.drain(..rows.len().min(ROWS));
        Entity::insert_many(rows)
            .on_conflict_do_nothing()
            .exec_without_returning(db)
            .await?;
    }
    Ok(())
}

impl Apply<OfflineWrite> for SqlOffline {
    fn apply<'a>(&'a self, batch: &'a [OfflineWrite]) -> Pending<'a, ()> {
        Box::pin(async move {
            let transaction = self.pool.begin().await?;
            let mut to_insert = Vec::new();
            for write in batch {
                if !matches!(write, OfflineWrite::Keep(..)) {
                    insert(&transaction, &mut to_insert).await?;
                }
                match write {
                    OfflineWrite::Keep(account, message) => {
                        self.owners.add(account);
                        to_insert.extend(rows(account, message));
                    }
                    OfflineWrite::Forget(account, ids) => {
                        for ids in ids.chunks(ROWS) {
                            delete(&transaction, account, Some(ids)).await?;
                        }
                    }
                    OfflineWrite::Remove(account) => delete(&transaction, account, None).await?,
                }
            }
            insert(&transaction, &mut to_insert).await?;
            Ok(transaction.commit().await?)
        })
    }
}

impl OfflineStore for SqlOffline {
    fn lines<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Vec<Line>> {
        Box::pin(async move {
            if self.pool.is_exclusive() && !self.owners.may_have(account, self.all()).await? {
                return Ok(Vec::new());
            }
            let rows: Vec<(i64, i64, Option<i64>)> = of(account)
                .select_only()
                .columns([Column::Id, Column::Size, Column::ExpiresAt])
                .filter(Column::Place.eq(0))
                .into_tuple()
                .all(self.pool.reader())
                .await?;
            let line = |(id, size, expires_at)| Line {
                id,
                size: usize::try_from(size).unwrap_or_default(),
                expires_at,
            };
            Ok(rows.into_iter().map(line).collect())
        })
    }

    fn heads<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Vec<Head>> {
        Box::pin(async move {
            let rows: Vec<(i64, Option<String>)> = of(account)
                .select_only()
                .columns([Column::Id, Column::Sender])
                .filter(Column::Place.eq(0))
                .into_tuple()
                .all(self.pool.reader())
                .await?;
            let head = |(id, sender): (i64, Option<String>)| Head {
                id,
                sender: sender.unwrap_or_default(),
            };
            Ok(rows.into_iter().map(head).collect())
        })
    }

    fn read<'a>(
        &'a self,
        account: &'a BareJid,
        first: i64,
        last: i64,
    ) -> Pending<'a, Vec<Waiting>> {
        Box::pin(async move {
            let rows = of(account)
                .filter(Column::Id.between(first, last))
                .all(self.pool.reader())
                .await?;
            Ok(whole(rows))
        })
    }

    fn purge(&self, now: i64, limit: u64) -> Pending<'_, u64> {
        Box::pin(async move {
            // Which ones, first: no two back ends limit a deletion in the same words.
            let old: Vec<(Vec<u8>, i64)> = Entity::find()
                .select_only()
                .columns([Column::Owner, Column::Id])
                .filter(Column::ExpiresAt.lte(now))
                .filter(Column::Place.eq(0))
                .limit(limit.min(ROWS as u64))
                .into_tuple()
                .all(self.pool.reader())
                .await?;
            if old.is_empty() {
                return Ok(0);
            }
            let transaction = self.pool.begin().await?;
            let mut purged = 0;
            for (owner, id) in old {
                let delete = Entity::delete_many()
                    .filter(Column::Owner.eq(owner))
                    .filter(Column::Id.eq(id));
                purged += u64::from(delete.exec(&transaction).await?.rows_affected > 0);
            }
            transaction.commit().await?;
            Ok(purged)
        })
    }
}
