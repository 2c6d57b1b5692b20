//! The figures of a run: what one reads first.

use std::time::Duration;

use super::sample_at;
use crate::measure::{Counter, Phase, Recorded, Sample, Times};
use crate::report::Report;

/// More of a processor than this, and a thread of ours is all that can be measured.
const BUSY: f64 = 0.9;
/// More processors than this used by others spoil figures.
const DISTURBED: f64 = 0.2;
const MIB: f64 = (1 << 20) as f64;

/// Draws them up. A cost is told of what nothing else was done beside.
pub(super) fn report(title: String, recorded: &Recorded, samples: &[Sample]) -> Report {
    let mut report = Report::new(title);
    let counted = |counter| -> u64 {
        let all = recorded.intervals.iter();
        all.map(|interval| interval.counters.get(counter)).sum()
    };
    let sessions = recorded.intervals.iter().map(|interval| interval.sessions);
    let sessions = sessions.max().unwrap_or_default();
    report
        .count("sessions", sessions)
        .count("logins", counted(Counter::Logins));
    if counted(Counter::Presences) > 0 {
        report.count("presences", counted(Counter::Presences));
    }
    for (number, kind) in recorded.kinds.iter().enumerate() {
        transaction(&kind.name, number, recorded, samples, &mut report);
    }
    for counter in [Counter::Bounced, Counter::Undecided] {
        if counted(counter) > 0 {
            report.count(counter.name(), counted(counter));
        }
    }
    memory(recorded, samples, &mut report);
    disturbances(recorded, samples, &mut report);

    let heard = |phase: &Phase| phase.measured && phase.counters.get(Counter::BytesIn) > 0;
    let nothing = measured_times(recorded).all(|(_, times)| times.count() == 0)
        && !recorded.phases.iter().any(heard);
    report
        .problem("a delivery was lost", counted(Counter::Lost))
        .problem(
            "a delivery was doubled or out of order",
            counted(Counter::Doubled),
        )
        .problem("nothing was measured", u64::from(nothing));
    for (what, times) in &recorded.errors {
        report.problem(what, *times);
    }
    report
}

/// The times of all measured phases together, by transaction.
pub(super) fn measured_times(recorded: &Recorded) -> impl Iterator<Item = (&str, Times)> {
    recorded.kinds.iter().enumerate().map(|(number, kind)| {
        let mut all = Times::default();
        for phase in recorded.phases.iter().filter(|phase| phase.measured) {
            all.merge(&phase.transactions[number].times);
        }
        (kind.name.as_str(), all)
    })
}

/// The server's time on processors in a phase.
pub(super) fn cpu_of(phase: &Phase, samples: &[Sample]) -> Option<(Duration, Duration)> {
    sample_at(samples, phase.to)?.server_since(sample_at(samples, phase.from)?)
}

fn transaction(
    name: &str,
    number: usize,
    recorded: &Recorded,
    samples: &[Sample],
    report: &mut Report,
) {
    let all = recorded.intervals.iter();
    let passages = all.map(|interval| &interval.transactions[number]);
    let (done, failed) = passages.fold((0, 0), |(done, failed), passage| {
        (done + passage.times.count(), failed + passage.failed)
    });
    if done + failed == 0 {
        return;
    }
    let with: Vec<&Phase> = recorded
        .phases
        .iter()
        .filter(|phase| phase.measured && phase.transactions[number].times.count() > 0)
        .collect();
    let mut times = Times::default();
    for phase in &with {
        times.merge(&phase.transactions[number].times);
    }
    let (times, seconds) = (
        times.latencies(),
        with.iter().map(|phase| phase.seconds()).sum::<f64>(),
    );
    report.count(format!("{name}_count"), times.count());
    if times.count() > 0 {
        let rate = times.count() as f64 / seconds;
        report.figure(format!("{name}_rate"), rate, "/s");
        for (share, share_name) in SHARES {
            report.time(format!("{name}_{share_name}"), times.quantile(share));
        }
        report.time(format!("{name}_longest"), times.max());
        let alone = |phase: &&Phase| {
            let mut kinds = phase.transactions.iter();
            kinds
                .by_ref()
                .filter(|total| total.times.count() > 0)
                .count()
                == 1
        };
        let cpu = with
            .iter()
            .map(|phase| cpu_of(phase, samples).map(|(user, system)| user + system))
            .sum::<Option<Duration>>();
        let cpu = cpu.filter(|_| with.iter().all(alone));
        report.cost(format!("cpu_per_{name}"), cpu, times.count());
    }
    report.count(format!("{name}_failed"), failed);
}

