//! `motd` and `motd_seen`: the message of the day of a domain, and who was told it.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let motds = Table::create()
            .table(Motd::Table)
            .col(
                ColumnDef::new(Motd::Domain)
                    .string_len(255)
                    .not_null()
                    .primary_key(),
            )
            // Another one for each that is set.
            .col(ColumnDef::new(Motd::Id).string_len(20).not_null())
            // When it was set: milliseconds since 1970, UTC.
            .col(ColumnDef::new(Motd::Since).big_integer().not_null())
            // At most 60 000 bytes.
            .col(ColumnDef::new(Motd::Message).blob().not_null())
            .to_owned();
        manager.create_table(motds).await?;
        let seen = Table::create()
            .table(MotdSeen::Table)
            .col(ColumnDef::new(MotdSeen::Domain).string_len(255).not_null())
            .col(
                ColumnDef::new(MotdSeen::Localpart)
                    .string_len(512)
                    .not_null(),
            )
            // The id of the last one that the account was told. That one may be there no more.
            .col(ColumnDef::new(MotdSeen::Id).string_len(20).not_null())
            .primary_key(
                Index::create()
                    .col(MotdSeen::Domain)
                    .col(MotdSeen::Localpart),
            )
            .to_owned();
        manager.create_table(seen).await
    }
}

#[derive(DeriveIden)]
enum Motd {
    Table,
    Domain,
    Id,
    Since,
    Message,
}

#[derive(DeriveIden)]
enum MotdSeen {
    Table,
    Domain,
    Localpart,
    Id,
}
