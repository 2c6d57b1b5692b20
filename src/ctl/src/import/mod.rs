//! `account import FILE.csv`: many accounts from a file, over the schema's `importBatch`.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use clap::{Arg, ArgAction, ArgMatches, value_parser};
use serde_json::{Map, Value, json};

use crate::{
    client::Client, failure::Failure, node::Node, output, request, schema::Schema, words::printable,
};

mod file;
mod lines;
mod progress;

use file::{Entry, Lines};
use progress::Progress;

/// How many accounts are sent at a time; the node takes up to 1000. Enough
/// that the way there does not count, few enough that the bar moves.
const BATCH: usize = 500;

/// How many bytes of a file are sent at a time at most.
const BATCH_BYTES: usize = 1024 * 1024;

const ABOUT: &str = "\
Make accounts from a CSV file

The first line names the columns. With passwords:

  jid,password
  alice@localhost,pencil
  bob@localhost,\"with \"\"quotes\"\", and a comma\"

With ready SCRAM keys, for one or more of the hashes; a key is written
iterations:salt:stored_key:server_key, the last three in base64:

  jid,scram_sha_1,scram_sha_256,scram_sha_512
  alice@localhost,4096:QSXCR+Q6sek8bf92:6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE=,,

Lines that fail are told with their number and the reason, and the others are
imported. Accounts are imported when they are counted: after an interruption
the same file goes on with --skip-existing. The exit code is 1 when any line failed.";

/// The command line of the command.
pub(crate) fn command_line() -> clap::Command {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .action(ArgAction::SetTrue)
            .help(help)
    };
    clap::Command::new("import")
        .about("Make accounts from a CSV file, with passwords or ready SCRAM keys")
        .long_about(ABOUT)
        .after_help(crate::examples::of("account import"))
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("The file; - for standard input"),
        )
        .arg(flag(
            "stop-on-error",
            "Send no more once a line has failed; lines sent together with it may be imported",
        ))
        .arg(flag(
            "skip-existing",
            "Pass over accounts that are there already instead of failing",
        ))
}

/// The matches of the command, if it is the one that was typed.
pub(crate) fn typed(matches: &ArgMatches) -> Option<&ArgMatches> {
    match matches.subcommand() {
        Some(("account", category)) => category.subcommand_matches("import"),
        _ => None,
    }
}

/// Runs the command.
pub(crate) async fn run(schema: &Schema, matches: &ArgMatches, json: bool) -> Result<(), Failure> {
    let path = matches
        .get_one::<PathBuf>("file")
        .ok_or_else(|| Failure::Usage("no file is named".to_owned()))?;
    let node = Node::find(matches)?;
    let Source { name, input, size } = Source::open(path)?;
    let lines = Lines::new(input).map_err(|e| Failure::refused(format!("{name}: {e}")))?;
    let mut import = Import {
        schema,
        client: Client::new(node),
        progress: Progress::new(size),
        name,
        json,
        stop: matches.get_flag("stop-on-error"),
        skip: matches.get_flag("skip-existing"),
        sum: Sum::default(),
    };
    let result = import.all(lines).await;
    import.progress.finish();
    import.summary()?;
    result?;
    match import.sum.failures.is_empty() {
        true => Ok(()),
        false => Err(Failure::Partly),
    }
}

/// A file to import.
struct Source {
    /// Its name in messages.
    name: String,
    input: Box<dyn Read>,
    /// In bytes; pipes have none.
    size: Option<u64>,
}

impl Source {
    fn open(path: &Path) -> Result<Self, Failure> {
        if path == Path::new("-") {
            return Ok(Source {
                name: "standard input".to_owned(),
                input: Box::new(io::stdin().lock()),
                size: None,
            });
        }
        let name = path.display().to_string();
        let unreadable = |e: io::Error| Failure::refused(format!("{name} can't be read: {e}"));
        let file = File::open(path).map_err(unreadable)?;
        let size = file.metadata().map_err(unreadable)?.len();
        Ok(Source {
            name,
            input: Box::new(file),
            size: (size > 0).then_some(size),
        })
    }
}

/// What has become of the file so far.
#[derive(Default)]
struct Sum {
    /// Lines that were read.
    read: u64,
    imported: u64,
    skipped: u64,
    failures: Vec<Failed>,
    /// Whether it ended before the file did, and after which line.
    stopped: Option<u64>,
}

/// A line that was not imported.
struct Failed {
    line: u64,
    account: String,
    code: String,
    message: String,
}

