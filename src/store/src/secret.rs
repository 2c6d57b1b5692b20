//! Random bytes that are made once and must outlive a restart.

use crate::{Pool, StoreError, StoreErrorKind};
use sea_orm::{ActiveValue::Set, entity::prelude::*};

/// How many bytes a secret has.
const LENGTH: usize = 32;

/// Table `secret`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "secret")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    domain: String,
    #[sea_orm(primary_key, auto_increment = false)]
    name: String,
    value: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Pool {
    /// The node's secret of that name: 32 random bytes, made and stored when first asked for.
    ///
    /// # Errors
    /// What the database says; [`StoreErrorKind::Damaged`] if what is stored has another length.
    pub async fn secret(&self, name: &str) -> Result<[u8; LENGTH], StoreError> {
        let key = (String::new(), name.to_owned());
        if Entity::find_by_id(key.clone())
            .one(self.reader())
            .await?
            .is_none()
        {
            let mut fresh = [0; LENGTH];
            getrandom::fill(&mut fresh)
                .map_err(|error| StoreError::new(StoreErrorKind::Unavailable, error.to_string()))?;
            let row = ActiveModel {
                domain: Set(key.0.clone()),
                name: Set(key.1.clone()),
                value: Set(fresh.to_vec()),
            };
            // Whoever comes second takes what the first one made.
            Entity::insert_many([row])
                .on_conflict_do_nothing()
                .exec_without_returning(self.writer())
                .await?;
        }
        let stored = Entity::find_by_id(key).one(self.reader()).await?;
        stored
            .and_then(|row| row.value.try_into().ok())
            .ok_or_else(|| StoreError::new(StoreErrorKind::Damaged, format!("secret {name}")))
    }
}
