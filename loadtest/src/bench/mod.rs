//! `bench`: this server and others, measured in turns in one run, as a table with ratios.
//!
//! In each round each server is started anew by a script, loaded with one scenario after the other, each
//! in a process of its own, and stopped. What the table shows are medians of the rounds.

mod plan;
mod servers;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;
use time::OffsetDateTime;
use tokio::process::Command;

use crate::arguments::BenchPlan;
use crate::failure::Failure;
use crate::results::own_folder;
use plan::{Run, runs};
use servers::Server;
use table::Measured;

/// Measures, and writes the table; the exit code says whether everything went as it should.
///
/// # Errors
/// Nothing can be started or written at all. A server or a run that fails leaves a gap in the table.
pub(crate) async fn run(plan: &BenchPlan) -> Result<(String, ExitCode), Failure> {
    let runs = runs(plan)?;
    let folder = match &plan.out {
        Some(folder) => std::fs::create_dir_all(folder).map(|()| folder.clone()),
        None => own_folder("bench", OffsetDateTime::now_utc()),
    };
    let folder = folder.map_err(Failure::Folder)?;
    let mut measured = Measured::new(plan.servers.clone());
    let interrupted = tokio::select! {
        () = rounds(plan, &runs, &folder, &mut measured) => false,
        interrupt = tokio::signal::ctrl_c() => {
            interrupt?;
            true
        }
    };
    if interrupted {
        // Runs under way got the interrupt too; a server does not.
        for name in &plan.servers {
            Server::stop(&plan.peers, name).await;
        }
        measured.problem("somebody stopped the bench".to_owned());
    }
    let text = measured.markdown(&runs, plan);
    std::fs::write(folder.join("table.md"), &text).map_err(Failure::Folder)?;
    let code = match measured.is_clean() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    };
    Ok((text, code))
}

async fn rounds(plan: &BenchPlan, runs: &[Run], folder: &Path, measured: &mut Measured) {
    for round in 1..=plan.rounds {
        for name in &plan.servers {
            tell(&format!("round {round} of {}: {name}", plan.rounds));
            let accounts = plan.idle.max(plan.users);
            let server = match Server::start(&plan.peers, name, accounts).await {
                Ok(server) => server,
                Err(failure) => {
                    measured.problem(failure.to_string());
                    continue;
                }
            };
            for run in runs {
                tell(&format!("  {}", run.name));
                let out = folder.join(format!("{name}-{}-{round}", run.name));
                match load(&server, run, &out).await {
                    Ok(report) => measured.add(name, run, &report),
                    Err(failure) => measured.problem(format!("{name}, {}: {failure}", run.name)),
                }
            }
            Server::stop(&plan.peers, name).await;
        }
    }
}

/// Plays a scenario on a server; gives the report.
async fn load(server: &Server, run: &Run, out: &PathBuf) -> Result<Value, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["run", run.scenario, "--json", "--server", &server.address])
        .args(["--pid", &server.pid.to_string()])
        .arg("--out")
        .arg(out);
    for (name, value) in &run.settings {
        command.args(["--set", &format!("{name}={value}")]);
    }
    let output = command.kill_on_drop(true).output().await?;
    serde_json::from_slice(&output.stdout).map_err(|_| {
        let said = String::from_utf8_lossy(&output.stderr);
        Failure::Peer(said.trim().to_owned())
    })
}

/// Says how far it is.
fn tell(what: &str) {
    use std::io::Write;
    // Nothing can be done if nobody reads it.
    let _ = writeln!(std::io::stderr(), "{what}");
}
