//! `mungo crowd`: the node with very many clients of its own process, to see what it takes. In no
//! release.

use std::fmt::{self, Display};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actors::service::{ClientPort, ClientService};
use anyhow::{Context, ensure};
use clap::Args;
use config::{Config, Listener, ListenerKind, Loaded, Span, TlsMode};
use crowd::{Came, ChatPlan, Chatted, Crowd, Entrance, Plan, make_accounts};
use stream::{C2sSettings, Mechanism};
use tokio::runtime::Runtime;

use crate::boot::Node;
use crate::console::{heap, process};
use crate::data::DataFolder;
use crate::registry::Modules;
use crate::{check, logging};

/// The folder of the crowd's database, below that of `--data`.
const FOLDER: &str = "crowd";
/// How long a crowd that is cut off may take until all of it is gone.
const LEAVING: Duration = Duration::from_secs(120);

pub(crate) const LONG_ABOUT: &str = "\
Fill the node with clients of its own that need no sockets, let some of them chat, and say what it took.

The node is the one of the configuration: connections, negotiation, login (PLAIN), sessions, router and \
modules are what they are for anybody. Only in place of sockets there are pipes within the process, so \
that there may be more clients than open files. Every client logs in, binds, loads its roster, sends its \
presence and is idle then; some of them chat in pairs, in an open loop: what is late is measured from \
when it was due.

No port is open for others but that of the administration. Accounts c0, c1, … are made in a database of \
their own, in the folder `crowd` below that of --data, and used again by the next run.

Exit code 1 if somebody did not get in or a message was lost.";

/// How large a crowd, and what it does.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CrowdOptions {
    /// How many clients come.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=4_000_000))]
    users: u32,
    /// How many log in at a time.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4_000))]
    under_way: u32,
    /// Messages a second, all writers together; 0: nobody chats.
    #[arg(long, value_name = "PER_SECOND", default_value_t = 2_000)]
    chat: u32,
    /// How many chat, in pairs.
    #[arg(long, default_value_t = 400)]
    writers: u32,
    /// Bytes in the body of a message.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(0..=65_536))]
    bytes: u32,
    /// How long they chat, such as 30s or 5m.
    #[arg(long, value_name = "TIME", default_value = "30s")]
    lasts: Span,
}

/// Runs a node with a crowd, and says what it took.
///
/// # Errors
/// What keeps the node from starting; that somebody did not get in, or that a message was lost.
pub(crate) fn run(config: Option<&Path>, data: &Path, options: CrowdOptions) -> anyhow::Result<()> {
    let Loaded { config, warnings } = check::read::<Modules>(config)?;
    logging::start(&config.log)?;
    for warning in warnings {
        tracing::warn!(what = "configuration", "{warning}");
    }
    let data = DataFolder::open(&data.join(FOLDER))?;
    let runtime = Runtime::new()?;
    let result = perform(&runtime, config, data, options, &mut |text| {
        // Nobody may be reading.
        let _ = writeln!(std::io::stdout(), "{text}");
    });
    runtime.shutdown_background();
    let problems = result?;
    ensure!(problems == 0, "{problems} things went wrong, see above");
    Ok(())
}

/// Where a crowd comes in: a port that asks for no TLS and checks passwords as they are.
pub(crate) fn entrance(
    service: &Arc<ClientService>,
    port: impl Fn(&Listener) -> ClientPort,
) -> Entrance {
    let mut port = port(&Listener {
        tls: Some(TlsMode::Off),
        ..Listener::default()
    });
    let c2s = C2sSettings {
        mechanisms: vec![Mechanism::Plain],
        plain_without_tls: true,
        ..C2sSettings::clone(&port.c2s)
    };
    port.c2s = Arc::new(c2s);
    Entrance {
        service: service.clone(),
        port: Arc::new(port),
    }
}

