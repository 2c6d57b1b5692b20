//! The XML declaration (XML 1.0 §2.8, RFC 6120 §11.5).

use crate::XmlError::{self, NotWellFormed, Restricted, UnsupportedEncoding};
use crate::class::{self, NAME, SPACE};

/// Checks `<?xml version='1.0' encoding='UTF-8' standalone='yes'?>`, of which only the version is
/// needed. `bytes` ends with the first `>`.
pub(crate) fn check(bytes: &[u8]) -> Result<(), XmlError> {
    const BROKEN: XmlError = NotWellFormed("a malformed XML declaration");
    let inner = bytes.strip_prefix(b"<?").unwrap_or_default();
    let target = class::run_of(inner, NAME);
    if &inner[..target] != b"xml" {
        return Err(Restricted("a processing instruction"));
    }
    let mut rest = inner[target..].strip_suffix(b"?>").ok_or(BROKEN)?;
    let version = field(&mut rest, b"version").ok_or(BROKEN)?;
    if version != b"1.0" {
        return Err(NotWellFormed("another XML version than 1.0"));
    }
    if let Some(encoding) = field(&mut rest, b"encoding")
        && !encoding.eq_ignore_ascii_case(b"UTF-8")
    {
        return Err(UnsupportedEncoding);
    }
    if let Some(standalone) = field(&mut rest, b"standalone")
        && !matches!(standalone, b"yes" | b"no")
    {
        return Err(BROKEN);
    }
    if class::run_of(rest, SPACE) != rest.len() {
        return Err(BROKEN);
    }
    Ok(())
}

/// Takes ` name = 'value'` off the front, or leaves `rest` as it is.
fn field<'a>(rest: &mut &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let space = class::run_of(rest, SPACE);
    if space == 0 {
        return None;
    }
    let after = trim(rest[space..].strip_prefix(name)?);
    let after = trim(after.strip_prefix(b"=")?);
    let (&quote, after) = after.split_first()?;
    if !matches!(quote, b'\'' | b'"') {
        return None;
    }
    let end = after.iter().position(|&b| b == quote)?;
    *rest = &after[end + 1..];
    Some(&after[..end])
}

fn trim(bytes: &[u8]) -> &[u8] {
    &bytes[class::run_of(bytes, SPACE)..]
}
