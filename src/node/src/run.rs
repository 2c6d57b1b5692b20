//! From the command line to the end of the node.

use std::io::Write;
use std::path::Path;

use config::Loaded;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::boot::Node;
use crate::data::DataFolder;
use crate::registry::Modules;
use crate::{check, logging};

/// Runs a node until it is told to stop.
///
/// # Errors
/// What keeps it from starting, made for the operator; or that its tree has given up.
pub(crate) fn run(config: Option<&Path>, data: &Path) -> anyhow::Result<()> {
    let Loaded { config, warnings } = check::read::<Modules>(config)?;
    logging::start(&config.log)?;
    for warning in warnings {
        tracing::warn!(what = "configuration", "{warning}");
    }
    let data = DataFolder::open(data)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(async {
        let mut signals = Signals::new()?;
        let node = Node::boot(config, data).await?;
        say(&node.told());
        node.live(&mut signals).await
    });
    // What still runs was told to stop and had its time.
    runtime.shutdown_background();
    ended
}

/// The signals that a node listens to.
pub(crate) struct Signals {
    term: Signal,
    int: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for SIGTERM or SIGINT.
    async fn stop(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}

impl Node {
    /// Lives until it is told to stop, and stops in order; told so again, at once.
    async fn live(mut self, signals: &mut Signals) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                _ = signals.term.recv() => break,
                _ = signals.int.recv() => break,
                _ = signals.hangup.recv() => {
                    // What is wrong with a file is in the log; the others are in use.
                    let _ = self.certificates.reload();
                }
                gave_up = self.tree.gave_up() => {
                    tracing::error!(what = "node_gave_up", error = %gave_up);
                    return Err(gave_up.into());
                }
            }
        }
        tracing::info!(
            what = "node_stopping",
            sessions = self.router.directory().len()
        );
        tokio::select! {
            () = self.shutdown() => tracing::info!(what = "node_stopped"),
            () = signals.stop() => tracing::warn!(what = "node_stopped_at_once"),
        }
        Ok(())
    }
}

/// Tells the person who started the node.
#[expect(clippy::print_stdout, reason = "it is what the program is asked for")]
fn say(text: &str) {
    print!("{text}");
    // Nobody may be reading.
    let _ = std::io::stdout().flush();
}
