//! `mungo`: the node. It reads what it is told, and boots.

#[macro_use]
mod module_list;

mod accounts;
mod boot;
mod check;
mod cli;
mod cluster;
mod console;
#[cfg(any(test, feature = "crowd"))]
mod crowd_command;
mod data;
mod logging;
mod registry;
mod run;
mod settings;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::registry::Modules;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let config = cli.config.as_deref();
    match cli.command {
        Some(Command::Check) => check::check::<Modules>(config),
        Some(Command::Defaults) => check::defaults::<Modules>(),
        #[cfg(any(test, feature = "crowd"))]
        Some(Command::Crowd(options)) => end(crowd_command::run(config, &cli.data, options)),
        None => end(run::run(config, &cli.data)),
    }
}

fn end(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed; the exit code says it all the same.
            let _ = writeln!(std::io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}
