//! `node`: the nodes of a cluster that find each other here.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(Node::Table)
            // Always empty: a node is not of one domain.
            .col(ColumnDef::new(Node::Domain).string_len(255).not_null())
            .col(ColumnDef::new(Node::Cluster).string_len(64).not_null())
            .col(ColumnDef::new(Node::Name).string_len(64).not_null())
            // Host and port where other nodes connect.
            .col(ColumnDef::new(Node::Address).string_len(260).not_null())
            // Another one whenever the node says that it is there. It tells no time: clocks of
            // nodes differ, and each reader sees by its own how long a beat has stood.
            .col(ColumnDef::new(Node::Beat).big_integer().not_null())
            .primary_key(
                Index::create()
                    .col(Node::Domain)
                    .col(Node::Cluster)
                    .col(Node::Name),
            )
            .to_owned();
        manager.create_table(table).await
    }
}

#[derive(DeriveIden)]
enum Node {
    Table,
    Domain,
    Cluster,
    Name,
    Address,
    Beat,
}
