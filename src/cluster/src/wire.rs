//! Numbers and runs of bytes, taken from the front of what came. Numbers are big-endian.

use bytes::{Buf, BufMut, Bytes};

use crate::frame::Garbage;

/// Takes a byte.
pub(crate) fn u8(from: &mut Bytes) -> Result<u8, Garbage> {
    from.try_get_u8().map_err(|_| Garbage::Short)
}

/// Takes two.
pub(crate) fn u16(from: &mut Bytes) -> Result<u16, Garbage> {
    from.try_get_u16().map_err(|_| Garbage::Short)
}

/// Takes four.
pub(crate) fn u32(from: &mut Bytes) -> Result<u32, Garbage> {
    from.try_get_u32().map_err(|_| Garbage::Short)
}

/// Takes eight.
pub(crate) fn u64(from: &mut Bytes) -> Result<u64, Garbage> {
    from.try_get_u64().map_err(|_| Garbage::Short)
}

/// Takes so many; they stay where they are.
pub(crate) fn run(from: &mut Bytes, len: usize) -> Result<Bytes, Garbage> {
    if from.len() < len {
        return Err(Garbage::Short);
    }
    Ok(from.split_to(len))
}

/// Takes a text with its length in front, in two bytes.
pub(crate) fn text(from: &mut Bytes) -> Result<Box<str>, Garbage> {
    let len = usize::from(u16(from)?);
    let bytes = run(from, len)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Garbage::Text)?;
    Ok(text.into())
}

/// Puts a text as [`text`] takes it, cut off at what two bytes can count; what is put here is shorter.
pub(crate) fn put_text(out: &mut impl BufMut, text: &str) {
    let len = u16::try_from(text.len()).unwrap_or(u16::MAX);
    out.put_u16(len);
    out.put_slice(&text.as_bytes()[..usize::from(len)]);
}
