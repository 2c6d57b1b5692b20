//! Processes seen from outside, by `/proc` (proc(5)).

use std::fs;
use std::time::Duration;

use tokio::time::Instant;

use crate::failure::Failure;

/// Ticks of the times in `stat`, per second: part of Linux' interface on all that we build for.
const TICKS: u64 = 100;

/// The server, if it is watched, and this process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watch {
    server: Option<u32>,
}

/// What was seen at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    at: Instant,
    /// Of the server.
    pub(crate) server: Option<Usage>,
    own: Usage,
    machine: Duration,
}

/// What a process has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Time on processors, user's and system's together, in steps of 10 ms.
    pub(crate) cpu: Duration,
    /// Memory in use now (RSS), in bytes.
    pub(crate) memory: u64,
}

impl Watch {
    /// Watches the process with this id, and ourselves.
    ///
    /// # Errors
    /// There is none, or we may not.
    pub(crate) fn new(server: Option<u32>) -> Result<Watch, Failure> {
        let watch = Watch { server };
        watch.look()?;
        Ok(watch)
    }

    /// What is used now.
    ///
    /// # Errors
    /// The process has ended.
    pub(crate) fn look(self) -> Result<Seen, Failure> {
        Ok(Seen {
            at: Instant::now(),
            server: self.server.map(usage).transpose()?,
            own: usage(std::process::id())?,
            machine: fs::read_to_string("/proc/stat")
                .ok()
                .and_then(|stat| busy(&stat))
                .unwrap_or_default(),
        })
    }
}

impl Seen {
    /// The server's time on processors since then.
    pub(crate) fn cpu_since(&self, before: &Seen) -> Option<Duration> {
        Some(self.server?.cpu.saturating_sub(before.server?.cpu))
    }

    /// How much of a processor we used ourselves since then; 1 is a whole one.
    pub(crate) fn own_share_since(&self, before: &Seen) -> f64 {
        self.share(before, self.own.cpu.saturating_sub(before.own.cpu))
    }

    /// How many processors all the others of this machine used since then. Not known unless the
    /// server is watched.
    pub(crate) fn others_share_since(&self, before: &Seen) -> Option<f64> {
        let ours = self.cpu_since(before)? + self.own.cpu.saturating_sub(before.own.cpu);
        let all = self.machine.saturating_sub(before.machine);
        Some(self.share(before, all.saturating_sub(ours)))
    }

    fn share(&self, before: &Seen, cpu: Duration) -> f64 {
        cpu.as_secs_f64() / (self.at - before.at).as_secs_f64().max(1e-3)
    }
}

fn usage(pid: u32) -> Result<Usage, Failure> {
    let failure = |reason: String| Failure::Process { pid, reason };
    let read = |name: &str| {
        fs::read_to_string(format!("/proc/{pid}/{name}"))
            .map_err(|error| failure(error.to_string()))
    };
    let unreadable = || failure("/proc says what we don't understand".to_owned());
    Ok(Usage {
        cpu: cpu(&read("stat")?).ok_or_else(unreadable)?,
        memory: memory(&read("status")?).ok_or_else(unreadable)?,
    })
}

/// `utime` and `stime` of a process' `stat`. Its name comes before them, in parentheses, and may
/// have spaces and parentheses in it.
fn cpu(stat: &str) -> Option<Duration> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(ticks(user + system))
}

/// `VmRSS` of a process' `status`.
fn memory(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
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

fn ticks(count: u64) -> Duration {
    Duration::from_millis(count * 1_000 / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_be_anything() {
        let stat = "71 (a) b (c) S 1 71 71 0 -1 4194304 10 0 0 0 250 50 0 0 20 0 5 0 9 1000 20";
        assert_eq!(cpu(stat), Some(Duration::from_secs(3)));
        assert_eq!(cpu("71 (mungo"), None);
        assert_eq!(cpu(""), None);
    }

    #[test]
    fn memory_is_in_bytes() {
        let status = "Name:\tmungo\nVmPeak:\t 9000 kB\nVmRSS:\t  2048 kB\nRssAnon:\t 1000 kB\n";
        assert_eq!(memory(status), Some(2 << 20));
        assert_eq!(memory("Name:\tkthreadd\n"), None);
    }

    #[test]
    fn idle_processors_are_not_busy() {
        let stat = "cpu  100 0 200 99999 50 0 100 7 0 0\ncpu0 1 2 3 4 5 6 7\n";
        assert_eq!(busy(stat), Some(Duration::from_secs(4)));
        assert_eq!(busy("intr 1"), None);
    }

    #[test]
    fn we_can_watch_ourselves_and_nobody_who_is_not_there() {
        let seen = Watch::new(Some(std::process::id()))
            .and_then(Watch::look)
            .expect("we are there");
        assert!(seen.server.expect("watched").memory > 100_000);
        assert!(matches!(
            Watch::new(Some(u32::MAX)),
            Err(Failure::Process { .. })
        ));
    }
}
