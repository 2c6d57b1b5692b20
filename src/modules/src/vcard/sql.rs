//! vCards in the database.

use std::collections::HashMap;

use bytes::Bytes;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Condition, Query};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use store::{Apply, Pending, Pool, StoreError, StoreErrorKind};
use xmpp::BareJid;

use super::entity::{card, field};
use super::field::{Field, Fields, Wanted, folded};
use super::photo::PhotoHash;
use super::store::{Found, VcardStore, VcardWrite};
use crate::owners::Owners;
use crate::pieces::pieces;

/// vCards in the database of a [`Pool`].
#[derive(Debug)]
pub struct SqlVcard {
    pool: Pool,
    /// Who has a photo.
    owners: Owners,
}

impl SqlVcard {
    /// vCards in that database. If it [is ours alone](Pool::is_exclusive), this is the one through
    /// which they are written.
    #[must_use]
    pub fn new(pool: Pool) -> Self {
        Self {
            pool,
            owners: Owners::default(),
        }
    }

    /// Domain and localpart of every account that has a photo.
    async fn all(&self) -> Result<Vec<(String, String)>, StoreError> {
        let all = card::Entity::find()
            .select_only()
            .column(card::Column::Domain)
            .column(card::Column::Localpart)
            .filter(card::Column::Place.eq(0))
            .filter(card::Column::Photo.is_not_null())
            .into_tuple()
            .all(self.pool.reader());
        Ok(all.await?)
    }
}

async fn forget(transaction: &DatabaseTransaction, account: &BareJid) -> Result<(), StoreError> {
    let localpart = account.localpart().unwrap_or_default();
    card::Entity::delete_many()
        .filter(card::Column::Domain.eq(account.domain()))
        .filter(card::Column::Localpart.eq(localpart))
        .exec(transaction)
        .await?;
    field::Entity::delete_many()
        .filter(field::Column::Domain.eq(account.domain()))
        .filter(field::Column::Localpart.eq(localpart))
        .exec(transaction)
        .await?;
    Ok(())
}

async fn put(
    transaction: &DatabaseTransaction,
    account: &BareJid,
    card: &[u8],
    photo: Option<PhotoHash>,
    fields: &Fields,
) -> Result<(), StoreError> {
    let domain = || Set(account.domain().to_owned());
    let localpart = || Set(account.localpart().unwrap_or_default().to_owned());
    for (place, piece) in pieces(card) {
        let row = card::ActiveModel {
            domain: domain(),
            localpart: localpart(),
            place: Set(place),
            photo: Set(photo.map(|hash| hash.to_string())),
            card: Set(piece.to_vec()),
        };
        card::Entity::insert(row)
            .exec_without_returning(transaction)
            .await?;
    }
    for (field, value) in fields {
        let row = field::ActiveModel {
            domain: domain(),
            localpart: localpart(),
            field: Set(*field as i16),
            folded: Set(folded(value)),
            value: Set(value.clone()),
        };
        field::Entity::insert(row)
            .exec_without_returning(transaction)
            .await?;
    }
    Ok(())
}

impl Apply<VcardWrite> for SqlVcard {
    fn apply<'a>(&'a self, batch: &'a [VcardWrite]) -> Pending<'a, ()> {
        Box::pin(async move {
            let transaction = self.pool.begin().await?;
            for write in batch {
                match write {
                    VcardWrite::Put {
                        account,
                        card,
                        photo,
                        fields,
                    } => {
                        if photo.is_some() {
                            self.owners.add(account);
                        }
                        forget(&transaction, account).await?;
                        put(&transaction, account, card, *photo, fields).await?;
                    }
                    VcardWrite::Forget(account) => forget(&transaction, account).await?,
                }
            }
            Ok(transaction.commit().await?)
        })
    }
}

/// Which rows of a domain are what is wanted: a range of the index.
fn range(domain: &str, wanted: &Wanted) -> Condition {
    let folded = field::Column::Folded;
    let of = Condition::all()
        .add(field::Column::Domain.eq(domain))
        .add(field::Column::Field.eq(wanted.field as i16));
    match wanted.prefix {
        false => of.add(folded.eq(&*wanted.text)),
        // Nothing comes behind the last character there is.
        true => of
            .add(folded.gte(&*wanted.text))
            .add(folded.lt(format!("{}\u{10FFFF}", wanted.text))),
    }
}

impl VcardStore for SqlVcard {
    fn card<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Option<Bytes>> {
        Box::pin(async move {
            let pieces: Vec<Vec<u8>> = card::Entity::find()
                .select_only()
                .column(card::Column::Card)
                .filter(card::Column::Domain.eq(account.domain()))
                .filter(card::Column::Localpart.eq(account.localpart().unwrap_or_default()))
                .order_by_asc(card::Column::Place)
                .into_tuple()
                .all(self.pool.reader())
                .await?;
            Ok((!pieces.is_empty()).then(|| pieces.concat().into()))
        })
    }

    fn photo<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Option<PhotoHash>> {
        Box::pin(async move {
            if self.pool.is_exclusive() && !self.owners.may_have(account, self.all()).await? {
                return Ok(None);
            }
            let photo: Option<Option<String>> = card::Entity::find()
                .select_only()
                .column(card::Column::Photo)
                .filter(card::Column::Domain.eq(account.domain()))
                .filter(card::Column::Localpart.eq(account.localpart().unwrap_or_default()))
                .filter(card::Column::Place.eq(0))
                .into_tuple()
                .one(self.pool.reader())
                .await?;
            let photo = photo.flatten().map(|hash| hash.parse()).transpose();
            photo.map_err(|()| {
                StoreError::new(StoreErrorKind::Damaged, format!("photo of {account}"))
            })
        })
    }

    fn search<'a>(
        &'a self,
        domain: &'a str,
        wanted: &'a [Wanted],
        limit: u64,
    ) -> Pending<'a, Vec<Found>> {
        Box::pin(async move {
            let Some((first, others)) = wanted.split_first() else {
                return Ok(Vec::new());
            };
            let mut search = field::Entity::find()
                .select_only()
                .column(field::Column::Localpart)
                .filter(range(domain, first))
                .order_by_asc(field::Column::Folded)
                .order_by_asc(field::Column::Localpart)
                // A database counts with a sign.
                .limit(limit.min(i64::MAX as u64));
            for other in others {
                let also = Query::select()
                    .column(field::Column::Localpart)
                    .from(field::Entity)
                    .cond_where(range(domain, other))
                    .to_owned();
                search = search.filter(field::Column::Localpart.in_subquery(also));
            }
            let found: Vec<String> = search.into_tuple().all(self.pool.reader()).await?;
            let rows = field::Entity::find()
                .filter(field::Column::Domain.eq(domain))
                .filter(field::Column::Localpart.is_in(found.clone()))
                .all(self.pool.reader())
                .await?;
            let mut of: HashMap<String, Fields> = HashMap::new();
            for row in rows {
                let fields = of.entry(row.localpart).or_default();
                fields.extend(Field::stored(row.field).map(|field| (field, row.value)));
            }
            let found = found.into_iter().map(|localpart| {
                let jid = format!("{localpart}@{domain}");
                let account = jid.parse().map_err(|_| {
                    StoreError::new(StoreErrorKind::Damaged, format!("vCard of {jid:?}"))
                })?;
                Ok(Found {
                    account,
                    fields: of.remove(&localpart).unwrap_or_default(),
                })
            });
            found.collect()
        })
    }
}
