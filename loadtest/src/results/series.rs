//! What happened second by second.

use serde::Serialize;

use super::{millis, processors, sample_at};
use crate::measure::{Counter, Interval, Recorded, Sample};

/// A second in `report.json`. Rates are those of a whole second, however long it was.
#[derive(Debug, Serialize)]
pub(super) struct Second {
    /// Seconds since the run began.
    pub(super) from: f64,
    pub(super) to: f64,
    /// The number of its phase.
    pub(super) phase: Option<usize>,
    /// Users who were there, at most.
    pub(super) sessions: u64,
    /// Rates.
    pub(super) messages_sent: f64,
    pub(super) messages_received: f64,
    pub(super) presences: f64,
    pub(super) logins: f64,
    pub(super) bytes_out: f64,
    pub(super) bytes_in: f64,
    /// What went wrong, a second.
    pub(super) errors: f64,
    /// Those that occur in the run, in each second.
    pub(super) transactions: Vec<Moment>,
    /// Of the server, in processors.
    pub(super) server_user: Option<f64>,
    pub(super) server_system: Option<f64>,
    /// Of the server, in bytes.
    pub(super) server_memory: Option<u64>,
    pub(super) server_anonymous: Option<u64>,
    /// Of the kernel for TCP, in bytes.
    pub(super) tcp_memory: Option<u64>,
    /// Ours, that of our busiest thread, and that of all who are neither we nor the server, in
    /// processors.
    pub(super) own: Option<f64>,
    pub(super) own_busiest: Option<f64>,
    pub(super) others: Option<f64>,
}

/// A transaction in a second.
#[derive(Debug, Serialize)]
pub(super) struct Moment {
    pub(super) name: String,
    /// Rates.
    pub(super) done: f64,
    pub(super) failed: f64,
    /// Milliseconds, to a 64th; none if none ended well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) p50: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) p90: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) p99: Option<f64>,
    #[serde(rename = "p99.9", skip_serializing_if = "Option::is_none")]
    pub(super) p999: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) longest: Option<f64>,
}

/// All of them. Seconds of which nothing is known but their end are left out.
pub(super) fn of(recorded: &Recorded, samples: &[Sample]) -> Vec<Second> {
    let whole = recorded.intervals.iter().filter(|interval| {
        // What is shorter than this is the rest of a phase and says nothing by the second.
        interval.to.saturating_sub(interval.from) >= 100
    });
    let occurs: Vec<bool> = (0..recorded.kinds.len())
        .map(|number| {
            let all = recorded.intervals.iter();
            let mut passages = all.map(|interval| &interval.transactions[number]);
            passages.any(|passage| passage.failed + passage.times.count() > 0)
        })
        .collect();
    whole
        .map(|interval| second(interval, &occurs, recorded, samples))
        .collect()
}

/// Of the transactions only those are told of that occur in the run.
fn second(interval: &Interval, occurs: &[bool], recorded: &Recorded, samples: &[Sample]) -> Second {
    let seconds = interval.seconds();
    let rate = |counter| interval.counters.get(counter) as f64 / seconds;
    let now = sample_at(samples, interval.to);
    let pair = now
        .zip(sample_at(samples, interval.from))
        .filter(|(now, then)| now.at > then.at);
    let cpu = pair.and_then(|(now, then)| {
        let (user, system) = now.server_since(then)?;
        let long = now.since(then);
        Some((processors(user, long), processors(system, long)))
    });
    let server = now.and_then(|now| now.server);
    let moments = recorded.kinds.iter().zip(&interval.transactions);
    let moments = moments.zip(occurs).filter(|(_, occurs)| **occurs);
    Second {
        from: interval.from as f64 / 1e3,
        to: interval.to as f64 / 1e3,
        phase: interval.phase,
        sessions: interval.sessions,
        messages_sent: rate(Counter::Sent),
        messages_received: rate(Counter::Received),
        presences: rate(Counter::Presences),
        logins: rate(Counter::Logins),
        bytes_out: rate(Counter::BytesOut),
        bytes_in: rate(Counter::BytesIn),
        errors: interval.errors as f64 / seconds,
        transactions: moments
            .map(|((kind, passage), _)| {
                let time = |share| passage.times.quantile(share).map(millis);
                Moment {
                    name: kind.name.clone(),
                    done: passage.times.count() as f64 / seconds,
                    failed: passage.failed as f64 / seconds,
                    p50: time(0.5),
                    p90: time(0.9),
                    p99: time(0.99),
                    p999: time(0.999),
                    longest: time(1.0),
                }
            })
            .collect(),
        server_user: cpu.map(|(user, _)| user),
        server_system: cpu.map(|(_, system)| system),
        server_memory: server.map(|server| server.memory),
        server_anonymous: server.map(|server| server.anonymous),
        tcp_memory: now.and_then(|now| now.tcp),
        own: pair.map(|(now, then)| now.own_share(then)),
        own_busiest: pair.map(|(now, _)| now.busiest),
        others: pair.and_then(|(now, then)| now.others_share(then)),
    }
}
