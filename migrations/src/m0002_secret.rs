//! `secret`: random bytes that are made once and must outlive a restart.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(Secret::Table)
            // Empty for a secret of the whole node.
            .col(ColumnDef::new(Secret::Domain).string_len(255).not_null())
            .col(ColumnDef::new(Secret::Name).string_len(255).not_null())
            .col(ColumnDef::new(Secret::Value).var_binary(255).not_null())
            .primary_key(Index::create().col(Secret::Domain).col(Secret::Name))
            .to_owned();
        manager.create_table(table).await
    }
}

#[derive(DeriveIden)]
enum Secret {
    Table,
    Domain,
    Name,
    Value,
}
