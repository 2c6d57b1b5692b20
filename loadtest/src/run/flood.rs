//! A flood: users write to one who never reads, as much as the server takes.
//!
//! The server closes the one who never reads sooner or later; then whatever is written to them comes back
//! as an error, they see what the server said, log in again, and the flood goes on.

use std::cell::Cell;
use std::rc::Rc;

use bytes::BytesMut;
use tokio::sync::Notify;
use xml::Element;

use super::ears::Ears;
use super::world::World;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::measure::Counter;

/// Messages that are written in one go.
const AT_ONCE: u16 = 16;
/// What the server ends the stream of somebody with who does not read (RFC 6120 §4.9.3.14).
const CLOSED_WITH: &str = "policy-violation";

/// What all share who flood and who are flooded; they live on one thread.
#[derive(Debug, Default)]
pub(crate) struct Flood {
    /// How often somebody has begun to read nothing; each message carries it.
    round: Cell<u64>,
    /// The round of which a message came back last.
    back: Cell<u64>,
    /// Told then.
    came_back: Notify,
}

impl Flood {
    /// Takes note of a stanza; whether it is a message of a flood that came back.
    fn hear(&self, stanza: &Element) -> bool {
        if stanza.name() != "message" || stanza.plain_attr("type") != Some("error") {
            return false;
        }
        let id = stanza.plain_attr("id").and_then(|id| id.strip_prefix('f'));
        let Some(round) = id.and_then(|round| round.parse().ok()) else {
            return false;
        };
        if round > self.back.get() {
            self.back.set(round);
            self.came_back.notify_waiters();
        }
        true
    }

    /// Until a message of this round has come back.
    async fn is_back(&self, round: u64) {
        while self.back.get() < round {
            self.came_back.notified().await;
        }
    }
}

/// Writes to an address as much as the server takes, and reads what comes back, until the phase has
/// ended.
pub(crate) async fn write(
    connection: &mut Connection,
    to: &str,
    bytes: u32,
    until: usize,
    world: &World,
) -> Result<(), Failure> {
    let (text, ears) = (Text::new(to, bytes), Ears(world));
    let ended = world.stage.behind(until);
    tokio::pin!(ended);
    let mut chunk = BytesMut::new();
    loop {
        if chunk.is_empty() {
            let round = world.flood.round.get();
            (0..AT_ONCE).for_each(|_| text.write(round, &mut chunk));
            world.ledger.count(Counter::Sent, AT_ONCE.into());
        }
        let turn =
            connection.turn_or_write(&mut chunk, |stanza, _| match world.flood.hear(stanza) {
                true => world.ledger.count(Counter::Bounced, 1),
                false => ears.hear(stanza),
            });
        tokio::select! {
            biased;
            () = &mut ended => return Ok(()),
            turned = turn => turned?,
        }
    }
}

/// Reads nothing until the server has had enough of it, and logs in again, until the phase has ended.
/// How long the server bore it each time is measured.
pub(crate) async fn never_read(
    mut connection: Connection,
    number: u32,
    until: usize,
    world: &World,
) -> Result<(), Failure> {
    let mut closed = 0;
    let deaf = async {
        loop {
            let (began, round) = (world.now(), world.flood.round.get() + 1);
            world.flood.round.set(round);
            world.flood.is_back(round).await;
            let mut end = read(&mut connection).await;
            loop {
                match end {
                    Failure::Stream(condition) if condition == CLOSED_WITH => {
                        let took = world.now().saturating_sub(began);
                        world.ledger.took(world.closed, took);
                        closed += 1;
                    }
                    other => return other,
                }
                // As soon as they are there the flood comes, before we have looked what the server says.
                match log_in(number, world).await {
                    Ok(again) => {
                        connection = again;
                        break;
                    }
                    Err(failure) => end = failure,
                }
            }
        }
    };
    let failure = tokio::select! {
        failure = deaf => Some(failure),
        () = world.stage.behind(until) => None,
    };
    let never = u64::from(closed == 0);
    world
        .ledger
        .problem("who never reads was never closed", never);
    failure.map_or(Ok(()), Err)
}

/// Reads until the stream ends; why it did.
async fn read(connection: &mut Connection) -> Failure {
    loop {
        if let Err(failure) = connection.turn(|_, _| {}).await {
            return failure;
        }
    }
}

/// Connects, logs in and says that they are there.
async fn log_in(number: u32, world: &World) -> Result<Connection, Failure> {
    let login = async {
        let place = Rc::clone(world.place(number));
        let localpart = world.accounts.localpart(number);
        let mut connection = Connection::open(&place, &localpart).await?;
        let password = world.accounts.password(number);
        connection.authenticate(&password).await?;
        world.ledger.count(Counter::Logins, 1);
        connection.send(b"<presence/>").await?;
        Ok(connection)
    };
    let late = |_| Failure::TooSlow(world.patience.as_secs_f64());
    let logged_in = tokio::time::timeout(world.patience, login).await;
    logged_in.map_err(late)?
}

/// A message, but for the round.
#[derive(Debug)]
struct Text {
    head: Box<str>,
    tail: Box<str>,
}

impl Text {
    fn new(to: &str, bytes: u32) -> Text {
        let to = xml::escape_attr(to);
        let body = "x".repeat(bytes as usize);
        Text {
            head: format!("<message type='chat' to='{to}' id='f").into(),
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
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn only_what_was_sent_in_this_round_tells_that_the_victim_is_gone() {
        let flood = Flood::default();
        let text = Text::new("o'hara@localhost/load", 3);
        for (round, gone) in [(0, false), (1, false), (2, true), (1, true)] {
            let mut out = BytesMut::new();
            text.write(round, &mut out);
            let sent = String::from_utf8_lossy(&out).into_owned();
            let stanza = |text: &str| Element::parse(text.as_bytes()).expect("well-formed");
            assert!(!flood.hear(&stanza(&sent)), "it did not come back");
            assert!(flood.hear(&stanza(&sent.replace("'chat'", "'error'"))));
            let told = tokio::time::timeout(Duration::ZERO, flood.is_back(2)).await;
            assert_eq!(told.is_ok(), gone, "round {round}");
        }
    }
}
