//! What came out, for people and for programs.

use std::borrow::Cow;
use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

/// Figures and problems of one run.
#[derive(Debug)]
pub(crate) struct Report {
    title: String,
    figures: Vec<Figure>,
    problems: Vec<(String, u64)>,
    notes: Vec<&'static str>,
}

#[derive(Debug)]
struct Figure {
    name: Cow<'static, str>,
    value: f64,
    unit: &'static str,
}

impl Report {
    /// An empty one.
    pub(crate) fn new(title: String) -> Report {
        Report {
            title,
            figures: Vec::new(),
            problems: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// A number of things.
    pub(crate) fn count(&mut self, name: impl Into<Cow<'static, str>>, value: u64) -> &mut Report {
        self.figure(name, value as f64, "")
    }

    /// A number with its unit.
    pub(crate) fn figure(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        value: f64,
        unit: &'static str,
    ) -> &mut Report {
        let name = name.into();
        self.figures.push(Figure { name, value, unit });
        self
    }

    /// A time, in milliseconds.
    pub(crate) fn time(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        time: Duration,
    ) -> &mut Report {
        self.figure(name, time.as_secs_f64() * 1e3, "ms")
    }

    /// Processor time by how often something was done, in microseconds; left out if there is none.
    pub(crate) fn cost(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        cpu: Option<Duration>,
        by: u64,
    ) -> &mut Report {
        if let Some(cpu) = cpu.filter(|_| by > 0) {
            self.figure(name, cpu.as_secs_f64() * 1e6 / by as f64, "µs");
        }
        self
    }

    /// Something that should not have happened, so many times.
    pub(crate) fn problem(&mut self, what: &str, times: u64) -> &mut Report {
        if times > 0 {
            self.problems.push((what.to_owned(), times));
        }
        self
    }

    /// Something that makes the figures worth less.
    pub(crate) fn note(&mut self, note: &'static str) -> &mut Report {
        self.notes.push(note);
        self
    }

    /// The figures: name, value, unit.
    pub(crate) fn figures(&self) -> impl Iterator<Item = (&str, f64, &'static str)> {
        let figures = self.figures.iter();
        figures.map(|figure| (&*figure.name, figure.value, figure.unit))
    }

    /// What should not have happened, and how often.
    pub(crate) fn problems(&self) -> &[(String, u64)] {
        &self.problems
    }

    /// What makes the figures worth less.
    pub(crate) fn notes(&self) -> &[&'static str] {
        &self.notes
    }

    /// Whether everything went as it should.
    pub(crate) fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    /// What the program ends with.
    pub(crate) fn code(&self) -> ExitCode {
        match self.is_clean() {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        }
    }

    /// For programs: figures by name, in the units that people see.
    pub(crate) fn json(&self) -> Value {
        let figures: serde_json::Map<String, Value> = self
            .figures
            .iter()
            .map(|figure| (figure.name.to_string(), json!(figure.value)))
            .collect();
        let problems: serde_json::Map<String, Value> = self
            .problems
            .iter()
            .map(|(what, times)| (what.clone(), json!(times)))
            .collect();
        let units: serde_json::Map<String, Value> = self
            .figures
            .iter()
            .filter(|figure| !figure.unit.is_empty())
            .map(|figure| (figure.name.to_string(), json!(figure.unit)))
            .collect();
        json!({
            "title": self.title,
            "figures": figures,
            "units": units,
            "problems": problems,
            "notes": self.notes,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        for figure in &self.figures {
            let name = figure.name.replace('_', " ");
            let value = digits(figure.value);
            writeln!(f, "  {name:<22}{value:>12} {}", figure.unit)?;
        }
        for (what, times) in &self.problems {
            writeln!(f, "  problem: {what} ({times} times)")?;
        }
        for note in &self.notes {
            writeln!(f, "  note: {note}")?;
        }
        Ok(())
    }
}

/// Three digits at least, thousands apart.
pub(crate) fn digits(value: f64) -> String {
    let decimals = match value.abs() {
        v if v >= 100.0 || v.fract() == 0.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    let (whole, rest) = text
        .split_once('.')
        .map_or((text.as_str(), None), |(w, r)| (w, Some(r)));
    let mut apart = String::new();
    for (place, digit) in whole.chars().enumerate() {
        let behind = whole.len() - place;
        if place > 0 && behind % 3 == 0 {
            apart.push(' ');
        }
        apart.push(digit);
    }
    match rest {
        Some(rest) => format!("{apart}.{rest}"),
        None => apart,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_three_digits() {
        for (value, text) in [
            (0.0, "0"),
            (0.1234, "0.123"),
            (1.2345, "1.23"),
            (12.345, "12.3"),
            (123.45, "123"),
            (7.0, "7"),
            (1234.5, "1 234"),
            (1_234_567.0, "1 234 567"),
        ] {
            assert_eq!(digits(value), text);
        }
    }

    #[test]
    fn problems_make_a_run_unclean() {
        let mut report = Report::new("chat".to_owned());
        report.count("messages", 12_345).problem("lost", 0);
        assert!(report.is_clean());
        report.problem("lost", 2);
        assert!(!report.is_clean());
        assert!(report.to_string().contains("messages"));
        assert!(report.to_string().contains("12 345"));
        assert!(report.to_string().contains("problem: lost (2 times)"));
        assert_eq!(report.json()["figures"]["messages"], 12_345.0);
        assert_eq!(report.json()["problems"]["lost"], 2);
    }

    #[test]
    fn what_was_not_watched_is_left_out() {
        let mut report = Report::new("chat".to_owned());
        report.cost("cpu_per_message", None, 5);
        report.cost("cpu_per_message", Some(Duration::from_secs(1)), 0);
        assert_eq!(report.json()["figures"], json!({}));
        report.cost("cpu_per_message", Some(Duration::from_secs(1)), 4);
        assert_eq!(report.json()["figures"]["cpu_per_message"], 250_000.0);
    }
}
