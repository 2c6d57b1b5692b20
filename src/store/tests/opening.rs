//! Opening the database: it comes back as it was, and what is wrong is said.

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use std::{
    fs,
    os::unix::fs::{FileExt, PermissionsExt},
    path::Path,
};
use store::{
    AccountKeys, AccountStore, FILE_NAME, OpenError, Pool, PoolSettings, SqlAccounts,
    StoreErrorKind,
};
use tempfile::tempdir;
use xmpp::BareJid;

async fn open(folder: &Path) -> Result<Pool, OpenError> {
    Pool::open(&folder.join(FILE_NAME), PoolSettings::default()).await
}

async fn refusal(folder: &Path) -> OpenError {
    match open(folder).await {
        Ok(_) => panic!("opened"),
        Err(error) => error,
    }
}

/// An error names the place and what to do.
fn assert_helps(error: &OpenError, place: &Path, mend: &str) {
    let text = error.to_string();
    assert!(text.contains(&place.display().to_string()), "{text}");
    assert!(text.contains(mend), "{text}");
    assert!(!text.contains('\n'), "{text}");
}

async fn fill(folder: &Path, accounts: usize) {
    let pool = open(folder).await.unwrap();
    let batch = (0..accounts).map(|n| {
        let jid: BareJid = format!("u{n}@localhost").parse().unwrap();
        (jid, AccountKeys::default())
    });
    let store = SqlAccounts::new(pool.clone());
    store.create_many(batch.collect()).await.unwrap();
    pool.close().await.unwrap();
}

#[tokio::test]
async fn a_second_start_finds_everything() {
    let folder = tempdir().unwrap();
    fill(folder.path(), 3).await;
    let pool = open(folder.path()).await.unwrap();
    let store = SqlAccounts::new(pool.clone());
    assert_eq!(store.count(None).await.unwrap(), 3);
    assert_eq!(pool.file(), folder.path().join(FILE_NAME));
    pool.ping().await.unwrap();
}

#[tokio::test]
async fn it_is_durable_and_ours_alone() {
    let folder = tempdir().unwrap();
    let pool = open(folder.path()).await.unwrap();
    for (pragma, wanted) in [
        ("journal_mode", "wal"),
        ("synchronous", "2"),
        ("foreign_keys", "1"),
    ] {
        let sql = format!("SELECT CAST((SELECT * FROM pragma_{pragma}) AS TEXT)");
        let sql = sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, sql);
        let row = pool.writer().query_one_raw(sql).await.unwrap().unwrap();
        assert_eq!(
            row.try_get_by_index::<String>(0).unwrap(),
            wanted,
            "{pragma}"
        );
    }
    let mut files = 0;
    for file in fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", file.file_name());
        files += 1;
    }
    assert_eq!(files, 3, "the database, its log, the index of the log");
}

#[tokio::test]
async fn a_mode_that_is_too_wide_is_narrowed() {
    let folder = tempdir().unwrap();
    fill(folder.path(), 1).await;
    let file = folder.path().join(FILE_NAME);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let _pool = open(folder.path()).await.unwrap();
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[tokio::test]
async fn readers_do_not_write() {
    let folder = tempdir().unwrap();
    let pool = open(folder.path()).await.unwrap();
    let write = "INSERT INTO account (domain, localpart, created_at) VALUES ('x', 'y', 0)";
    assert!(pool.reader().execute_unprepared(write).await.is_err());
    pool.writer().execute_unprepared(write).await.unwrap();
}

/// Who asks and then doesn't wait for the answer takes no connection away from the others.
#[tokio::test]
async fn a_reader_whose_caller_has_gone_serves_the_next_one() {
    let folder = tempdir().unwrap();
    let one = PoolSettings {
        connections: 2,
        ..PoolSettings::default()
    };
    let file = folder.path().join(FILE_NAME);
    let pool = Pool::open(&file, one).await.unwrap();
    let count = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 10000) \
                 SELECT x FROM n";
    let ask = |sql: &str| Statement::from_string(DbBackend::Sqlite, sql);
    for _ in 0..3 {
        // Asked, and dropped as soon as it waits.
        tokio::select! {
            biased;
            _ = pool.reader().query_all_raw(ask(count)) => panic!("answered at once"),
            () = std::future::ready(()) => {}
        }
        let row = pool.reader().query_one_raw(ask("SELECT 7")).await.unwrap();
        assert_eq!(row.unwrap().try_get_by_index::<i32>(0).unwrap(), 7);
    }
    assert_eq!(
        pool.reader().query_all_raw(ask(count)).await.unwrap().len(),
        10_000
    );
}

