//! What came out of a run, whole: figures, phases, and what happened second by second.

mod chart;
mod figures;
mod folder;
mod machine;
mod page;
mod phases;
mod plots;
mod series;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

pub(crate) use chart::Unit;
pub(crate) use folder::{own_folder, prepare, write};

use crate::measure::{Recorded, Sample};
use crate::report::Report;
pub(crate) use machine::Machine;
use phases::PhaseResult;
use series::Second;

/// The version of `report.json`. It grows when something that was there is gone or means another thing.
pub(crate) const SCHEMA: u32 = 1;

/// What was played.
#[derive(Debug, Clone)]
pub(crate) struct About {
    /// The scenario's name.
    pub(crate) name: String,
    /// What it shows.
    pub(crate) about: String,
    /// Its parameters, as they were.
    pub(crate) settings: BTreeMap<String, String>,
    /// Its text, as it was read; empty if there is none.
    pub(crate) scenario: String,
    /// When the run began.
    pub(crate) began: OffsetDateTime,
}

/// What came out of a run.
#[derive(Debug)]
pub(crate) struct Results {
    about: About,
    machine: Machine,
    report: Report,
    phases: Vec<PhaseResult>,
    seconds: Vec<Second>,
    /// The times of the measured phases, by transaction.
    times: Vec<(String, Vec<(u64, u64)>)>,
}

impl Results {
    /// Draws up what was recorded and seen.
    pub(crate) fn of(about: About, recorded: &Recorded, samples: &[Sample]) -> Results {
        let report = figures::report(
            format!("{}: {}", about.name, about.about),
            recorded,
            samples,
        );
        Results {
            machine: Machine::here(),
            report,
            phases: phases::of(recorded, samples),
            seconds: series::of(recorded, samples),
            times: figures::measured_times(recorded)
                .map(|(name, times)| (name.to_owned(), times.pairs().collect()))
                .collect(),
            about,
        }
    }

    /// For people, in a few lines.
    pub(crate) fn report(&self) -> &Report {
        &self.report
    }

    /// For programs: the content of `report.json`. Times are in milliseconds unless a name says other,
    /// `from` and `to` in seconds since the run began, memory in bytes, shares of processors in
    /// processors. `histograms` has nanoseconds and how often they occurred in measured phases.
    pub(crate) fn json(&self) -> Value {
        let mut whole = json!({
            "schema": SCHEMA,
            "program": concat!("mungo-loadtest ", env!("CARGO_PKG_VERSION")),
            "name": self.about.name,
            "began": stamp(self.about.began),
            "machine": to_value(&self.machine),
            "settings": self.about.settings,
        });
        if let (Value::Object(whole), Value::Object(report)) = (&mut whole, self.report.json()) {
            whole.extend(report);
            whole.insert("phases".to_owned(), to_value(&self.phases));
            whole.insert("seconds".to_owned(), to_value(&self.seconds));
            let histograms: serde_json::Map<String, Value> = self
                .times
                .iter()
                .map(|(name, pairs)| (name.clone(), json!(pairs)))
                .collect();
            whole.insert("histograms".to_owned(), Value::Object(histograms));
        }
        whole
    }
}

/// Numbers, texts and lists of them always are JSON.
fn to_value(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// A moment as in RFC 3339, to the second.
pub(crate) fn stamp(at: OffsetDateTime) -> String {
    let (date, time) = (at.date(), at.time());
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

/// Milliseconds of nanoseconds.
fn millis(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}

/// How many processors a time on them is, in so many seconds.
fn processors(time: Duration, seconds: f64) -> f64 {
    time.as_secs_f64() / seconds.max(1e-3)
}

/// The last sample until this moment, in milliseconds since the run began.
fn sample_at(samples: &[Sample], at: u64) -> Option<&Sample> {
    let behind = samples.partition_point(|sample| sample.at <= at);
    samples[..behind].last()
}
