//! Runs by several processes: `mungo-loadtest` with workers, against its own `echo`.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// Starts this program with arguments.
    fn start(folder: &Path, arguments: &[&str]) -> Running {
        let child = Command::new(env!("CARGO_BIN_EXE_mungo-loadtest"))
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        Running(child.expect("started"))
    }

    /// Starts it, and waits until it says where it listens.
    fn listening(folder: &Path, arguments: &[&str]) -> (Running, String) {
        let mut running = Running::start(folder, arguments);
        let stdout = running.0.stdout.take().expect("piped");
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        read.expect("a line");
        let address = line.trim().rsplit(' ').next().unwrap_or_default();
        (running, address.to_owned())
    }

    fn signal(&self, signal: Signal) {
        send(self.0.id(), signal);
    }

    /// What it printed on stdout and stderr, and its exit code.
    fn end(mut self) -> (String, String, Option<i32>) {
        let (mut said, mut complained) = (String::new(), String::new());
        let mut stdout = self.0.stdout.take().expect("piped");
        stdout.read_to_string(&mut said).expect("text");
        let mut stderr = self.0.stderr.take().expect("piped");
        stderr.read_to_string(&mut complained).expect("text");
        (said, complained, self.0.wait().expect("ended").code())
    }

    /// The report that it printed, and its exit code.
    fn report(self) -> (Value, Option<i32>) {
        let (said, complained, code) = self.end();
        let report = serde_json::from_str(&said);
        let report = report.unwrap_or_else(|error| panic!("{error}: {said}{complained}"));
        (report, code)
    }
}

fn send(process: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(process).expect("a process")).expect("not zero");
    kill_process(pid, signal).expect("it is there");
}

fn echo(folder: &Path) -> (Running, String) {
    let echo = ["echo", "--listen", "127.0.0.1:0"];
    Running::listening(folder, &echo)
}

fn figure(report: &Value, name: &str) -> f64 {
    let figure = report["figures"][name].as_f64();
    figure.unwrap_or_else(|| panic!("there is no {name}: {report:#}"))
}

