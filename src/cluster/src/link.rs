//! The link to one peer: what is said to it and was not confirmed, whichever connection carries it.
//!
//! Parcels are numbered from 0 in the order in which they are first written. The receiver counts and says
//! now and then how many have come; what is not confirmed is kept, written again on the next connection, or
//! given back when the peer is given up. Deltas go before letters and have room of their own, so that
//! no crowd of stanzas holds up what nodes know of each other.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use crate::frame::{self, Batch, Frame, Garbage, LONGEST_LETTER, Parcel};
use crate::members::LinkId;
use crate::node::Millis;

/// Bytes of deltas that may be on their way.
const DELTA_ROOM: usize = 1 << 20;
/// So many parcels, or so many bytes of them, are confirmed without waiting for company.
const CONFIRM_COUNT: u64 = 256;
const CONFIRM_BYTES: usize = 256 << 10;
/// How long a confirmation waits for something that it can travel with.
const CONFIRM_DELAY: Millis = Millis(10);

/// What a link may hold, and when its peer is dead.
#[derive(Debug, Clone, Copy)]
pub struct LinkLimits {
    /// Bytes of letters that are not confirmed.
    pub bytes: usize,
    /// Letters that are not confirmed.
    pub letters: usize,
    /// Without a sign of life for so long, a peer is dead.
    pub dead_after: Millis,
}

impl Default for LinkLimits {
    fn default() -> Self {
        Self {
            bytes: 16 << 20,
            letters: 65_536,
            dead_after: Millis(5_000),
        }
    }
}

/// Why a parcel was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// The limits are reached; [`Link::drained`] says when there is room again.
    #[error("more waits for the node than may")]
    Full,
    /// The link was given up: the peer is gone, or there is a new link to it.
    #[error("the node is gone")]
    Gone,
    /// It is longer than [`LONGEST_LETTER`] and can never be sent.
    #[error("it is longer than {LONGEST_LETTER} bytes")]
    Long,
}

/// Why a connection has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Severed {
    /// What came makes no sense.
    #[error("the other node doesn't keep to the protocol: {0}")]
    Garbage(#[from] Garbage),
    /// The link goes on over another connection, or was given up.
    #[error("the link goes on over another connection")]
    Replaced,
    /// The peer leaves: tell [`Members::left`](crate::Members::left).
    #[error("the other node has left the cluster")]
    Left,
}

/// Which of its connections a link is used with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connection(u64);

/// The link to one peer.
#[derive(Debug)]
pub struct Link {
    id: LinkId,
    limits: LinkLimits,
    /// How many connections there were; the last one counts while `attached`.
    connections: u64,
    attached: bool,
    given_up: bool,

    letters: VecDeque<Parcel>,
    deltas: VecDeque<Parcel>,
    /// Written on some connection and not confirmed; the first has the number `confirmed`.
    sent: VecDeque<Parcel>,
    confirmed: u64,
    /// How many of `sent` were written on this connection.
    written: usize,
    /// Letters in `letters` and `sent`.
    held_letters: usize,
    held_bytes: usize,
    /// Bytes of deltas in `deltas` and `sent`.
    held_deltas: usize,
    deltas_pushed: u64,
    deltas_confirmed: u64,
    /// Somebody was turned away.
    full: bool,
    leaving: Leaving,

    received: u64,
    /// What the peer was told of `received`.
    told: u64,
    untold_bytes: usize,
    confirm_at: Option<Millis>,

    heard: Millis,
    next_ping: Millis,
    pong: Option<Millis>,
    round_trip: Option<Millis>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaving {
    No,
    WhenEmpty,
    Said,
}

impl Link {
    pub(crate) fn new(id: LinkId, limits: LinkLimits, now: Millis) -> Self {
        Self {
            id,
            limits,
            connections: 0,
            attached: false,
            given_up: false,
            letters: VecDeque::new(),
            deltas: VecDeque::new(),
            sent: VecDeque::new(),
            confirmed: 0,
            written: 0,
            held_letters: 0,
            held_bytes: 0,
            held_deltas: 0,
            deltas_pushed: 0,
            deltas_confirmed: 0,
            full: false,
            leaving: Leaving::No,
            received: 0,
            told: 0,
            untold_bytes: 0,
            confirm_at: None,
            heard: now,
            next_ping: now,
            pong: None,
            round_trip: None,
        }
    }

    pub(crate) fn id(&self) -> LinkId {
        self.id
    }

    /// How many parcels have come.
    pub(crate) fn received_count(&self) -> u64 {
        self.received
    }

    /// Whether the peer can have received so many.
    pub(crate) fn can_resume(&self, received: u64) -> bool {
        let most = self.confirmed + self.sent.len() as u64;
        (self.confirmed..=most).contains(&received)
    }

