//! Processes seen from outside, by `/proc` (proc(5)).

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// Ticks of the times in `stat`, per second: part of Linux' interface on all that we build for.
const TICKS: u64 = 100;

/// The server, if it is watched, and this process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watch {
    server: Option<u32>,
}

/// What a process has used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Usage {
    /// Time on processors in the program itself, in steps of 10 ms.
    pub(crate) user: Duration,
    /// Time on processors in the system for it, likewise.
    pub(crate) system: Duration,
    /// Memory in use now (RSS), in bytes.
    pub(crate) memory: u64,
    /// The part of it that is no file's, in bytes: heap and stacks.
    pub(crate) anonymous: u64,
}

impl Usage {
    /// Adds what another process has used.
    pub(crate) fn add(&mut self, other: &Usage) {
        self.user += other.user;
        self.system += other.system;
        self.memory += other.memory;
        self.anonymous += other.anonymous;
    }

    /// Time on processors, user's and system's together.
    pub(crate) fn cpu(&self) -> Duration {
        self.user + self.system
    }
}

impl Watch {
    /// Watches the process with this id, and ourselves.
    ///
    /// # Errors
    /// There is none, or we may not.
    pub(crate) fn new(server: Option<u32>) -> Result<Watch, Failure> {
        server.map(usage).transpose()?;
        Ok(Watch { server })
    }

    /// What the server uses now; `None` if none is watched, or if it has ended.
    pub(crate) fn server(self) -> Option<Usage> {
        usage(self.server?).ok()
    }

    /// Whether a server is watched.
    pub(crate) fn has_server(self) -> bool {
        self.server.is_some()
    }
}

/// Time on processors of all processes of this machine together, since it was started.
pub(crate) fn machine() -> Duration {
    let stat = fs::read_to_string("/proc/stat").ok();
    stat.and_then(|stat| busy(&stat)).unwrap_or_default()
}

/// What this process uses.
pub(crate) fn own() -> Usage {
    usage(std::process::id()).unwrap_or_default()
}

/// Time on processors of each of our threads.
pub(crate) fn own_threads() -> BTreeMap<u32, Duration> {
    let Ok(tasks) = fs::read_dir("/proc/self/task") else {
        return BTreeMap::new();
    };
    tasks
        .filter_map(|task| {
            let task = task.ok()?;
            let (user, system) = cpu(&fs::read_to_string(task.path().join("stat")).ok()?)?;
            Some((task.file_name().to_str()?.parse().ok()?, user + system))
        })
        .collect()
}

/// Memory of the kernel for TCP, of all sockets in this network namespace, in bytes.
pub(crate) fn tcp_memory() -> Option<u64> {
    let pages = socket_pages(&fs::read_to_string("/proc/net/sockstat").ok()?)?;
    Some(pages * rustix::param::page_size() as u64)
}

fn usage(pid: u32) -> Result<Usage, Failure> {
    let failure = |reason: String| Failure::Process { pid, reason };
    let read = |name: &str| {
        fs::read_to_string(format!("/proc/{pid}/{name}"))
            .map_err(|error| failure(error.to_string()))
    };
    let unreadable = || failure("/proc says what we don't understand".to_owned());
    let (user, system) = cpu(&read("stat")?).ok_or_else(unreadable)?;
    let status = read("status")?;
    Ok(Usage {
        user,
        system,
        memory: memory(&status, "VmRSS:").ok_or_else(unreadable)?,
        anonymous: memory(&status, "RssAnon:").unwrap_or_default(),
    })
}

/// `utime` and `stime` of a process' `stat`. Its name comes before them, in parentheses, and may
/// have spaces and parentheses in it.
fn cpu(stat: &str) -> Option<(Duration, Duration)> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((ticks(user), ticks(system)))
}

/// A line of a process' `status`, in bytes.
fn memory(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// What all processors together have worked, of the system's `stat`: all but idle, waiting and
/// stolen time.
fn busy(stat: &str) -> Option<Duration> {
    let times: Vec<u64> = stat
        .lines()
        .next()?
        .strip_prefix("cpu ")?
        .split_ascii_whitespace()
        .map_while(|field| field.parse().ok())
        .collect();
    let [user, nice, system, _idle, _waiting, irq, softirq, ..] = times[..] else {
        return None;
    };
    Some(ticks(user + nice + system + irq + softirq))
}

/// `mem` of TCP in the system's `sockstat`.
fn socket_pages(sockstat: &str) -> Option<u64> {
    let line = sockstat
        .lines()
        .find_map(|line| line.strip_prefix("TCP:"))?;
    let mut words = line.split_ascii_whitespace();
    words.find(|word| *word == "mem")?;
    words.next()?.parse().ok()
}

fn ticks(count: u64) -> Duration {
    Duration::from_millis(count * 1_000 / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_be_anything() {
        let stat = "71 (a) b (c) S 1 71 71 0 -1 4194304 10 0 0 0 250 50 0 0 20 0 5 0 9 1000 20";
        assert_eq!(
            cpu(stat),
            Some((Duration::from_millis(2_500), Duration::from_millis(500)))
        );
        assert_eq!(cpu("71 (mungo"), None);
        assert_eq!(cpu(""), None);
    }

    #[test]
    fn memory_is_in_bytes() {
        let status = "Name:\tmungo\nVmPeak:\t 9000 kB\nVmRSS:\t  2048 kB\nRssAnon:\t 1000 kB\n";
        assert_eq!(memory(status, "VmRSS:"), Some(2 << 20));
        assert_eq!(memory(status, "RssAnon:"), Some(1_024_000));
        assert_eq!(memory("Name:\tkthreadd\n", "VmRSS:"), None);
    }

    #[test]
    fn idle_processors_are_not_busy() {
        let stat = "cpu  100 0 200 99999 50 0 100 7 0 0\ncpu0 1 2 3 4 5 6 7\n";
        assert_eq!(busy(stat), Some(Duration::from_secs(4)));
        assert_eq!(busy("intr 1"), None);
    }

    #[test]
    fn sockets_have_pages() {
        let sockstat =
            "sockets: used 9\nTCP: inuse 5 orphan 0 tw 0 alloc 8 mem 3\nUDP: inuse 0 mem 7\n";
        assert_eq!(socket_pages(sockstat), Some(3));
        assert_eq!(socket_pages("TCP: inuse 5"), None);
    }

    #[test]
    fn we_have_threads() {
        assert!(own_threads().contains_key(&std::process::id()));
        assert!(own().memory >= own().anonymous);
    }

    #[test]
    fn we_can_watch_ourselves_and_nobody_who_is_not_there() {
        let watch = Watch::new(Some(std::process::id())).expect("we are there");
        assert!(watch.server().expect("watched").memory > 100_000);
        assert!(matches!(
            Watch::new(Some(u32::MAX)),
            Err(Failure::Process { .. })
        ));
    }
}
