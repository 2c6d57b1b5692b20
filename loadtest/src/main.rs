//! `mungo-loadtest`: what a server takes, and what it costs.
//!
//! Clients (`client.rs`, a state machine without a socket) speak over connections (`connection.rs`,
//! plain or TLS). A crowd of them logs in (`crowd.rs`), makes contacts of each
//! other where that is asked for (`contacts.rs`), and plays one (`chat.rs`, `flood.rs`, `idle.rs`, `presence.rs`,
//! `roster.rs`), all on one thread, while the server's process is watched from outside
//! (`process.rs`). What came out is a report (`report.rs`).

mod arguments;
mod chat;
mod client;
mod connection;
mod contacts;
mod crowd;
mod failure;
mod flood;
mod idle;
mod latency;
// Who plays scenarios writes into it; today's plays are about to give way to those.
#[allow(dead_code, unused_imports)]
mod measure;
mod presence;
mod process;
mod report;
mod roster;
mod scram;
mod tls;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Scenario};
use crate::failure::Failure;
use crate::report::Report;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match tokio::task::LocalSet::new()
        .run_until(play(&arguments.scenario))
        .await
    {
        Ok(report) => show(&report, arguments.scenario.crowd().json),
        Err(failure) => {
            // Nothing can be done if nobody reads it.
            let _ = writeln!(io::stderr(), "mungo-loadtest: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn play(scenario: &Scenario) -> Result<Report, Failure> {
    crowd::raise_file_limit(scenario.crowd().count + 1)?;
    match scenario {
        Scenario::Chat(plan) => chat::run(plan).await,
        Scenario::Flood(plan) => flood::run(plan).await,
        Scenario::Idle(plan) => idle::run(plan).await,
        Scenario::Presence(plan) => presence::run(plan).await,
        Scenario::Roster(plan) => roster::run(plan).await,
    }
}

/// Prints it; the exit code says whether everything went as it should.
fn show(report: &Report, json: bool) -> ExitCode {
    let text = if json {
        format!("{:#}\n", report.json())
    } else {
        report.to_string()
    };
    let printed = io::stdout().write_all(text.as_bytes());
    if printed.is_ok() && report.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
