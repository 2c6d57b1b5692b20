//! Tables `vcard` and `vcard_field`.

/// `vcard`: a row for each piece of a vCard.
pub(super) mod card {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "vcard")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub domain: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub localpart: String,
        /// Of the pieces, in their order.
        #[sea_orm(primary_key, auto_increment = false)]
        pub place: i32,
        /// The hash of its photo, on every piece.
        pub photo: Option<String>,
        pub card: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// `vcard_field`: a row for each field that somebody can be found by.
pub(super) mod field {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "vcard_field")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub domain: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub localpart: String,
        /// A [`Field`](super::super::Field) by its number.
        #[sea_orm(primary_key, auto_increment = false)]
        pub field: i16,
        /// What is compared.
        pub folded: String,
        /// As it is in the vCard.
        pub value: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
