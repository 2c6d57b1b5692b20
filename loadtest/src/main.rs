//! `mungo-loadtest`: what a server takes, and what it costs.
//!
//! A scenario (`scenario/`) says who does what, and is checked before anybody connects. A run (`run/`)
//! lets users come in phases and play its sessions, all on one thread, or shared out among several
//! processes (`workers/`): clients (`client.rs`, a state machine without a socket) speak over connections (`connection.rs`, plain or TLS) to a place
//! (`place.rs`), while the server's process is watched from outside (`process.rs`). What came out is a
//! report (`report.rs`). `echo.rs` is a server to measure this program against.

mod arguments;
mod bench;
mod client;
mod compare;
mod connection;
mod crowd;
mod echo;
mod failure;
mod import;
mod latency;
mod live;
mod measure;
mod place;
mod process;
mod report;
mod results;
mod run;
mod scenario;
mod scram;
mod text;
mod tls;
mod workers;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, CheckPlan, Command, RunPlan};
use crate::failure::Failure;
use crate::report::Report;
use crate::run::Manner;
use crate::scenario::{INCLUDED, Story, included};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let done = tokio::task::LocalSet::new()
        .run_until(obey(Arguments::parse().command))
        .await;
    done.unwrap_or_else(|failure| {
        // Nothing can be done if nobody reads it.
        let _ = writeln!(io::stderr(), "mungo-loadtest: {failure}");
        ExitCode::FAILURE
    })
}

async fn obey(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Run(plan) => play(plan).await,
        Command::Worker(plan) => {
            match (&plan.listen, &plan.secret_file) {
                (Some(address), Some(file)) => workers::listen(&plan, address, file).await?,
                _ => workers::serve_parent(&plan).await?,
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Echo(plan) => {
            echo::serve(&plan).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Bench(plan) => {
            let (table, code) = bench::run(&plan).await?;
            print(&table)?;
            Ok(code)
        }
        Command::Compare(plan) => print(&compare::table(&plan.before, &plan.after)?),
        Command::Check(scenario) => {
            let story = read(&scenario)?;
            print(&format!(
                "{} is fine: {}\n",
                story.name, story.scenario.about
            ))
        }
        Command::Show { name: None } => {
            let mut list = String::new();
            for (name, _) in INCLUDED {
                let about = scenario::read(name, &BTreeMap::new())?.scenario.about;
                list.push_str(&format!("{name:<18}{about}\n"));
            }
            print(&list)
        }
        Command::Show { name: Some(name) } => match included(&name) {
            Some(text) => print(text),
            None => Err(Failure::not_included(name)),
        },
        Command::Import { file } => {
            let text = std::fs::read_to_string(&file)?;
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let imported = import::import(&name, &text)?;
            for missing in &imported.missing {
                // As above.
                let _ = writeln!(io::stderr(), "{}: missing: {missing}", file.display());
            }
            print(&imported.text)
        }
    }
}

/// Plays a scenario, tells what came out and leaves it in a folder.
async fn play(plan: RunPlan) -> Result<ExitCode, Failure> {
    let story = read(&plan.scenario)?;
    let manner = Manner {
        pid: plan.pid,
        settings: plan.scenario.settings(),
        owned: plan.i_own_this_target,
        sources: plan.source.clone(),
    };
    if !plan.no_out {
        results::prepare(plan.out.as_deref()).map_err(Failure::Folder)?;
    }
    let results = match plan.crew() {
        None => run::play(&story, manner).await?,
        Some(crew) => workers::play(&story, &crew, manner).await?,
    };
    // What came out is told even if it can't be kept.
    let kept = match plan.no_out {
        true => Ok(None),
        false => results::write(&results, plan.out.as_deref()).map(Some),
    };
    match plan.json {
        true => print(&format!("{:#}\n", results.json()))?,
        false => show(results.report(), false),
    };
    match kept.map_err(Failure::Folder)? {
        Some(folder) if !plan.json => {
            print(&format!("\n{}\n", folder.join("report.html").display()))?
        }
        _ => ExitCode::SUCCESS,
    };
    Ok(results.report().code())
}

fn read(plan: &CheckPlan) -> Result<Story, Failure> {
    let story = scenario::read(&plan.scenario, &plan.settings())?;
    for warning in &story.warnings {
        // As above.
        let _ = writeln!(io::stderr(), "{warning}\n");
    }
    Ok(story)
}

fn print(text: &str) -> Result<ExitCode, Failure> {
    io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Prints it; the exit code says whether everything went as it should.
fn show(report: &Report, json: bool) -> ExitCode {
    let text = if json {
        format!("{:#}\n", report.json())
    } else {
        report.to_string()
    };
    let printed = io::stdout().write_all(text.as_bytes());
    match printed {
        Ok(()) => report.code(),
        Err(_) => ExitCode::FAILURE,
    }
}
