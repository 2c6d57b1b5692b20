//! The log: structured lines on standard error.

use std::io::{self, IsTerminal};

use config::{Level, Log, LogFormat};
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry;

/// Targets that print what clients say below `info` (the actor framework shows its messages). At
/// `info` they have a span for each actor, which is entered with each message and tells nobody
/// anything: who wants it asks for it by name.
const CAPPED: [&str; 2] = ["ractor", "ractor_cluster"];

/// Starts the log for the whole process, panics included.
///
/// # Errors
/// If the process has a log already.
pub(crate) fn start(log: &Log) -> anyhow::Result<()> {
    tracing::subscriber::set_global_default(subscriber(
        log,
        io::stderr().is_terminal(),
        io::stderr,
    ))?;
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("no message");
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let thread = std::thread::current();
        tracing::error!(what = "panic", place, thread = thread.name(), "{message}");
    }));
    Ok(())
}

fn subscriber<W>(log: &Log, colours: bool, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = match log.format {
        LogFormat::Text => fmt::layer().with_ansi(colours).with_writer(writer).boxed(),
        LogFormat::Json => fmt::layer()
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .with_writer(writer)
            .boxed(),
    };
    registry().with(lines.with_filter(filter(log)))
}

fn filter(log: &Log) -> Targets {
    let capped = |target: &str| {
        CAPPED
            .iter()
            .any(|capped| target == *capped || target.starts_with(&format!("{capped}::")))
    };
    let level = |target: &str, level: Level| {
        let level = filter_of(level);
        if capped(target) {
            level.min(LevelFilter::INFO)
        } else {
            level
        }
    };
    Targets::new()
        .with_default(filter_of(log.level))
        .with_targets(CAPPED.map(|target| (target, filter_of(log.level).min(LevelFilter::WARN))))
        .with_targets(
            log.targets
                .iter()
                .map(|(target, wanted)| (target.clone(), level(target, *wanted))),
        )
}

fn filter_of(level: Level) -> LevelFilter {
    match level {
        Level::Off => LevelFilter::OFF,
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What a log writes while `speak` runs.
    fn written(log: &Log, speak: impl FnOnce()) -> String {
        let page = Page::default();
        let writer = page.clone();
        tracing::subscriber::with_default(subscriber(log, false, move || writer.clone()), speak);
        String::from_utf8(page.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn levels_go_by_target_and_ractor_speaks_when_asked_by_name() {
        let targets = [
            ("router".to_owned(), Level::Debug),
            ("ractor::actor".to_owned(), Level::Trace),
        ];
        let mut log = Log {
            level: Level::Warn,
            targets: targets.into(),
            ..Log::default()
        };
        let speak = || {
            tracing::info!(target: "modules", "one");
            tracing::warn!(target: "modules", "two");
            tracing::debug!(target: "router::route", "three");
            tracing::debug!(target: "ractor::actor", "four");
            tracing::info!(target: "ractor::actor", "five");
            tracing::info!(target: "ractor::time", "six");
            tracing::trace!(target: "ractor_cluster", "seven");
        };
        let numbers = |log: &Log| -> Vec<String> {
            written(log, speak)
                .lines()
                .filter_map(|line| line.rsplit(' ').next().map(str::to_owned))
                .collect()
        };
        assert_eq!(numbers(&log), ["two", "three", "five"]);
        log.level = Level::Trace;
        assert_eq!(numbers(&log), ["one", "two", "three", "five"]);
    }

    #[test]
    fn json_has_the_fields_at_the_top() {
        let log = Log {
            format: LogFormat::Json,
            ..Log::default()
        };
        let line = written(&log, || {
            tracing::info!(what = "listening", port = 5222, "clients are welcome")
        });
        for part in [
            "\"what\":\"listening\"",
            "\"port\":5222",
            "\"message\":\"clients are welcome\"",
            "\"level\":\"INFO\"",
        ] {
            assert!(line.contains(part), "{part} is not in {line}");
        }
        assert_eq!(line.matches('\n').count(), 1, "{line}");
    }
}
