//! `offline_message`: messages that wait for an account until it comes online.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(OfflineMessage::Table)
            .col(
                ColumnDef::new(OfflineMessage::Domain)
                    .string_len(255)
                    .not_null(),
            )
            .col(
                ColumnDef::new(OfflineMessage::Localpart)
                    .string_len(512)
                    .not_null(),
            )
            // SHA-256 of the account: it is too long to be in the key with more behind it.
            .col(
                ColumnDef::new(OfflineMessage::Owner)
                    .var_binary(32)
                    .not_null(),
            )
            // Ascends in the order in which the messages came to the account.
            .col(ColumnDef::new(OfflineMessage::Id).big_integer().not_null())
            // Of a piece of the stanza, from 0.
            .col(ColumnDef::new(OfflineMessage::Place).integer().not_null())
            // Milliseconds since 1970, UTC; so is the next.
            .col(
                ColumnDef::new(OfflineMessage::StoredAt)
                    .big_integer()
                    .not_null(),
            )
            // NULL: it is kept until it is delivered.
            .col(ColumnDef::new(OfflineMessage::ExpiresAt).big_integer())
            // The full address of who sent it.
            .col(ColumnDef::new(OfflineMessage::Sender).text())
            // Bytes of all pieces together, so that limits need not read them.
            .col(
                ColumnDef::new(OfflineMessage::Size)
                    .big_integer()
                    .not_null(),
            )
            // At most 60 000 bytes in a row.
            .col(ColumnDef::new(OfflineMessage::Stanza).blob().not_null())
            .primary_key(
                Index::create()
                    .col(OfflineMessage::Owner)
                    .col(OfflineMessage::Id)
                    .col(OfflineMessage::Place),
            )
            .to_owned();
        manager.create_table(table).await?;
        let expiry = Index::create()
            .name("offline_message_expiry")
            .table(OfflineMessage::Table)
            .col(OfflineMessage::ExpiresAt)
            .to_owned();
        manager.create_index(expiry).await
    }
}

#[derive(DeriveIden)]
enum OfflineMessage {
    Table,
    Domain,
    Localpart,
    Owner,
    Id,
    Place,
    StoredAt,
    ExpiresAt,
    Sender,
    Size,
    Stanza,
}
