//! A process in which nothing runs any more ends itself. Another process has to be the one that
//! does.

use std::env;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use super::*;

/// Tells the other process what stalls it.
const STALL: &str = "MUNGO_TEST_STALL";
const ABORTED: i32 = 6;
const WORKERS: usize = 2;
const LOOKS: WatchdogSettings = WatchdogSettings {
    every: Duration::from_millis(50),
    abort: Some(20),
    ..SETTINGS
};

/// The other process. It ends by itself in the end, should nobody else do that.
#[test]
#[ignore = "it is started by the other tests of this file"]
fn the_process_that_stalls() {
    let Ok(how) = env::var(STALL) else {
        return;
    };
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(io::stderr)
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_time()
        .build()
        .expect("a runtime");
    let _watchdog = Watchdog::start(Roll::default(), runtime.handle(), LOOKS).expect("two threads");
    let gate = Arc::new(Gate::default());
    let blocked = match how.as_str() {
        "all but one thread" => WORKERS - 1,
        _ => WORKERS,
    };
    for _ in 0..blocked {
        let (gate, how) = (gate.clone(), how.clone());
        runtime.spawn(async move {
            if how != "a log that nobody reads" {
                gate.pass();
            }
            loop {
                tracing::info!("{}", "x".repeat(1_000));
            }
        });
    }
    let (_open, closed) = mpsc::channel::<()>();
    let enough = match blocked {
        WORKERS => Duration::from_secs(120),
        _ => LOOKS.every * 40,
    };
    let _ = closed.recv_timeout(enough);
    std::process::exit(0);
}

/// What became of a process that is stalled by that, and what it said.
fn stalled_by(how: &str) -> (Option<i32>, String) {
    // Should the system keep what is left of it, then there.
    let folder = tempfile::tempdir().expect("a folder");
    let mut process = Command::new(env::current_exe().expect("this program"))
        .args(["--exact", "watchdog::tests::stall::the_process_that_stalls"])
        .args(["--ignored", "--nocapture"])
        .env(STALL, how)
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let status = process.wait().expect("it ends");
    let mut said = String::new();
    let mut log = process.stderr.take().expect("a pipe");
    io::Read::read_to_string(&mut log, &mut said).expect("text");
    (status.signal(), said)
}

#[test]
fn a_process_whose_threads_are_all_blocked_says_so_and_aborts() {
    let (signal, said) = stalled_by("locks");
    assert_eq!(signal, Some(ABORTED), "{said}");
    for what in ["runtime_stuck", "runtime_dead"] {
        assert!(said.contains(what), "{said}");
    }
}

#[test]
fn it_aborts_even_when_the_log_is_what_blocks_it() {
    let (signal, _) = stalled_by("a log that nobody reads");
    assert_eq!(signal, Some(ABORTED));
}

#[test]
fn a_process_with_a_thread_left_lives() {
    let (signal, said) = stalled_by("all but one thread");
    assert_eq!(signal, None, "{said}");
    assert!(!said.contains("runtime_stuck"), "{said}");
}
