//! Opening the database, with errors that an operator can act upon.

use crate::{
    Readers, StoreErrorKind,
    error::kind_of,
    pool::{Pool, PoolSettings},
};
use sea_orm::{
    DbErr, RuntimeErr, SqliteTransactionMode, SqlxSqliteConnector, TransactionOptions,
    TransactionTrait, sqlx,
};
use sea_orm_migration::MigratorTrait;
use sqlx::{
    ConnectOptions, Row, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    fs::{File, OpenOptions, Permissions},
    io::{self, Read},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// A larger database is not checked page by page at start: that reads it all, and a start is quick.
const CHECKED_UP_TO: u64 = 64 << 20;

/// `PRAGMA cache_size` of a connection: 256 KiB. The pages are in the operating system's cache as
/// well; another 2 MiB in each connection, SQLite's default, save hardly any time and are missed by
/// a thousand sessions.
const CACHE: &str = "-256";
/// `PRAGMA application_id` of our databases: "MUNG".
const APPLICATION_ID: i32 = 0x4d55_4e47;

/// Why the database cannot be used: what, where, and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder of the database is missing or closed to us.
    #[error(
        "the data folder {} cannot be used ({cause}); create it, or name another with --data",
        folder.display()
    )]
    Folder {
        /// The data folder.
        folder: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The file cannot be read and written.
    #[error(
        "the database {} cannot be opened for reading and writing ({cause}); make it a file owned \
         by the user who runs mungo, with mode 600, on a file system that is not read-only",
        file.display()
    )]
    Closed {
        /// The database.
        file: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// Another program has locked the database.
    #[error(
        "the database {} is locked by another program; end that program (`fuser {}` names it), \
         then start again",
        file.display(),
        file.display()
    )]
    Busy {
        /// The database.
        file: PathBuf,
    },
    /// No space left.
    #[error("no space left for the database {}; free some, then start again", file.display())]
    Full {
        /// The database.
        file: PathBuf,
    },
    /// The file is no database, or one of another program.
    #[error(
        "{} is not a database of mungo ({finding}); move it away to start with an empty one, or \
         put a backup in its place",
        file.display()
    )]
    Foreign {
        /// The file.
        file: PathBuf,
        /// What it is in place of that.
        finding: String,
    },
    /// The database is damaged.
    #[error(
        "the database {} is damaged ({finding}); copy the data folder, then put a backup in the \
         place of the database, or save what can be read with `sqlite3 {} .recover | sqlite3 \
         mended.sqlite` and put that in its place",
        file.display(),
        file.display()
    )]
    Damaged {
        /// The database.
        file: PathBuf,
        /// What the check found first.
        finding: String,
    },
    /// A later version of mungo has changed the database.
    #[error(
        "the database {} belongs to a newer mungo (this one does not know its migration {}); \
         start the newer version, or put back the backup from before the upgrade",
        file.display(),
        migration
    )]
    Newer {
        /// The database.
        file: PathBuf,
        /// The first migration that this binary does not know.
        migration: String,
    },
    /// Something that should not happen.
    #[error("the database {} cannot be used ({cause}); nothing in it was changed", file.display())]
    Failed {
        /// The database.
        file: PathBuf,
        /// What the driver said.
        cause: String,
    },
}

impl Pool {
    /// Opens the SQLite database in `file` ([`FILE_NAME`](crate::FILE_NAME) in a data folder that
    /// this process has locked, or one that is [shared](PoolSettings::shared)); makes one if there
    /// is none, checks it and brings it to the schema of this binary. Its files are readable by
    /// their owner alone.
    ///
    /// # Errors
    /// Made for the operator, see [`OpenError`]; the database is as it was before.
    pub async fn open(file: &Path, settings: PoolSettings) -> Result<Pool, OpenError> {
        let size = own(file)?;
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(false)
            .busy_timeout(settings.patience)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("cache_size", CACHE)
            .disable_statement_logging();
        let connect = async {
            let writer = connection(settings).connect_with(options.clone()).await?;
            let findings = Findings::gather(&writer, size).await?;
            Ok((writer, findings))
        };
        let (writer, findings) = connect.await.map_err(|error| sort(file, &error))?;
        findings.judge(file)?;
        let writer = SqlxSqliteConnector::from_sqlx_sqlite_pool(writer);
        upgrade(&writer).await.map_err(|error| match &error {
            DbErr::Conn(RuntimeErr::SqlxError(cause))
            | DbErr::Exec(RuntimeErr::SqlxError(cause))
            | DbErr::Query(RuntimeErr::SqlxError(cause)) => sort(file, cause),
            _ => OpenError::Failed {
                file: file.to_owned(),
                cause: error.to_string(),
            },
        })?;
        let readers = settings.connections.saturating_sub(1).max(1);
        let readers = Readers::new(
            options.pragma("query_only", "ON"),
            readers,
            settings.patience,
        );
        Ok(Pool {
            writer,
            readers,
            file: file.into(),
            shared: settings.shared,
        })
    }
}

