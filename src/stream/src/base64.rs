//! Base 64 as SASL in XMPP wants it (RFC 6120 §6.4.2, §13.9.1): the alphabet of RFC 4648 §4, padded,
//! padding bits zero, and not one character more.

use base64::{Engine, engine::general_purpose::STANDARD};

/// The text is not strict base 64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not strict base 64")]
pub(crate) struct NotBase64;

pub(crate) fn decode(text: impl AsRef<[u8]>) -> Result<Vec<u8>, NotBase64> {
    STANDARD.decode(text).map_err(|_| NotBase64)
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_form_passes() {
        assert_eq!(decode("bnVsbA==").as_deref(), Ok(&b"null"[..]));
        for bad in [
            "bnVsbA",
            "bnVsbA=",
            "bnVsbB==",
            " bnVsbA==",
            "bnVs\nbA==",
            "bnVsbA==bnVs",
            "bn_sbA==",
            "====",
            "=",
            "bnVsbA===",
        ] {
            assert_eq!(decode(bad), Err(NotBase64), "{bad:?}");
        }
    }
}
