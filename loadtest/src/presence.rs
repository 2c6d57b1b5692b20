//! `presence`: groups of contacts change their presence in a closed loop.
//!
//! Everybody changes theirs as soon as the last change of everybody else in the group has come: each
//! change is delivered to all the others. A presence carries its round and the time it was sent in
//! its `id`.

mod rounds;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::arguments::PresencePlan;
use crate::client::Client;
use crate::connection::Connection;
use crate::contacts;
use crate::crowd::{self, Failures};
use crate::failure::Failure;
use crate::idle::stay;
use crate::latency::Latencies;
use crate::presence::rounds::Rounds;
use crate::process::Watch;
use crate::report::Report;

/// How long the first presences may take.
const SETTLE: Duration = Duration::from_secs(2);
/// How long the last presences may take.
const DRAIN: Duration = Duration::from_secs(10);
/// How often is looked whether they are there.
const GLANCE: Duration = Duration::from_millis(20);

/// What all share; they live on one thread.
#[derive(Debug)]
struct Board {
    /// What `id`s count from.
    began: Instant,
    act: Cell<Act>,
    /// Deliveries that are to come of what was said.
    due: Cell<u64>,
    received: Cell<u64>,
    disordered: Cell<u64>,
    latencies: RefCell<Latencies>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    WarmUp,
    Measured,
    /// Nobody says anything any more.
    Drain,
}

/// Plays it.
///
/// # Errors
/// The server can't be watched, or somebody can't log in: then figures would mean little.
pub(crate) async fn run(plan: &PresencePlan) -> Result<Report, Failure> {
    let crowd = Arc::new(plan.crowd.clone());
    let contacts_of = |number| contacts::in_group(crowd.count, plan.group, number);
    let watch = Watch::new(crowd.pid)?;
    let mut report = Report::new(format!(
        "presence: {} users in groups of {} over {}, {} s",
        crowd.count,
        plan.group,
        if crowd.tls { "TLS 1.3" } else { "TCP" },
        plan.seconds
    ));
    if plan.prepare {
        contacts::make(&crowd, contacts_of)
            .await?
            .report(&mut report);
    }
    if !report.is_clean() {
        return Ok(report);
    }
    let crowd::LoggedIn {
        online, failures, ..
    } = crowd::log_in(&crowd).await?;
    failures.report(&mut report);
    if !report.is_clean() {
        return Ok(report);
    }

    // Presences of the logins, which are not counted, are behind everybody then.
    let (online, lost) = stay(online, SETTLE).await;
    lost.report(&mut report);
    if !report.is_clean() {
        return Ok(report);
    }

    let board = Rc::new(Board {
        began: Instant::now(),
        act: Cell::new(Act::WarmUp),
        due: Cell::default(),
        received: Cell::default(),
        disordered: Cell::default(),
        latencies: RefCell::new(Latencies::new()),
    });
    let (stop, stopped) = watch::channel(());
    let mut users = JoinSet::new();
    for (number, connection) in online {
        let others = contacts_of(number).len() as u32;
        // The last one may be alone.
        if others > 0 {
            let board = Rc::clone(&board);
            let rounds = Rounds::new(&Client::jid(&crowd, number), others);
            users.spawn_local(change(connection, rounds, others, board, stopped.clone()));
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
    while board.received.get() < board.due.get() && Instant::now() < until {
        tokio::time::sleep(GLANCE).await;
    }
    drop(stop);
    let mut ended = Failures::default();
    while let Some(end) = users.join_next().await {
        match end {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => ended.count(&failure),
            Err(broken) => std::panic::resume_unwind(broken.into_panic()),
        }
    }

    let latencies = board.latencies.borrow();
    let deliveries = latencies.count();
    report
        .count("deliveries", deliveries)
        .figure("rate", deliveries as f64 / took.as_secs_f64(), "/s")
        .time("p50", latencies.quantile(0.5))
        .time("p99", latencies.quantile(0.99))
        .time("longest", latencies.max())
        .cost("cpu_per_delivery", after.cpu_since(&before), deliveries)
        .memory(&before, &after)
        .disturbances(&before, &after);
    report
        .problem(
            "a presence was lost",
            board.due.get().saturating_sub(board.received.get()),
        )
        .problem(
            "a presence was out of order or doubled",
            board.disordered.get(),
        )
        .problem("no presence came at all", u64::from(deliveries == 0));
    ended.report(&mut report);
    Ok(report)
}

/// One user's part, until `stopped` closes.
async fn change(
    mut connection: Connection,
    mut rounds: Rounds,
    others: u32,
    board: Rc<Board>,
    mut stopped: watch::Receiver<()>,
) -> Result<(), Failure> {
    let mut first = BytesMut::new();
    rounds.say(board.now(), &mut first);
    add(&board.due, others.into());
    connection.send(&first).await?;
    drop(first);

    let stopped = stopped.changed();
    tokio::pin!(stopped);
    loop {
        // One look at the clock for all that one read brought.
        let mut now = None;
        let turn = connection.turn(|stanza, out| {
            let Some(heard) = rounds.hear(stanza) else {
                return;
            };
            let now = *now.get_or_insert_with(|| board.now());
            add(&board.received, 1);
            add(&board.disordered, u64::from(!heard.in_order));
            if board.act.get() == Act::Measured {
                let took = now.saturating_sub(heard.said_at);
                board.latencies.borrow_mut().record(took);
            }
            if rounds.is_due() && board.act.get() != Act::Drain {
                rounds.say(now, out);
                add(&board.due, others.into());
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
