//! `roster_item`: the contacts of accounts, and who asked to become one.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let text = |column| ColumnDef::new(column).text().not_null().to_owned();
        let flag = |column| ColumnDef::new(column).boolean().not_null().to_owned();
        let table = Table::create()
            .table(RosterItem::Table)
            .col(
                ColumnDef::new(RosterItem::Domain)
                    .string_len(255)
                    .not_null(),
            )
            .col(
                ColumnDef::new(RosterItem::Localpart)
                    .string_len(512)
                    .not_null(),
            )
            // Addresses of contacts are too long for a key: within an account each has a number.
            .col(ColumnDef::new(RosterItem::Number).integer().not_null())
            .col(text(RosterItem::Contact))
            .col(text(RosterItem::Name))
            // With U+001F between them, which is in no name.
            .col(text(RosterItem::GroupNames))
            // The nine states of RFC 6121, appendix A.1, in its order, from 0.
            .col(ColumnDef::new(RosterItem::State).small_integer().not_null())
            .col(flag(RosterItem::Approved))
            .col(flag(RosterItem::Listed))
            .col(flag(RosterItem::Removed))
            // Of the roster when this item was last changed.
            .col(ColumnDef::new(RosterItem::Version).big_integer().not_null())
            // The presence with which the contact asks.
            .col(ColumnDef::new(RosterItem::Request).blob())
            .primary_key(
                Index::create()
                    .col(RosterItem::Domain)
                    .col(RosterItem::Localpart)
                    .col(RosterItem::Number),
            )
            .to_owned();
        manager.create_table(table).await
    }
}

#[derive(DeriveIden)]
enum RosterItem {
    Table,
    Domain,
    Localpart,
    Number,
    Contact,
    Name,
    GroupNames,
    State,
    Approved,
    Listed,
    Removed,
    Version,
    Request,
}
