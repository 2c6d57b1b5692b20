//! Qualified names and namespace declarations (Namespaces in XML 1.0).

use crate::XmlError::{self, BadPrefix, NotWellFormed, TooBig};
use crate::class::{self, START};
use crate::escape::unescape_attr;
use crate::index::{AttrAt, NsAt};
use crate::scope::{XML_NS, XMLNS_NS};

/// Checks a name made of name bytes and returns its length and that of its prefix.
pub(crate) fn qualified(name: &[u8]) -> Result<(u16, u16), XmlError> {
    let len = u16::try_from(name.len()).map_err(|_| TooBig(usize::from(u16::MAX)))?;
    let (prefix, local) = match name.iter().position(|&b| b == b':') {
        None => (None, name),
        Some(at) => (Some(&name[..at]), &name[at + 1..]),
    };
    if prefix.is_some_and(|p| !is_ncname(p)) || !is_ncname(local) {
        return Err(NotWellFormed("a malformed name"));
    }
    Ok((len, prefix.map_or(0, |p| p.len() as u16)))
}

/// A name without a colon; `name` holds only bytes that may be in names.
fn is_ncname(name: &[u8]) -> bool {
    let Some(&first) = name.first() else {
        return false;
    };
    if name.is_ascii() {
        return class::is(first, START) && !name.contains(&b':');
    }
    let Ok(name) = std::str::from_utf8(name) else {
        return false;
    };
    let mut chars = name.chars();
    chars.next().is_some_and(class::is_name_start) && chars.all(class::is_name_char)
}

/// Checks a declaration and returns its namespace and the length of the prefix it declares.
pub(crate) fn declaration(
    attr: AttrAt,
    buf: &[u8],
    odd: &mut Vec<Box<str>>,
) -> Result<(NsAt, u16), XmlError> {
    let prefix = attr.declares(buf).unwrap_or_default();
    let raw = attr.raw(buf);
    let decoded = match attr.plain {
        true => None,
        false => {
            let raw = std::str::from_utf8(raw).map_err(|_| NotWellFormed("not UTF-8"))?;
            Some(unescape_attr(raw))
        }
    };
    let value = decoded.as_deref().map_or(raw, str::as_bytes);
    match prefix {
        b"xmlns" => return Err(BadPrefix("xmlns must not be declared")),
        b"xml" if value != XML_NS.as_bytes() => {
            return Err(BadPrefix("xml declared as something else"));
        }
        b"xml" => {}
        _ if value == XML_NS.as_bytes() || value == XMLNS_NS.as_bytes() => {
            return Err(BadPrefix("a reserved namespace under another prefix"));
        }
        [_, ..] if value.is_empty() => return Err(BadPrefix("a prefix declared as nothing")),
        _ => {}
    }
    let ns = match decoded {
        _ if value.is_empty() => NsAt::Nowhere,
        None => NsAt::Frame {
            start: attr.value,
            len: attr.len,
        },
        Some(decoded) => {
            let place =
                u16::try_from(odd.len()).map_err(|_| XmlError::TooManyNamespaces(u16::MAX))?;
            odd.push(decoded.as_ref().into());
            NsAt::Odd(place)
        }
    };
    Ok((ns, prefix.len() as u16))
}