    /// Goes on over a new connection, at whose other end so many parcels have come.
    pub(crate) fn attach(&mut self, now: Millis, received: u64) -> Result<Connection, Garbage> {
        self.confirm(received)?;
        self.connections += 1;
        self.attached = true;
        self.written = 0;
        self.pong = None;
        self.heard = now;
        self.next_ping = now;
        // The handshake has said it.
        self.told_now();
        Ok(Connection(self.connections))
    }

    /// Takes no more from its connection, nor gives it anything.
    pub(crate) fn detach(&mut self) {
        self.attached = false;
    }

    /// What was not confirmed, in order. Nothing is taken from this link's connection any more.
    pub(crate) fn give_up(&mut self) -> Vec<Bytes> {
        self.detach();
        self.given_up = true;
        let letters = std::mem::take(&mut self.letters);
        let sent = std::mem::take(&mut self.sent);
        self.deltas.clear();
        (self.held_letters, self.held_bytes, self.held_deltas) = (0, 0, 0);
        let letter = |parcel| match parcel {
            Parcel::Letter(bytes) => Some(bytes),
            Parcel::Delta(_) => None,
        };
        sent.into_iter().chain(letters).filter_map(letter).collect()
    }

    /// Takes a letter for the peer.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub fn push(&mut self, letter: Bytes) -> Result<(), NotTaken> {
        if self.given_up {
            return Err(NotTaken::Gone);
        }
        if letter.len() > LONGEST_LETTER {
            return Err(NotTaken::Long);
        }
        if self.held_letters >= self.limits.letters || self.held_bytes >= self.limits.bytes {
            self.full = true;
            return Err(NotTaken::Full);
        }
        self.held_letters += 1;
        self.held_bytes += letter.len();
        self.letters.push_back(Parcel::Letter(letter));
        Ok(())
    }

    /// How many bytes of deltas may be pushed now.
    #[must_use]
    pub fn delta_room(&self) -> usize {
        DELTA_ROOM.saturating_sub(self.held_deltas)
    }

    /// Takes a delta that [`Registry::take`](crate::Registry::take) has given.
    ///
    /// # Errors
    /// [`NotTaken`], never [`Full`](NotTaken::Full): [`delta_room`](Self::delta_room) is the caller's care.
    pub fn push_delta(&mut self, delta: Bytes) -> Result<(), NotTaken> {
        if self.given_up {
            return Err(NotTaken::Gone);
        }
        if delta.len() > LONGEST_LETTER {
            return Err(NotTaken::Long);
        }
        self.held_deltas += delta.len();
        self.deltas_pushed += 1;
        self.deltas.push_back(Parcel::Delta(delta));
        Ok(())
    }

    /// How many deltas were pushed, and how many of them the peer has confirmed.
    #[must_use]
    pub fn deltas(&self) -> (u64, u64) {
        (self.deltas_pushed, self.deltas_confirmed)
    }

    /// Letters, and bytes of them, that are not confirmed.
    #[must_use]
    pub fn held(&self) -> (usize, usize) {
        (self.held_letters, self.held_bytes)
    }

    /// The time from the last answered heartbeat to its answer.
    #[must_use]
    pub fn round_trip(&self) -> Option<Millis> {
        self.round_trip
    }

