//! What came out of each phase.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::figures::{SHARES, cpu_of};
use super::millis;
use crate::measure::{Counter, Recorded, Sample, Since, Total};

/// A phase in `report.json`.
#[derive(Debug, Serialize)]
pub(super) struct PhaseResult {
    pub(super) name: String,
    /// Whether what happened in it is in the figures.
    pub(super) measured: bool,
    /// Seconds since the run began.
    pub(super) from: f64,
    pub(super) to: f64,
    /// The server's time on processors, in seconds.
    pub(super) server_user: Option<f64>,
    pub(super) server_system: Option<f64>,
    /// What was counted.
    pub(super) counters: Map<String, Value>,
    pub(super) transactions: Vec<TransactionResult>,
}

/// A transaction in a phase; those that did not occur are left out.
#[derive(Debug, Serialize)]
pub(super) struct TransactionResult {
    pub(super) name: String,
    /// What times count from.
    pub(super) since: Since,
    /// How many ended well.
    pub(super) done: u64,
    /// How many did not.
    pub(super) failed: u64,
    /// How many ended well in a second.
    pub(super) rate: f64,
    /// Milliseconds: `p50` … `p99.99`, `mean`, `longest`.
    pub(super) times: Map<String, Value>,
}

/// All of them.
pub(super) fn of(recorded: &Recorded, samples: &[Sample]) -> Vec<PhaseResult> {
    let phases = recorded.phases.iter().map(|phase| {
        let cpu = cpu_of(phase, samples);
        let counted = Counter::ALL
            .into_iter()
            .map(|counter| (counter.name(), phase.counters.get(counter)))
            .filter(|(_, number)| *number > 0);
        let transactions = recorded.kinds.iter().zip(&phase.transactions);
        PhaseResult {
            name: phase.name.clone(),
            measured: phase.measured,
            from: phase.from as f64 / 1e3,
            to: phase.to as f64 / 1e3,
            server_user: cpu.map(|(user, _)| user.as_secs_f64()),
            server_system: cpu.map(|(_, system)| system.as_secs_f64()),
            counters: counted
                .map(|(name, number)| (name.to_owned(), json!(number)))
                .collect(),
            transactions: transactions
                .filter(|(_, total)| total.failed + total.times.count() > 0)
                .map(|(kind, total)| TransactionResult {
                    name: kind.name.clone(),
                    since: kind.since,
                    done: total.times.count(),
                    failed: total.failed,
                    rate: total.times.count() as f64 / phase.seconds(),
                    times: times(total),
                })
                .collect(),
        }
    });
    phases.collect()
}

fn times(total: &Total) -> Map<String, Value> {
    let mut told = Map::new();
    for (share, name) in SHARES {
        if let Some(time) = total.times.quantile(share) {
            told.insert(name.to_owned(), json!(millis(time)));
        }
    }
    let count = total.times.count();
    if let Some((longest, _)) = total.times.pairs().last() {
        let sum: f64 = total
            .times
            .pairs()
            .map(|(time, count)| millis(time) * count as f64)
            .sum();
        told.insert("mean".to_owned(), json!(sum / count as f64));
        told.insert("longest".to_owned(), json!(millis(longest)));
    }
    told
}