#[tokio::test]
async fn a_dropped_transaction_is_taken_back() {
    let folder = tempdir().unwrap();
    let pool = open(folder.path()).await.unwrap();
    let write = "INSERT INTO account (domain, localpart, created_at) VALUES ('x', 'y', 0)";
    let transaction = pool.begin().await.unwrap();
    transaction.execute_unprepared(write).await.unwrap();
    drop(transaction);
    assert_eq!(SqlAccounts::new(pool.clone()).count(None).await.unwrap(), 0);
    pool.writer().execute_unprepared(write).await.unwrap();
}

#[tokio::test]
async fn a_closed_pool_says_unavailable() {
    let folder = tempdir().unwrap();
    let pool = open(folder.path()).await.unwrap();
    let store = SqlAccounts::new(pool.clone());
    pool.close().await.unwrap();
    let error = store.count(None).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unavailable, "{error}");
    let error = pool.ping().await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unavailable, "{error}");
}

#[tokio::test]
async fn secrets_outlive_a_restart() {
    let folder = tempdir().unwrap();
    let pool = open(folder.path()).await.unwrap();
    let (one, other) = (
        pool.secret("one").await.unwrap(),
        pool.secret("other").await.unwrap(),
    );
    assert_ne!(one, other);
    pool.close().await.unwrap();
    let pool = open(folder.path()).await.unwrap();
    assert_eq!(pool.secret("one").await.unwrap(), one);
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let folder = tempdir().unwrap();
    let missing = folder.path().join("no");
    let error = refusal(&missing).await;
    assert!(matches!(error, OpenError::Folder { .. }), "{error}");
    assert_helps(&error, &missing, "--data");
}

#[tokio::test]
async fn a_folder_in_its_place_is_refused() {
    let folder = tempdir().unwrap();
    let file = folder.path().join(FILE_NAME);
    fs::create_dir(&file).unwrap();
    let error = refusal(folder.path()).await;
    assert!(matches!(error, OpenError::Closed { .. }), "{error}");
    assert_helps(&error, &file, "mode 600");
}

#[tokio::test]
async fn a_file_of_another_kind_is_left_alone() {
    let folder = tempdir().unwrap();
    let file = folder.path().join(FILE_NAME);
    fs::write(&file, "dear diary").unwrap();
    let error = refusal(folder.path()).await;
    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    assert_helps(&error, &file, "move it away");
    assert_eq!(fs::read(&file).unwrap(), b"dear diary");
}

#[tokio::test]
async fn a_database_of_another_program_is_left_alone() {
    let folder = tempdir().unwrap();
    let pool = open(folder.path()).await.unwrap();
    let foreign = "PRAGMA application_id = 7";
    pool.writer().execute_unprepared(foreign).await.unwrap();
    pool.close().await.unwrap();
    let error = refusal(folder.path()).await;
    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    assert_helps(&error, folder.path(), "another program");
}

#[tokio::test]
async fn damage_anywhere_is_found_at_start() {
    let folder = tempdir().unwrap();
    let file = folder.path().join(FILE_NAME);
    fill(folder.path(), 3000).await;
    let whole = fs::read(&file).unwrap();
    assert!(whole.len() > 30 * 4096, "several levels of pages");
    // The schema, a page in the middle, the last one; and a file cut short.
    for at in [100, whole.len() / 2 / 4096 * 4096, whole.len() - 4096] {
        fs::write(&file, &whole).unwrap();
        let damaged = fs::File::options().write(true).open(&file).unwrap();
        damaged.write_all_at(&[0xa5; 2048], at as u64).unwrap();
        let error = refusal(folder.path()).await;
        assert!(matches!(error, OpenError::Damaged { .. }), "{at}: {error}");
        assert_helps(&error, &file, ".recover");
    }
    for length in [17, 4096, whole.len() / 2] {
        fs::write(&file, &whole[..length]).unwrap();
        let error = refusal(folder.path()).await;
        assert!(
            matches!(error, OpenError::Damaged { .. }),
            "{length}: {error}"
        );
    }
    fs::write(&file, &whole).unwrap();
    open(folder.path()).await.unwrap();
}

#[tokio::test]
async fn a_newer_schema_is_refused_by_name() {
    let folder = tempdir().unwrap();
    let pool = open(folder.path()).await.unwrap();
    let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_future', 0)";
    pool.writer().execute_unprepared(newer).await.unwrap();
    pool.close().await.unwrap();
    let error = refusal(folder.path()).await;
    assert!(matches!(error, OpenError::Newer { .. }), "{error}");
    assert_helps(&error, folder.path(), "m9999_future");
}
