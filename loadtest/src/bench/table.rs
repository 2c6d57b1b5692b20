//! The table of a bench, as Markdown.

use serde_json::Value;
use std::collections::BTreeMap;
use time::OffsetDateTime;

use super::plan::{Row, Run};
use crate::arguments::BenchPlan;
use crate::report::digits;
use crate::results::{Machine, stamp};
use crate::text::put;

/// What was measured so far.
#[derive(Debug)]
pub(super) struct Measured {
    servers: Vec<String>,
    /// Values by server, run and figure; one for each round.
    values: BTreeMap<(String, &'static str, &'static str), Vec<f64>>,
    problems: Vec<String>,
    runs: u32,
    /// Runs in which others used the machine.
    disturbed: u32,
}

impl Measured {
    /// Nothing yet of these servers; the others are compared to the first.
    pub(super) fn new(servers: Vec<String>) -> Measured {
        Measured {
            servers,
            values: BTreeMap::new(),
            problems: Vec::new(),
            runs: 0,
            disturbed: 0,
        }
    }

    /// Something that leaves a gap.
    pub(super) fn problem(&mut self, what: String) {
        self.problems.push(what);
    }

    /// Whether there is no gap.
    pub(super) fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    /// Takes note of the report of a run.
    pub(super) fn add(&mut self, server: &str, run: &Run, report: &Value) {
        self.runs += 1;
        let notes = report["notes"].as_array().into_iter().flatten();
        let mut notes = notes.filter_map(Value::as_str);
        self.disturbed += u32::from(notes.any(|note| note.starts_with("others")));
        for (what, times) in report["problems"].as_object().into_iter().flatten() {
            self.problem(format!("{server}, {}: {what} ({times} times)", run.name));
        }
        for row in &run.rows {
            if let Some(value) = report["figures"][row.figure].as_f64() {
                let key = (server.to_owned(), run.name, row.figure);
                self.values.entry(key).or_default().push(value);
            }
        }
    }

    /// All of it.
    pub(super) fn markdown(&self, runs: &[Run], plan: &BenchPlan) -> String {
        let machine = Machine::here();
        let mut text = format!(
            "Measured {} on {}: medians of {} rounds, smallest and greatest in brackets.\n\
             `mungo-loadtest bench --rounds {} --seconds {} --users {} --idle {}`\n\n",
            stamp(OffsetDateTime::now_utc())
                .get(..10)
                .unwrap_or_default(),
            machine.in_words(),
            plan.rounds,
            plan.rounds,
            plan.seconds,
            plan.users,
            plan.idle
        );
        let Some((ours, peers)) = self.servers.split_first() else {
            return text;
        };
        put(&mut text, format_args!("| what | {ours} |"));
        for peer in peers {
            put(&mut text, format_args!(" {peer} | {ours} / {peer} |"));
        }
        text.push_str("\n|---|---:|");
        text.push_str(&"---:|---:|".repeat(peers.len()));
        text.push('\n');
        for run in runs {
            for row in &run.rows {
                self.line(ours, peers, run.name, row, &mut text);
            }
        }
        if self.disturbed > 0 {
            put(
                &mut text,
                format_args!(
                    "\nOthers used the machine in {} of {} runs.\n",
                    self.disturbed, self.runs
                ),
            );
        }
        for problem in &self.problems {
            put(&mut text, format_args!("\n- problem: {problem}"));
        }
        if !self.problems.is_empty() {
            text.push('\n');
        }
        text
    }

    fn line(&self, ours: &str, peers: &[String], run: &'static str, row: &Row, text: &mut String) {
        let values = |server: &str| {
            let key = (server.to_owned(), run, row.figure);
            self.values.get(&key).map_or(&[][..], Vec::as_slice)
        };
        let mine = median(values(ours));
        put(
            text,
            format_args!("| {}, {} | {} |", row.what, row.unit, say(values(ours))),
        );
        for peer in peers {
            let theirs = median(values(peer));
            let ratio = mine
                .zip(theirs)
                .and_then(|(mine, theirs)| ratio(mine, theirs));
            let ratio = ratio.unwrap_or_else(|| "–".to_owned());
            put(text, format_args!(" {} | {ratio} |", say(values(peer))));
        }
        text.push('\n');
    }
}

/// The one in the middle, or what is between the two that are.
fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

fn say(values: &[f64]) -> String {
    let Some(median) = median(values) else {
        return "–".to_owned();
    };
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match values.len() {
        1 => digits(median),
        _ => format!("{} ({}–{})", digits(median), digits(least), digits(most)),
    }
}

/// How one is to the other: `1/20` or `12 ×`.
fn ratio(mine: f64, theirs: f64) -> Option<String> {
    if mine <= 0.0 || theirs <= 0.0 {
        return None;
    }
    let short = |value: f64| match value {
        v if v >= 10.0 => format!("{v:.0}"),
        v => format!("{v:.1}"),
    };
    Some(match mine < theirs {
        true => format!("1/{}", short(theirs / mine)),
        false => format!("{} ×", short(mine / theirs)),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::bench::plan::runs;

    #[test]
    fn medians_are_compared() {
        let plan = BenchPlan {
            only: vec!["chat-8".to_owned()],
            ..BenchPlan::default()
        };
        let runs = runs(&plan).expect("known");
        let servers = ["mungo", "ejabberd", "prosody"].map(str::to_owned);
        let mut measured = Measured::new(servers.to_vec());
        for (server, cpu, rate) in [
            ("mungo", 2.0, 300_000.0),
            ("ejabberd", 70.0, 20_000.0),
            ("mungo", 1.0, 400_000.0),
            ("ejabberd", 90.0, 10_000.0),
            ("mungo", 99.0, 350_000.0),
        ] {
            let figures = json!({"cpu_per_message": cpu, "message_rate": rate});
            let notes = json!(["others used the machine: measure again when it is quiet"]);
            measured.add(
                server,
                &runs[0],
                &json!({"figures": figures, "notes": notes}),
            );
        }
        assert!(measured.is_clean());
        let text = measured.markdown(&runs, &plan);
        for wanted in [
            "| what | mungo | ejabberd | mungo / ejabberd | prosody | mungo / prosody |",
            "window 8: CPU a message, µs | 2 (1–99) | 80 (70–90) | 1/40 | – | – |",
            "| 350 000 (300 000–400 000) | 15 000 (10 000–20 000) | 23 × | – | – |",
            "in 5 of 5 runs",
        ] {
            assert!(text.contains(wanted), "{wanted} in {text}");
        }
        measured.add(
            "prosody",
            &runs[0],
            &json!({"problems": {"a delivery was lost": 3}}),
        );
        assert!(!measured.is_clean());
        let text = measured.markdown(&runs, &plan);
        assert!(
            text.contains("problem: prosody, chat-8: a delivery was lost (3 times)"),
            "{text}"
        );
    }
}
