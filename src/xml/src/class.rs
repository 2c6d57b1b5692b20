//! Which bytes and characters may stand where (XML 1.0 §2.2, §2.3).

/// May be part of a name, the colon included; everything above ASCII is checked later.
pub(crate) const NAME: u8 = 1;
/// May begin a name.
pub(crate) const START: u8 = 2;
/// White space.
pub(crate) const SPACE: u8 = 4;
/// A colon or part of a character beyond ASCII: names with them need a second look.
pub(crate) const ODD: u8 = 16;
/// A control character that XML forbids.
pub(crate) const ILLEGAL: u8 = 8;

pub(crate) static CLASS: [u8; 256] = table();

const fn table() -> [u8; 256] {
    let mut table = [0u8; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        let mut class = 0;
        if b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r') {
            class |= ILLEGAL;
        }
        if b.is_ascii_alphabetic() || matches!(b, b'_' | b':') || b >= 0x80 {
            class |= NAME | START;
        }
        if b == b':' || b >= 0x80 {
            class |= ODD;
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

/// Length of the run at the start of `bytes` in which every byte has one of `bits`.
#[inline]
pub(crate) fn run_of(bytes: &[u8], bits: u8) -> usize {
    bytes
        .iter()
        .position(|&b| !is(b, bits))
        .unwrap_or(bytes.len())
}

/// Bytes before the first that is one of `stops` or a control character, eight at a time.
#[inline]
pub(crate) fn run_to(bytes: &[u8], stops: [u8; 3]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // `byte - n` borrows into the highest bit if the byte is less than n, and `byte ^ stop` is 0,
    // less than 1, for a stop. Stops are ASCII, so that one mask keeps what had that bit before.
    // Above the lowest mark there may be false ones, by the borrow; below it there are none.
    let spread = stops.map(|stop| ONES * u64::from(stop));
    let (words, rest) = bytes.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let mut marks = word.wrapping_sub(ONES * 0x20);
        for stop in spread {
            marks |= (word ^ stop).wrapping_sub(ONES);
        }
        marks &= !word & HIGH;
        if marks != 0 {
            return i * 8 + marks.trailing_zeros() as usize / 8;
        }
    }
    let tail = rest
        .iter()
        .position(|b| *b < 0x20 || stops.contains(b))
        .unwrap_or(rest.len());
    words.len() * 8 + tail
}

/// As [`run_to`] with the stops of text.
#[inline]
pub(crate) fn text_run(bytes: &[u8]) -> usize {
    run_to(bytes, [b'<', b'&', b'>'])
}

/// Length of the run of name bytes at the start of `bytes`, and if one of them is a colon or not
/// ASCII.
#[inline]
pub(crate) fn name_run(bytes: &[u8]) -> (usize, bool) {
    let mut seen = 0;
    for (i, &byte) in bytes.iter().enumerate() {
        let class = CLASS[byte as usize];
        if class & NAME == 0 {
            return (i, seen & ODD != 0);
        }
        seen |= class;
    }
    (bytes.len(), seen & ODD != 0)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Every byte, alone and beside bytes that could lend it a false mark.
    #[test]
    fn runs_end_where_they_should() {
        for stop in 0..=255u8 {
            for before in 0..20 {
                for fill in [b'a', 0x80, 0xFF, 0x20] {
                    let mut bytes = vec![fill; before];
                    bytes.push(stop);
                    bytes.extend([fill, b'<', 0, fill, 0xFF, b'\'', 0x1F, b'&', b'>']);
                    let slow =
                        |stops: [u8; 3]| bytes.iter().position(|b| *b < 0x20 || stops.contains(b));
                    for stops in [[b'\'', b'<', b'&'], [b'>'; 3]] {
                        assert_eq!(Some(run_to(&bytes, stops)), slow(stops), "{bytes:?}");
                    }
                    assert_eq!(
                        Some(text_run(&bytes)),
                        slow([b'<', b'&', b'>']),
                        "{bytes:?}"
                    );
                }
            }
        }
        assert_eq!(run_to(b"abcdefghijk", [b'<'; 3]), 11);
        assert_eq!(text_run(&[b'x'; 45]), 45);
    }
}
