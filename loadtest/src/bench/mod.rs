//! `bench`: this server and others, measured in turns in one run, as a table with ratios.
//!
//! In each round each server is started anew by a script, loaded with one scenario after the other, each
//! in a process of its own, and stopped. What the table shows are medians of the rounds.

mod plan;
mod servers;
mod table;

use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use time::OffsetDateTime;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

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
    let mut interrupts = signal(SignalKind::interrupt())?;
    let (interrupt, stopped) = watch::channel(false);
    tokio::task::spawn_local(async move {
        interrupts.recv().await;
        interrupt.send_replace(true);
        interrupt.closed().await;
    });
    rounds(plan, &runs, &folder, &mut measured, &stopped).await;
    if *stopped.borrow() {
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

/// Until somebody presses Ctrl-C.
async fn interrupted(stopped: &watch::Receiver<bool>) {
    // Its sender waits as long as this is there.
    let _ = stopped.clone().wait_for(|stopped| *stopped).await;
}

async fn rounds(
    plan: &BenchPlan,
    runs: &[Run],
    folder: &Path,
    measured: &mut Measured,
    stopped: &watch::Receiver<bool>,
) {
    for round in 1..=plan.rounds {
        for name in &plan.servers {
            tell(&format!("round {round} of {}: {name}", plan.rounds));
            let accounts = plan.idle.max(plan.users);
            let started = tokio::select! {
                started = Server::start(&plan.peers, name, accounts) => started,
                () = interrupted(stopped) => return Server::stop(&plan.peers, name).await,
            };
            let server = match started {
                Ok(server) => server,
                Err(failure) => {
                    measured.problem(failure.to_string());
                    continue;
                }
            };
            for run in runs {
                tell(&format!("  {}", run.name));
                let out = folder.join(format!("{name}-{}-{round}", run.name));
                let loaded = load(&server, run, &out, stopped).await;
                if *stopped.borrow() {
                    let what = format!(
                        "{name}, {}: not in the table; what it came to until then is in {}",
                        run.name,
                        out.display()
                    );
                    measured.problem(loaded.map_or_else(|failure| failure.to_string(), |_| what));
                    return Server::stop(&plan.peers, name).await;
                }
                match loaded {
                    Ok(report) => measured.add(name, run, &report),
                    Err(failure) => measured.problem(format!("{name}, {}: {failure}", run.name)),
                }
            }
            Server::stop(&plan.peers, name).await;
        }
    }
}

/// Plays a scenario on a server; gives the report, which is that of the time until Ctrl-C, too.
async fn load(
    server: &Server,
    run: &Run,
    out: &PathBuf,
    stopped: &watch::Receiver<bool>,
) -> Result<Value, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["run", run.scenario, "--json", "--server", &server.address])
        .args(["--pid", &server.pid.to_string()])
        .arg("--out")
        .arg(out)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for (name, value) in &run.settings {
        command.args(["--set", &format!("{name}={value}")]);
    }
    let child = command.kill_on_drop(true).spawn()?;
    let process = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
    let output = child.wait_with_output();
    tokio::pin!(output);
    let output = tokio::select! {
        output = &mut output => output?,
        () = interrupted(stopped) => {
            // A terminal has told it, others have not; twice does no harm.
            if let Some(process) = process {
                let _ = kill_process(process, Signal::INT);
            }
            output.await?
        }
    };
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
