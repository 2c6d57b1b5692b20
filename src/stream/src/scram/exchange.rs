//! One SCRAM conversation, from the client's first message to the server's last (RFC 5802 §5).
//!
//! Each step is a type of its own, so that no step can be left out or done twice.

use subtle::{Choice, ConstantTimeEq};

use super::message::{BindingFlag, ClientFinal, ClientFirst, MessageError};
use super::{ScramHash, ScramKeys};
use crate::base64;
use crate::binding::{ChannelBinding, TlsInfo};

/// Why a conversation ends without success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScramError {
    /// The client's message breaks the grammar.
    Malformed,
    /// The message is well-formed, and refused: wrong proof, wrong channel binding, an extension
    /// that must be understood, a sign of a downgrade.
    Refused,
    /// The client wants a type of channel binding that this connection does not have; it was not
    /// offered either. No guess at a password.
    Unbound,
}

impl From<MessageError> for ScramError {
    fn from(error: MessageError) -> Self {
        match error {
            MessageError::Malformed => Self::Malformed,
            MessageError::Extension => Self::Refused,
        }
    }
}

/// The client has spoken once; its keys are wanted.
#[derive(Debug)]
pub(crate) struct Opened {
    hash: ScramHash,
    first: ClientFirst,
    /// What the client's last message must bind to: GS2 header, then the data of the channel.
    binding: Vec<u8>,
}

impl Opened {
    /// Reads the client's first message.
    ///
    /// `plus` tells whether the mechanism's name ends in `-PLUS`, `plus_offered` whether any such
    /// mechanism was offered on this stream.
    pub(crate) fn new(
        hash: ScramHash,
        plus: bool,
        plus_offered: bool,
        tls: Option<&TlsInfo>,
        message: &[u8],
    ) -> Result<Self, ScramError> {
        let first = ClientFirst::parse(message)?;
        let mut binding = first.gs2_header.clone().into_bytes();
        match (&first.flag, plus) {
            (BindingFlag::Used(name), true) => {
                // A type that we do not have on this connection was not offered either.
                let data = ChannelBinding::from_name(name)
                    .and_then(|kind| tls.and_then(|tls| tls.data(kind)))
                    .ok_or(ScramError::Unbound)?;
                binding.extend_from_slice(data);
            }
            // RFC 5801 §4, RFC 5802 §6: the mechanism's name and the flag say the same.
            (BindingFlag::Used(_), false) | (_, true) => return Err(ScramError::Malformed),
            // The client would have used channel binding, and we did offer it: somebody between
            // us took the offer away (RFC 5802 §6).
            (BindingFlag::NotOffered, false) if plus_offered => return Err(ScramError::Refused),
            (BindingFlag::NotOffered | BindingFlag::Unsupported, false) => {}
        }
        Ok(Self {
            hash,
            first,
            binding,
        })
    }

    pub(crate) fn hash(&self) -> ScramHash {
        self.hash
    }

    /// The user name, not prepared yet.
    pub(crate) fn username(&self) -> &str {
        &self.first.username
    }

    pub(crate) fn authzid(&self) -> Option<&str> {
        self.first.authzid.as_deref()
    }

    /// Answers with `server-first-message`.
    ///
    /// `known` is false when the keys are made up: the conversation then goes on like any other
    /// and fails at its end. `downgrade` is the hash of XEP-0474; clients that don't know it ignore it.
    pub(crate) fn challenge(
        self,
        keys: ScramKeys,
        known: bool,
        server_nonce: &str,
        downgrade: Option<&str>,
    ) -> (String, Challenged) {
        let nonce = format!("{}{server_nonce}", self.first.nonce);
        let mut server_first = format!(
            "r={nonce},s={},i={}",
            base64::encode(&keys.salt),
            keys.iterations,
        );
        if let Some(hash) = downgrade {
            server_first.push_str(",h=");
            server_first.push_str(hash);
        }
        let challenged = Challenged {
            signed: format!("{},{server_first},", self.first.bare),
            hash: self.hash,
            binding: self.binding,
            nonce,
            keys,
            known,
        };
        (server_first, challenged)
    }
}

/// The server has sent its challenge; the client's proof is wanted.
#[derive(Debug)]
pub(crate) struct Challenged {
    hash: ScramHash,
    binding: Vec<u8>,
    nonce: String,
    /// `AuthMessage` (RFC 5802 §3) as far as it is known, with its last comma.
    signed: String,
    keys: ScramKeys,
    known: bool,
}

impl Challenged {
    /// Checks the client's proof and gives `server-final-message`.
    pub(crate) fn finish(self, message: &[u8]) -> Result<String, ScramError> {
        let last = ClientFinal::parse(message)?;
        if last.proof.len() != self.hash.output_len() {
            return Err(ScramError::Malformed);
        }
        let signed: [&[u8]; 2] = [self.signed.as_bytes(), last.without_proof.as_bytes()];
        let signature = self.hash.hmac(&self.keys.stored_key, &signed);
        let client_key: Vec<u8> = last
            .proof
            .iter()
            .zip(&signature)
            .map(|(a, b)| a ^ b)
            .collect();
        // All is computed and compared before anything is told, so that the time taken says
        // nothing about which part was wrong.
        let ok = self.hash.digest(&client_key).ct_eq(&self.keys.stored_key)
            & last.binding.ct_eq(&self.binding)
            & last.nonce.as_bytes().ct_eq(self.nonce.as_bytes())
            & Choice::from(u8::from(self.known));
        let server = self.hash.hmac(&self.keys.server_key, &signed);
        if bool::from(ok) {
            Ok(format!("v={}", base64::encode(server)))
        } else {
            Err(ScramError::Refused)
        }
    }
}
