//! Stream headers: what a client's must say, and ours (RFC 6120 §4.7, §4.8).

use xml::escape_attr;
use xmpp::{BareJid, Jid, StreamCondition, StreamError, ns};

use crate::base64;
use crate::settings::C2sSettings;

/// Ends a stream.
pub const STREAM_END: &[u8] = b"</stream:stream>";

/// Checks a client's header and gives the domain that it opens a stream to.
///
/// `account` is who has logged in on the connection before, if anybody has.
///
/// # Errors
/// The stream error that must follow our own header.
pub(crate) fn check(
    header: &xml::Header,
    settings: &C2sSettings,
    account: Option<&BareJid>,
) -> Result<String, StreamError> {
    // §4.8.1, §4.9.3.10
    if header.ns() != ns::STREAM {
        return Err(StreamCondition::InvalidNamespace.into());
    }
    if header.name() != "stream" {
        return Err(StreamCondition::BadFormat.into());
    }
    // §4.8.2: clients speak jabber:client, as the default namespace.
    if header.default_ns() != ns::CLIENT {
        return Err(StreamCondition::InvalidNamespace.into());
    }
    // §4.7.5: no version means 0.9, which has no features and no SASL.
    if !header.attr("version").is_some_and(|v| is_supported(&v)) {
        return Err(StreamCondition::UnsupportedVersion.into());
    }
    // §4.7.2: a client must say which domain it wants; an address that is none is the wrong
    // address, a domain that we don't serve is unknown (§4.9.3.6, §4.9.3.7).
    let to = header.attr("to").unwrap_or_default();
    let to: Jid = to
        .parse()
        .map_err(|_| StreamError::from(StreamCondition::ImproperAddressing))?;
    let is_domain = to.localpart().is_none() && to.resource().is_none();
    if !is_domain || !(settings.domains)(to.domain()) {
        return Err(StreamCondition::HostUnknown.into());
    }
    if let Some(account) = account {
        // The login was for this domain, and nobody can be another on the same connection.
        if to.domain() != account.domain() {
            return Err(StreamCondition::HostUnknown.into());
        }
        // §4.9.3.9
        if let Some(from) = header.attr("from")
            && !from
                .parse::<Jid>()
                .is_ok_and(|from| from.to_bare() == *account)
        {
            return Err(StreamCondition::InvalidFrom.into());
        }
    }
    Ok(to.domain().to_owned())
}

/// Whether we can talk with a peer of that version: two numbers, leading zeros ignored, 1.0 or more. A
/// higher one is answered with ours, 1.0 (§4.7.5).
fn is_supported(version: &str) -> bool {
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    version.split_once('.').is_some_and(|(major, minor)| {
        is_number(major) && is_number(minor) && !major.trim_start_matches('0').is_empty()
    })
}

/// Our header, from `domain` to whom the client says it is.
pub(crate) fn write(settings: &C2sSettings, domain: &str, client: Option<&xml::Header>) -> String {
    // §4.7.3: the id is unique, and nobody can guess it.
    let mut id = [0; 15];
    (settings.random)(&mut id);
    let id = base64::encode(id);
    // §4.7.2: our `to` is the bare JID of the client's `from`.
    let to = client
        .and_then(|header| header.attr("from"))
        .and_then(|from| from.parse::<Jid>().ok())
        .map(|from| format!(" to='{}'", escape_attr(from.bare_str())))
        .unwrap_or_default();
    format!(
        "<?xml version='1.0'?><stream:stream from='{}'{to} id='{id}' version='1.0' xml:lang='{}' \
         xmlns='{}' xmlns:stream='{}'>",
        escape_attr(domain),
        escape_attr(&settings.lang),
        ns::CLIENT,
        ns::STREAM,
    )
}

#[cfg(test)]
mod tests {
    use super::is_supported;

    #[test]
    fn versions() {
        for good in ["1.0", "1.1", "2.0", "01.0", "1.00", "10.7"] {
            assert!(is_supported(good), "{good}");
        }
        for bad in [
            "", "1", "1.", ".0", "0.9", "00.9", "1.0.0", "-1.0", "1,0", "1.0 ", "a.b",
        ] {
            assert!(!is_supported(bad), "{bad}");
        }
    }
}
