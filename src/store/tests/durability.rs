//! What was answered with `Ok` is there after the process was killed.

use std::{
    env,
    io::{self, BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};
use store::{AccountKeys, AccountStore, Added, FILE_NAME, Pool, PoolSettings, SqlAccounts};
use xmpp::BareJid;

/// Set for the process that is killed: its data folder.
const FOLDER: &str = "MUNGO_TEST_KILLED_IN";

/// Accounts in each batch of the killed process.
const BATCH: usize = 20;

async fn open(folder: &Path) -> SqlAccounts {
    let pool = Pool::open(&folder.join(FILE_NAME), PoolSettings::default()).await;
    SqlAccounts::new(pool.unwrap())
}

fn jid(name: &str) -> BareJid {
    format!("{name}@localhost").parse().unwrap()
}

/// The killed process: makes accounts, one by one and in batches, and tells which ones it has.
#[tokio::test]
async fn makes_accounts_until_killed() {
    let Some(folder) = env::var_os(FOLDER) else {
        return;
    };
    let store = open(Path::new(&folder)).await;
    let mut out = io::stdout();
    for n in 0.. {
        let one = jid(&format!("one{n}"));
        store.create(&one, AccountKeys::default()).await.unwrap();
        writeln!(out, "done {one}").unwrap();
        let batch = (0..BATCH).map(|m| (jid(&format!("batch{n}-{m}")), AccountKeys::default()));
        let added = store.create_many(batch.collect()).await.unwrap();
        assert_eq!(added, [Added::New; BATCH]);
        writeln!(out, "done {}", jid(&format!("batch{n}-0"))).unwrap();
    }
}

#[tokio::test]
async fn a_killed_process_loses_nothing_it_has_told() {
    for answers in [1, 2, 41, 150] {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["--exact", "makes_accounts_until_killed", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let told: Vec<BareJid> = lines
            .filter_map(|line| line.unwrap().strip_prefix("done ")?.parse().ok())
            .take(answers)
            .collect();
        process.kill().unwrap();
        process.wait().unwrap();
        assert_eq!(told.len(), answers, "the process ended by itself");

        let store = open(folder.path()).await;
        for account in &told {
            assert!(store.exists(account).await.unwrap(), "{account} is lost");
        }
        let all = store.list(None, None, u64::MAX).await.unwrap();
        let of_batches = all
            .iter()
            .filter(|account| account.jid.as_str().starts_with("batch"));
        assert_eq!(of_batches.count() % BATCH, 0, "a batch was cut in two");
    }
}