/// Lets a crowd come, chat and leave, and tells about it; how many things went wrong.
fn perform(
    runtime: &Runtime,
    mut config: Config<Modules>,
    data: DataFolder,
    options: CrowdOptions,
    say: &mut dyn FnMut(&str),
) -> anyhow::Result<u64> {
    config
        .listeners
        .retain(|listener| listener.kind == ListenerKind::Admin);
    config.store.folder = None;
    let node = runtime.block_on(Node::boot(config, data))?;
    let hosts = node.router.hosts();
    let host = hosts.first().context("the node serves no domain")?;
    let plan = Plan {
        domain: host.domain().to_string(),
        users: options.users,
        under_way: options.under_way,
    };

    let start = Instant::now();
    let auth = &node.entrance.service.auth;
    runtime.block_on(make_accounts(auth, &plan.domain, plan.users))?;
    say(&format!(
        "accounts   {} of {} are there, {:.1} s",
        plan.users,
        plan.domain,
        start.elapsed().as_secs_f64()
    ));

    let _context = runtime.enter();
    let mut crowd = Crowd::new(node.entrance.clone(), plan);
    let empty = Used::now();
    let came = crowd.gather(|online| {
        say(&format!(
            "           {online} are online, {}",
            Used::now().memory()
        ));
    });
    let full = Used::now();
    tell_coming(came, &empty, &full, say);

    if options.chat > 0 {
        let before = Used::now();
        let chatted = crowd.chat(ChatPlan {
            writers: options.writers,
            per_second: options.chat,
            bytes: options.bytes as usize,
            lasts: options.lasts.get(),
        });
        tell_chat(&chatted, options, &before, &Used::now(), say);
    }

    let start = Instant::now();
    crowd.cut();
    let gone = async {
        while !node.router.directory().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let gone = runtime.block_on(async { tokio::time::timeout(LEAVING, gone).await });
    say(&match gone {
        Ok(()) => format!(
            "leaving    all cut off at once, gone after {:.1} s; {}",
            start.elapsed().as_secs_f64(),
            Used::now().memory()
        ),
        Err(_) => format!("leaving    not all are gone after {LEAVING:?}"),
    });
    for (problem, times) in crowd.problems().iter() {
        say(&format!("problem    {problem}: {times}"));
    }
    let problems = crowd.problems().total();
    runtime.block_on(node.shutdown());
    Ok(problems)
}

fn tell_coming(came: Came, empty: &Used, full: &Used, say: &mut dyn FnMut(&str)) {
    let sessions = u64::from(came.online.max(1));
    let seconds = came.took.as_secs_f64();
    let cpu = (full.cpu - empty.cpu).saturating_sub(came.own_cpu);
    say(&format!(
        "coming     {} sessions, {seconds:.1} s, {:.0} a second; the node's CPU {} a login",
        came.online,
        sessions as f64 / seconds,
        Micros(cpu, sessions)
    ));
    say(&format!("memory     {}", full.memory()));
    let each = |before: u64, after: u64| KiB(after.saturating_sub(before) / sessions);
    let allocated = each(empty.allocated, full.allocated);
    say(&format!(
        "a session  {} resident, {allocated} allocated; {} bytes of it are the crowd's own",
        each(empty.resident, full.resident),
        Crowd::bytes_per_client()
    ));
}

fn tell_chat(
    chatted: &Chatted,
    options: CrowdOptions,
    before: &Used,
    after: &Used,
    say: &mut dyn FnMut(&str),
) {
    let late = |quantile| Millis(chatted.latency.value_at_quantile(quantile));
    let cpu = (after.cpu - before.cpu).saturating_sub(chatted.own_cpu);
    say(&format!(
        "chat       {} messages of {} writers, {} due a second, {:.1} s; the node's CPU {} a message",
        chatted.sent,
        options.writers,
        options.chat,
        chatted.took.as_secs_f64(),
        Micros(cpu, chatted.sent)
    ));
    say(&format!(
        "late by    p50 {}, p99 {}, p99.9 {}, at most {}; lost {}, twice {}",
        late(0.5),
        late(0.99),
        late(0.999),
        Millis(chatted.latency.max()),
        chatted.lost,
        chatted.twice
    ));
    say(&format!("memory     {}", after.memory()));
}

/// What the process has used so far, and holds now.
struct Used {
    cpu: Duration,
    resident: u64,
    allocated: u64,
}

impl Used {
    fn now() -> Used {
        Used {
            cpu: process::cpu(),
            resident: process::resident().unwrap_or_default(),
            allocated: heap::look().map_or(0, |heap| heap.allocated),
        }
    }

    fn memory(&self) -> String {
        let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
        format!(
            "{:.2} GiB resident, {:.2} GiB allocated",
            gib(self.resident),
            gib(self.allocated)
        )
    }
}

struct KiB(u64);

impl Display for KiB {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} KiB", self.0 as f64 / 1024.0)
    }
}

/// Nanoseconds, as milliseconds.
struct Millis(u64);

impl Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} ms", self.0 as f64 / 1e6)
    }
}

/// A time over a number of things.
struct Micros(Duration, u64);

impl Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.1} µs",
            self.0.as_secs_f64() * 1e6 / self.1.max(1) as f64
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_comes_chats_and_leaves_a_whole_node() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = DataFolder::open(folder.path()).expect("a data folder");
        let config = Config::<Modules> {
            listeners: Vec::new(),
            ..Config::default()
        };
        let options = CrowdOptions {
            users: 500,
            under_way: 64,
            chat: 400,
            writers: 20,
            bytes: 100,
            lasts: Span::millis(250),
        };
        let mut told = String::new();
        let runtime = Runtime::new().expect("a runtime");
        let problems = perform(&runtime, config, data, options, &mut |text| {
            told = format!("{told}{text}\n");
        });
        assert_eq!(problems.expect("the node starts"), 0, "{told}");
        for wanted in [
            "\ncoming     500 sessions, ",
            "\nchat       100 messages of 20 writers, ",
            "; lost 0, twice 0\n",
            "\nleaving    all cut off at once, ",
        ] {
            assert!(told.contains(wanted), "{wanted}: {told}");
        }
    }
}
