//! `account`: who may log in, with derived keys only.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(Account::Table)
            .col(ColumnDef::new(Account::Domain).string_len(255).not_null())
            // 512 characters keep the key within what every back end can index.
            .col(
                ColumnDef::new(Account::Localpart)
                    .string_len(512)
                    .not_null(),
            )
            // SCRAM keys as `iterations:salt:stored:server`, one column for each hash.
            .col(ColumnDef::new(Account::ScramSha1).string_len(512))
            .col(ColumnDef::new(Account::ScramSha256).string_len(512))
            .col(ColumnDef::new(Account::ScramSha512).string_len(512))
            // Milliseconds since 1970, UTC.
            .col(ColumnDef::new(Account::CreatedAt).big_integer().not_null())
            .primary_key(Index::create().col(Account::Domain).col(Account::Localpart))
            .to_owned();
        manager.create_table(table).await
    }
}

#[derive(DeriveIden)]
enum Account {
    Table,
    Domain,
    Localpart,
    ScramSha1,
    ScramSha256,
    ScramSha512,
    CreatedAt,
}
