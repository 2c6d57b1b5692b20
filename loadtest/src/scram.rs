//! SCRAM (RFC 5802 §3) without channel binding: the client's side, and of the server's what `echo` needs.

use std::cell::RefCell;
use std::collections::HashMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use pbkdf2::pbkdf2_hmac;
use sha1::{Digest, Sha1};
use sha2::Sha256;

use crate::failure::Failure;
use crate::scenario::Mechanism;

/// More rounds than this are a server that wants to keep us busy.
const MOST_ROUNDS: u32 = 1_000_000;
/// What `echo` salts its one password with, and how often: as servers do.
const SALT: &[u8] = b"mungo-loadtest";
const ROUNDS: u32 = 4_096;
/// Salted passwords that are remembered. Servers whose accounts were copied share salts.
const REMEMBERED: usize = 32_768;

/// A login that has begun.
#[derive(Debug)]
pub(crate) struct Scram {
    mechanism: Mechanism,
    first_bare: String,
    nonce: String,
}

/// A login whose proof is sent: what the server must prove in turn.
#[derive(Debug)]
pub(crate) struct Proven {
    verifier: String,
}

impl Scram {
    /// Begins; `nonce` is of printable characters without a comma.
    pub(crate) fn new(mechanism: Mechanism, localpart: &str, nonce: String) -> Scram {
        Scram {
            mechanism,
            first_bare: format!("n={localpart},r={nonce}"),
            nonce,
        }
    }

    /// The client-first-message.
    pub(crate) fn first_message(&self) -> String {
        format!("n,,{}", self.first_bare)
    }

    /// Takes the server-first-message, gives the client-final-message.
    ///
    /// # Errors
    /// The message is not what RFC 5802 §5.1 says.
    pub(crate) fn answer(
        self,
        password: &str,
        server_first: &str,
    ) -> Result<(String, Proven), Failure> {
        let part = |name: &str| {
            server_first
                .split(',')
                .find_map(|part| part.strip_prefix(name))
        };
        let nonce = part("r=").ok_or(Failure::Scram("no nonce"))?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err(Failure::Scram("the nonce is not ours made longer"));
        }
        let salt = part("s=").and_then(|salt| BASE64_STANDARD.decode(salt).ok());
        let salt = salt.ok_or(Failure::Scram("no salt"))?;
        let rounds = part("i=").and_then(|rounds| rounds.parse().ok());
        let rounds = rounds
            .filter(|rounds| (1..=MOST_ROUNDS).contains(rounds))
            .ok_or(Failure::Scram("no sensible number of rounds"))?;

        let mechanism = self.mechanism;
        let salted = salted_password(mechanism, password, &salt, rounds);
        let without_proof = format!("c=biws,r={nonce}");
        let signed = format!("{},{server_first},{without_proof}", self.first_bare);
        let client_key = hmac(mechanism, &salted, b"Client Key");
        let signature = hmac(
            mechanism,
            &digest(mechanism, &client_key),
            signed.as_bytes(),
        );
        let proof: Vec<u8> = client_key
            .iter()
            .zip(&signature)
            .map(|(a, b)| a ^ b)
            .collect();
        let server_key = hmac(mechanism, &salted, b"Server Key");
        let verifier = BASE64_STANDARD.encode(hmac(mechanism, &server_key, signed.as_bytes()));
        Ok((
            format!("{without_proof},p={}", BASE64_STANDARD.encode(proof)),
            Proven { verifier },
        ))
    }
}

impl Proven {
    /// Checks the server-final-message.
    ///
    /// # Errors
    /// The server does not know the password.
    pub(crate) fn check(&self, server_final: &str) -> Result<(), Failure> {
        match server_final.strip_prefix("v=") {
            Some(verifier) if verifier == self.verifier => Ok(()),
            _ => Err(Failure::Scram(
                "the server did not prove that it knows the password",
            )),
        }
    }
}

/// What a server keeps of a password that everybody has.
#[derive(Debug)]
pub(crate) struct Keys {
    mechanism: Mechanism,
    stored: Vec<u8>,
    server: Vec<u8>,
}

/// A login that the server has challenged.
#[derive(Debug)]
pub(crate) struct Challenged {
    first_bare: String,
    server_first: String,
    nonce: String,
}

impl Keys {
    /// Those of a password.
    pub(crate) fn new(mechanism: Mechanism, password: &str) -> Keys {
        let salted = salted_password(mechanism, password, SALT, ROUNDS);
        Keys {
            mechanism,
            stored: digest(mechanism, &hmac(mechanism, &salted, b"Client Key")),
            server: hmac(mechanism, &salted, b"Server Key"),
        }
    }

    /// Takes the client-first-message, gives the server-first-message.
    ///
    /// # Errors
    /// The message is not what RFC 5802 §5.1 says, or wants channel binding.
    pub(crate) fn challenge(&self, client_first: &str) -> Result<(String, Challenged), Failure> {
        let bare = client_first.strip_prefix("n,,");
        let bare = bare.ok_or(Failure::Scram("it wants channel binding"))?;
        let (_, nonce) = bare.split_once(",r=").ok_or(Failure::Scram("no nonce"))?;
        let mut random = [0; 18];
        getrandom::fill(&mut random)
            .map_err(|_| Failure::Scram("the system has no random numbers"))?;
        let nonce = format!("{nonce}{}", BASE64_STANDARD.encode(random));
        let salt = BASE64_STANDARD.encode(SALT);
        let server_first = format!("r={nonce},s={salt},i={ROUNDS}");
        let challenged = Challenged {
            first_bare: bare.to_owned(),
            server_first: server_first.clone(),
            nonce,
        };
        Ok((server_first, challenged))
    }
}

