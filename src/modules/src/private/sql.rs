//! Private data in the database.

use bytes::Bytes;
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use sha2::{Digest, Sha256};
use store::{Apply, Pending, Pool, StoreError};
use xmpp::BareJid;

use super::entity::{ActiveModel, Column, Entity};
use super::store::{PrivateStore, PrivateWrite};
use crate::pieces::pieces;

/// Private data in the database of a [`Pool`].
#[derive(Debug, Clone)]
pub struct SqlPrivate {
    pool: Pool,
}

impl SqlPrivate {
    /// Private data in that database.
    #[must_use]
    pub fn new(pool: Pool) -> Self {
        Self { pool }
    }
}

/// What stands for account and namespace in the key: both together are longer than what every back
/// end can index. No part of an address has a NUL.
fn id(account: &BareJid, namespace: &str) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(account.as_ref());
    hash.update([0]);
    hash.update(namespace);
    hash.finalize().to_vec()
}

async fn put(
    transaction: &DatabaseTransaction,
    account: &BareJid,
    namespace: &str,
    elements: &[u8],
) -> Result<(), StoreError> {
    let id = id(account, namespace);
    Entity::delete_many()
        .filter(Column::Id.eq(id.clone()))
        .exec(transaction)
        .await?;
    for (place, piece) in pieces(elements) {
        let row = ActiveModel {
            domain: Set(account.domain().to_owned()),
            localpart: Set(account.localpart().unwrap_or_default().to_owned()),
            id: Set(id.clone()),
            place: Set(place),
            namespace: Set(namespace.to_owned()),
            size: Set(elements.len() as i64),
            elements: Set(piece.to_vec()),
        };
        Entity::insert(row)
            .exec_without_returning(transaction)
            .await?;
    }
    Ok(())
}

async fn forget(transaction: &DatabaseTransaction, account: &BareJid) -> Result<(), StoreError> {
    Entity::delete_many()
        .filter(Column::Domain.eq(account.domain()))
        .filter(Column::Localpart.eq(account.localpart().unwrap_or_default()))
        .exec(transaction)
        .await?;
    Ok(())
}

impl Apply<PrivateWrite> for SqlPrivate {
    fn apply<'a>(&'a self, batch: &'a [PrivateWrite]) -> Pending<'a, ()> {
        Box::pin(async move {
            let transaction = self.pool.begin().await?;
            for write in batch {
                match write {
                    PrivateWrite::Put {
                        account,
                        namespace,
                        elements,
                    } => put(&transaction, account, namespace, elements).await?,
                    PrivateWrite::Forget(account) => forget(&transaction, account).await?,
                }
            }
            Ok(transaction.commit().await?)
        })
    }
}

impl PrivateStore for SqlPrivate {
    fn elements<'a>(
        &'a self,
        account: &'a BareJid,
        namespace: &'a str,
    ) -> Pending<'a, Option<Bytes>> {
        Box::pin(async move {
            let pieces: Vec<Vec<u8>> = Entity::find()
                .select_only()
                .column(Column::Elements)
                .filter(Column::Id.eq(id(account, namespace)))
                .order_by_asc(Column::Place)
                .into_tuple()
                .all(self.pool.reader())
                .await?;
            Ok((!pieces.is_empty()).then(|| pieces.concat().into()))
        })
    }

    fn sizes<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Vec<(String, u64)>> {
        Box::pin(async move {
            let sizes: Vec<(String, i64)> = Entity::find()
                .select_only()
                .column(Column::Namespace)
                .column(Column::Size)
                .filter(Column::Domain.eq(account.domain()))
                .filter(Column::Localpart.eq(account.localpart().unwrap_or_default()))
                .filter(Column::Place.eq(0))
                .into_tuple()
                .all(self.pool.reader())
                .await?;
            let sizes = sizes.into_iter();
            Ok(sizes
                .map(|(namespace, size)| (namespace, size.unsigned_abs()))
                .collect())
        })
    }
}
