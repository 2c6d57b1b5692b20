//! References in both directions (XML 1.0 §2.4, §4.1, and the normalisations of §2.11, §3.3.3).

use std::borrow::Cow;

use crate::class::is_char;

/// Escapes character data: `&`, `<`, `>` (for `]]>`) and `\r`; what XML cannot carry becomes U+FFFD.
pub fn escape_text(text: &str) -> Cow<'_, str> {
    escape(text, |c| match c {
        '\'' | '"' | '\t' | '\n' => None,
        c => reference(c),
    })
}

/// Escapes an attribute value for either kind of quote; white space but the blank becomes
/// references so that it survives; what XML cannot carry becomes U+FFFD.
pub fn escape_attr(text: &str) -> Cow<'_, str> {
    escape(text, reference)
}

fn reference(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '\'' => Some("&apos;"),
        '"' => Some("&quot;"),
        '\t' => Some("&#9;"),
        '\n' => Some("&#10;"),
        '\r' => Some("&#13;"),
        c if is_char(c) => None,
        _ => Some("\u{FFFD}"),
    }
}

fn escape(text: &str, replace: impl Fn(char) -> Option<&'static str>) -> Cow<'_, str> {
    // Nearly all texts: printable ASCII that stands for itself.
    let plain =
        |b: &u8| matches!(b, b' '..=b'~') && !matches!(b, b'&' | b'<' | b'>' | b'\'' | b'"');
    if text.as_bytes().iter().all(plain) {
        return Cow::Borrowed(text);
    }
    let Some((at, _)) = text.char_indices().find(|&(_, c)| replace(c).is_some()) else {
        return Cow::Borrowed(text);
    };
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(&text[..at]);
    for c in text[at..].chars() {
        match replace(c) {
            Some(s) => out.push_str(s),
            None => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// The character of a reference without its `&` and `;`: `None` if it is none of the five
/// predefined entities and no reference to a legal character.
pub(crate) fn decode(reference: &[u8]) -> Option<char> {
    let number = match reference {
        b"amp" => return Some('&'),
        b"lt" => return Some('<'),
        b"gt" => return Some('>'),
        b"apos" => return Some('\''),
        b"quot" => return Some('"'),
        [b'#', b'x', digits @ ..] => number(digits, 16)?,
        [b'#', digits @ ..] => number(digits, 10)?,
        _ => return None,
    };
    char::from_u32(number).filter(|&c| is_char(c))
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u32, |n, &d| {
        let d = (d as char).to_digit(radix)?;
        n.checked_mul(radix)?.checked_add(d)
    })
}

/// Decodes a checked attribute value: references, and white space as blanks (§3.3.3).
pub(crate) fn unescape_attr(raw: &str) -> Cow<'_, str> {
    unescape(raw, true)
}

/// Decodes checked character data: references, and line ends as `\n` (§2.11).
pub(crate) fn unescape_text(raw: &str) -> Cow<'_, str> {
    unescape(raw, false)
}

fn unescape(raw: &str, attr: bool) -> Cow<'_, str> {
    let special = |&b: &u8| b == b'&' || b == b'\r' || (attr && (b == b'\t' || b == b'\n'));
    let Some(first) = raw.as_bytes().iter().position(special) else {
        return Cow::Borrowed(raw);
    };
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    let mut at = first;
    loop {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match rest.as_bytes().first() {
            None => break,
            Some(b'&') => {
                let end = rest.find(';').unwrap_or(rest.len());
                out.extend(decode(&rest.as_bytes()[1..end]));
                rest = rest.get(end + 1..).unwrap_or_default();
            }
            Some(&b) => {
                out.push(if attr { ' ' } else { '\n' });
                let pair = b == b'\r' && rest.as_bytes().get(1) == Some(&b'\n');
                rest = &rest[1 + usize::from(pair)..];
            }
        }
        at = rest
            .as_bytes()
            .iter()
            .position(special)
            .unwrap_or(rest.len());
    }
    Cow::Owned(out)
}

/// Decodes line ends alone, for CDATA sections.
pub(crate) fn unescape_cdata(raw: &str) -> Cow<'_, str> {
    if raw.contains('\r') {
        Cow::Owned(raw.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(raw)
    }
}
