//! The connections that read.
//!
//! They stay with us rather than in a pool of sqlx: that one asks a connection that comes back
//! whether it still answers, in a task of its own, which costs as much as a look-up by key does.
//! With SQLite a connection is a thread, and what is asked in vain is two more changes of threads.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sea_orm::prelude::async_trait::async_trait;
use sea_orm::sqlx::{self, AssertSqlSafe, ConnectOptions, Connection, Sqlite};
use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    Statement, Values,
};
use sea_query_sqlx::SqlxValues;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

/// Connections for statements that change nothing, each made when it is needed first. Clones are
/// the same.
#[derive(Clone)]
pub struct Readers(Arc<Inner>);

struct Inner {
    options: SqliteConnectOptions,
    /// How long a caller waits for a connection.
    patience: Duration,
    /// How many there may be.
    count: u32,
    /// One for each of them.
    permits: Semaphore,
    /// Those at rest. The one that read last is on top, with the database's pages at hand.
    resting: Mutex<Vec<SqliteConnection>>,
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers")
            .field("free", &self.0.permits.available_permits())
            .finish_non_exhaustive()
    }
}

impl Readers {
    /// At most `count` of them.
    pub(crate) fn new(options: SqliteConnectOptions, count: u32, patience: Duration) -> Self {
        Self(Arc::new(Inner {
            options,
            patience,
            count,
            permits: Semaphore::new(count as usize),
            resting: Mutex::default(),
        }))
    }

    /// Waits for what is under way, then closes them all; nobody gets one any more.
    pub(crate) async fn close(&self) {
        // Fails if they are closed already.
        let all = self.0.permits.acquire_many(self.0.count).await;
        self.0.permits.close();
        drop(all);
        let resting = std::mem::take(&mut *self.0.resting());
        for connection in resting {
            // What can't be closed in order is closed all the same.
            let _ = connection.close().await;
        }
    }

    async fn lend(&self) -> Result<Lent<'_>, DbErr> {
        let failed = |cause| DbErr::ConnectionAcquire(cause);
        let permit = match self.0.permits.try_acquire() {
            Ok(permit) => permit,
            Err(_) => timeout(self.0.patience, self.0.permits.acquire())
                .await
                .map_err(|_| failed(ConnAcquireErr::Timeout))?
                .map_err(|_| failed(ConnAcquireErr::ConnectionClosed))?,
        };
        let resting = self.0.resting().pop();
        let connection = match resting {
            Some(connection) => connection,
            None => self
                .0
                .options
                .connect()
                .await
                .map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))))?,
        };
        Ok(Lent {
            from: &self.0,
            connection: Some(connection),
            _permit: permit,
        })
    }
}

impl Inner {
    fn resting(&self) -> std::sync::MutexGuard<'_, Vec<SqliteConnection>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection in somebody's hand. Whoever stops waiting for an answer gives it back, too: its
/// thread stops at the next row, and deals with what is asked next after that.
struct Lent<'r> {
    from: &'r Inner,
    /// None once it is broken.
    connection: Option<SqliteConnection>,
    _permit: SemaphorePermit<'r>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        // Before the permit is given back.
        self.from.resting().extend(self.connection.take());
    }
}

type Asked<'q> = sqlx::query::Query<'q, Sqlite, SqlxValues>;

impl Lent<'_> {
    /// Has `ask` done on the connection.
    async fn run<T>(
        &mut self,
        ask: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, DbErr> {
        let Some(connection) = &mut self.connection else {
            return Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed));
        };
        ask(connection).await.map_err(|error| {
            if matches!(error, sqlx::Error::WorkerCrashed) {
                self.connection = None;
            }
            DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
        })
    }
}

/// What sea-orm has built, for sqlx.
fn asked(statement: Statement) -> Asked<'static> {
    let values = statement.values.unwrap_or(Values(Vec::new()));
    sqlx::query_with(AssertSqlSafe(statement.sql), SqlxValues(values))
}

#[async_trait]
impl ConnectionTrait for Readers {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Sqlite
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let mut lent = self.lend().await?;
        let done = lent.run(async |connection| asked(statement).execute(connection).await);
        done.await.map(ExecResult::from)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let mut lent = self.lend().await?;
        let sql = AssertSqlSafe(sql);
        let done = lent.run(async |connection| sqlx::raw_sql(sql).execute(connection).await);
        done.await.map(ExecResult::from)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let mut lent = self.lend().await?;
        let row = lent.run(async |connection| asked(statement).fetch_optional(connection).await);
        Ok(row.await?.map(QueryResult::from))
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut lent = self.lend().await?;
        let rows = lent.run(async |connection| asked(statement).fetch_all(connection).await);
        Ok(rows.await?.into_iter().map(QueryResult::from).collect())
    }
}