    /// Whether a connection carries it.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.attached
    }

    /// True once after letters were turned away, when half of the room is there again.
    pub fn drained(&mut self) -> bool {
        let low = self.held_letters <= self.limits.letters / 2
            && self.held_bytes <= self.limits.bytes / 2;
        low && std::mem::take(&mut self.full)
    }

    /// When all is confirmed, the peer is told that this node leaves.
    pub fn leave(&mut self) {
        if self.leaving == Leaving::No {
            self.leaving = Leaving::WhenEmpty;
        }
    }

    /// The connection is over; the link waits for the next one.
    pub fn disconnected(&mut self, connection: Connection) {
        if self.carries(connection) {
            self.detach();
        }
    }

    /// Bytes have come: takes whole frames from the front of `bytes`, leaves the rest, and adds what is new
    /// to `parcels`. They count as taken: the caller deals with all of them, even when this fails, and before it
    /// lets go of the link, so that the next connection can't overtake.
    ///
    /// # Errors
    /// [`Severed`]: the connection has to end.
    pub fn received(
        &mut self,
        connection: Connection,
        now: Millis,
        bytes: &mut BytesMut,
        parcels: &mut Vec<Parcel>,
    ) -> Result<(), Severed> {
        if !self.carries(connection) {
            return Err(Severed::Replaced);
        }
        if !bytes.is_empty() {
            self.heard = now;
        }
        while let Some(frame) = frame::next(bytes)? {
            match frame {
                Frame::Batch {
                    first,
                    parcels: batch,
                } => self.batch(now, first, batch, parcels)?,
                Frame::Confirm(count) => self.confirm(count)?,
                Frame::Ping(at) => self.pong = Some(at),
                Frame::Pong(at) => self.round_trip = Some(now - at),
                Frame::Bye => {
                    self.detach();
                    return Err(Severed::Left);
                }
            }
        }
        Ok(())
    }

    fn batch(
        &mut self,
        now: Millis,
        first: u64,
        mut batch: Bytes,
        parcels: &mut Vec<Parcel>,
    ) -> Result<(), Garbage> {
        let mut number = first;
        if number > self.received {
            return Err(Garbage::Gap {
                expected: self.received,
                came: number,
            });
        }
        while let Some(parcel) = frame::next_parcel(&mut batch)? {
            if number == self.received {
                self.received += 1;
                self.untold_bytes += parcel.len();
                parcels.push(parcel);
            }
            number += 1;
        }
        if self.received > self.told && self.confirm_at.is_none() {
            self.confirm_at = Some(now + CONFIRM_DELAY);
        }
        Ok(())
    }

    /// The peer has received so many.
    fn confirm(&mut self, count: u64) -> Result<(), Garbage> {
        if count < self.confirmed {
            // Said before the last connection broke.
            return Ok(());
        }
        if !self.can_resume(count) {
            return Err(Garbage::Confirmed(count));
        }
        while self.confirmed < count
            && let Some(parcel) = self.sent.pop_front()
        {
            self.confirmed += 1;
            self.written = self.written.saturating_sub(1);
            match parcel {
                Parcel::Letter(bytes) => {
                    self.held_letters -= 1;
                    self.held_bytes -= bytes.len();
                }
                Parcel::Delta(bytes) => {
                    self.held_deltas -= bytes.len();
                    self.deltas_confirmed += 1;
                }
            }
        }
        Ok(())
    }

    /// Puts what waits into `out`, until that holds `most` bytes or more. What comes out must all be written,
    /// in order, to this connection, or the connection must end.
    ///
    /// # Errors
    /// [`Severed::Replaced`].
    pub fn write(
        &mut self,
        connection: Connection,
        now: Millis,
        most: usize,
        out: &mut BytesMut,
    ) -> Result<(), Severed> {
        if !self.carries(connection) {
            return Err(Severed::Replaced);
        }
        if let Some(at) = self.pong.take() {
            frame::put_pong(out, at);
        }
        if now >= self.next_ping {
            frame::put_ping(out, now);
            self.next_ping = now + Millis(self.limits.dead_after.0 / 5);
        }
        while out.len() < most && self.has_unwritten() {
            self.write_batch(most, out);
        }
        if self.leaving == Leaving::WhenEmpty && self.sent.is_empty() && !self.has_unwritten() {
            self.leaving = Leaving::Said;
            frame::put_bye(out);
        }
        let due = self.confirm_at.is_some_and(|at| at <= now)
            || self.received - self.told >= CONFIRM_COUNT
            || self.untold_bytes >= CONFIRM_BYTES;
        if self.received > self.told && (due || !out.is_empty()) {
            frame::put_confirm(out, self.received);
            self.told_now();
        }
        Ok(())
    }

    fn has_unwritten(&self) -> bool {
        self.written < self.sent.len() || !self.deltas.is_empty() || !self.letters.is_empty()
    }

    fn write_batch(&mut self, most: usize, out: &mut BytesMut) {
        let first = self.confirmed + self.written as u64;
        let before = out.len();
        let mut batch = Batch::begin(out, first);
        let mut len = before;
        while len < most {
            if self.written == self.sent.len() {
                let next = self.deltas.pop_front().or_else(|| self.letters.pop_front());
                let Some(next) = next else { break };
                self.sent.push_back(next);
            }
            let Some(parcel) = self.sent.get(self.written) else {
                break;
            };
            if !batch.takes(parcel) {
                break;
            }
            batch.put(parcel);
            len += parcel.len();
            self.written += 1;
        }
        batch.end();
    }

    fn told_now(&mut self) {
        self.told = self.received;
        self.untold_bytes = 0;
        self.confirm_at = None;
    }

    fn carries(&self, connection: Connection) -> bool {
        self.attached && connection.0 == self.connections
    }

    /// When there will be something to write, though nobody has asked for it.
    #[must_use]
    pub fn due(&self) -> Millis {
        self.confirm_at
            .map_or(self.next_ping, |at| at.min(self.next_ping))
    }

    /// When the peer is dead, if nothing is heard of it until then.
    #[must_use]
    pub fn deadline(&self) -> Millis {
        self.heard + self.limits.dead_after
    }
}
