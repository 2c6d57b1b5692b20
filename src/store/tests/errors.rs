//! A store's errors: what kind they are, and what the wire sees of them.

use sea_orm::{ConnectionTrait, DbErr};
use std::time::Duration;
use store::{
    AccountKeys, AccountStore, FILE_NAME, OpenError, Pool, PoolSettings, Retry, SqlAccounts,
    StoreError, StoreErrorKind,
};
use xmpp::{Condition, ErrorType, StanzaError};

#[test]
fn the_wire_sees_conditions_and_nothing_of_the_driver() {
    use StoreErrorKind::*;
    for (kind, condition, how) in [
        (Exists, Condition::Conflict, ErrorType::Cancel),
        (Missing, Condition::ItemNotFound, ErrorType::Cancel),
        (Busy, Condition::ResourceConstraint, ErrorType::Wait),
        (Full, Condition::ResourceConstraint, ErrorType::Wait),
        (Unavailable, Condition::ResourceConstraint, ErrorType::Wait),
        (Damaged, Condition::InternalServerError, ErrorType::Cancel),
        (Internal, Condition::InternalServerError, ErrorType::Cancel),
    ] {
        let error = StoreError::new(kind, "table account of /srv/data");
        assert!(error.to_string().ends_with("table account of /srv/data"));
        let answer = StanzaError::from(&error);
        assert_eq!((answer.condition, answer.kind), (condition, how), "{kind}");
        let sent = String::from_utf8(answer.to_bytes().to_vec()).unwrap();
        assert!(!sent.contains("account"), "{sent}");
    }
}

#[test]
fn what_the_driver_cannot_explain_is_internal() {
    let error = StoreError::from(DbErr::Custom("odd".into()));
    assert_eq!(
        (error.kind, error.retry),
        (StoreErrorKind::Internal, Retry::Never)
    );
}

/// Another program holds the database: one waits a while, then is told to come again.
#[tokio::test]
async fn a_lock_of_another_program_passes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE_NAME);
    let other = Pool::open(&file, PoolSettings::default()).await.unwrap();
    let hasty = PoolSettings {
        patience: Duration::from_millis(20),
        ..PoolSettings::default()
    };
    let store = SqlAccounts::new(Pool::open(&file, hasty).await.unwrap());
    let romeo = "romeo@localhost".parse().unwrap();

    let lock = other.begin().await.unwrap();
    let error = store.create(&romeo, AccountKeys::default()).await;
    let error = error.unwrap_err();
    assert_eq!(
        (error.kind, error.retry),
        (StoreErrorKind::Busy, Retry::Later)
    );
    assert!(!store.exists(&romeo).await.unwrap(), "readers go on");
    let error = Pool::open(&file, hasty).await.err();
    assert!(matches!(error, Some(OpenError::Busy { .. })), "{error:?}");

    lock.rollback().await.unwrap();
    store.create(&romeo, AccountKeys::default()).await.unwrap();
}

#[tokio::test]
async fn keys_that_cannot_be_read_are_damage() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE_NAME);
    let pool = Pool::open(&file, PoolSettings::default()).await.unwrap();
    let odd = "INSERT INTO account (domain, localpart, scram_sha1, created_at)
               VALUES ('localhost', 'romeo', 'r0m30', 0), ('', 'a b', NULL, 0)";
    pool.writer().execute_unprepared(odd).await.unwrap();
    let store = SqlAccounts::new(pool);
    let romeo = "romeo@localhost".parse().unwrap();
    let error = store.keys(&romeo).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Damaged);
    assert!(!error.to_string().contains("r0m30"), "{error}");
    let error = store.list(None, None, 9).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Damaged);
}
