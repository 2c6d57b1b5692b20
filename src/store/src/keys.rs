//! What is kept of a password: SCRAM's derived keys (RFC 5802 §3), one set for each hash.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use std::{fmt, str::FromStr};

/// The derived keys of one password under one hash function.
///
/// As text they are `iterations:salt:stored_key:server_key`, the bytes in base64. `Debug` shows no
/// key.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    /// The salt that went into the derivation.
    pub salt: Vec<u8>,
    /// How many rounds the derivation took.
    pub iterations: u32,
    /// `H(ClientKey)`: what a client's proof is checked against.
    pub stored_key: Vec<u8>,
    /// What the server signs with, to prove itself to the client.
    pub server_key: Vec<u8>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}:{}",
            self.iterations,
            BASE64.encode(&self.salt),
            BASE64.encode(&self.stored_key),
            BASE64.encode(&self.server_key)
        )
    }
}

/// A text that is no [`Keys`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "derived keys are written ITERATIONS:SALT:STORED_KEY:SERVER_KEY, the last three in base64 and \
     none of them empty"
)]
pub struct BadKeys;

impl FromStr for Keys {
    type Err = BadKeys;

    fn from_str(text: &str) -> Result<Self, BadKeys> {
        let parts: Vec<&str> = text.split(':').collect();
        let [iterations, salt, stored_key, server_key] = parts[..] else {
            return Err(BadKeys);
        };
        let bytes = |part: &str| match BASE64.decode(part) {
            Ok(bytes) if !bytes.is_empty() => Ok(bytes),
            _ => Err(BadKeys),
        };
        Ok(Keys {
            iterations: match iterations.parse() {
                Ok(rounds) if rounds > 0 => rounds,
                _ => return Err(BadKeys),
            },
            salt: bytes(salt)?,
            stored_key: bytes(stored_key)?,
            server_key: bytes(server_key)?,
        })
    }
}

/// All that is kept of one account's password; a hash that was not derived is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountKeys {
    /// For SCRAM-SHA-1.
    pub sha1: Option<Keys>,
    /// For SCRAM-SHA-256.
    pub sha256: Option<Keys>,
    /// For SCRAM-SHA-512.
    pub sha512: Option<Keys>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys {
            salt: vec![1, 2, 3],
            iterations: 4096,
            stored_key: vec![4; 20],
            server_key: vec![5; 20],
        }
    }

    #[test]
    fn text_reads_back() {
        let text = keys().to_string();
        assert_eq!(
            text,
            "4096:AQID:BAQEBAQEBAQEBAQEBAQEBAQEBAQ=:BQUFBQUFBQUFBQUFBQUFBQUFBQU="
        );
        assert_eq!(text.parse(), Ok(keys()));
    }

    #[test]
    fn nothing_half_is_read() {
        for text in [
            "",
            "4096",
            "4096:AQID",
            "4096:AQID:BAQE",
            "4096:AQID::BQUF",
            "4096::BAQE:BQUF",
            "0:AQID:BAQE:BQUF",
            "-1:AQID:BAQE:BQUF",
            "4096:AQI:BAQE:BQUF",
            "4096:AQID:BAQE:BQ UF",
            "4096:AQID:BAQE:BQUF:",
        ] {
            assert_eq!(text.parse::<Keys>(), Err(BadKeys), "{text}");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", keys()), "Keys { iterations: 4096, .. }");
    }
}
