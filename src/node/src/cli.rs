//! The command line of the node.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

const ABOUT: &str = "An XMPP server.";

const LONG_ABOUT: &str = "\
An XMPP server.

Without options it serves the domain `localhost` on this machine and needs nothing else: no \
configuration, no other service. It listens on 127.0.0.1, port 5222 (clients, STARTTLS), 5223 \
(clients, direct TLS) and 5551 (administration), and keeps its data in `./data`.

SIGTERM or ctrl-c stops it in order, a second one at once. SIGHUP reads its certificates again.";

const EXAMPLES: &str = "\
Examples:
  mungo                                          serve localhost, data in ./data
  mungo --config mungo.ron --data /var/lib/mungo serve what mungo.ron says
  mungo check --config mungo.ron                 say what is wrong with mungo.ron
  mungo defaults > mungo.ron                     every key with its default and a comment

Accounts are made with the other program, while the node runs:
  mungoctl account register alice@localhost

Exit codes: 0 stopped in order, or the configuration is fine; 1 it could not start, or the \
configuration is wrong; 2 the command line is wrong.";

/// The options of the node.
#[derive(Debug, Parser)]
#[command(name = "mungo", version, about = ABOUT, long_about = LONG_ABOUT, after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// The configuration, a RON file; without one everything has its default.
    #[arg(long, value_name = "FILE", global = true, env = "MUNGO_CONFIG")]
    pub(crate) config: Option<PathBuf>,

    /// The folder for database, certificate and admin secret; made if it is missing, used by one
    /// node at a time.
    #[arg(
        long,
        value_name = "DIR",
        default_value = "data",
        global = true,
        env = "MUNGO_DATA"
    )]
    pub(crate) data: PathBuf,

    /// What to do; without a command the node runs.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What the program does besides running the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum Command {
    /// Read a configuration and say what is wrong with it: file, line, column, field and the mend.
    Check,
    /// Print every key of the configuration with its default and a comment.
    Defaults,
    /// Fill the node with clients of its own that need no sockets, let some of them chat, and say what
    /// it took.
    #[cfg(any(test, feature = "crowd"))]
    #[command(long_about = crate::crowd_command::LONG_ABOUT)]
    Crowd(crate::crowd_command::CrowdOptions),
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_stand_before_or_behind_the_command() {
        for line in ["mungo check --config a.ron", "mungo --config a.ron check"] {
            let cli = parse(line).unwrap();
            assert_eq!(cli.command, Some(Command::Check), "{line}");
            assert_eq!(cli.config.as_deref(), Some(Path::new("a.ron")), "{line}");
        }
        let cli = parse("mungo --data /srv/mungo").unwrap();
        assert_eq!(
            (cli.command, cli.data.as_path()),
            (None, Path::new("/srv/mungo"))
        );
    }

    #[test]
    fn a_misspelt_command_is_refused_with_the_nearest() {
        let error = parse("mungo chekc").unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("'check'"), "{error}");
    }
}