/// Makes the file if it is missing, sees that it is ours alone, and looks at its first bytes.
/// Returns its size in bytes. SQLite gives its log files the mode of this one.
fn own(path: &Path) -> Result<u64, OpenError> {
    let closed = |cause: io::Error| match cause.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => OpenError::Folder {
            folder: path.parent().unwrap_or(path).to_owned(),
            cause,
        },
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => OpenError::Full {
            file: path.to_owned(),
        },
        _ => OpenError::Closed {
            file: path.to_owned(),
            cause: cause.to_string(),
        },
    };
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(closed)?;
    let facts = file.metadata().map_err(closed)?;
    if facts.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))
            .map_err(closed)?;
    }
    match facts.len() {
        0 => Ok(0),
        size if begins_as_sqlite(&mut file).map_err(closed)? => Ok(size),
        _ => Err(OpenError::Foreign {
            file: path.to_owned(),
            finding: "it does not begin as an SQLite database does".into(),
        }),
    }
}

fn begins_as_sqlite(file: &mut File) -> io::Result<bool> {
    let mut start = Vec::new();
    file.take(16).read_to_end(&mut start)?;
    Ok(start == b"SQLite format 3\0")
}

/// The one that writes.
fn connection(settings: PoolSettings) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .min_connections(1)
        .max_connections(1)
        .acquire_timeout(settings.patience)
        .idle_timeout(None)
        .max_lifetime(None)
        // A file does not hang up.
        .test_before_acquire(false)
}

/// What there is to know about a database before anything in it is changed.
struct Findings {
    application: i32,
    tables: i64,
    /// The first thing that is wrong with a page, or `ok`.
    check: String,
    migrations: Vec<String>,
}

impl Findings {
    async fn gather(pool: &SqlitePool, size: u64) -> Result<Findings, sqlx::Error> {
        // At one moment: another process may be making the database just now.
        let mut moment = pool.begin().await?;
        let application = sqlx::query("PRAGMA application_id").fetch_one(&mut *moment);
        let application = application.await?.try_get(0)?;
        let tables = sqlx::query("SELECT count(*) FROM sqlite_schema").fetch_one(&mut *moment);
        let tables = tables.await?.try_get(0)?;
        let check = if size <= CHECKED_UP_TO {
            let check = sqlx::query("PRAGMA quick_check(1)").fetch_one(&mut *moment);
            check.await?.try_get(0)?
        } else {
            "ok".to_owned()
        };
        let known = "SELECT count(*) FROM sqlite_schema WHERE name = 'seaql_migrations'";
        let known: i64 = sqlx::query(known)
            .fetch_one(&mut *moment)
            .await?
            .try_get(0)?;
        let migrations = if known > 0 {
            let names = "SELECT version FROM seaql_migrations ORDER BY version";
            let names = sqlx::query(names).fetch_all(&mut *moment).await?;
            let names = names.iter().map(|row| row.try_get(0));
            names.collect::<Result<_, _>>()?
        } else {
            Vec::new()
        };
        Ok(Findings {
            application,
            tables,
            check,
            migrations,
        })
    }

    fn judge(self, file: &Path) -> Result<(), OpenError> {
        let file = file.to_owned();
        if self.application != APPLICATION_ID && self.tables > 0 {
            return Err(OpenError::Foreign {
                file,
                finding: "it is an SQLite database of another program".into(),
            });
        }
        if self.check != "ok" {
            return Err(OpenError::Damaged {
                file,
                finding: self.check.replace('\n', " "),
            });
        }
        let ours = migrations::names();
        match self
            .migrations
            .into_iter()
            .find(|name| !ours.contains(name))
        {
            Some(migration) => Err(OpenError::Newer { file, migration }),
            None => Ok(()),
        }
    }
}

/// Runs what is missing, all or nothing.
async fn upgrade(writer: &sea_orm::DatabaseConnection) -> Result<(), DbErr> {
    use sea_orm::ConnectionTrait;
    // Of several processes that start at once, the others wait for the first.
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    let transaction = writer.begin_with_options(options).await?;
    let mark = format!("PRAGMA application_id = {APPLICATION_ID}");
    transaction.execute_unprepared(&mark).await?;
    migrations::Migrator::up(&transaction, None).await?;
    transaction.commit().await
}

/// The operator's view of a driver's error.
fn sort(file: &Path, error: &sqlx::Error) -> OpenError {
    let file = file.to_owned();
    match kind_of(error) {
        StoreErrorKind::Busy => OpenError::Busy { file },
        StoreErrorKind::Full => OpenError::Full { file },
        StoreErrorKind::Damaged => OpenError::Damaged {
            file,
            finding: error.to_string(),
        },
        StoreErrorKind::Unavailable => OpenError::Closed {
            file,
            cause: error.to_string(),
        },
        _ => OpenError::Failed {
            file,
            cause: error.to_string(),
        },
    }
}
