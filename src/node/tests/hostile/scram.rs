//! The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), honest enough to be misused: the proof is
//! right for whatever is said.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// What was said so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conversation {
    /// `client-first-message-bare`
    pub(crate) client_first: String,
    /// `server-first-message`
    pub(crate) server_first: String,
}

impl Conversation {
    /// The attribute of that name in the server's challenge.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let mut attributes = self.server_first.split(',');
        attributes.find_map(|attribute| attribute.strip_prefix(name)?.strip_prefix('='))
    }

    /// The proof of `password` for a last message that is `without_proof` up to there.
    pub(crate) fn proof(&self, password: &str, without_proof: &str) -> Option<String> {
        let salt = BASE64_STANDARD.decode(self.attribute("s")?).ok()?;
        let rounds = self.attribute("i")?.parse().ok()?;
        let mut salted = [0; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), &salt, rounds, &mut salted);
        let key = hmac(&salted, "Client Key");
        let said = format!(
            "{},{},{without_proof}",
            self.client_first, self.server_first
        );
        let signature = hmac(&Sha256::digest(&key), &said);
        let proof: Vec<u8> = key.iter().zip(signature).map(|(a, b)| a ^ b).collect();
        Some(BASE64_STANDARD.encode(proof))
    }
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
