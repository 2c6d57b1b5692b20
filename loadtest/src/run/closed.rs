//! Closed loops: who hears something answers it, so that the server's speed is the speed of all.

use std::cell::Cell;

use bytes::BytesMut;
use xml::Element;

use super::ears::Ears;
use super::world::World;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::measure::Counter;

/// What one user says and hears in a closed loop.
pub(crate) trait Game {
    /// Whether it is our turn to say something, after what was heard.
    fn is_due(&self) -> bool;

    /// Says the next thing, which carries this time; how many times it is to be heard.
    fn say(&mut self, now: u64, out: &mut BytesMut) -> u64;

    /// Takes note of a stanza; `None` if it is none of this game.
    fn hear(&mut self, stanza: &Element) -> Option<Heard>;
}

/// Something that was said in the game has come.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    /// Whether it is one that can come now: none before it is missing or doubled.
    pub(crate) in_order: bool,
    /// When it was said, in the sender's nanoseconds.
    pub(crate) said_at: u64,
}

/// What all who play a game together share; they live on one thread.
#[derive(Debug, Default)]
pub(crate) struct Board {
    /// Deliveries that are to come of what was said.
    due: Cell<u64>,
    heard: Cell<u64>,
    disordered: Cell<u64>,
    /// Nobody says anything any more.
    draining: Cell<bool>,
}

impl Board {
    /// Lets nobody say anything any more.
    pub(crate) fn drain(&self) {
        self.draining.set(true);
    }

    /// How much was said and not heard.
    pub(crate) fn missing(&self) -> u64 {
        self.due.get().saturating_sub(self.heard.get())
    }

    /// How much came doubled or out of order.
    pub(crate) fn disordered(&self) -> u64 {
        self.disordered.get()
    }
}

/// Which part a user has in a game.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    /// How many things one says at the beginning.
    pub(crate) first: u32,
    pub(crate) board: &'a Board,
    /// What each delivery counts as.
    pub(crate) transaction: u16,
    /// The phase with which it ends.
    pub(crate) until: usize,
}

/// Plays a part until its phase has ended.
pub(crate) async fn play(
    connection: &mut Connection,
    mut game: impl Game,
    part: Part<'_>,
    world: &World,
) -> Result<(), Failure> {
    let Part {
        first,
        board,
        transaction,
        until,
    } = part;
    let ears = Ears(world);
    let mut out = BytesMut::new();
    let now = world.now();
    for _ in 0..first {
        add(&board.due, game.say(now, &mut out));
    }
    let said = |times: u32| {
        if transaction == world.message {
            world.ledger.count(Counter::Sent, times.into());
        }
    };
    said(first);
    connection.send(&out).await?;
    drop(out);

    let ended = world.stage.behind(until);
    tokio::pin!(ended);
    loop {
        // One look at the clock for all that one read brought.
        let mut now = None;
        let turn = connection.turn(|stanza, out| {
            let Some(heard) = game.hear(stanza) else {
                return ears.hear(stanza);
            };
            let now = *now.get_or_insert_with(|| world.now());
            add(&board.heard, 1);
            add(&board.disordered, u64::from(!heard.in_order));
            world
                .ledger
                .took(transaction, now.saturating_sub(heard.said_at));
            if game.is_due() && !board.draining.get() {
                add(&board.due, game.say(now, out));
                said(1);
            }
        });
        tokio::select! {
            biased;
            turned = turn => turned?,
            () = &mut ended => return Ok(()),
        }
    }
}

fn add(counter: &Cell<u64>, more: u64) {
    counter.set(counter.get() + more);
}
