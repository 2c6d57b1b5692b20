//! What a conformance suite runs on: a store, and what must live as long as it does.

use store::{FILE_NAME, Pool, PoolSettings};

/// An empty database in a folder of its own, which is gone with the second value.
pub(crate) async fn database() -> (Pool, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE_NAME);
    let pool = Pool::open(&file, PoolSettings::default()).await.unwrap();
    (pool, folder)
}

/// Makes tests of async functions over `&dyn Store`: one run in memory, one in SQLite.
macro_rules! conformance {
    ($store:ty: $memory:expr, $sql:expr; $($case:ident)+) => {
        mod memory {
            use super::*;
            $(
                #[tokio::test]
                async fn $case() {
                    let store: Box<$store> = Box::new($memory);
                    super::$case(&*store).await;
                }
            )+
        }

        mod sqlite {
            use super::*;
            $(
                #[tokio::test]
                async fn $case() {
                    let (pool, _folder) = super::place::database().await;
                    let store: Box<$store> = Box::new($sql(pool));
                    super::$case(&*store).await;
                }
            )+
        }
    };
}

pub(crate) use conformance;
