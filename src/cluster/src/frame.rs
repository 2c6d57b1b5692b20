//! Frames: what is said after the handshake, as bytes.
//!
//! A frame has its length in front, in four bytes, and then its kind. A batch has the number of its first
//! parcel, and of each parcel its kind, its length in four bytes, and its bytes.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::node::Millis;
use crate::wire;

/// The longest frame, its length not counted. One that says it is longer is refused before it is read.
pub const LONGEST_FRAME: usize = 1 << 20;
/// The longest letter: it fits into a frame of its own.
pub const LONGEST_LETTER: usize = LONGEST_FRAME - BATCH_HEAD - PARCEL_HEAD;

/// The kind and the number of the first parcel.
const BATCH_HEAD: usize = 9;
const PARCEL_HEAD: usize = 5;
/// Its length.
const FRAME_HEAD: usize = 4;

const BATCH: u8 = 1;
const CONFIRM: u8 = 2;
const PING: u8 = 3;
const PONG: u8 = 4;
const BYE: u8 = 5;

const LETTER: u8 = 1;
const DELTA: u8 = 2;

/// What came makes no sense; the connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Garbage {
    /// Longer than [`LONGEST_FRAME`].
    #[error("a frame of {0} bytes is longer than it may be")]
    Long(u32),
    /// Ends within something.
    #[error("it ends within something")]
    Short,
    /// Goes on where it should end.
    #[error("it goes on where it should end")]
    Trailing,
    /// A kind that this version does not know.
    #[error("kind {0} is not known")]
    Kind(u8),
    /// A text that is none.
    #[error("a text is not UTF-8")]
    Text,
    /// Another word of the handshake must come first.
    #[error("a word comes where another must")]
    Order,
    /// Parcels are missing.
    #[error("parcel {expected} should come, and {came} came")]
    Gap {
        /// The number that was due.
        expected: u64,
        /// The number that came.
        came: u64,
    },
    /// More is confirmed than was sent.
    #[error("parcel {0} is confirmed and was never sent")]
    Confirmed(u64),
}

/// What a link carries, in order and once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parcel {
    /// For the driver; the link does not look inside.
    Letter(Bytes),
    /// For [`Registry::apply`](crate::Registry::apply).
    Delta(Bytes),
}

impl Parcel {
    /// Its bytes.
    pub(crate) fn bytes(&self) -> &Bytes {
        match self {
            Self::Letter(bytes) | Self::Delta(bytes) => bytes,
        }
    }

    /// What it takes in a frame.
    pub(crate) fn len(&self) -> usize {
        PARCEL_HEAD + self.bytes().len()
    }
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Frame {
    /// Parcels one after another, the first of this number.
    Batch { first: u64, parcels: Bytes },
    /// So many parcels have come.
    Confirm(u64),
    /// A sign of life that is answered; the moment is the sender's own.
    Ping(Millis),
    /// The answer, with the moment that came.
    Pong(Millis),
    /// The sender leaves for good; nothing follows.
    Bye,
}

/// Takes a frame from the front of what came; `None`: more must come.
pub(crate) fn next(bytes: &mut BytesMut) -> Result<Option<Frame>, Garbage> {
    let Some(head) = bytes.first_chunk::<FRAME_HEAD>() else {
        return Ok(None);
    };
    let len = u32::from_be_bytes(*head);
    let whole = len as usize;
    if whole > LONGEST_FRAME {
        return Err(Garbage::Long(len));
    }
    if bytes.len() < FRAME_HEAD + whole {
        return Ok(None);
    }
    bytes.advance(FRAME_HEAD);
    let mut frame = bytes.split_to(whole).freeze();
    let read = match wire::u8(&mut frame)? {
        BATCH => {
            return Ok(Some(Frame::Batch {
                first: wire::u64(&mut frame)?,
                parcels: frame,
            }));
        }
        CONFIRM => Frame::Confirm(wire::u64(&mut frame)?),
        PING => Frame::Ping(Millis(wire::u64(&mut frame)?)),
        PONG => Frame::Pong(Millis(wire::u64(&mut frame)?)),
        BYE => Frame::Bye,
        kind => return Err(Garbage::Kind(kind)),
    };
    if frame.is_empty() {
        Ok(Some(read))
    } else {
        Err(Garbage::Trailing)
    }
}

/// Takes a parcel from the front of a batch; it shares the bytes that were received.
pub(crate) fn next_parcel(batch: &mut Bytes) -> Result<Option<Parcel>, Garbage> {
    if batch.is_empty() {
        return Ok(None);
    }
    let kind = wire::u8(batch)?;
    let len = wire::u32(batch)? as usize;
    let bytes = wire::run(batch, len)?;
    match kind {
        LETTER => Ok(Some(Parcel::Letter(bytes))),
        DELTA => Ok(Some(Parcel::Delta(bytes))),
        kind => Err(Garbage::Kind(kind)),
    }
}

/// A batch that is being written.
pub(crate) struct Batch<'a> {
    out: &'a mut BytesMut,
    start: usize,
}

impl<'a> Batch<'a> {
    /// One whose first parcel has this number.
    pub(crate) fn begin(out: &'a mut BytesMut, first: u64) -> Self {
        let start = out.len();
        out.put_u32(0);
        out.put_u8(BATCH);
        out.put_u64(first);
        Self { out, start }
    }

    /// Whether it still fits.
    pub(crate) fn takes(&self, parcel: &Parcel) -> bool {
        self.len() + parcel.len() <= LONGEST_FRAME
    }

    pub(crate) fn put(&mut self, parcel: &Parcel) {
        let (kind, bytes) = match parcel {
            Parcel::Letter(bytes) => (LETTER, bytes),
            Parcel::Delta(bytes) => (DELTA, bytes),
        };
        self.out.reserve(parcel.len());
        self.out.put_u8(kind);
        self.out.put_u32(length(bytes.len()));
        self.out.put_slice(bytes);
    }

    /// Says in front how long it has become.
    pub(crate) fn end(self) {
        let len = length(self.len());
        self.out[self.start..self.start + FRAME_HEAD].copy_from_slice(&len.to_be_bytes());
    }

    fn len(&self) -> usize {
        self.out.len() - self.start - FRAME_HEAD
    }
}

/// Nothing longer than [`LONGEST_FRAME`] is written.
fn length(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// Writes a frame that is no batch.
fn number(out: &mut BytesMut, kind: u8, number: u64) {
    out.put_u32(9);
    out.put_u8(kind);
    out.put_u64(number);
}

pub(crate) fn put_confirm(out: &mut BytesMut, count: u64) {
    number(out, CONFIRM, count);
}

pub(crate) fn put_ping(out: &mut BytesMut, at: Millis) {
    number(out, PING, at.0);
}

pub(crate) fn put_pong(out: &mut BytesMut, at: Millis) {
    number(out, PONG, at.0);
}

pub(crate) fn put_bye(out: &mut BytesMut) {
    out.put_u32(1);
    out.put_u8(BYE);
}

#[cfg(test)]
mod tests;
