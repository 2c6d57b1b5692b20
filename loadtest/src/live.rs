//! How a run goes, on one screen while it does.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::measure::{Counter, Interval, Pulse, Recorder, Sample};
use crate::results::Unit;
use crate::scenario::Phase;
use crate::text::put;

/// How wide the bar of a phase is, in columns.
const BAR: usize = 24;
/// So many kinds of errors are shown.
const ERRORS: usize = 4;

/// What is shown of a second.
#[derive(Debug)]
pub(crate) struct Glance {
    /// The phase that is played, and how long it has been.
    pub(crate) phase: Option<(String, Duration)>,
    /// The transactions.
    pub(crate) names: Vec<String>,
    /// What happened in it.
    pub(crate) last: Option<Interval>,
    /// What processes used in it: at its beginning and at its end.
    pub(crate) samples: Option<(Sample, Sample)>,
    /// What went wrong so far, by kind.
    pub(crate) errors: BTreeMap<String, u64>,
}

impl Glance {
    /// The second that was written down and seen last.
    pub(crate) fn of(recorder: &Recorder, pulse: &Pulse) -> Glance {
        Glance {
            phase: recorder.phase(),
            names: recorder.names().map(str::to_owned).collect(),
            last: recorder.last(),
            samples: pulse.last(),
            errors: recorder.errors(),
        }
    }
}

/// The screen. It is drawn on stderr, and only if that is a terminal.
#[derive(Debug)]
pub(crate) struct Live {
    screen: ProgressBar,
    /// The phases and how long they last at most.
    phases: Vec<(String, Duration)>,
}

impl Live {
    /// An empty one for a run of these phases.
    pub(crate) fn new(phases: &[Phase]) -> Live {
        let screen = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        // The template is right, or the test of this file fails.
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            screen.set_style(style);
        }
        Live {
            screen,
            phases: phases
                .iter()
                .map(|phase| (phase.name.clone(), phase.lasts.get()))
                .collect(),
        }
    }

    /// Shows a second, if anybody looks.
    pub(crate) fn show(&self, glance: impl FnOnce() -> Glance) {
        if !self.screen.is_hidden() {
            self.screen.set_message(self.lines(&glance()));
        }
    }

    /// Leaves the screen as it was before.
    pub(crate) fn clear(&self) {
        self.screen.finish_and_clear();
    }

    fn lines(&self, glance: &Glance) -> String {
        let mut lines = self.phase(glance);
        let Some(last) = &glance.last else {
            return lines;
        };
        let rate = |counter| {
            let number = last.counters.get(counter) as f64 / last.seconds();
            Unit::Rate.say(number)
        };
        put(
            &mut lines,
            format_args!(
                "\n  {:<14}{} · logins {} · in {} · out {}",
                "sessions",
                last.sessions,
                rate(Counter::Logins),
                Unit::ByteRate.say(last.counters.get(Counter::BytesIn) as f64 / last.seconds()),
                Unit::ByteRate.say(last.counters.get(Counter::BytesOut) as f64 / last.seconds()),
            ),
        );
        for (name, passage) in glance.names.iter().zip(&last.transactions) {
            if passage.times.count() + passage.failed == 0 {
                continue;
            }
            let time = |share| match passage.times.quantile(share) {
                Some(nanoseconds) => Unit::Millis.say(nanoseconds as f64 / 1e6),
                None => "–".to_owned(),
            };
            put(
                &mut lines,
                format_args!(
                    "\n  {name:<14}{:>10} · p50 {:>8} · p99 {:>8} · longest {:>8}",
                    Unit::Rate.say(passage.times.count() as f64 / last.seconds()),
                    time(0.5),
                    time(0.99),
                    time(1.0),
                ),
            );
            if passage.failed > 0 {
                put(&mut lines, format_args!(" · {} failed", passage.failed));
            }
        }
        if let Some((before, now)) = &glance.samples {
            processes(before, now, &mut lines);
        }
        let mut errors: Vec<(&String, &u64)> = glance.errors.iter().collect();
        errors.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
        for (what, times) in errors.iter().take(ERRORS) {
            // A text may have lines of its own, which would push the screen up.
            let what = what.lines().next().unwrap_or_default();
            put(&mut lines, format_args!("\n  ! {what} ({times}×)"));
        }
        if errors.len() > ERRORS {
            put(
                &mut lines,
                format_args!("\n  ! and {} other kinds", errors.len() - ERRORS),
            );
        }
        lines
    }

    fn phase(&self, glance: &Glance) -> String {
        let Some((name, played)) = &glance.phase else {
            return "between phases".to_owned();
        };
        let place = self.phases.iter().position(|(known, _)| known == name);
        let (place, lasts) = match place {
            Some(place) => (place + 1, self.phases[place].1),
            None => (0, *played),
        };
        let share = (played.as_secs_f64() / lasts.as_secs_f64().max(1e-3)).min(1.0);
        let full = (share * BAR as f64) as usize;
        format!(
            "phase {place} of {}: {name}  {}{}  {} s of {} s at most",
            self.phases.len(),
            "█".repeat(full),
            "░".repeat(BAR - full),
            played.as_secs(),
            lasts.as_secs()
        )
    }
}

fn processes(before: &Sample, now: &Sample, lines: &mut String) {
    if let (Some((user, system)), Some(server)) = (now.server_since(before), now.server) {
        let cpu = (user + system).as_secs_f64() / now.since(before);
        put(
            lines,
            format_args!(
                "\n  {:<14}{} CPU · {}",
                "server",
                Unit::Processors.say(cpu),
                Unit::Bytes.say(server.memory as f64)
            ),
        );
    }
    put(
        lines,
        format_args!(
            "\n  {:<14}{} CPU",
            "generator",
            Unit::Processors.say(now.own_share(before))
        ),
    );
    if let Some(others) = now.others_share(before) {
        put(
            lines,
            format_args!(" · others {}", Unit::Processors.say(others)),
        );
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::measure::Since;
    use crate::process::Watch;
    use crate::scenario::{included, parse};

    #[test]
    fn it_says_what_happened_in_the_last_second() {
        assert!(ProgressStyle::with_template("{msg}").is_ok());
        let text = included("idle").expect("it comes with the program");
        let path = std::path::Path::new("idle");
        let document = parse(text, path, &Default::default()).expect("fine");
        let live = Live::new(&document.value.phases);
        let recorder = Recorder::new(Instant::now(), [("login".to_owned(), Since::Due)]);
        let watch = Watch::new(Some(std::process::id())).expect("we are there");
        let pulse = Pulse::new(watch);
        assert_eq!(live.lines(&Glance::of(&recorder, &pulse)), "between phases");
        recorder.begin("idle", true, 0);
        for number in 1..=200 {
            recorder.took(0, number * 10_000);
        }
        recorder.failed([0, 0], &crate::failure::Failure::Closed);
        recorder.failed([], &crate::failure::Failure::Closed);
        for number in 0..6 {
            recorder.problem(&format!("odd {number}\nthing"), 1);
        }
        recorder.sessions(7);
        recorder.cut(1_000);
        let lines = live.lines(&Glance::of(&recorder, &pulse));
        for wanted in [
            "phase 2 of 3: idle",
            "s of 5 s at most",
            "sessions      7",
            "200/s · p50",
            "2 failed",
            "the server closed the connection (2×)",
            "and 3 other kinds",
        ] {
            assert!(lines.contains(wanted), "{wanted} in {lines}");
        }
        assert_eq!(lines.lines().count(), 8, "{lines}");
    }
}
