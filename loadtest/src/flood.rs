//! `flood`: users write to one who never reads, as much as the server takes.
//!
//! The server closes the one who never reads sooner or later; then whatever is written to them comes
//! back as an error, they log in again, and the flood goes on. What it does to others is seen by a
//! `chat` at the same time, in a process of its own: there its users do not wait for ours.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use xml::Element;

use crate::arguments::FloodPlan;
use crate::client::Client;
use crate::connection::Connection;
use crate::crowd::{self, Failures};
use crate::failure::Failure;
use crate::place::{Accounts, Place};
use crate::process::Watch;
use crate::report::Report;

/// Messages that are written in one go.
const AT_ONCE: usize = 16;
/// How often is looked at the server's memory.
const GLANCE: Duration = Duration::from_millis(50);
/// A login that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the server ends the stream of somebody with who does not read (RFC 6120 §4.9.3.14).
const CLOSED_WITH: &str = "policy-violation";

/// What all of them share; they live on one thread.
#[derive(Debug, Default)]
struct Board {
    /// How often the victim has logged in; each message carries it.
    round: Cell<u64>,
    sent: Cell<u64>,
    bounced: Cell<u64>,
    /// Told when a message of this round came back.
    gone: Notify,
    /// How often the victim was closed as it should be.
    closed: Cell<u64>,
    failures: RefCell<Failures>,
}

/// Plays it.
///
/// # Errors
/// The server can't be watched, or TLS can't be set up.
pub(crate) async fn run(plan: &FloodPlan) -> Result<Report, Failure> {
    crowd::raise_file_limit(plan.count + 1)?;
    let place = Place::find(&plan.target(), false, &[])?;
    let accounts = Accounts::Pattern {
        pattern: "u%d".to_owned(),
        password: plan.password.clone(),
        first: plan.first,
        // The last is the one behind those who write.
        count: plan.count.saturating_add(1),
    };
    let watch = Watch::new(plan.pid)?;
    let board = Rc::new(Board::default());
    let mut report = Report::new(format!(
        "flood: {} users write to one, {} bytes, {} s",
        plan.count, plan.body, plan.seconds
    ));
    let mut flooders = Vec::new();
    for number in 0..plan.count {
        match log_in(&place, &accounts, number).await {
            Ok(connection) => flooders.push(connection),
            Err(failure) => board.failures.borrow_mut().count(&failure),
        }
    }
    let before = watch.look()?;

    let (stop, stopped) = watch::channel(());
    let mut all = JoinSet::new();
    let to = Client::jid(&place, &accounts.localpart(plan.count));
    all.spawn_local(never_read(
        place,
        accounts,
        plan.count,
        Rc::clone(&board),
        stopped.clone(),
    ));
    for connection in flooders {
        let text = Text::new(&to, plan.body);
        all.spawn_local(flood(connection, text, Rc::clone(&board), stopped.clone()));
    }
    drop(stopped);
    let end = Instant::now() + Duration::from_secs(plan.seconds);
    let mut most = before;
    let after = loop {
        tokio::time::sleep(GLANCE).await;
        let now = watch.look()?;
        if now.server.map(|usage| usage.memory) > most.server.map(|usage| usage.memory) {
            most = now;
        }
        if Instant::now() >= end {
            break now;
        }
    };
    drop(stop);
    while let Some(end) = all.join_next().await {
        match end {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => board.failures.borrow_mut().count(&failure),
            Err(broken) => std::panic::resume_unwind(broken.into_panic()),
        }
    }

    report
        .count("messages", board.sent.get())
        .count("bounced", board.bounced.get())
        .count("closed", board.closed.get())
        .memory(&before, &after);
    if let Some(most) = most.server {
        report.figure(
            "memory_peak",
            most.memory as f64 / f64::from(1 << 20),
            "MiB",
        );
    }
    report.disturbances(&before, &after).problem(
        "who never reads was never closed",
        u64::from(board.closed.get() == 0),
    );
    board.failures.borrow().report(&mut report);
    Ok(report)
}

