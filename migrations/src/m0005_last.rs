//! `last_activity`: when an account was last seen to leave, and what it said then.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(LastActivity::Table)
            .col(
                ColumnDef::new(LastActivity::Domain)
                    .string_len(255)
                    .not_null(),
            )
            .col(
                ColumnDef::new(LastActivity::Localpart)
                    .string_len(512)
                    .not_null(),
            )
            // Milliseconds since 1970, UTC.
            .col(ColumnDef::new(LastActivity::At).big_integer().not_null())
            // The text of the last unavailable presence; empty when it had none.
            .col(ColumnDef::new(LastActivity::Status).text().not_null())
            .primary_key(
                Index::create()
                    .col(LastActivity::Domain)
                    .col(LastActivity::Localpart),
            )
            .to_owned();
        manager.create_table(table).await
    }
}

#[derive(DeriveIden)]
enum LastActivity {
    Table,
    Domain,
    Localpart,
    At,
    Status,
}
