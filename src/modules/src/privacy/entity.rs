//! Table `privacy_list`.

use sea_orm::entity::prelude::*;

/// One row: a list, or a part of a long one.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "privacy_list")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub domain: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub localpart: String,
    /// Of the account's rows, in the order of its lists.
    #[sea_orm(primary_key, auto_increment = false)]
    pub place: i32,
    /// The list's name. Rows of the same name follow each other and are one list.
    pub name: String,
    /// Whether it is the default list.
    pub is_default: bool,
    /// Its rules, packed.
    pub rules: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