/// The shares of all times that are told of.
pub(super) const SHARES: [(f64, &str); 5] = [
    (0.5, "p50"),
    (0.9, "p90"),
    (0.99, "p99"),
    (0.999, "p99.9"),
    (0.9999, "p99.99"),
];

fn memory(recorded: &Recorded, samples: &[Sample], report: &mut Report) {
    let (Some(first), Some(last)) = (
        recorded.phases.first(),
        recorded.phases.iter().rfind(|phase| phase.measured),
    ) else {
        return;
    };
    let (Some(before), Some(after)) = (sample_at(samples, first.from), sample_at(samples, last.to))
    else {
        return;
    };
    if let (Some(then), Some(now)) = (before.server, after.server) {
        let during = samples
            .iter()
            .filter(|sample| (first.from..=last.to).contains(&sample.at));
        let peak = during
            .filter_map(|sample| Some(sample.server?.memory))
            .max();
        let peak = peak.unwrap_or_default().max(now.memory);
        report
            .figure("memory_before", then.memory as f64 / MIB, "MiB")
            .figure("memory_peak", peak as f64 / MIB, "MiB")
            .figure("memory_after", now.memory as f64 / MIB, "MiB")
            .figure("anonymous_after", now.anonymous as f64 / MIB, "MiB");
        if let Some(sessions) = there_at(last.to, recorded) {
            let grown = now.memory.saturating_sub(then.memory) as f64 / 1024.0;
            report.figure("memory_per_session", grown / sessions as f64, "KiB");
        }
    }
    if let Some(tcp) = after.tcp {
        report.figure("tcp_memory_after", tcp as f64 / MIB, "MiB");
    }
}

/// Users who were there at a moment, if anybody was.
fn there_at(moment: u64, recorded: &Recorded) -> Option<u64> {
    let mut intervals = recorded.intervals.iter().rev();
    let last = intervals.find(|interval| interval.to <= moment)?;
    Some(last.sessions).filter(|sessions| *sessions > 0)
}

/// What may have spoilt the figures: a generator at its limit, others on the machine.
fn disturbances(recorded: &Recorded, samples: &[Sample], report: &mut Report) {
    let measured = || recorded.phases.iter().filter(|phase| phase.measured);
    let (mut seconds, mut own, mut others, mut server) = (0.0, 0.0, Some(0.0), Some(0.0));
    let mut limited = false;
    for phase in measured() {
        let (Some(before), Some(after)) =
            (sample_at(samples, phase.from), sample_at(samples, phase.to))
        else {
            continue;
        };
        let long = after.since(before);
        seconds += long;
        own += after.own_share(before) * long;
        others = others
            .zip(after.others_share(before))
            .map(|(sum, share)| sum + share * long);
        server = server
            .zip(after.server_since(before))
            .map(|(sum, (user, system))| sum + (user + system).as_secs_f64());
        limited |= busiest(samples, before.at, after.at) > BUSY;
    }
    if seconds == 0.0 {
        return;
    }
    if let Some(server) = server {
        report.figure("server_cpu", server / seconds * 100.0, "%");
    }
    report.figure("generator_cpu", own / seconds * 100.0, "%");
    if limited {
        report.note("the generator was at its limit: the server could do more");
    }
    if let Some(others) = others {
        report.figure("others_cpu", others / seconds * 100.0, "%");
        if others / seconds > DISTURBED {
            report.note("others used the machine: measure again when it is quiet");
        }
    }
}

/// How much of a processor our busiest thread used, on average.
fn busiest(samples: &[Sample], from: u64, to: u64) -> f64 {
    let (mut sum, mut seconds) = (0.0, 0.0);
    for pair in samples.windows(2) {
        let [before, now] = pair else { continue };
        if now.at > from && now.at <= to {
            sum += now.busiest * now.since(before);
            seconds += now.since(before);
        }
    }
    if seconds > 0.0 { sum / seconds } else { 0.0 }
}