fn secret(folder: &Path, name: &str, text: &str) {
    let file = folder.join(name);
    std::fs::write(&file, text).expect("written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("set");
}

const SECRET: &str = "a secret that nobody guesses";

#[test]
fn workers_of_this_machine_play_one_run() {
    let place = tempfile::tempdir().expect("a place");
    let (echo, server) = echo(place.path());
    let pid = echo.0.id().to_string();
    let arguments = [
        "run",
        "chat-closed",
        "--workers",
        "3",
        "--server",
        &server,
        "--pid",
        &pid,
        "--json",
        "--set",
        "users=13",
        "--set",
        "window=2",
        "--set",
        "warm_up=1ms",
        "--set",
        "chat=1s",
    ];
    let (report, code) = Running::start(place.path(), &arguments).report();
    assert_eq!(code, Some(0), "{report:#}");
    assert_eq!(figure(&report, "sessions"), 13.0);
    assert_eq!(figure(&report, "logins"), 13.0);
    // One histogram of all: what the phase counted is in it.
    let chat = &report["phases"][2];
    assert_eq!(
        (&chat["name"], &chat["measured"]),
        (&"chat".into(), &true.into())
    );
    let pairs = report["histograms"]["message"].as_array().expect("pairs");
    let counted: u64 = pairs.iter().filter_map(|pair| pair[1].as_u64()).sum();
    assert_eq!(chat["transactions"][0]["done"], counted);
    assert_eq!(figure(&report, "message_count"), counted as f64);
    assert!(counted >= 26, "{report:#}");
    assert!(figure(&report, "cpu_per_message") >= 0.0);
    for file in ["report.html", "report.json", "scenario.ron"] {
        let all = place.path().join("loadtest-results");
        let folder = std::fs::read_dir(all).expect("it is there").next();
        assert!(
            folder
                .expect("one")
                .expect("one")
                .path()
                .join(file)
                .exists()
        );
    }
}

#[test]
fn workers_elsewhere_play_with_those_who_know_the_secret() {
    let place = tempfile::tempdir().expect("a place");
    let folder = place.path();
    secret(folder, "secret", SECRET);
    secret(folder, "other", "another secret, not the same");
    let (_echo, server) = echo(folder);
    let listen = [
        "worker",
        "--listen",
        "127.0.0.1:0",
        "--secret-file",
        "secret",
    ];
    let (_one, first) = Running::listening(folder, &listen);
    let (_two, second) = Running::listening(folder, &listen);
    let run = |secret: &str| {
        let arguments = [
            "run",
            "chat-open",
            "--worker",
            &first,
            "--worker",
            &second,
            "--workers",
            "1",
            "--secret-file",
            secret,
            "--server",
            &server,
            "--json",
            "--no-out",
            "--set",
            "users=6",
            "--set",
            "each_per_second=50",
            "--set",
            "warm_up=1ms",
            "--set",
            "chat=1s",
        ];
        Running::start(folder, &arguments)
    };
    let (said, complained, code) = run("other").end();
    assert_eq!((said.as_str(), code), ("", Some(1)));
    let wanted = format!("the worker {first} can't play");
    assert!(complained.contains(&wanted), "{complained}");
    assert!(
        complained.contains("the secrets are not the same"),
        "{complained}"
    );
    // They play again and again.
    for _ in 0..2 {
        let (report, code) = run("secret").report();
        assert_eq!(code, Some(0), "{report:#}");
        assert_eq!(figure(&report, "sessions"), 6.0);
        assert!(figure(&report, "message_count") >= 6.0, "{report:#}");
        // Bytes of the run before are none of this one.
        let bytes = report["phases"][0]["counters"]["bytes_in"].as_u64();
        assert!(bytes < Some(20_000), "{report:#}");
    }
}

#[test]
fn a_worker_of_another_version_is_told_of() {
    let place = tempfile::tempdir().expect("a place");
    secret(place.path(), "secret", SECRET);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let worker = listener.local_addr().expect("it has one").to_string();
    let other = std::thread::spawn(move || {
        use std::io::Write;
        let (mut stream, _) = listener.accept().expect("a coordinator");
        let greeting = br#"{"program":"mungo-loadtest 9","protocol":99,"challenge":"x","more":1}"#;
        let length = u32::try_from(greeting.len()).expect("short").to_be_bytes();
        stream.write_all(&length).expect("written");
        stream.write_all(greeting).expect("written");
        stream
    });
    let arguments = [
        "run",
        "idle",
        "--worker",
        &worker,
        "--secret-file",
        "secret",
        "--no-out",
    ];
    let (_, complained, code) = Running::start(place.path(), &arguments).end();
    assert_eq!(code, Some(1));
    for wanted in [&worker, "mungo-loadtest 9 and version 99", "the same build"] {
        assert!(complained.contains(wanted), "{wanted}: {complained}");
    }
    other.join().expect("it has greeted");
}

/// The rule is that of the machine that connects.
#[test]
fn a_worker_loads_nobody_whom_its_owner_does_not_own() {
    let place = tempfile::tempdir().expect("a place");
    secret(place.path(), "secret", SECRET);
    let listen = [
        "worker",
        "--listen",
        "127.0.0.1:0",
        "--secret-file",
        "secret",
    ];
    let (_worker, address) = Running::listening(place.path(), &listen);
    let arguments = [
        "run",
        "idle",
        "--worker",
        &address,
        "--secret-file",
        "secret",
        "--no-out",
        "--server",
        "192.0.2.1:5222",
        "--i-own-this-target",
    ];
    let (_, complained, code) = Running::start(place.path(), &arguments).end();
    assert_eq!(code, Some(1));
    assert!(
        complained.contains("say --i-own-this-target"),
        "{complained}"
    );
}

/// The processes that a process has started.
fn children(process: u32) -> Vec<u32> {
    let file = format!("/proc/{process}/task/{process}/children");
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let all = text.split_whitespace();
    all.filter_map(|child| child.parse().ok()).collect()
}

#[test]
fn a_worker_that_dies_is_named_with_its_share() {
    let place = tempfile::tempdir().expect("a place");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let server = listener.local_addr().expect("it has one").to_string();
    let arguments = [
        "run",
        "idle",
        "--workers",
        "2",
        "--server",
        &server,
        "--json",
        "--no-out",
        "--set",
        "users=6",
    ];
    for kill_both in [false, true] {
        let run = Running::start(place.path(), &arguments);
        let _kept = [(); 6].map(|()| listener.accept().expect("a client"));
        let workers = children(run.0.id());
        let [first, second] = workers[..] else {
            panic!("{workers:?}");
        };
        send(first, Signal::KILL);
        match kill_both {
            // There is a report without anybody to make one, too.
            true => send(second, Signal::KILL),
            false => run.signal(Signal::INT),
        }
        let (report, code) = run.report();
        assert_eq!(code, Some(1), "{report:#}");
        let problems = report["problems"].as_object().expect("problems");
        let is_told = |number: u32, process: u32, users: u32| {
            let wanted = format!("worker {number} of 2 was lost (process {process}: signal: 9");
            let share = format!("what its {users} of 6 users did is missing");
            let mut all = problems.keys();
            all.any(|what| what.starts_with(&wanted) && what.ends_with(&share))
        };
        assert!(is_told(1, first, 4), "{report:#}");
        assert_eq!(is_told(2, second, 2), kill_both, "{report:#}");
        assert_eq!(report["phases"][0]["name"], "come");
    }
}

#[test]
fn ctrl_c_ends_all_workers_with_one_report() {
    let place = tempfile::tempdir().expect("a place");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let server = listener.local_addr().expect("it has one").to_string();
    let arguments = [
        "run",
        "idle",
        "--workers",
        "2",
        "--server",
        &server,
        "--json",
        "--no-out",
        "--set",
        "users=4",
    ];
    let run = Running::start(place.path(), &arguments);
    // Everybody has come: now both play.
    let kept = [(); 4].map(|()| listener.accept().expect("a client"));
    let mut sources = kept.each_ref().map(|(_, address)| address.ip().to_string());
    sources.sort();
    assert_eq!(
        sources,
        ["127.0.1.1", "127.0.1.1", "127.0.1.2", "127.0.1.2"]
    );
    let workers = children(run.0.id());
    assert_eq!(workers.len(), 2);
    run.signal(Signal::INT);
    let (report, code) = run.report();
    assert_eq!(code, Some(1), "{report:#}");
    let problems = report["problems"].as_object().expect("problems");
    assert_eq!(problems["somebody stopped the run"], 1, "{report:#}");
    assert!(
        !problems.keys().any(|what| what.contains("was lost")),
        "{report:#}"
    );
    for worker in workers {
        let gone = !Path::new(&format!("/proc/{worker}")).exists();
        assert!(gone, "worker {worker} is there");
    }
}
