//! The command line, and what it may ask for.

use std::net::SocketAddr;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Loads an XMPP server on this machine and reports what it took and what it cost.
///
/// Clients log in with SCRAM and play a scenario, all on one thread. With --pid the server's process
/// is watched: its CPU time and memory are read from /proc. The accounts must be there:
///
///   mungoctl account import users.csv
///
/// Exit codes: 0 everybody got on and nothing was lost, 1 otherwise, 2 bad arguments.
#[derive(Debug, Parser)]
#[command(name = "mungo-loadtest", version, verbatim_doc_comment)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) scenario: Scenario,
}

/// What is played.
#[derive(Debug, Subcommand)]
pub(crate) enum Scenario {
    /// Pairs of users chat in a closed loop: each message is answered by one.
    Chat(ChatPlan),
    /// Users write to one who never reads, as much as the server takes. That one's account is the one
    /// behind theirs.
    Flood(FloodPlan),
    /// Users log in, say that they are there, and then nothing.
    Idle(IdlePlan),
    /// Groups of contacts who all change their presence as soon as they have seen everybody else's.
    Presence(PresencePlan),
    /// Users in a ring, each with contacts on both sides, log in one behind the other: half of
    /// somebody's contacts are there when they come. They ask for their roster, say that they are
    /// there, and then nothing.
    Roster(RosterPlan),
}

impl Scenario {
    /// Who plays.
    pub(crate) fn crowd(&self) -> &Crowd {
        match self {
            Scenario::Chat(plan) => &plan.crowd,
            Scenario::Flood(plan) => &plan.crowd,
            Scenario::Idle(plan) => &plan.crowd,
            Scenario::Presence(plan) => &plan.crowd,
            Scenario::Roster(plan) => &plan.crowd,
        }
    }
}

/// Who logs in, and where.
#[derive(Debug, Clone, Args)]
pub(crate) struct Crowd {
    /// The server; only loopback addresses are taken.
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = loopback)]
    pub(crate) server: SocketAddr,
    /// The domain of the accounts.
    #[arg(long, default_value = "localhost")]
    pub(crate) domain: String,
    /// The accounts' localparts; %d is a number.
    #[arg(long, default_value = "u%d", value_parser = pattern)]
    pub(crate) users: String,
    /// The number of the first.
    #[arg(long, default_value_t = 0)]
    pub(crate) first: u32,
    /// How many.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=19_000))]
    pub(crate) count: u32,
    /// The password of all.
    #[arg(long, default_value = "pw", value_parser = ascii)]
    pub(crate) password: String,
    /// How they log in.
    #[arg(long, value_enum, default_value_t = Mechanism::ScramSha1)]
    pub(crate) mechanism: Mechanism,
    /// TLS from the first byte (XEP-0368). Any certificate will do.
    #[arg(long)]
    pub(crate) tls: bool,
    /// How many log in at a time.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) at_once: u32,
    /// The server's process, to be watched.
    #[arg(long)]
    pub(crate) pid: Option<u32>,
    /// Reports as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Whether they ask for their roster when they log in: the scenario says it.
    #[arg(skip)]
    pub(crate) with_roster: bool,
}

impl Crowd {
    /// The localpart of the account with this number, counted from `--first`.
    pub(crate) fn localpart(&self, number: u32) -> String {
        self.users.replace(
            "%d",
            &(u64::from(self.first) + u64::from(number)).to_string(),
        )
    }
}

/// The plan of `chat`.
#[derive(Debug, Args)]
pub(crate) struct ChatPlan {
    #[command(flatten)]
    pub(crate) crowd: Crowd,
    /// Messages that each user has under way at a time.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) window: u32,
    /// The text of a message, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(crate) body: u32,
    /// Seconds of chat before measuring.
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(0..=60))]
    pub(crate) warm_up: u64,
    /// Seconds that are measured.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) seconds: u64,
}

