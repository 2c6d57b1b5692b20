//! `mungo check` and `mungo defaults`: the configuration without a node.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use config::{Config, ConfigError, Listener, ListenerKind, Loaded, Settings, TlsMode};

/// The configuration of `file`, or the defaults if there is no file.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn read<M: Settings>(file: Option<&Path>) -> Result<Loaded<M>, ConfigError> {
    match file {
        Some(file) => config::load(file),
        None => Ok(Loaded {
            config: Config::default(),
            warnings: Vec::new(),
        }),
    }
}

/// Says on standard error what is wrong with the configuration, or on standard output what a node
/// would do with it. Code 1 if no node starts with it.
pub(crate) fn check<M: Settings>(file: Option<&Path>) -> ExitCode {
    match read::<M>(file) {
        Ok(Loaded { config, warnings }) => {
            for warning in warnings {
                complain(&format!("{warning}\n\n"));
            }
            say(&summary(&config, file))
        }
        Err(error) => {
            complain(&format!("{error}\n"));
            ExitCode::FAILURE
        }
    }
}

/// Prints every key with its default and its comment.
pub(crate) fn defaults<M: Settings>() -> ExitCode {
    say(&config::render_full::<M>())
}

/// What a node would do, in a few lines.
fn summary<M>(config: &Config<M>, file: Option<&Path>) -> String {
    let mut out = match file {
        Some(file) => format!("{} is fine.\n", file.display()),
        None => "No configuration is given (--config FILE); the defaults are fine.\n".into(),
    };
    let domains: Vec<&str> = config
        .domains
        .iter()
        .map(|domain| domain.name.as_str())
        .collect();
    let _ = writeln!(out, "  serves      {}", domains.join(", "));
    for listener in &config.listeners {
        let _ = writeln!(
            out,
            "  listens on  {} ({})",
            listener.socket_addr(),
            spoken(listener)
        );
    }
    out
}

/// What is spoken on a listener, in words.
pub(crate) fn spoken(listener: &Listener) -> &'static str {
    match (listener.kind, listener.tls()) {
        (ListenerKind::Admin, _) => "administration, HTTP",
        (ListenerKind::C2s, TlsMode::Off) => "clients, no TLS",
        (ListenerKind::C2s, TlsMode::StartTls) => "clients, STARTTLS",
        (ListenerKind::C2s, TlsMode::Required) => "clients, STARTTLS required",
        (ListenerKind::C2s, TlsMode::Direct) => "clients, direct TLS",
    }
}

/// A reader that went away (`mungo defaults | head`) is no failure of ours.
fn say(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

/// Where standard error is closed nobody can be told.
fn complain(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    config::module_sections! {
        /// None.
        struct NoModules {}
    }

    #[test]
    fn a_node_that_is_told_nothing() {
        let loaded = read::<NoModules>(None).unwrap();
        assert_eq!(
            summary(&loaded.config, None),
            "\
No configuration is given (--config FILE); the defaults are fine.
  serves      localhost
  listens on  127.0.0.1:5222 (clients, STARTTLS required)
  listens on  127.0.0.1:5223 (clients, direct TLS)
  listens on  127.0.0.1:5551 (administration, HTTP)
"
        );
    }
}
