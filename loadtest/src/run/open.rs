//! Open loops: messages have their time, whatever became of those before. What is late is written as
//! soon as it can be and carries the time at which it was due, so that nobody's waiting is left out.

use std::time::{Duration, Instant};

use bytes::BytesMut;

use super::chance::Chance;
use super::ears::Ears;
use super::world::World;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::measure::Counter;
use crate::scenario::Addressee;

/// How much a user writes at once who is late.
const AT_ONCE: usize = 64;
/// Bytes that wait for a server that reads slowly. What is due then waits, too, with its time.
const WAITING: usize = 64 << 10;

/// What a user writes.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    /// Who writes.
    pub(crate) number: u32,
    pub(crate) to: &'a Addressee,
    /// On average; the distances are those of a Poisson process.
    pub(crate) per_second: f64,
    pub(crate) bytes: u32,
    /// The phase with which it ends.
    pub(crate) until: usize,
}

/// Writes until the phase has ended.
pub(crate) async fn play(
    connection: &mut Connection,
    part: Part<'_>,
    world: &World,
) -> Result<(), Failure> {
    let Part {
        number,
        to,
        per_second,
        bytes,
        until,
    } = part;
    let mut chance = Chance::new(u64::from(number) ^ world.now() << 24);
    let mut wait = || Duration::from_secs_f64(chance.distance() / per_second);
    let mut due = Instant::now() + wait();
    let ears = Ears(world);
    let ended = world.stage.behind(until);
    tokio::pin!(ended);
    let mut out = BytesMut::new();
    loop {
        let timer = world.clock.until(due);
        tokio::pin!(timer);
        let has_ended = loop {
            let full = out.len() >= WAITING;
            tokio::select! {
                biased;
                // Whoever can't write goes on reading: a server may wait for that.
                turned = connection.turn_or_write(&mut out, |stanza, _| ears.hear(stanza)) => turned?,
                () = &mut timer, if !full => break false,
                () = &mut ended => break true,
            }
        };
        if has_ended {
            break;
        }
        let now = Instant::now();
        for _ in 0..AT_ONCE {
            if due > now || out.len() >= WAITING {
                break;
            }
            if !world.post.is_draining(until) {
                write(world, number, to, bytes, None, world.at(due), &mut out)?;
            }
            due += wait();
        }
    }
    // Nothing else can be said in the middle of a message.
    let rest = async {
        while !out.is_empty() {
            connection
                .turn_or_write(&mut out, |stanza, _| ears.hear(stanza))
                .await?;
        }
        Ok(())
    };
    let written = tokio::time::timeout(world.patience, rest).await;
    written.unwrap_or(Err(Failure::TooSlow(world.patience.as_secs_f64())))
}

/// Writes one message to somebody.
///
/// # Errors
/// There is nobody to write to.
pub(crate) fn write(
    world: &World,
    from: u32,
    to: &Addressee,
    bytes: u32,
    text: Option<&str>,
    due: u64,
    out: &mut BytesMut,
) -> Result<(), Failure> {
    let online = world.online.borrow();
    let chance = &mut world.chance.borrow_mut();
    let (to, waited_for) = match to {
        Addressee::Partner => {
            let partner = from ^ 1;
            if partner >= world.accounts.count() {
                return Err(Failure::Nobody("beside"));
            }
            (world.jid(partner), online.has(partner).then_some(partner))
        }
        Addressee::Online => {
            let other = online.other(from, chance).ok_or(Failure::Nobody("there"))?;
            (world.jid(other), Some(other))
        }
        Addressee::Offline => {
            let other = online.away(from, chance).ok_or(Failure::Nobody("away"))?;
            (world.bare_jid(other), None)
        }
        Addressee::Random => {
            let other = online.anybody(chance);
            (world.bare_jid(other), online.has(other).then_some(other))
        }
        Addressee::Address(address) => (address.clone(), None),
    };
    world.ledger.count(Counter::Sent, 1);
    out.extend_from_slice(b"<message type='chat' to='");
    out.extend_from_slice(xml::escape_attr(&to).as_bytes());
    out.extend_from_slice(b"' id='");
    world.post.write(waited_for, due, out);
    out.extend_from_slice(b"'><body>");
    match text {
        Some(text) => out.extend_from_slice(xml::escape_text(text).as_bytes()),
        None => out.resize(out.len() + bytes as usize, b'x'),
    }
    out.extend_from_slice(b"</body></message>");
    Ok(())
}
