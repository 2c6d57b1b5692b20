//! Rosters in the database.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use store::{Apply, Pending, Pool, StoreError, StoreErrorKind};
use xmpp::BareJid;

use super::entity::{ActiveModel, Column, Entity, Model};
use super::item::{BETWEEN, Item};
use super::store::{Kept, RosterStore, RosterWrite};
use super::subscription::State;

/// Rows in one statement: twelve values each stay far below what any back end binds at once.
const ROWS: usize = 250;

/// Rosters in the database of a [`Pool`].
#[derive(Debug, Clone)]
pub struct SqlRosters {
    pool: Pool,
}

impl SqlRosters {
    /// Rosters in that database.
    #[must_use]
    pub fn new(pool: Pool) -> Self {
        Self { pool }
    }
}

fn row(account: &BareJid, kept: &Kept) -> ActiveModel {
    let item = &kept.item;
    let (name, groups) = item.words.split_once(BETWEEN).unwrap_or((&item.words, ""));
    ActiveModel {
        domain: Set(account.domain().to_owned()),
        localpart: Set(account.localpart().unwrap_or_default().to_owned()),
        number: Set(item.number),
        contact: Set(item.jid.as_str().to_owned()),
        name: Set(name.to_owned()),
        group_names: Set(groups.to_owned()),
        state: Set(item.state as i16),
        approved: Set(item.approved),
        listed: Set(item.listed),
        removed: Set(kept.removed),
        version: Set(item.version),
        request: Set(kept.request.as_ref().map(|bytes| bytes.to_vec())),
    }
}

impl TryFrom<Model> for Kept {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let damaged = || {
            let what = format!(
                "roster item {} of {}@{}",
                row.number, row.localpart, row.domain
            );
            StoreError::new(StoreErrorKind::Damaged, what)
        };
        let state = u8::try_from(row.state).ok().and_then(State::of_number);
        let item = Item {
            jid: row.contact.parse().map_err(|_| damaged())?,
            number: row.number,
            version: row.version,
            state: state.ok_or_else(damaged)?,
            approved: row.approved,
            listed: row.listed,
            words: match &*row.group_names {
                "" => row.name.into(),
                groups => format!("{}{BETWEEN}{groups}", row.name).into(),
            },
        };
        Ok(Self {
            item,
            removed: row.removed,
            request: row.request.map(Into::into),
        })
    }
}

/// Writes rows, in the place of those of the same key.
async fn put(db: &impl ConnectionTrait, rows: &mut Vec<ActiveModel>) -> Result<(), StoreError> {
    let replace = || {
        OnConflict::columns([Column::Domain, Column::Localpart, Column::Number])
            .update_columns([
                Column::Contact,
                Column::Name,
                Column::GroupNames,
                Column::State,
                Column::Approved,
                Column::Listed,
                Column::Removed,
                Column::Version,
                Column::Request,
            ])
            .to_owned()
    };
    while !rows.is_empty() {
        let rows = rows.drain(..rows.len().min(ROWS));
        Entity::insert_many(rows)
            .on_conflict(replace())
            .exec_without_returning(db)
            .await?;
    }
    Ok(())
}

async fn forget(
    db: &impl ConnectionTrait,
    account: &BareJid,
    numbers: Option<&[i32]>,
) -> Result<(), StoreError> {
    let mut delete = Entity::delete_many()
        .filter(Column::Domain.eq(account.domain()))
        .filter(Column::Localpart.eq(account.localpart().unwrap_or_default()));
    if let Some(numbers) = numbers {
        delete = delete.filter(Column::Number.is_in(numbers.iter().copied()));
    }
    delete.exec(db).await?;
    Ok(())
}

impl Apply<RosterWrite> for SqlRosters {
    fn apply<'a>(&'a self, batch: &'a [RosterWrite]) -> Pending<'a, ()> {
        Box::pin(async move {
            let transaction = self.pool.begin().await?;
            let mut rows: Vec<ActiveModel> = Vec::new();
            // Where the row of a contact stands: one statement must not write the same row twice.
            let mut places: HashMap<(&BareJid, i32), usize> = HashMap::new();
            for write in batch {
                if !matches!(write, RosterWrite::Put(..)) {
                    put(&transaction, &mut rows).await?;
                    places.clear();
                }
                match write {
                    RosterWrite::Put(account, kept) => {
                        let row = row(account, kept);
                        match places.entry((account, kept.item.number)) {
                            Entry::Occupied(place) => rows[*place.get()] = row,
                            Entry::Vacant(place) => {
                                place.insert(rows.len());
                                rows.push(row);
                            }
                        }
                    }
                    RosterWrite::Forget(account, numbers) => {
                        for numbers in numbers.chunks(ROWS) {
                            forget(&transaction, account, Some(numbers)).await?;
                        }
                    }
                    RosterWrite::Remove(account) => forget(&transaction, account, None).await?,
                }
            }
            put(&transaction, &mut rows).await?;
            Ok(transaction.commit().await?)
        })
    }
}

impl RosterStore for SqlRosters {
    fn load<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Vec<Kept>> {
        Box::pin(async move {
            let rows = Entity::find()
                .filter(Column::Domain.eq(account.domain()))
                .filter(Column::Localpart.eq(account.localpart().unwrap_or_default()))
                .all(self.pool.reader())
                .await?;
            rows.into_iter().map(Kept::try_from).collect()
        })
    }
}