/// Connects, logs in and says that they are there.
async fn log_in(
    place: &Rc<Place>,
    accounts: &Accounts,
    number: u32,
) -> Result<Connection, Failure> {
    let login = async {
        let mut connection = Connection::open(place, &accounts.localpart(number)).await?;
        connection.authenticate(&accounts.password(number)).await?;
        connection.send(b"<presence/>").await?;
        Ok(connection)
    };
    tokio::time::timeout(PATIENCE, login)
        .await
        .map_err(|_| Failure::TooSlow(PATIENCE.as_secs_f64()))?
}

/// Is there and reads nothing until the server has had enough; again and again.
async fn never_read(
    place: Rc<Place>,
    accounts: Accounts,
    number: u32,
    board: Rc<Board>,
    mut stopped: watch::Receiver<()>,
) -> Result<(), Failure> {
    let stopped = stopped.changed();
    tokio::pin!(stopped);
    loop {
        let logged_in = tokio::select! {
            logged_in = log_in(&place, &accounts, number) => logged_in,
            _ = &mut stopped => return Ok(()),
        };
        let mut connection = match logged_in {
            Ok(connection) => connection,
            // As soon as they are there the flood comes, before we have looked what the server says.
            Err(Failure::Stream(condition)) if condition == CLOSED_WITH => {
                board.closed.set(board.closed.get() + 1);
                continue;
            }
            Err(failure) => return Err(failure),
        };
        board.round.set(board.round.get() + 1);
        tokio::select! {
            () = board.gone.notified() => {}
            _ = &mut stopped => return Ok(()),
        }
        let end = loop {
            if let Err(failure) = connection.turn(|_, _| {}).await {
                break failure;
            }
        };
        match end {
            Failure::Stream(condition) if condition == CLOSED_WITH => {
                board.closed.set(board.closed.get() + 1);
            }
            other => return Err(other),
        }
    }
}

/// Writes as much as the server takes, and reads what comes back, until `stopped` closes.
async fn flood(
    mut connection: Connection,
    text: Text,
    board: Rc<Board>,
    mut stopped: watch::Receiver<()>,
) -> Result<(), Failure> {
    let stopped = stopped.changed();
    tokio::pin!(stopped);
    let mut chunk = BytesMut::new();
    loop {
        if chunk.is_empty() {
            let round = board.round.get();
            (0..AT_ONCE).for_each(|_| text.write(round, &mut chunk));
            board.sent.set(board.sent.get() + AT_ONCE as u64);
        }
        let turn = connection.turn_or_write(&mut chunk, |message, _| board.hear(message));
        tokio::select! {
            biased;
            turned = turn => turned?,
            _ = &mut stopped => break,
        }
    }
    // In the middle of a message there is no way to close a stream in order.
    Ok(())
}

impl Board {
    /// Something came: if it is a message, it came back.
    fn hear(&self, message: &Element) {
        if message.name() != "message" {
            return;
        }
        self.bounced.set(self.bounced.get() + 1);
        let round = message.plain_attr("id").and_then(|id| id.parse().ok());
        if round == Some(self.round.get()) && round != Some(0) {
            self.gone.notify_one();
        }
    }
}

/// A message, but for the round.
#[derive(Debug)]
struct Text {
    head: Box<str>,
    tail: Box<str>,
}

impl Text {
    fn new(to: &str, body: u32) -> Text {
        let to = xml::escape_attr(to);
        let body = "x".repeat(body as usize);
        Text {
            head: format!("<message type='chat' to='{to}' id='").into(),
            tail: format!("'><body>{body}</body></message>").into(),
        }
    }

    fn write(&self, round: u64, out: &mut BytesMut) {
        out.extend_from_slice(self.head.as_bytes());
        out.extend_from_slice(round.to_string().as_bytes());
        out.extend_from_slice(self.tail.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_what_was_sent_in_this_round_tells_that_the_victim_is_gone() {
        let board = Board::default();
        board.round.set(2);
        let text = Text::new("o'hara@localhost/load", 3);
        for (round, gone) in [(0, false), (1, false), (2, true)] {
            let mut out = BytesMut::new();
            text.write(round, &mut out);
            board.hear(&Element::parse(&out).expect("well-formed"));
            let told = tokio::time::timeout(Duration::ZERO, board.gone.notified()).await;
            assert_eq!(told.is_ok(), gone, "round {round}");
        }
        assert_eq!(board.bounced.get(), 3);
    }
}
