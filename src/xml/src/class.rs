//! Which bytes and characters may stand where (XML 1.0 §2.2, §2.3).

/// Ends a run of text: `<`, `&`, `>` and control characters.
pub(crate) const TEXT: u8 = 1;
/// Ends a run of an attribute value: quotes, `<`, `&` and control characters.
pub(crate) const VALUE: u8 = 2;
/// Ends a run of a CDATA section: `>` and control characters.
pub(crate) const CDATA: u8 = 4;
/// May be part of a name, the colon included; everything above ASCII is checked later.
pub(crate) const NAME: u8 = 8;
/// May begin a name.
pub(crate) const START: u8 = 16;
/// White space.
pub(crate) const SPACE: u8 = 32;
/// A control character that XML forbids.
pub(crate) const ILLEGAL: u8 = 64;

pub(crate) static CLASS: [u8; 256] = table();

const fn table() -> [u8; 256] {
    let mut table = [0u8; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        let mut class = 0;
        if b < 0x20 {
            class |= TEXT | VALUE | CDATA;
            if !matches!(b, b'\t' | b'\n' | b'\r') {
                class |= ILLEGAL;
            }
        }
        if matches!(b, b'<' | b'&' | b'>') {
            class |= TEXT;
        }
        if matches!(b, b'<' | b'&' | b'\'' | b'"') {
            class |= VALUE;
        }
        if b == b'>' {
            class |= CDATA;
        }
        if b.is_ascii_alphabetic() || matches!(b, b'_' | b':') || b >= 0x80 {
            class |= NAME | START;
        }
        if b.is_ascii_digit() || matches!(b, b'-' | b'.') {
            class |= NAME;
        }
        if matches!(b, b' ' | b'\t' | b'\n' | b'\r') {
            class |= SPACE;
        }
        table[byte] = class;
        byte += 1;
    }
    table
}

/// True if `byte` has one of `bits`.
#[inline(always)]
pub(crate) fn is(byte: u8, bits: u8) -> bool {
    CLASS[byte as usize] & bits != 0
}

/// Length of the run at the start of `bytes` in which no byte has one of `bits`.
#[inline]
pub(crate) fn run_without(bytes: &[u8], bits: u8) -> usize {
    bytes
        .iter()
        .position(|&b| is(b, bits))
        .unwrap_or(bytes.len())
}

/// Length of the run at the start of `bytes` in which every byte has one of `bits`.
#[inline]
pub(crate) fn run_of(bytes: &[u8], bits: u8) -> usize {
    bytes
        .iter()
        .position(|&b| !is(b, bits))
        .unwrap_or(bytes.len())
}

/// As [`run_without`] for [`TEXT`], sixteen bytes at a time: the compiler makes vector code of it.
#[inline]
pub(crate) fn text_run(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<16>();
    let mut done = 0;
    for block in blocks {
        let mut hit = false;
        for &b in block {
            hit |= (b < 0x20) | (b == b'<') | (b == b'&') | (b == b'>');
        }
        if hit {
            break;
        }
        done += 16;
    }
    done + run_without(&bytes[done..], TEXT)
}

/// `Char` of XML 1.0.
pub(crate) fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// `NameStartChar` without the colon.
pub(crate) fn is_name_start(c: char) -> bool {
    matches!(c,
        'A'..='Z' | '_' | 'a'..='z' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}'
        | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}'
        | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}'
        | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

/// `NameChar` without the colon.
pub(crate) fn is_name_char(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}