struct Import<'s> {
    schema: &'s Schema,
    client: Client,
    progress: Progress,
    name: String,
    json: bool,
    stop: bool,
    skip: bool,
    sum: Sum,
}

impl Import<'_> {
    /// Sends the whole file, batch by batch.
    async fn all(&mut self, mut lines: Lines<Box<dyn Read>>) -> Result<(), Failure> {
        let mut batch = Vec::with_capacity(BATCH);
        let mut bytes = 0;
        loop {
            let line = match lines.next() {
                Some(Ok(line)) => line,
                Some(Err(e)) => {
                    self.send(&mut batch).await?;
                    return Err(Failure::refused(format!(
                        "{} can't be read on: {e}",
                        self.name
                    )));
                }
                None => break,
            };
            self.sum.read += 1;
            let number = line.number;
            match line.entry {
                Ok(entry) => {
                    bytes += entry.size;
                    batch.push((number, entry));
                }
                Err(message) => {
                    // What stands before it in the file comes before it here.
                    self.send(&mut batch).await?;
                    self.fail(number, line.account, "INVALID", message);
                }
            }
            if batch.len() >= BATCH || bytes >= BATCH_BYTES {
                self.send(&mut batch).await?;
                bytes = 0;
            }
            self.progress.at(lines.bytes());
            if self.stop && !self.sum.failures.is_empty() {
                self.sum.stopped = Some(number);
                return Ok(());
            }
        }
        self.send(&mut batch).await
    }

    /// Sends a batch and empties it.
    async fn send(&mut self, batch: &mut Vec<(u64, Entry)>) -> Result<(), Failure> {
        if batch.is_empty() {
            return Ok(());
        }
        let command = self
            .schema
            .command(Some("account"), "importBatch")
            .ok_or_else(|| Failure::refused("the schema has no importBatch"))?;
        let accounts = batch.iter().map(|(_, entry)| entry.json()).collect();
        let variables = Map::from_iter([("accounts".to_owned(), Value::Array(accounts))]);
        let document = request::document(self.schema, command, &variables);
        let answer = match self.client.ask(&document, &variables).await {
            Ok(answer) => request::of_command(command, answer),
            Err(failure) => {
                self.sum.stopped = batch.first().map(|(number, _)| number.saturating_sub(1));
                return Err(failure);
            }
        };
        self.sum.imported += answer["imported"].as_u64().unwrap_or_default();
        for failed in answer["failed"].as_array().into_iter().flatten() {
            let index = failed["index"].as_u64().unwrap_or_default() as usize;
            let Some((number, entry)) = batch.get(index) else {
                continue;
            };
            let text = |name| failed[name].as_str().unwrap_or_default().to_owned();
            let code = text("code");
            if self.skip && code == "ALREADY_EXISTS" {
                self.sum.skipped += 1;
            } else {
                self.fail(*number, entry.account.clone(), &code, text("message"));
            }
        }
        batch.clear();
        self.progress.imported(self.sum.imported);
        Ok(())
    }

    /// Tells of a line that failed, and keeps it for the summary.
    fn fail(&mut self, line: u64, account: String, code: &str, message: String) {
        if !self.json {
            self.progress.tell(&format!(
                "{}:{line}: {}: {}",
                self.name,
                printable(&account),
                printable(&message)
            ));
        }
        self.sum.failures.push(Failed {
            line,
            account,
            code: code.to_owned(),
            message,
        });
    }

    fn summary(&self) -> Result<(), Failure> {
        let sum = &self.sum;
        let mut out = io::stdout().lock();
        if self.json {
            let failures: Vec<Value> = sum
                .failures
                .iter()
                .map(|f| {
                    json!({"line": f.line, "account": f.account, "code": f.code, "message": f.message})
                })
                .collect();
            let summary = json!({
                "read": sum.read,
                "imported": sum.imported,
                "skipped": sum.skipped,
                "failed": sum.failures.len(),
                "stoppedAfterLine": sum.stopped,
                "failures": failures,
            });
            output::json(&mut out, &summary)?;
            return Ok(());
        }
        let mut text = format!("{} imported", sum.imported);
        if self.skip {
            text.push_str(&format!(", {} there already", sum.skipped));
        }
        text.push_str(&format!(
            ", {} failed, of {} accounts read from {}",
            sum.failures.len(),
            sum.read,
            self.name
        ));
        if let Some(line) = sum.stopped {
            text.push_str(&format!("; stopped after line {line}"));
        }
        writeln!(out, "{text}")?;
        Ok(())
    }
}
