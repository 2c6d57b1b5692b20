//! `chat`: pairs of users chat in a closed loop.
//!
//! Each user sends as many messages as the window has; from then on everybody answers each message
//! with one of their own, so that every user always has a window of messages under way. A message
//! carries its number and the time it was sent in its `id`: what is lost, doubled or out of order is
//! seen at once, and how long it took.

mod talk;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::arguments::ChatPlan;
use crate::chat::talk::Talk;
use crate::client::Client;
use crate::connection::Connection;
use crate::crowd::{self, Failures};
use crate::failure::Failure;
use crate::latency::Latencies;
use crate::process::Watch;
use crate::report::Report;

/// How long the last messages may take.
const DRAIN: Duration = Duration::from_secs(10);
/// How often is looked whether they are there.
const GLANCE: Duration = Duration::from_millis(20);

/// What all chats share; they live on one thread.
#[derive(Debug)]
struct Board {
    /// What `id`s count from.
    began: Instant,
    act: Cell<Act>,
    sent: Cell<u64>,
    received: Cell<u64>,
    disordered: Cell<u64>,
    latencies: RefCell<Latencies>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    WarmUp,
    Measured,
    /// Nobody answers any more.
    Drain,
}

/// Plays it.
///
/// # Errors
/// The server can't be watched, or somebody can't log in: then figures would mean little.
pub(crate) async fn run(plan: &ChatPlan) -> Result<Report, Failure> {
    let crowd = Arc::new(plan.crowd.clone());
    let watch = Watch::new(crowd.pid)?;
    let board = Rc::new(Board {
        began: Instant::now(),
        act: Cell::new(Act::WarmUp),
        sent: Cell::default(),
        received: Cell::default(),
        disordered: Cell::default(),
        latencies: RefCell::new(Latencies::new()),
    });
    let crowd::LoggedIn {
        online, failures, ..
    } = crowd::log_in(&crowd).await?;
    let mut report = Report::new(format!(
        "chat: {} users over {}, window {}, {} bytes, {} s",
        crowd.count,
        if crowd.tls { "TLS 1.3" } else { "TCP" },
        plan.window,
        plan.body,
        plan.seconds
    ));
    failures.report(&mut report);
    if !report.is_clean() {
        return Ok(report);
    }

    let (stop, stopped) = watch::channel(());
    let mut chats = JoinSet::new();
    for (number, connection) in online {
        // The last of an odd crowd has nobody to talk to.
        let partner = number ^ 1;
        if partner < crowd.count {
            let talk = Talk::new(&Client::jid(&crowd, partner), plan.body);
            chats.spawn_local(chat(
                connection,
                talk,
                plan.window,
                Rc::clone(&board),
                stopped.clone(),
            ));
        }
    }
    drop(stopped);

    tokio::time::sleep(Duration::from_secs(plan.warm_up)).await;
    let (before, from) = (watch.look()?, Instant::now());
    board.act.set(Act::Measured);
    tokio::time::sleep(Duration::from_secs(plan.seconds)).await;
    board.act.set(Act::Drain);
    let (after, took) = (watch.look()?, from.elapsed());

    let until = Instant::now() + DRAIN;
    while board.received.get() < board.sent.get() && Instant::now() < until {
        tokio::time::sleep(GLANCE).await;
    }
    drop(stop);
    let mut ended = Failures::default();
    while let Some(end) = chats.join_next().await {
        match end {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => ended.count(&failure),
            Err(broken) => std::panic::resume_unwind(broken.into_panic()),
        }
    }

    let latencies = board.latencies.borrow();
    let messages = latencies.count();
    report
        .count("messages", messages)
        .figure("rate", messages as f64 / took.as_secs_f64(), "messages/s")
        .time("p50", latencies.quantile(0.5))
        .time("p99", latencies.quantile(0.99))
        .time("p99.9", latencies.quantile(0.999))
        .time("longest", latencies.max())
        .cost("cpu_per_message", after.cpu_since(&before), messages)
        .memory(&before, &after)
        .disturbances(&before, &after);
    report.problem(
        "a message was lost",
        board.sent.get().saturating_sub(board.received.get()),
    );
    report.problem(
        "a message was out of order or doubled",
        board.disordered.get(),
    );
    report.problem("no message came at all", u64::from(messages == 0));
    ended.report(&mut report);
    Ok(report)
}

/// One user's part, until `stopped` closes.
async fn chat(
    mut connection: Connection,
    mut talk: Talk,
    window: u32,
    board: Rc<Board>,
    mut stopped: watch::Receiver<()>,
) -> Result<(), Failure> {
    let mut first = BytesMut::new();
    let now = board.now();
    for _ in 0..window {
        talk.say(now, &mut first);
    }
    add(&board.sent, window.into());
    connection.send(&first).await?;
    drop(first);

    let stopped = stopped.changed();
    tokio::pin!(stopped);
    loop {
        // One look at the clock for all that one read brought.
        let mut now = None;
        let turn = connection.turn(|message, out| {
            if message.name() != "message" {
                return;
            }
            let now = *now.get_or_insert_with(|| board.now());
            let heard = talk.hear(message);
            add(&board.received, 1);
            add(&board.disordered, u64::from(!heard.in_order));
            if board.act.get() == Act::Measured
                && let Some(sent_at) = heard.sent_at
            {
                board
                    .latencies
                    .borrow_mut()
                    .record(now.saturating_sub(sent_at));
            }
            if board.act.get() != Act::Drain {
                talk.say(now, out);
                add(&board.sent, 1);
            }
        });
        tokio::select! {
            biased;
            turned = turn => turned?,
            _ = &mut stopped => break,
        }
    }
    connection.close().await;
    Ok(())
}

impl Board {
    /// Nanoseconds since the beginning.
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

fn add(counter: &Cell<u64>, more: u64) {
    counter.set(counter.get() + more);
}
