//! This process as the system sees it, and its runtime.

use std::fs;
use std::time::Duration;

use admin::api::FigureKind::{Counter, Gauge};
use admin::api::{Family, FigureValue};
use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

/// The memory of this process that is in RAM, bytes; unknown where there is no `/proc`.
pub(crate) fn resident() -> Option<u64> {
    kib(&status()?, "VmRSS:")
}

/// Time that processors spent on this process.
pub(crate) fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let part = |number: i64| u64::try_from(number).unwrap_or_default();
    Duration::from_secs(part(time.tv_sec)) + Duration::from_nanos(part(time.tv_nsec))
}

/// The figures of the process. What the system does not tell is left out.
pub(super) fn figures() -> Vec<Family> {
    let status = status().unwrap_or_default();
    let runtime = tokio::runtime::Handle::try_current()
        .ok()
        .map(|handle| handle.metrics());
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let gauges = [
        (
            "process_resident_memory_bytes",
            "Memory of the process that is in RAM",
            kib(&status, "VmRSS:"),
        ),
        (
            "process_resident_memory_peak_bytes",
            "The most memory of the process that ever was in RAM",
            kib(&status, "VmHWM:"),
        ),
        (
            "process_anonymous_memory_bytes",
            "Memory that the allocator and the stacks hold in RAM, freed or not",
            kib(&status, "RssAnon:"),
        ),
        (
            "process_open_fds",
            "Open files and sockets",
            // Reading the folder opens one more.
            fs::read_dir("/proc/self/fd")
                .ok()
                .map(|files| count(files.count()).saturating_sub(1)),
        ),
        (
            "process_max_fds",
            "Files and sockets that may be open",
            getrlimit(Resource::Nofile).current,
        ),
        (
            "process_threads",
            "Threads",
            field(&status, "Threads:").and_then(|number| number.parse().ok()),
        ),
        (
            "mungo_runtime_workers",
            "Threads that run actors",
            runtime.as_ref().map(|runtime| count(runtime.num_workers())),
        ),
        (
            "mungo_runtime_tasks",
            "Tasks that live",
            runtime
                .as_ref()
                .map(|runtime| count(runtime.num_alive_tasks())),
        ),
        (
            "mungo_runtime_waiting_tasks",
            "Tasks that wait in the runtime's common queue for a thread",
            runtime
                .as_ref()
                .map(|runtime| count(runtime.global_queue_depth())),
        ),
    ];
    let cpu = Family::one(
        "process_cpu_seconds",
        "Time that processors spent on the process",
        Counter,
        FigureValue::Number(cpu().as_secs_f64()),
    );
    let known = gauges.into_iter().filter_map(|(name, help, value)| {
        Some(Family::one(name, help, Gauge, FigureValue::Count(value?)))
    });
    std::iter::once(cpu).chain(known).collect()
}

fn status() -> Option<String> {
    fs::read_to_string("/proc/self/status").ok()
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim())
}

fn kib(status: &str, name: &str) -> Option<u64> {
    let number = field(status, name)?.trim_end_matches("kB").trim();
    Some(number.parse::<u64>().ok()? * 1024)
}
