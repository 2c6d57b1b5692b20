//! Tables `motd` and `motd_seen`.

/// `motd`: a row for each domain that has one.
pub(super) mod motd {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "motd")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub domain: String,
        pub id: String,
        /// Milliseconds since 1970, UTC.
        pub since: i64,
        pub message: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// `motd_seen`: a row for each account that was ever told one.
pub(super) mod seen {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "motd_seen")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub domain: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub localpart: String,
        /// Of the last one that it was told.
        pub id: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