/// The plan of `flood`.
#[derive(Debug, Args)]
pub(crate) struct FloodPlan {
    #[command(flatten)]
    pub(crate) crowd: Crowd,
    /// The text of a message, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(crate) body: u32,
    /// Seconds that the flood lasts.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) seconds: u64,
}

/// The plan of `idle`.
#[derive(Debug, Args)]
pub(crate) struct IdlePlan {
    #[command(flatten)]
    pub(crate) crowd: Crowd,
    /// Seconds that everybody stays, before memory is read.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) seconds: u64,
}

/// The plan of `presence`.
#[derive(Debug, Args)]
pub(crate) struct PresencePlan {
    #[command(flatten)]
    pub(crate) crowd: Crowd,
    /// Users who are each other's contacts.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=100))]
    pub(crate) group: u32,
    /// First makes them each other's contacts, through the server: once for a server's accounts.
    #[arg(long)]
    pub(crate) prepare: bool,
    /// Seconds before measuring.
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(0..=60))]
    pub(crate) warm_up: u64,
    /// Seconds that are measured.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) seconds: u64,
}

/// The plan of `roster`.
#[derive(Debug, Args)]
pub(crate) struct RosterPlan {
    #[command(flatten)]
    pub(crate) crowd: Crowd,
    /// Contacts of each on either side of the ring.
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) beside: u32,
    /// First makes them contacts, through the server: once for a server's accounts.
    #[arg(long)]
    pub(crate) prepare: bool,
    /// Seconds that everybody stays, before memory is read.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) seconds: u64,
}

/// A SASL mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mechanism {
    /// SCRAM-SHA-1 (RFC 5802).
    #[value(name = "scram-sha-1")]
    ScramSha1,
    /// SCRAM-SHA-256 (RFC 7677).
    #[value(name = "scram-sha-256")]
    ScramSha256,
}

impl Mechanism {
    /// As it is offered.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Mechanism::ScramSha1 => "SCRAM-SHA-1",
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
        }
    }
}

fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text
        .parse()
        .map_err(|_| "an address and a port are needed, as in 127.0.0.1:5222".to_owned())?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("only a server on this machine may be loaded".to_owned())
    }
}

fn pattern(text: &str) -> Result<String, String> {
    let fits = text.contains("%d")
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"%._-".contains(&b));
    fits.then(|| text.to_owned())
        .ok_or_else(|| "a localpart with %d in it is needed, as in u%d".to_owned())
}

/// Other passwords need SASLprep, which is the server's business to get right and not ours.
fn ascii(text: &str) -> Result<String, String> {
    let fits = !text.is_empty() && text.bytes().all(|b| (b' '..=b'~').contains(&b));
    fits.then(|| text.to_owned())
        .ok_or_else(|| "a password of ASCII characters is needed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(std::iter::once("mungo-loadtest").chain(words.split(' ')))
    }

    #[test]
    fn only_loopback_is_loaded() {
        assert!(parse("idle --server 127.0.0.1:5222").is_ok());
        assert!(parse("idle --server [::1]:5222").is_ok());
        for elsewhere in [
            "192.0.2.1:5222",
            "0.0.0.0:5222",
            "example.org:5222",
            "127.0.0.1",
        ] {
            assert!(
                parse(&format!("idle --server {elsewhere}")).is_err(),
                "{elsewhere}"
            );
        }
    }

    #[test]
    fn counts_and_times_are_bounded() {
        for words in [
            "--count 0",
            "--count 19001",
            "--window 0",
            "--seconds 601",
            "--users u",
            "--users <%d>",
        ] {
            assert!(
                parse(&format!("chat --server 127.0.0.1:5222 {words}")).is_err(),
                "{words}"
            );
        }
    }

    #[test]
    fn users_are_numbered() {
        let arguments =
            parse("idle --server 127.0.0.1:5222 --users a%d.b --first 7").expect("fine");
        assert_eq!(arguments.scenario.crowd().localpart(3), "a10.b");
    }
}
