//! What the node says about itself.

use std::collections::BTreeMap;

use crate::{Problems, choices, settings};

choices! {
    /// How a line of the log is written.
    pub enum LogFormat {
        /// For people.
        Text = text,
        /// One JSON object a line.
        Json = json,
    }
}

choices! {
    /// How much is logged.
    pub enum Level {
        /// Nothing.
        Off = off,
        /// What is broken.
        Error = error,
        /// What is odd.
        Warn = warn,
        /// What happens, in few words.
        Info = info,
        /// What happens, in many words.
        Debug = debug,
        /// Everything.
        Trace = trace,
    }
}

settings! {
    /// What the node says about itself, on standard error.
    pub struct Log {
        /// text (for people) or json (one object a line).
        format: LogFormat = LogFormat::Text,
        /// How much: off, error, warn, info, debug or trace.
        level: Level = Level::Info,
        /// Other levels for parts of the program, by the beginning of a line's target:
        /// `{ "router": debug, "sqlx": warn }`. "ractor" stays at info or less, since it prints
        /// what clients say below that.
        targets: BTreeMap<String, Level>,
    }
    check |log, problems| {
        problems.within("targets", |problems| {
            for (target, level) in &log.targets {
                problems.within(target, |problems| check_target(target, *level, problems));
            }
        });
    }
}

fn check_target(target: &str, level: Level, problems: &mut Problems) {
    let ractor =
        target == "ractor" || target.starts_with("ractor_") || target.starts_with("ractor::");
    if target.is_empty() || target.contains([',', '=', '[', ']', '{', '}', ' ', '"']) {
        problems.error(
            "",
            format!("\"{target}\" is not a target"),
            "write the name of a part of the program, such as \"router\"",
        );
    } else if ractor && level > Level::Info {
        problems.warn(
            "",
            "ractor stays at info: below that it prints what clients say",
            "write info, warn, error or off",
        );
    }
}
