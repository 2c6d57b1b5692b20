//! Normalising and checking the parts of an address (RFC 7622 §3).

use std::borrow::Cow;
use std::net::Ipv6Addr;
use std::sync::Arc;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use precis_core::Error as PrecisError;
use precis_core::profile::PrecisFastInvocation;
use precis_profiles::{OpaqueString, UsernameCaseMapped};
use smallvec::SmallVec;

use super::Text;
use super::error::{JidError, Part};

/// Most bytes of a part after preparation.
const MAX: usize = 1023;

/// Prepares an address. Where nothing has to change, as in nearly all addresses on the wire, this
/// allocates once.
pub(super) fn jid(text: &str) -> Result<Text, JidError> {
    if let Some(jid) = plain(text) {
        return Ok(jid);
    }
    // §3.1: first the resource is split off at the first '/', then the localpart at the first '@'.
    let (bare, resource) = match text.split_once('/') {
        Some((bare, resource)) => (bare, Some(resource)),
        None => (text, None),
    };
    let (localpart, domain) = match bare.split_once('@') {
        Some((localpart, domain)) => (Some(localpart), domain),
        None => (None, bare),
    };
    parts(localpart, domain, resource)
}

/// An address that is ASCII, normal already and clearly right; `None`: take the long way.
fn plain(text: &str) -> Option<Text> {
    let bytes = text.as_bytes();
    let bare = find(b'/', bytes).unwrap_or(bytes.len());
    let at = find(b'@', &bytes[..bare]);
    let local = &bytes[..at.unwrap_or(0)];
    let host = &text[at.map_or(0, |at| at + 1)..bare];
    let resource = bytes.get(bare + 1..);
    let lengths = at.is_none_or(|at| (1..=MAX).contains(&at))
        && resource.is_none_or(|resource| (1..=MAX).contains(&resource.len()));
    let fine = lengths
        && local
            .iter()
            .all(|&b| b.is_ascii_graphic() && !b.is_ascii_uppercase() && !is_excluded(b as char))
        && !host.bytes().any(|b| b.is_ascii_uppercase())
        && plain_domain(host).is_some()
        && resource
            .unwrap_or_default()
            .iter()
            .all(|&b| b.is_ascii_graphic() || b == b' ');
    fine.then(|| Text {
        text: Arc::from(text),
        at: local.len() as u16,
        bare: bare as u16,
        end: text.len() as u16,
    })
}

/// The text of a bare address that was prepared before. A longer one than there can be is cut.
pub(super) fn normal(text: &str) -> Text {
    let mut end = text.len().min(usize::from(u16::MAX));
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = &text[..end];
    Text {
        at: find(b'@', text.as_bytes()).unwrap_or_default() as u16,
        bare: end as u16,
        end: end as u16,
        text: Arc::from(text),
    }
}

fn find(byte: u8, bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|&b| b == byte)
}

/// What RFC 7622 §3.3.1 excludes from localparts beyond their profile.
fn is_excluded(c: char) -> bool {
    matches!(c, '"' | '&' | '\'' | '/' | ':' | '<' | '>' | '@')
}

pub(super) fn parts(
    local: Option<&str>,
    host: &str,
    resource: Option<&str>,
) -> Result<Text, JidError> {
    let local = local.map(localpart).transpose()?;
    let host = domain(host)?;
    let resource = resource.map(resourcepart).transpose()?;
    Ok(join(local.as_deref(), &host, resource.as_deref()))
}

pub(super) fn with_resource(bare: &Text, resource: &str) -> Result<Text, JidError> {
    let resource = resourcepart(resource)?;
    Ok(join(bare.localpart(), bare.domain(), Some(&resource)))
}

/// Puts prepared parts together; at most 3 × 1023 + 2 bytes, so that the offsets fit.
fn join(local: Option<&str>, host: &str, resource: Option<&str>) -> Text {
    let mut text: SmallVec<[u8; 192]> = SmallVec::new();
    if let Some(local) = local {
        text.extend_from_slice(local.as_bytes());
        text.push(b'@');
    }
    text.extend_from_slice(host.as_bytes());
    let bare = text.len() as u16;
    if let Some(resource) = resource {
        text.push(b'/');
        text.extend_from_slice(resource.as_bytes());
    }
    // Made of whole texts, so this borrows.
    let text: Arc<str> = Arc::from(&*String::from_utf8_lossy(&text));
    Text {
        at: local.map_or(0, |l| l.len() as u16),
        bare,
        end: text.len() as u16,
        text,
    }
}

