//! The one error of every store.

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlErr, sqlx};
use std::borrow::Cow;
use xmpp::{Condition, ErrorType, StanzaError};

/// Why a store did not do what it was asked. Its text is for logs; the wire sees only what
/// [`From<&StoreError> for StanzaError`](StanzaError) makes of it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{kind}: {detail}")]
pub struct StoreError {
    /// What went wrong.
    pub kind: StoreErrorKind,
    /// Whether the same call may succeed later.
    pub retry: Retry,
    detail: Cow<'static, str>,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreErrorKind {
    /// It is already there.
    #[error("already there")]
    Exists,
    /// It is not there.
    #[error("not there")]
    Missing,
    /// Somebody else holds the database, or the pool has no connection left.
    #[error("database busy")]
    Busy,
    /// No space left.
    #[error("disk full")]
    Full,
    /// The database cannot be reached, read or written.
    #[error("database unavailable")]
    Unavailable,
    /// What is stored makes no sense.
    #[error("damaged data")]
    Damaged,
    /// The statement or our use of it is wrong.
    #[error("storage failed")]
    Internal,
}

/// Whether the same call may succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The cause passes, or an operator can end it without touching what is stored.
    Later,
    /// The answer will be the same.
    Never,
}

impl StoreError {
    /// An error of `kind`; `detail` is for logs.
    pub fn new(kind: StoreErrorKind, detail: impl Into<Cow<'static, str>>) -> Self {
        use StoreErrorKind::*;
        let retry = match kind {
            Busy | Full | Unavailable => Retry::Later,
            Exists | Missing | Damaged | Internal => Retry::Never,
        };
        StoreError {
            kind,
            retry,
            detail: detail.into(),
        }
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        let kind = match (&error, error.sql_err()) {
            (_, Some(SqlErr::UniqueConstraintViolation(_))) => StoreErrorKind::Exists,
            (DbErr::RecordNotFound(_) | DbErr::RecordNotUpdated, _) => StoreErrorKind::Missing,
            (DbErr::ConnectionAcquire(ConnAcquireErr::Timeout), _) => StoreErrorKind::Busy,
            (DbErr::ConnectionAcquire(_), _) => StoreErrorKind::Unavailable,
            (
                DbErr::Conn(RuntimeErr::SqlxError(cause))
                | DbErr::Exec(RuntimeErr::SqlxError(cause))
                | DbErr::Query(RuntimeErr::SqlxError(cause)),
                _,
            ) => kind_of(cause),
            (DbErr::Type(_) | DbErr::TryIntoErr { .. }, _) => StoreErrorKind::Damaged,
            _ => StoreErrorKind::Internal,
        };
        StoreError::new(kind, error.to_string())
    }
}

/// Sorts a driver's error.
pub(crate) fn kind_of(error: &sqlx::Error) -> StoreErrorKind {
    match error {
        sqlx::Error::PoolTimedOut => StoreErrorKind::Busy,
        sqlx::Error::Io(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            StoreErrorKind::Unavailable
        }
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => StoreErrorKind::Damaged,
        // SQLite's result codes; the low byte is the primary one.
        sqlx::Error::Database(cause) => match cause.code().and_then(|code| code.parse().ok()) {
            Some(code) => sqlite_kind(code),
            None => StoreErrorKind::Internal,
        },
        _ => StoreErrorKind::Internal,
    }
}

fn sqlite_kind(code: u32) -> StoreErrorKind {
    match code & 0xff {
        5 | 6 => StoreErrorKind::Busy,              // BUSY, LOCKED
        8 | 10 | 14 => StoreErrorKind::Unavailable, // READONLY, IOERR, CANTOPEN
        11 | 26 => StoreErrorKind::Damaged,         // CORRUPT, NOTADB
        13 => StoreErrorKind::Full,                 // FULL
        _ => StoreErrorKind::Internal,
    }
}

impl From<&StoreError> for StanzaError {
    /// The one mapping to the wire (RFC 6120 §8.3.3). The driver's text stays here.
    fn from(error: &StoreError) -> Self {
        use StoreErrorKind::*;
        let condition = match error.kind {
            Exists => Condition::Conflict,
            Missing => Condition::ItemNotFound,
            Busy | Full | Unavailable => Condition::ResourceConstraint,
            Damaged | Internal => Condition::InternalServerError,
        };
        let mut answer = StanzaError::new(condition);
        if error.retry == Retry::Later {
            answer.kind = ErrorType::Wait;
        }
        answer
    }
}

impl From<StoreError> for StanzaError {
    fn from(error: StoreError) -> Self {
        (&error).into()
    }
}
