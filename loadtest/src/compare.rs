//! `compare`: what changed between two runs, as a table.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::report::digits;
use crate::results::SCHEMA;
use crate::text::put;

/// A change by less than this, up or down, is noise as likely as not.
const NOISE: f64 = 0.05;

/// What is read of a `report.json`.
#[derive(Debug, Deserialize)]
struct Run {
    #[serde(default)]
    schema: Option<u32>,
    title: String,
    #[serde(default)]
    began: Option<String>,
    #[serde(default)]
    machine: Value,
    /// Figures in their order; what is no number is none.
    figures: serde_json::Map<String, Value>,
    #[serde(default)]
    units: BTreeMap<String, String>,
    #[serde(default)]
    problems: BTreeMap<String, u64>,
}

/// Reads two reports, or the folders that they are in, and says in a table how each figure changed.
///
/// # Errors
/// One can't be read, or is no report that this version knows.
pub(crate) fn table(before: &Path, after: &Path) -> Result<String, Failure> {
    let (a, b) = (read(before)?, read(after)?);
    let mut text = String::new();
    for (letter, run) in [("A", &a), ("B", &b)] {
        let began = run.began.as_deref().unwrap_or("some time");
        put(
            &mut text,
            format_args!("{letter}  {}  ({began})\n", run.title),
        );
    }
    if a.machine != b.machine {
        text.push_str("They were not measured on the same machine.\n");
    }
    put(
        &mut text,
        format_args!("\n{:<28}{:>14}{:>14}{:>10}\n", "", "A", "B", "B / A"),
    );
    let names = a.figures.keys().chain(
        b.figures
            .keys()
            .filter(|name| !a.figures.contains_key(*name)),
    );
    for name in names {
        let figure = |run: &Run| run.figures.get(name).and_then(Value::as_f64);
        let unit = a.units.get(name).or_else(|| b.units.get(name));
        let name = name.replace('_', " ");
        line(
            &name,
            unit.map_or("", String::as_str),
            figure(&a),
            figure(&b),
            &mut text,
        );
    }
    let problems = a.problems.keys().chain(
        b.problems
            .keys()
            .filter(|what| !a.problems.contains_key(*what)),
    );
    for (number, what) in problems.enumerate() {
        if number == 0 {
            text.push_str("\nproblems\n");
        }
        let times = |run: &Run| run.problems.get(what).copied().unwrap_or_default();
        put(
            &mut text,
            format_args!("  {what}: {} → {}\n", times(&a), times(&b)),
        );
    }
    Ok(text)
}

fn line(name: &str, unit: &str, before: Option<f64>, after: Option<f64>, text: &mut String) {
    let say = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), digits);
    let (ratio, mark) = match (before, after) {
        (Some(before), Some(after)) if before != 0.0 => {
            let ratio = after / before;
            let mark = match ratio {
                r if r > 1.0 + NOISE => " ▲",
                r if r < 1.0 - NOISE => " ▼",
                _ => "",
            };
            (format!("{ratio:.2}"), mark)
        }
        _ => (String::new(), ""),
    };
    let name = match unit {
        "" => name.to_owned(),
        unit => format!("{name}, {unit}"),
    };
    let row = format!(
        "{name:<28}{:>14}{:>14}{ratio:>10}{mark}",
        say(before),
        say(after)
    );
    put(text, format_args!("{}\n", row.trim_end()));
}

fn read(path: &Path) -> Result<Run, Failure> {
    let file: PathBuf = match path.is_dir() {
        true => path.join("report.json"),
        false => path.to_owned(),
    };
    let failure = |reason: String| Failure::NoReport {
        file: file.display().to_string(),
        reason,
    };
    let text = fs::read_to_string(&file).map_err(|error| failure(error.to_string()))?;
    let run: Run = serde_json::from_str(&text).map_err(|error| failure(error.to_string()))?;
    match run.schema {
        Some(schema) if schema > SCHEMA => Err(failure(format!(
            "its schema is {schema} and this program knows no later one than {SCHEMA}"
        ))),
        _ => Ok(run),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(a: &str, b: &str) -> Result<String, Failure> {
        let place = tempfile::tempdir().expect("a place");
        let [a, b] = [("a", a), ("b", b)].map(|(name, text)| {
            let folder = place.path().join(name);
            fs::create_dir(&folder).expect("made");
            fs::write(folder.join("report.json"), text).expect("written");
            folder
        });
        table(&a, &b.join("report.json"))
    }

    #[test]
    fn a_table_says_what_changed() {
        let table = compare(
            r#"{"schema": 1, "title": "chat", "began": "2026-01-01T00:00:00Z", "units": {"p50": "ms"},
                "figures": {"rate": 200000.0, "p50": 2.0, "gone": 1, "same": 100}, "problems": {"lost": 1}}"#,
            r#"{"schema": 1, "title": "chat", "figures": {"rate": 300000.0, "p50": 1.0, "new": 7, "same": 101}}"#,
        )
        .expect("two reports");
        let lines: Vec<Vec<&str>> = table
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        for wanted in [
            &["rate", "200", "000", "300", "000", "1.50", "▲"][..],
            &["p50,", "ms", "2", "1", "0.50", "▼"],
            &["same", "100", "101", "1.01"],
            &["gone", "1", "–"],
            &["new", "–", "7"],
            &["lost:", "1", "→", "0"],
        ] {
            assert!(
                lines.iter().any(|line| line == wanted),
                "{wanted:?} in {table}"
            );
        }
        assert!(!table.contains("same machine"), "{table}");
    }

    #[test]
    fn what_is_no_report_is_told_with_its_file() {
        let fine = r#"{"title": "t", "figures": {}}"#;
        for (bad, reason) in [
            ("{", "EOF"),
            ("{}", "title"),
            (
                r#"{"title": "t", "figures": {}, "schema": 99}"#,
                "schema is 99",
            ),
        ] {
            let failure = compare(fine, bad).expect_err("no report").to_string();
            assert!(
                failure.contains("report.json") && failure.contains(reason),
                "{failure}"
            );
        }
        let other = r#"{"title": "t", "figures": {}, "machine": {"processors": 9}}"#;
        assert!(
            compare(fine, other)
                .expect("fine")
                .contains("not measured on the same machine")
        );
        let nowhere = table(Path::new("/nowhere.json"), Path::new("/nowhere.json"));
        assert!(
            nowhere
                .expect_err("no file")
                .to_string()
                .contains("/nowhere.json")
        );
    }
}
