//! Any SCRAM messages: no panic, and success for the right proof of the right messages alone.
//!
//! Lines: the mechanism and how the listener is set up (see `fuzz::peer`), with the word `right` if
//! the client knows the password; its first message; its last message, in which `{nonce}`,
//! `{binding}` and `{proof}` stand for what an honest client would write.
#![no_main]

use base64::{Engine, engine::general_purpose::STANDARD};
use fuzz::peer::{PASSWORD, Peer, ROUNDS, SALT};
use hmac::{Hmac, KeyInit, Mac};
use libfuzzer_sys::fuzz_target;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

const OPEN: &str = "<stream:stream to='localhost' version='1.0' xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams'>";

fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.splitn(3, |b| *b == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let words = String::from_utf8_lossy(line()).into_owned();
    let (first, last) = (line(), line());
    let mechanism = words.split(' ').next().unwrap_or_default();
    if !mechanism.starts_with("SCRAM-SHA-") || !mechanism.bytes().all(|b| b.is_ascii_graphic()) {
        return;
    }
    let mechanism = mechanism.replace(['\'', '<', '&'], "");
    let mut peer = Peer::new(&words);
    peer.receive(OPEN.as_bytes());
    peer.knows_password = words.split(' ').any(|word| word == "right");
    peer.sent.clear();
    peer.receive(element("auth", &format!(" mechanism='{mechanism}'"), first).as_bytes());
    let Some(challenge) = message(&peer.sent, "challenge") else {
        return assert!(peer.authenticated.is_none());
    };
    let client = Client::new(&mechanism, first, &challenge, peer.knows_password);
    let filled = client.fill(last);
    peer.sent.clear();
    peer.receive(element("response", "", &filled.message).as_bytes());
    if peer.closed {
        // What is larger than a stanza may be before login ends the stream, right or not.
        return assert!(peer.authenticated.is_none());
    }
    assert_eq!(
        peer.authenticated.is_some(),
        peer.knows_password && peer.asks_for_somebody() && client.is_right(&filled.message),
        "{}",
        String::from_utf8_lossy(&filled.message)
    );
    if peer.authenticated.is_some() {
        let signature = message(&peer.sent, "success").expect("the server proves itself");
        assert_eq!(signature, filled.signature);
    }
});

fn element(name: &str, attrs: &str, message: &[u8]) -> String {
    let message = match message {
        b"" => "=".to_owned(),
        message => STANDARD.encode(message),
    };
    format!("<{name} xmlns='urn:ietf:params:xml:ns:xmpp-sasl'{attrs}>{message}</{name}>")
}

/// The message in the server's answer, if that is the expected element.
fn message(sent: &str, name: &str) -> Option<String> {
    let element = xml::Element::parse(sent.as_bytes()).ok()?;
    let message = STANDARD.decode(&*element.text()).expect("base 64");
    (element.name() == name).then(|| String::from_utf8(message).expect("UTF-8"))
}

/// An honest client's side, written from RFC 5802 alone.
struct Client {
    hash: Hash,
    /// `AuthMessage` as far as both have spoken.
    signed: String,
    nonce: String,
    binding: String,
    password: &'static str,
}

struct Filled {
    message: Vec<u8>,
    signature: String,
}

impl Client {
    fn new(mechanism: &str, first: &[u8], challenge: &str, knows: bool) -> Self {
        let first = std::str::from_utf8(first).expect("the server took it");
        let bare = first.splitn(3, ',').nth(2).expect("the server took it");
        let header = &first[..first.len() - bare.len()];
        let mut binding = header.as_bytes().to_vec();
        if header.starts_with("p=tls-exporter,") {
            binding.extend([7; 32]);
        } else if header.starts_with("p=tls-server-end-point,") {
            binding.extend([9; 32]);
        } else {
            assert!(!header.starts_with('p'), "unknown binding was taken");
        }
        let nonce = challenge
            .strip_prefix("r=")
            .and_then(|rest| rest.split(',').next());
        Self {
            hash: match mechanism {
                "SCRAM-SHA-1" | "SCRAM-SHA-1-PLUS" => Hash::Sha1,
                "SCRAM-SHA-256" | "SCRAM-SHA-256-PLUS" => Hash::Sha256,
                "SCRAM-SHA-512" | "SCRAM-SHA-512-PLUS" => Hash::Sha512,
                other => panic!("{other:?} was taken"),
            },
            signed: format!("{bare},{challenge}"),
            nonce: nonce.expect("a nonce").to_owned(),
            binding: STANDARD.encode(binding),
            password: if knows { PASSWORD } else { "guess" },
        }
    }

