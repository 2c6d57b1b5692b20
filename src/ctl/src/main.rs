//! `mungoctl`: the command line of a node's admin interface.
//!
//! The commands are made from the schema (`schema.rs`, `commands.rs`), sent as
//! GraphQL (`request.rs`, `client.rs`) to the node that `node.rs` finds, and
//! shown by the types of their answers (`output.rs`). Only `account import` is
//! written by hand, over the schema's `importBatch`.

mod client;
mod commands;
mod examples;
mod failure;
mod import;
mod node;
mod output;
mod request;
mod schema;
mod secret;
#[cfg(test)]
mod tests;
mod tree;
mod words;

use std::{
    io::{self, BufWriter, Write},
    process::ExitCode,
};

use clap::ArgMatches;

use crate::{client::Client, failure::Failure, node::Node, schema::Schema};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let schema = match Schema::parse(schema::TEXT) {
        Ok(schema) => schema,
        Err(e) => {
            return report(
                false,
                &Failure::refused(format!("the schema is broken: {e}")),
            );
        }
    };
    let matches = commands::command_line(&schema).get_matches();
    let json = json(&matches);
    match run(&schema, &matches, json).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => report(json, &failure),
    }
}

/// Whether `--json` stands anywhere.
fn json(matches: &ArgMatches) -> bool {
    matches.get_flag("json")
}

async fn run(schema: &Schema, matches: &ArgMatches, json: bool) -> Result<(), Failure> {
    if let Some(import) = import::typed(matches) {
        return import::run(schema, import, json).await;
    }
    let Some((command, matches)) = commands::typed_command(schema, matches) else {
        return Err(Failure::Usage("there is no such command".to_owned()));
    };
    let mut variables = commands::variables(schema, command, matches)
        .map_err(|what| Failure::Usage(format!("{what}\n\n{}", commands::usage(command))))?;
    let node = Node::find(matches)?;
    secret::fill(command, matches, &mut variables)?;
    let mut client = Client::new(node);
    let answer = request::run(schema, command, variables, &mut client).await?;
    let mut out = BufWriter::new(io::stdout().lock());
    match json {
        true => output::json(&mut out, &answer)?,
        false => output::answer(&mut out, schema, command, &answer)?,
    }
    out.flush()?;
    Ok(())
}

/// Tells a failure, and how the process ends.
fn report(json: bool, failure: &Failure) -> ExitCode {
    if failure.untold() {
        // When this can't be written either, the exit code is all there is.
        let _ = match json {
            true => output::json(&mut io::stdout().lock(), &failure.json()),
            false => writeln!(io::stderr().lock(), "mungoctl: {}", told(failure)),
        };
    }
    failure.exit_code()
}

/// A failure for the terminal: each line of it without what could move the cursor.
fn told(failure: &Failure) -> String {
    let text = failure.to_string();
    let lines: Vec<String> = text.lines().map(words::printable).collect();
    lines.join("\n")
}
