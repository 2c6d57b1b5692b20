//! The connections to the database.

use crate::{Readers, StoreError};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use std::{path::Path, sync::Arc, time::Duration};

/// The name of the database in the data folder.
pub const FILE_NAME: &str = "mungo.sqlite";

/// How the pool is sized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSettings {
    /// Connections at most; the one that writes counts. At least two are made.
    pub connections: u32,
    /// How long a caller waits for a connection, and a statement for another program that has
    /// locked the database.
    pub patience: Duration,
    /// Whether other processes may write to the database as well.
    pub shared: bool,
}

impl Default for PoolSettings {
    fn default() -> Self {
        PoolSettings {
            connections: 8,
            patience: Duration::from_secs(5),
            shared: false,
        }
    }
}

/// One connection that writes and several that read: SQLite has one writer at a time, and those
/// who wait for it queue here, in order, in place of polling a lock. Clones share the connections.
#[derive(Clone, Debug)]
pub struct Pool {
    pub(crate) writer: DatabaseConnection,
    pub(crate) readers: Readers,
    pub(crate) file: Arc<Path>,
    pub(crate) shared: bool,
}

impl Pool {
    /// For statements that change something.
    pub fn writer(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// For statements that change nothing; another than a `SELECT` fails.
    pub fn reader(&self) -> &Readers {
        &self.readers
    }

    /// Begins a transaction that may write. Dropping it takes everything back.
    ///
    /// # Errors
    /// What the database says; `Busy` if the writer was not free in time.
    pub async fn begin(&self) -> Result<DatabaseTransaction, StoreError> {
        // A deferred one would fail half-way if another program wrote in between.
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        Ok(self.writer.begin_with_options(options).await?)
    }

    /// Where the database is.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Whether this process alone writes to the database, so that what it has read it knows. Of a
    /// database that nodes share it is not.
    pub fn is_exclusive(&self) -> bool {
        !self.shared
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// What the database says.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.readers.execute_unprepared("SELECT 1").await?;
        Ok(())
    }

    /// Waits for what is under way, then closes the database and folds its log into it.
    /// Whoever still holds a clone gets `Unavailable` from then on.
    ///
    /// # Errors
    /// What the database says.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.readers.close().await;
        self.writer.close_by_ref().await?;
        Ok(())
    }
}
