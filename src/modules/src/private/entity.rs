//! Table `private_storage`.

use sea_orm::entity::prelude::*;

/// One row: the elements of one namespace, or a piece of them.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "private_storage")]
pub(crate) struct Model {
    pub domain: String,
    pub localpart: String,
    /// SHA-256 of account and namespace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Vec<u8>,
    /// Of the pieces, in their order.
    #[sea_orm(primary_key, auto_increment = false)]
    pub place: i32,
    pub namespace: String,
    /// Bytes of all pieces together.
    pub size: i64,
    pub elements: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