fn check_len(part: Part, text: &str) -> Result<(), JidError> {
    match text.len() {
        0 => Err(JidError::Empty(part)),
        1..=MAX => Ok(()),
        _ => Err(JidError::TooLong(part)),
    }
}

/// §3.3: UsernameCaseMapped of RFC 8265, less some characters.
fn localpart(text: &str) -> Result<Cow<'_, str>, JidError> {
    check_len(Part::Localpart, text)?;
    if text.is_ascii() {
        let forbidden = |c: &char| !c.is_ascii_graphic() || is_excluded(*c);
        return match text.chars().find(forbidden) {
            Some(c) => Err(JidError::Forbidden(Part::Localpart, c)),
            None => Ok(lower(text)),
        };
    }
    let prepared = stable(Part::Localpart, text, UsernameCaseMapped::enforce)?;
    if let Some(c) = prepared.chars().find(|&c| is_excluded(c)) {
        return Err(JidError::Forbidden(Part::Localpart, c));
    }
    Ok(Cow::Owned(prepared))
}

/// §3.4: OpaqueString of RFC 8265.
fn resourcepart(text: &str) -> Result<Cow<'_, str>, JidError> {
    check_len(Part::Resource, text)?;
    if text.is_ascii() {
        return match text.chars().find(char::is_ascii_control) {
            Some(c) => Err(JidError::Forbidden(Part::Resource, c)),
            None => Ok(Cow::Borrowed(text)),
        };
    }
    stable(Part::Resource, text, OpaqueString::enforce).map(Cow::Owned)
}

/// Applies a PRECIS profile until nothing changes any more (RFC 8264 §7).
fn stable(
    part: Part,
    text: &str,
    enforce: impl Fn(String) -> Result<Cow<'static, str>, PrecisError>,
) -> Result<String, JidError> {
    let mut text = text.to_owned();
    for _ in 0..4 {
        let next = enforce(text.clone()).map_err(|error| match error {
            PrecisError::BadCodepoint(info) => char::from_u32(info.cp)
                .map_or(JidError::Malformed(part), |c| JidError::Forbidden(part, c)),
            _ => JidError::Malformed(part),
        })?;
        if next == text {
            check_len(part, &text)?;
            return Ok(text);
        }
        text = next.into_owned();
    }
    Err(JidError::Malformed(part))
}

/// §3.2: an IP address, or a host name with Unicode labels and without its final dot.
fn domain(text: &str) -> Result<Cow<'_, str>, JidError> {
    if let Some(address) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
        let address: Ipv6Addr = address
            .parse()
            .map_err(|_| JidError::Malformed(Part::Domain))?;
        return Ok(Cow::Owned(format!("[{address}]")));
    }
    let text = text.strip_suffix('.').unwrap_or(text);
    check_len(Part::Domain, text)?;
    if let Some(plain) = plain_domain(text) {
        return Ok(plain);
    }
    let malformed = |_| JidError::Malformed(Part::Domain);
    let uts46 = Uts46::new();
    let (unicode, checked) =
        uts46.to_unicode(text.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Check);
    // Looked at after the mapping, which makes ASCII of full-width forms and the like.
    let forbidden = |c: &char| c.is_ascii() && !c.is_ascii_alphanumeric() && !"-._".contains(*c);
    if let Some(c) = unicode.chars().find(forbidden) {
        return Err(JidError::Forbidden(Part::Domain, c));
    }
    checked.map_err(malformed)?;
    uts46
        .to_ascii(
            unicode.as_bytes(),
            AsciiDenyList::URL,
            Hyphens::Check,
            DnsLength::Verify,
        )
        .map_err(malformed)?;
    check_len(Part::Domain, &unicode)?;
    Ok(Cow::Owned(unicode.into_owned()))
}

/// Host names of ASCII labels, and IPv4 addresses, which look like them. `None`: somebody else must look.
fn plain_domain(text: &str) -> Option<Cow<'_, str>> {
    let label = |label: &str| {
        let b = label.as_bytes();
        !b.is_empty()
            && b.len() <= 63
            && b.iter()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
            && b[0] != b'-'
            && b[b.len() - 1] != b'-'
            // Third and fourth: the mark of an A-label, and of what may become one.
            && !matches!(b, [_, _, b'-', b'-', ..])
    };
    if text.len() > 253 || !text.split('.').all(label) {
        return None;
    }
    Some(lower(text))
}

fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}
