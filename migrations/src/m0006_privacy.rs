//! `privacy_list`: whom accounts keep away (XEP-0016, XEP-0191).

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(PrivacyList::Table)
            .col(
                ColumnDef::new(PrivacyList::Domain)
                    .string_len(255)
                    .not_null(),
            )
            .col(
                ColumnDef::new(PrivacyList::Localpart)
                    .string_len(512)
                    .not_null(),
            )
            // Four bytes: with them the key is just within what every back end can index.
            .col(ColumnDef::new(PrivacyList::Place).integer().not_null())
            .col(ColumnDef::new(PrivacyList::Name).string_len(255).not_null())
            .col(ColumnDef::new(PrivacyList::IsDefault).boolean().not_null())
            // Rules as `modules::privacy` packs them, at most 60 000 bytes in a row.
            .col(ColumnDef::new(PrivacyList::Rules).blob().not_null())
            .primary_key(
                Index::create()
                    .col(PrivacyList::Domain)
                    .col(PrivacyList::Localpart)
                    .col(PrivacyList::Place),
            )
            .to_owned();
        manager.create_table(table).await
    }
}

#[derive(DeriveIden)]
enum PrivacyList {
    Table,
    Domain,
    Localpart,
    Place,
    Name,
    IsDefault,
    Rules,
}
