//! Proofs that a node knows the cookie, which itself never travels.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::Side;
use crate::members::LinkId;

/// The secret of a cluster. `Debug` shows none of it.
#[derive(Clone)]
pub struct Cookie(Arc<[u8]>);

impl Cookie {
    /// As it is configured.
    #[must_use]
    pub fn new(cookie: &str) -> Self {
        Self(cookie.as_bytes().into())
    }
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What both sides have to prove on one connection.
#[derive(Clone)]
pub(super) struct Proof(Hmac<Sha256>);

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Proof {
    pub(super) fn new(
        cookie: &Cookie,
        caller: &[u8],
        called: &[u8],
        binding: Option<&[u8; 32]>,
    ) -> Self {
        #[allow(clippy::expect_used)] // RFC 2104 has keys of any length
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&cookie.0)
            .expect("HMAC takes keys of any length");
        // Each part with its length, so that no two lists of parts are the same bytes.
        let binding = binding.map_or(&[][..], |binding| &binding[..]);
        for part in [b"mungo cluster", caller, called, binding] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        Self(mac)
    }

    /// What this side says.
    pub(super) fn of(&self, side: Side) -> [u8; 32] {
        self.ends_with(match side {
            Side::Caller => b"caller",
            Side::Called => b"called",
        })
    }

    /// Whether this is what that side must say.
    pub(super) fn is(&self, side: Side, said: &[u8; 32]) -> bool {
        self.of(side).ct_eq(said).into()
    }

    /// A number for a link that begins on this connection: no other has it.
    pub(super) fn link(&self) -> LinkId {
        let bytes = self.ends_with(b"a link");
        let (number, _) = bytes.split_first_chunk().unwrap_or((&[0; 8], &[]));
        LinkId(u64::from_be_bytes(*number))
    }

    fn ends_with(&self, end: &[u8; 6]) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(end);
        mac.finalize().into_bytes().into()
    }
}
