//! The command line, and what it may ask for.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::workers::Crew;

/// Loads an XMPP server and reports what it took and what it cost.
///
/// Users log in and play a scenario, all on one thread, or shared out among workers. With --pid the server's process is watched: its
/// CPU time and memory are read from /proc. The accounts must be there:
///
///   mungoctl account import users.csv     or     mungo-loadtest run register
///
/// Then, for instance:
///
///   mungo-loadtest run chat-closed --server 127.0.0.1:5222 --set users=1000 --set window=1
///   mungo-loadtest show chat-closed > mine.ron     # a scenario to change
///   mungo-loadtest run mine.ron --pid $(pidof mungo)
///   mungo-loadtest run mine.ron --workers 4        # by four processes
///
/// Exit codes: 0 everybody got on and nothing was lost, 1 otherwise, 2 bad arguments.
#[derive(Debug, Parser)]
#[command(name = "mungo-loadtest", version, verbatim_doc_comment)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What is done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Plays a scenario.
    Run(RunPlan),
    /// Reads a scenario and says what is wrong with it; connects to nobody.
    Check(CheckPlan),
    /// Prints an included scenario; without a name, what there is.
    Show {
        /// Its name.
        name: Option<String>,
    },
    /// Prints a scenario made of one of Tsung's for ts_jabber, and says what could not be taken over.
    Import {
        /// The file, as tsung.xml.
        file: PathBuf,
    },
    /// Says in a table what changed from one run to another.
    Compare(ComparePlan),
    /// Waits for a coordinator (run --worker) and plays what it says.
    Worker(WorkerPlan),
    /// Measures servers in turns and prints a table with ratios.
    Bench(BenchPlan),
    /// Answers as the least of a server for chat-closed, to see what this program itself can do.
    Echo(EchoPlan),
}

/// Which scenario, and what is changed in it.
#[derive(Debug, Args)]
pub(crate) struct CheckPlan {
    /// A file, or the name of an included scenario.
    pub(crate) scenario: String,
    /// Gives one of the scenario's parameters another value.
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) set: Vec<(String, String)>,
    /// The server: the same as --set server=ADDRESS:PORT.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) server: Option<String>,
}

impl CheckPlan {
    /// The parameters that have another value; what is said last counts.
    pub(crate) fn settings(&self) -> BTreeMap<String, String> {
        let server = self.server.iter();
        let server = server.map(|server| ("server".to_owned(), server.clone()));
        self.set.iter().cloned().chain(server).collect()
    }
}

/// The plan of `run`.
#[derive(Debug, Args)]
pub(crate) struct RunPlan {
    #[command(flatten)]
    pub(crate) scenario: CheckPlan,
    /// The server's process, to be watched.
    #[arg(long)]
    pub(crate) pid: Option<u32>,
    /// Prints the content of report.json, and no summary.
    #[arg(long)]
    pub(crate) json: bool,
    /// The folder for report.json, report.html and the scenario; by default a new one in
    /// loadtest-results.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Leaves no folder behind.
    #[arg(long, conflicts_with = "out")]
    pub(crate) no_out: bool,
    /// Shares the users out among so many processes of this machine, which connect from 127.0.1.1,
    /// 127.0.1.2, … to a server on this machine.
    #[arg(long, value_name = "COUNT", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=256))]
    pub(crate) workers: u32,
    /// Lets a worker of another machine take part (mungo-loadtest worker --listen); more than once for
    /// more of them.
    #[arg(long, value_name = "HOST:PORT", requires = "secret_file")]
    pub(crate) worker: Vec<String>,
    /// The file with the secret that those workers know.
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,
    /// Addresses of this machine that users connect from, in turns.
    #[arg(long, value_name = "ADDRESS,…", value_delimiter = ',')]
    pub(crate) source: Vec<IpAddr>,
    /// Loads targets that are neither on this machine nor in a private network.
    #[arg(long)]
    pub(crate) i_own_this_target: bool,
}

impl RunPlan {
    /// The workers; `None` if all users are played by this process.
    pub(crate) fn crew(&self) -> Option<Crew> {
        let crew = Crew {
            local: self.workers,
            remote: self.worker.clone(),
            secret: self.secret_file.clone(),
        };
        (crew.local > 0 || !crew.remote.is_empty()).then_some(crew)
    }
}

/// The plan of `worker`.
#[derive(Debug, Args)]
pub(crate) struct WorkerPlan {
    /// Where coordinators may come.
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        requires = "secret_file",
        required_unless_present = "child"
    )]
    pub(crate) listen: Option<String>,
    /// The file with the secret that coordinators have to know; nobody else may be able to read it.
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,
    /// Addresses of this machine that users connect from, in turns.
    #[arg(long, value_name = "ADDRESS,…", value_delimiter = ',')]
    pub(crate) source: Vec<IpAddr>,
    /// Loads targets that are neither on this machine nor in a private network, if a coordinator says so.
    #[arg(long)]
    pub(crate) i_own_this_target: bool,
    /// The coordinator has started us, and is at the other end of our standard input.
    #[arg(long, hide = true, conflicts_with = "listen")]
    pub(crate) child: bool,
}

/// The plan of `echo`.
#[derive(Debug, Args)]
pub(crate) struct EchoPlan {
    /// Where it answers.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:5222")]
    pub(crate) listen: String,
    /// The password of everybody.
    #[arg(long, default_value = "pw")]
    pub(crate) password: String,
}

/// The plan of `compare`.
#[derive(Debug, Args)]
pub(crate) struct ComparePlan {
    /// The report.json of the run before, or its folder.
    pub(crate) before: PathBuf,
    /// That of the run after.
    pub(crate) after: PathBuf,
}

/// The plan of `bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchPlan {
    /// The servers, as the scripts call them; the others are compared to the first.
    #[arg(
        long,
        value_name = "NAME,…",
        value_delimiter = ',',
        default_value = "mungo,ejabberd,prosody"
    )]
    pub(crate) servers: Vec<String>,
    /// How often each is measured, in turns.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    pub(crate) rounds: u32,
    /// Only these: idle, chat-8, chat-1, open, presence.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Seconds that are measured of each.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub(crate) seconds: u32,
    /// Users who chat.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(2..=10_000))]
    pub(crate) users: u32,
    /// Users who log in and are idle.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=19_000))]
    pub(crate) idle: u32,
    /// The folder with the scripts that start and stop the servers.
    #[arg(long, value_name = "DIR", default_value = "loadtest/peers")]
    pub(crate) peers: PathBuf,
    /// The folder for the table and the reports of all runs; by default a new one in loadtest-results.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

#[cfg(test)]
impl Default for BenchPlan {
    fn default() -> BenchPlan {
        let words = ["mungo-loadtest", "bench"];
        let Command::Bench(plan) = Arguments::parse_from(words).command else {
            unreachable!("that was bench");
        };
        plan
    }
}

fn setting(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| "a name and a value are needed, as in users=1000".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(std::iter::once("mungo-loadtest").chain(words.split(' ')))
    }

    #[test]
    fn parameters_are_set_by_name() {
        let words = "run idle --set users=5 --set users=6 --set password=a=b --server [::1]:5222";
        let Command::Run(plan) = parse(words).expect("fine").command else {
            panic!("that was run");
        };
        let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            plan.scenario.settings(),
            BTreeMap::from([
                set("users", "6"),
                set("password", "a=b"),
                set("server", "[::1]:5222")
            ])
        );
        for bad in [
            "run",
            "run idle --set users",
            "run idle --set =5",
            "run idle --worker 10.0.0.1:7000",
            "run idle --source here",
            "worker",
            "worker --listen 127.0.0.1:0",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