impl Challenged {
    /// Takes the client-final-message; gives the localpart and the server-final-message.
    ///
    /// # Errors
    /// The client does not know the password.
    pub(crate) fn verify(
        &self,
        keys: &Keys,
        client_final: &str,
    ) -> Result<(Box<str>, String), Failure> {
        let wrong = || Failure::Scram("the client did not prove that it knows the password");
        let (without_proof, proof) = client_final.split_once(",p=").ok_or_else(wrong)?;
        let proof = BASE64_STANDARD.decode(proof).map_err(|_| wrong())?;
        if without_proof != format!("c=biws,r={}", self.nonce) {
            return Err(wrong());
        }
        let signed = format!("{},{},{without_proof}", self.first_bare, self.server_first);
        let signature = hmac(keys.mechanism, &keys.stored, signed.as_bytes());
        let client_key: Vec<u8> = proof.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        if digest(keys.mechanism, &client_key) != keys.stored {
            return Err(wrong());
        }
        let localpart = self.first_bare.trim_start_matches("n=");
        let localpart = localpart.split(',').next().unwrap_or_default();
        let verifier = hmac(keys.mechanism, &keys.server, signed.as_bytes());
        Ok((
            localpart.into(),
            format!("v={}", BASE64_STANDARD.encode(verifier)),
        ))
    }
}

type Salting = (bool, String, Vec<u8>, u32);

thread_local! {
    static SALTED: RefCell<HashMap<Salting, Vec<u8>>> = RefCell::default();
}

/// `Hi()` of RFC 5802 §2.2, which is made to be slow: what was computed once is kept, so that the
/// generator is not what is measured.
fn salted_password(mechanism: Mechanism, password: &str, salt: &[u8], rounds: u32) -> Vec<u8> {
    let sha1 = mechanism == Mechanism::ScramSha1;
    let salting = (sha1, password.to_owned(), salt.to_vec(), rounds);
    SALTED.with_borrow_mut(|kept| {
        if let Some(salted) = kept.get(&salting) {
            return salted.clone();
        }
        let mut salted = vec![0; if sha1 { 20 } else { 32 }];
        if sha1 {
            pbkdf2_hmac::<Sha1>(password.as_bytes(), salt, rounds, &mut salted);
        } else {
            pbkdf2_hmac::<Sha256>(password.as_bytes(), salt, rounds, &mut salted);
        }
        if kept.len() < REMEMBERED {
            kept.insert(salting, salted.clone());
        }
        salted
    })
}

fn digest(mechanism: Mechanism, data: &[u8]) -> Vec<u8> {
    match mechanism {
        Mechanism::ScramSha1 => Sha1::digest(data).to_vec(),
        Mechanism::ScramSha256 => Sha256::digest(data).to_vec(),
    }
}

fn hmac(mechanism: Mechanism, key: &[u8], data: &[u8]) -> Vec<u8> {
    match mechanism {
        Mechanism::ScramSha1 => mac::<Hmac<Sha1>>(key, data),
        Mechanism::ScramSha256 => mac::<Hmac<Sha256>>(key, data),
    }
}

fn mac<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("RFC 2104 has keys of any length");
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_and_server_agree_if_both_know_the_password() {
        for mechanism in [Mechanism::ScramSha1, Mechanism::ScramSha256] {
            let keys = Keys::new(mechanism, "pw");
            for (password, fine) in [("pw", true), ("pv", false)] {
                let client = Scram::new(mechanism, "romeo", "abc".to_owned());
                let (first, challenged) = keys.challenge(&client.first_message()).expect("fine");
                let (last, proven) = client.answer(password, &first).expect("fine");
                let verified = challenged.verify(&keys, &last);
                assert_eq!(verified.is_ok(), fine);
                if let Ok((localpart, last)) = verified {
                    assert_eq!(&*localpart, "romeo");
                    proven.check(&last).expect("the server knows it too");
                }
            }
        }
    }

    /// The example of RFC 5802 §5.
    #[test]
    fn the_example_with_sha_1() {
        let scram = Scram::new(
            Mechanism::ScramSha1,
            "user",
            "fyko+d2lbbFgONRv9qkxdawL".to_owned(),
        );
        assert_eq!(
            scram.first_message(),
            "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"
        );
        let (answer, proven) = scram
            .answer(
                "pencil",
                "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
            )
            .expect("an answer");
        assert_eq!(
            answer,
            "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
        );
        assert!(proven.check("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=").is_ok());
        assert!(proven.check("v=rmF9pqV8S7suAoZWja4dJRkFsKR=").is_err());
        assert!(proven.check("e=other-error").is_err());
    }

    /// The example of RFC 7677 §3.
    #[test]
    fn the_example_with_sha_256() {
        let scram = Scram::new(
            Mechanism::ScramSha256,
            "user",
            "rOprNGfwEbeRWgbNEkqO".to_owned(),
        );
        let (answer, proven) = scram
            .answer(
                "pencil",
                "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            )
            .expect("an answer");
        assert!(
            answer.ends_with(",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="),
            "{answer}"
        );
        assert!(
            proven
                .check("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
                .is_ok()
        );
    }

    #[test]
    fn bad_servers_are_found_out() {
        for message in [
            "",
            "r=mine,s=QSXCR+Q6sek8bf92,i=4096",
            "r=other,s=QSXCR+Q6sek8bf92,i=4096",
            "r=mine2,s=?,i=4096",
            "r=mine2,s=QSXCR+Q6sek8bf92,i=0",
            "r=mine2,s=QSXCR+Q6sek8bf92,i=4000000000",
            "r=mine2,s=QSXCR+Q6sek8bf92",
        ] {
            let scram = Scram::new(Mechanism::ScramSha1, "user", "mine".to_owned());
            assert!(scram.answer("pencil", message).is_err(), "{message}");
        }
    }
}
