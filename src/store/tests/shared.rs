//! One database of several processes: nodes of a cluster on one machine.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::{env, path::Path};

use store::{AccountKeys, AccountStore, FILE_NAME, Pool, PoolSettings, SqlAccounts};

/// Tells a process of these tests what it is.
const FILE: &str = "STORE_TEST_SHARED_FILE";
const PROCESSES: u32 = 4;
const ACCOUNTS: u32 = 25;

async fn open(file: &Path) -> Pool {
    let settings = PoolSettings {
        shared: true,
        ..PoolSettings::default()
    };
    Pool::open(file, settings).await.unwrap()
}

/// One of several processes: opens the database when it is told to, then makes accounts.
#[tokio::test]
async fn makes_accounts_beside_others() {
    let Some(file) = env::var_os(FILE) else {
        return;
    };
    let mut name = String::new();
    writeln!(io::stdout(), "ready").unwrap();
    io::stdin().read_line(&mut name).unwrap();
    let pool = open(Path::new(&file)).await;
    let store = SqlAccounts::new(pool.clone());
    for n in 0..ACCOUNTS {
        let jid = format!("{}-{n}@localhost", name.trim()).parse().unwrap();
        store.create(&jid, AccountKeys::default()).await.unwrap();
    }
    pool.close().await.unwrap();
}

#[tokio::test]
async fn processes_that_start_at_once_share_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE_NAME);
    let mut processes: Vec<Child> = (0..PROCESSES)
        .map(|_| {
            Command::new(env::current_exe().unwrap())
                .args(["--exact", "makes_accounts_beside_others", "--nocapture"])
                .env(FILE, &file)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut said: Vec<_> = processes
        .iter_mut()
        .map(|process| BufReader::new(process.stdout.take().unwrap()).lines())
        .collect();
    for lines in &mut said {
        assert!(lines.any(|line| line.unwrap().ends_with("ready")));
    }
    for (n, process) in processes.iter_mut().enumerate() {
        writeln!(process.stdin.take().unwrap(), "p{n}").unwrap();
    }
    for (process, lines) in processes.iter_mut().zip(said) {
        let lines: Vec<String> = lines.map_while(Result::ok).collect();
        assert!(process.wait().unwrap().success(), "{lines:#?}");
    }

    let pool = open(&file).await;
    assert!(!pool.is_exclusive(), "what was read may be old");
    let count = SqlAccounts::new(pool).count(None).await.unwrap();
    assert_eq!(count, u64::from(PROCESSES * ACCOUNTS));
}
