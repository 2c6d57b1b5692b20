//! The conformance suite of account stores, on every back end.

mod conformance;

use std::sync::Arc;
use store::{AccountStore, FILE_NAME, MemAccounts, Pool, PoolSettings, SqlAccounts};

/// What the suite runs on: the store, and what must live as long as it does.
struct Place {
    store: Arc<dyn AccountStore>,
    _folder: Option<tempfile::TempDir>,
}

async fn memory() -> Place {
    Place {
        store: Arc::new(MemAccounts::default()),
        _folder: None,
    }
}

async fn sqlite() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE_NAME);
    let pool = Pool::open(&file, PoolSettings::default()).await.unwrap();
    Place {
        store: Arc::new(SqlAccounts::new(pool)),
        _folder: Some(folder),
    }
}

account_store_conformance!(memory);
account_store_conformance!(sqlite);
