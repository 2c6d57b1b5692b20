//! `private_storage`: what clients keep for themselves (XEP-0049).

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(PrivateStorage::Table)
            .col(
                ColumnDef::new(PrivateStorage::Domain)
                    .string_len(255)
                    .not_null(),
            )
            .col(
                ColumnDef::new(PrivateStorage::Localpart)
                    .string_len(512)
                    .not_null(),
            )
            // SHA-256 of account and namespace, which are too long for a key of every back end.
            .col(ColumnDef::new(PrivateStorage::Id).var_binary(32).not_null())
            .col(ColumnDef::new(PrivateStorage::Place).integer().not_null())
            .col(ColumnDef::new(PrivateStorage::Namespace).text().not_null())
            // Bytes of all pieces together.
            .col(
                ColumnDef::new(PrivateStorage::Size)
                    .big_integer()
                    .not_null(),
            )
            // At most 60 000 bytes in a row.
            .col(ColumnDef::new(PrivateStorage::Elements).blob().not_null())
            .primary_key(
                Index::create()
                    .col(PrivateStorage::Id)
                    .col(PrivateStorage::Place),
            )
            .to_owned();
        manager.create_table(table).await?;
        let account = Index::create()
            .name("private_storage_account")
            .table(PrivateStorage::Table)
            .col(PrivateStorage::Domain)
            .col(PrivateStorage::Localpart)
            .to_owned();
        manager.create_index(account).await
    }
}

#[derive(DeriveIden)]
enum PrivateStorage {
    Table,
    Domain,
    Localpart,
    Id,
    Place,
    Namespace,
    Size,
    Elements,
}