    /// The last message with what the client knows written into it.
    fn fill(&self, template: &[u8]) -> Filled {
        let text = match std::str::from_utf8(template) {
            Ok(text) => text
                .replace("{nonce}", &self.nonce)
                .replace("{binding}", &self.binding),
            Err(_) => {
                return Filled {
                    message: template.to_vec(),
                    signature: String::new(),
                };
            }
        };
        let unproved = text.rsplit_once(",p=").map_or(&*text, |(before, _)| before);
        let (proof, signature) = self.prove(unproved);
        Filled {
            message: text.replace("{proof}", &proof).into_bytes(),
            signature,
        }
    }

    /// Proof and server's signature for a last message without its proof.
    fn prove(&self, unproved: &str) -> (String, String) {
        let signed = format!("{},{unproved}", self.signed);
        let salted = self.hash.salted(self.password);
        let client_key = self.hash.hmac(&salted, b"Client Key");
        let client_signature = self
            .hash
            .hmac(&self.hash.digest(&client_key), signed.as_bytes());
        let proof: Vec<u8> = client_key
            .iter()
            .zip(client_signature)
            .map(|(a, b)| a ^ b)
            .collect();
        let server_key = self.hash.hmac(&salted, b"Server Key");
        let signature = self.hash.hmac(&server_key, signed.as_bytes());
        (
            STANDARD.encode(proof),
            format!("v={}", STANDARD.encode(signature)),
        )
    }

    /// Whether a last message is what RFC 5802 §7 has and says all the right things.
    fn is_right(&self, message: &[u8]) -> bool {
        let Ok(message) = std::str::from_utf8(message) else {
            return false;
        };
        let Some((unproved, proof)) = message.rsplit_once(",p=") else {
            return false;
        };
        let mut parts = unproved.split(',');
        parts.next() == Some(&format!("c={}", self.binding))
            && parts.next() == Some(&format!("r={}", self.nonce))
            && parts.all(|extension| {
                let bytes = extension.as_bytes();
                bytes.len() > 2
                    && bytes[0].is_ascii_alphabetic()
                    && bytes[0] != b'm'
                    && bytes[1] == b'='
                    && !bytes.contains(&0)
            })
            && proof == self.prove(unproved).0
    }
}

#[derive(Clone, Copy)]
enum Hash {
    Sha1,
    Sha256,
    Sha512,
}

impl Hash {
    fn salted(self, password: &str) -> Vec<u8> {
        let password = password.as_bytes();
        match self {
            Self::Sha1 => pbkdf2::pbkdf2_hmac_array::<Sha1, 20>(password, SALT, ROUNDS).to_vec(),
            Self::Sha256 => {
                pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(password, SALT, ROUNDS).to_vec()
            }
            Self::Sha512 => {
                pbkdf2::pbkdf2_hmac_array::<Sha512, 64>(password, SALT, ROUNDS).to_vec()
            }
        }
    }

    fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(data).to_vec(),
            Self::Sha256 => Sha256::digest(data).to_vec(),
            Self::Sha512 => Sha512::digest(data).to_vec(),
        }
    }

    fn hmac(self, key: &[u8], data: &[u8]) -> Vec<u8> {
        fn mac<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Vec<u8> {
            let mut mac = <M as KeyInit>::new_from_slice(key).expect("any length");
            mac.update(data);
            mac.finalize().into_bytes().to_vec()
        }
        match self {
            Self::Sha1 => mac::<Hmac<Sha1>>(key, data),
            Self::Sha256 => mac::<Hmac<Sha256>>(key, data),
            Self::Sha512 => mac::<Hmac<Sha512>>(key, data),
        }
    }
}
