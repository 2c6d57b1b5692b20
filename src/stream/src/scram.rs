//! SCRAM (RFC 5802, RFC 7677): the keys that are stored in place of passwords.
//!
//! The conversation itself is in `scram/exchange.rs`, its messages in `scram/message.rs`.

pub(crate) mod exchange;
pub(crate) mod message;
#[cfg(test)]
mod tests;

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::saslprep::{SaslPrepError, Use, saslprep};

/// How many bytes of salt our own accounts get; salts of imported accounts may be of any length.
///
/// Unknown accounts answer with a salt of this length, so that they look like all others.
pub const SALT_LEN: usize = 16;

/// The hash function of a SCRAM mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScramHash {
    /// SCRAM-SHA-1 (RFC 5802).
    Sha1,
    /// SCRAM-SHA-256 (RFC 7677).
    Sha256,
    /// SCRAM-SHA-512.
    Sha512,
}

impl ScramHash {
    /// All of them, the weakest first.
    pub const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    /// The length of its output, and so of the keys, in bytes.
    pub fn output_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// `H(data)` of RFC 5802 §2.2.
    pub(crate) fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(data).to_vec(),
            Self::Sha256 => Sha256::digest(data).to_vec(),
            Self::Sha512 => Sha512::digest(data).to_vec(),
        }
    }

    /// `HMAC(key, parts…)` of RFC 5802 §2.2.
    pub(crate) fn hmac(self, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::Sha1 => mac::<Hmac<Sha1>>(key, parts),
            Self::Sha256 => mac::<Hmac<Sha256>>(key, parts),
            Self::Sha512 => mac::<Hmac<Sha512>>(key, parts),
        }
    }

    /// `Hi(text, salt, iterations)` of RFC 5802 §2.2.
    fn hi(self, text: &[u8], salt: &[u8], iterations: u32) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(vec![0; self.output_len()]);
        match self {
            Self::Sha1 => pbkdf2_hmac::<Sha1>(text, salt, iterations, &mut out),
            Self::Sha256 => pbkdf2_hmac::<Sha256>(text, salt, iterations, &mut out),
            Self::Sha512 => pbkdf2_hmac::<Sha512>(text, salt, iterations, &mut out),
        }
        out
    }
}

impl fmt::Display for ScramHash {
    /// As in the names of the mechanisms: `SHA-256`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha512 => "SHA-512",
        })
    }
}

fn mac<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    #[allow(clippy::expect_used)] // RFC 2104 has keys of any length
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

/// What the server keeps of a password for one hash function (RFC 5802 §3).
///
/// Whoever steals it must still guess the password, but can pose as this server: `Debug` shows
/// no key.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramKeys {
    /// The salt, raw bytes.
    pub salt: Vec<u8>,
    /// Rounds of PBKDF2.
    pub iterations: u32,
    /// `H(HMAC(SaltedPassword, "Client Key"))`.
    pub stored_key: Vec<u8>,
    /// `HMAC(SaltedPassword, "Server Key")`.
    pub server_key: Vec<u8>,
}

impl ScramKeys {
    /// The hash function these keys belong to, by their length; `None` when they are damaged.
    pub fn hash(&self) -> Option<ScramHash> {
        ScramHash::ALL.into_iter().find(|hash| {
            self.stored_key.len() == hash.output_len() && self.server_key.len() == hash.output_len()
        })
    }

    /// Keys for an account that does not exist: always the same for the same account, as the keys
    /// of a real one would be, and matched by no password.
    pub(crate) fn fake(hash: ScramHash, secret: &[u8; 32], account: &str, iterations: u32) -> Self {
        let part = |what: &str| {
            ScramHash::Sha512.hmac(
                secret,
                &[
                    what.as_bytes(),
                    hash.to_string().as_bytes(),
                    b"\0",
                    account.as_bytes(),
                ],
            )
        };
        let cut = |mut bytes: Vec<u8>, len| {
            bytes.truncate(len);
            bytes
        };
        Self {
            salt: cut(part("salt"), SALT_LEN),
            iterations,
            stored_key: cut(part("stored"), hash.output_len()),
            server_key: cut(part("server"), hash.output_len()),
        }
    }
}

impl fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramKeys")
            .field("hash", &self.hash())
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

/// Derives the keys of a new password, which SASLprep prepares as a stored string.
///
/// Costs `iterations` rounds (at least one) of HMAC: milliseconds, so not on a thread that others wait for.
///
/// # Errors
/// [`SaslPrepError`] when the password has characters that RFC 4013 does not allow.
pub fn derive(
    hash: ScramHash,
    password: &str,
    salt: &[u8],
    iterations: u32,
) -> Result<ScramKeys, SaslPrepError> {
    let prepared = Zeroizing::new(saslprep(password, Use::Stored)?.into_owned());
    Ok(keys_of(hash, &prepared, salt, iterations))
}

/// Whether `password` (as typed) is the one that `keys` were derived from; the keys are compared
/// in constant time. Costs as much as [`derive()`].
pub fn verify(password: &str, keys: &ScramKeys) -> bool {
    let (Some(hash), Ok(prepared)) = (keys.hash(), saslprep(password, Use::Query)) else {
        return false;
    };
    let prepared = Zeroizing::new(prepared.into_owned());
    let ours = keys_of(hash, &prepared, &keys.salt, keys.iterations);
    (ours.stored_key.ct_eq(&keys.stored_key) & ours.server_key.ct_eq(&keys.server_key)).into()
}

fn keys_of(hash: ScramHash, prepared: &str, salt: &[u8], iterations: u32) -> ScramKeys {
    let iterations = iterations.max(1);
    let salted = hash.hi(prepared.as_bytes(), salt, iterations);
    let client_key = Zeroizing::new(hash.hmac(&salted, &[b"Client Key"]));
    ScramKeys {
        salt: salt.to_vec(),
        iterations,
        stored_key: hash.digest(&client_key),
        server_key: hash.hmac(&salted, &[b"Server Key"]),
    }
}
