//! `vcard` and `vcard_field`: what accounts tell of themselves (XEP-0054), and what they are found
//! by (XEP-0055).

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let cards = Table::create()
            .table(Vcard::Table)
            .col(ColumnDef::new(Vcard::Domain).string_len(255).not_null())
            .col(ColumnDef::new(Vcard::Localpart).string_len(512).not_null())
            // Four bytes: with them the key is just within what every back end can index.
            .col(ColumnDef::new(Vcard::Place).integer().not_null())
            // The SHA-1 of the photo, hexadecimal.
            .col(ColumnDef::new(Vcard::Photo).string_len(40))
            // At most 60 000 bytes in a row.
            .col(ColumnDef::new(Vcard::Card).blob().not_null())
            .primary_key(
                Index::create()
                    .col(Vcard::Domain)
                    .col(Vcard::Localpart)
                    .col(Vcard::Place),
            )
            .to_owned();
        manager.create_table(cards).await?;
        let fields = Table::create()
            .table(VcardField::Table)
            .col(
                ColumnDef::new(VcardField::Domain)
                    .string_len(255)
                    .not_null(),
            )
            .col(
                ColumnDef::new(VcardField::Localpart)
                    .string_len(512)
                    .not_null(),
            )
            .col(ColumnDef::new(VcardField::Field).small_integer().not_null())
            // Without what case makes different.
            .col(
                ColumnDef::new(VcardField::Folded)
                    .string_len(255)
                    .not_null(),
            )
            .col(ColumnDef::new(VcardField::Value).string_len(255).not_null())
            .primary_key(
                Index::create()
                    .col(VcardField::Domain)
                    .col(VcardField::Localpart)
                    .col(VcardField::Field),
            )
            .to_owned();
        manager.create_table(fields).await?;
        let search = Index::create()
            .name("vcard_field_search")
            .table(VcardField::Table)
            .col(VcardField::Domain)
            .col(VcardField::Field)
            .col(VcardField::Folded)
            .to_owned();
        manager.create_index(search).await
    }
}

#[derive(DeriveIden)]
enum Vcard {
    Table,
    Domain,
    Localpart,
    Place,
    Photo,
    Card,
}

#[derive(DeriveIden)]
enum VcardField {
    Table,
    Domain,
    Localpart,
    Field,
    Folded,
    Value,
}
