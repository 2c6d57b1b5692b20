//! Deltas as bytes: one after another, what a node has or has no more.

use bytes::{BufMut, Bytes, BytesMut};

use super::key::{Key, KeyKind, Resources};
use crate::frame::Garbage;
use crate::wire;

const BEGIN: u8 = 1;
const END: u8 = 2;
const SET: u8 = 3;
const DROP: u8 = 4;

/// One thing that a delta says. Without a kind, it is of one that this version does not know.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// Everything follows.
    Begin,
    /// That was everything.
    End,
    Set {
        kind: Option<KeyKind>,
        name: Box<str>,
        epoch: u64,
        value: Resources,
    },
    Drop {
        kind: Option<KeyKind>,
        name: Box<str>,
    },
}

/// Takes an item from the front.
pub(super) fn next(from: &mut Bytes) -> Result<Option<Item>, Garbage> {
    if from.is_empty() {
        return Ok(None);
    }
    let item = match wire::u8(from)? {
        BEGIN => Item::Begin,
        END => Item::End,
        SET => {
            let kind = KeyKind::from_number(wire::u8(from)?);
            let name = wire::text(from)?;
            let epoch = wire::u64(from)?;
            let len = wire::u32(from)? as usize;
            let value = Resources::read(&wire::run(from, len)?).ok_or(Garbage::Text)?;
            Item::Set {
                kind,
                name,
                epoch,
                value,
            }
        }
        DROP => Item::Drop {
            kind: KeyKind::from_number(wire::u8(from)?),
            name: wire::text(from)?,
        },
        kind => return Err(Garbage::Kind(kind)),
    };
    Ok(Some(item))
}

pub(super) fn put_begin(out: &mut BytesMut) {
    out.put_u8(BEGIN);
}

pub(super) fn put_end(out: &mut BytesMut) {
    out.put_u8(END);
}

pub(super) fn put_set(out: &mut BytesMut, key: &Key, epoch: u64, value: &Resources) {
    out.put_u8(SET);
    out.put_u8(key.kind as u8);
    wire::put_text(out, &key.name);
    out.put_u64(epoch);
    out.put_u32(u32::try_from(value.as_bytes().len()).unwrap_or(u32::MAX));
    out.put_slice(value.as_bytes());
}

pub(super) fn put_drop(out: &mut BytesMut, key: &Key) {
    out.put_u8(DROP);
    out.put_u8(key.kind as u8);
    wire::put_text(out, &key.name);
}
