//! Table `node`: nodes of a cluster that find each other in the database they share.

use crate::{Pool, StoreError};
use sea_orm::{ActiveValue::Set, QueryOrder, entity::prelude::*, sea_query::OnConflict};

/// Table `node`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "node")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    domain: String,
    #[sea_orm(primary_key, auto_increment = false)]
    cluster: String,
    #[sea_orm(primary_key, auto_increment = false)]
    name: String,
    address: String,
    beat: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What a node has said of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRow {
    /// The node.
    pub name: String,
    /// Host and port where other nodes connect.
    pub address: String,
    /// Another one whenever the node says that it is there.
    pub beat: i64,
}

/// The nodes of one cluster, as they say in a database that they share.
#[derive(Clone, Debug)]
pub struct Nodes {
    pool: Pool,
    cluster: String,
}

impl Nodes {
    /// The nodes of `cluster`, at most 64 bytes, in that database.
    pub fn new(pool: Pool, cluster: impl Into<String>) -> Self {
        Nodes {
            pool,
            cluster: cluster.into(),
        }
    }

    /// Says that a node is there.
    ///
    /// # Errors
    /// What the database says.
    pub async fn say(&self, node: NodeRow) -> Result<(), StoreError> {
        let row = ActiveModel {
            domain: Set(String::new()),
            cluster: Set(self.cluster.clone()),
            name: Set(node.name),
            address: Set(node.address),
            beat: Set(node.beat),
        };
        let key = [Column::Domain, Column::Cluster, Column::Name];
        let newer = OnConflict::columns(key)
            .update_columns([Column::Address, Column::Beat])
            .to_owned();
        Entity::insert_many([row])
            .on_conflict(newer)
            .exec_without_returning(self.pool.writer())
            .await?;
        Ok(())
    }

    /// All that is said, by name.
    ///
    /// # Errors
    /// What the database says.
    pub async fn all(&self) -> Result<Vec<NodeRow>, StoreError> {
        let rows = Entity::find()
            .filter(Column::Domain.eq(""))
            .filter(Column::Cluster.eq(self.cluster.as_str()))
            .order_by_asc(Column::Name)
            .all(self.pool.reader())
            .await?;
        let row = |row: Model| NodeRow {
            name: row.name,
            address: row.address,
            beat: row.beat,
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// Takes away what a node has said, if it has said nothing since.
    ///
    /// # Errors
    /// What the database says.
    pub async fn forget(&self, node: &NodeRow) -> Result<(), StoreError> {
        Entity::delete_many()
            .filter(Column::Domain.eq(""))
            .filter(Column::Cluster.eq(self.cluster.as_str()))
            .filter(Column::Name.eq(node.name.as_str()))
            .filter(Column::Beat.eq(node.beat))
            .exec(self.pool.writer())
            .await?;
        Ok(())
    }
}
