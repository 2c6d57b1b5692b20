//! Table `account`.

use crate::{AccountKeys, Keys, StoreError, StoreErrorKind};
use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub domain: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub localpart: String,
    /// [`Keys`] as text, as the next two.
    pub scram_sha1: Option<String>,
    pub scram_sha256: Option<String>,
    pub scram_sha512: Option<String>,
    /// Milliseconds since 1970, UTC.
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub(crate) fn keys(&self) -> Result<AccountKeys, StoreError> {
        let read = |column: &Option<String>| -> Result<Option<Keys>, StoreError> {
            let keys = column.as_deref().map(str::parse).transpose();
            keys.map_err(|_| {
                let whose = format!("keys of {}@{}", self.localpart, self.domain);
                StoreError::new(StoreErrorKind::Damaged, whose)
            })
        };
        Ok(AccountKeys {
            sha1: read(&self.scram_sha1)?,
            sha256: read(&self.scram_sha256)?,
            sha512: read(&self.scram_sha512)?,
        })
    }
}
