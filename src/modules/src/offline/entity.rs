//! Table `offline_message`.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "offline_message")]
pub(crate) struct Model {
    pub domain: String,
    pub localpart: String,
    /// SHA-256 of the account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub owner: Vec<u8>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    /// Of the piece, from 0.
    #[sea_orm(primary_key, auto_increment = false)]
    pub place: i32,
    /// Milliseconds since 1970, UTC; so is the next.
    pub stored_at: i64,
    pub expires_at: Option<i64>,
    #[sea_orm(column_type = "Text", nullable)]
    pub sender: Option<String>,
    /// Bytes of all pieces together.
    pub size: i64,
    #[sea_orm(column_type = "Blob")]
    pub stanza: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
