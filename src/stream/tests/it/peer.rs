//! Both ends of a stream without a socket: a driver for the machine, and a client that can SCRAM.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::{BufMut, BytesMut};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use stream::scram::{self, ScramKeys};
use stream::{Action, C2s, C2sSettings, ConnectionInfo, Input, TlsInfo, TlsMode};
use xmpp::{BareJid, StanzaError, StreamCondition};

pub(crate) const OPEN: &str = "<?xml version='1.0'?><stream:stream to='localhost' version='1.0' \
    xml:lang='de' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

pub(crate) const LIMITS: xml::Limits = xml::Limits {
    stanza: 4096,
    header: 1024,
    depth: 8,
    attributes: 16,
    namespaces: 8,
};

pub(crate) fn tls() -> TlsInfo {
    TlsInfo {
        exporter: Some([7; 32]),
        server_end_point: Some(vec![9; 32]),
        version: "TLSv1.3".to_owned(),
    }
}

/// Settings whose randomness is a counter, so that two runs say the same.
pub(crate) fn settings(mode: TlsMode) -> C2sSettings {
    let counter = AtomicU8::new(0);
    let random = Arc::new(move |bytes: &mut [u8]| {
        bytes.fill(counter.fetch_add(1, Ordering::Relaxed));
    });
    let mut settings = C2sSettings::new("localhost", LIMITS, random, [5; 32]);
    settings.tls = mode;
    settings.scram_iterations = 4;
    settings.limits_after = xml::Limits {
        stanza: 8192,
        ..LIMITS
    };
    settings
}

/// A connection: framer, machine and the answers of the world around them.
pub(crate) struct Peer {
    framer: xml::Framer,
    pub(crate) machine: C2s,
    pub(crate) unread: BytesMut,
    accounts: BTreeMap<BareJid, String>,
    /// Errors for the next requests to bind.
    pub(crate) bind_errors: VecDeque<StanzaError>,
    /// What the client was sent and has not taken.
    sent: String,
    /// Everything that was done, in order.
    pub(crate) trace: Vec<String>,
    pub(crate) closed: bool,
    /// The session has taken over: what is still unread belongs to it.
    pub(crate) established: bool,
}

impl Peer {
    pub(crate) fn new(settings: C2sSettings) -> Self {
        let tls = matches!(settings.tls, TlsMode::Direct).then(tls);
        let connection = ConnectionInfo {
            tls,
            peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        Self {
            framer: xml::Framer::new(settings.limits_before),
            machine: C2s::new(Arc::new(settings), connection),
            unread: BytesMut::new(),
            accounts: BTreeMap::from([("romeo@localhost".parse().unwrap(), "r0m30".to_owned())]),
            bind_errors: VecDeque::new(),
            sent: String::new(),
            trace: Vec::new(),
            closed: false,
            established: false,
        }
    }

    /// A stream over TLS that has been opened, its header and features taken.
    pub(crate) fn opened() -> Self {
        Self::opened_with(settings(TlsMode::Direct))
    }

    pub(crate) fn opened_with(settings: C2sSettings) -> Self {
        let mut peer = Self::new(settings);
        peer.say(OPEN);
        peer
    }

    /// A stream on which romeo has logged in, opened again.
    pub(crate) fn logged_in() -> Self {
        let mut peer = Self::opened();
        let answer = peer.say(&plain("", "romeo", "r0m30"));
        assert_eq!(
            answer,
            "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
        );
        peer.say(OPEN);
        peer
    }

    /// Receives what the client sends, and gives what it is sent in return.
    pub(crate) fn say(&mut self, text: &str) -> String {
        self.receive(text.as_bytes());
        std::mem::take(&mut self.sent)
    }

    pub(crate) fn receive(&mut self, bytes: &[u8]) {
        self.unread.put_slice(bytes);
        while !self.closed && !self.established {
            match self.framer.next(&mut self.unread) {
                Ok(Some(event)) => self.input(Input::Event(event)),
                Ok(None) => break,
                Err(error) => self.input(Input::BadXml(error)),
            }
        }
    }

    pub(crate) fn input(&mut self, input: Input) {
        let mut actions = Vec::new();
        self.machine.handle(input, &mut actions);
        for action in actions {
            self.act(action);
        }
    }

    fn act(&mut self, action: Action) {
        assert!(!self.closed, "{action:?} after the end");
        self.trace.push(format!("{action:?}"));
        match action {
            Action::Send(bytes) => self.sent += std::str::from_utf8(&bytes).unwrap(),
            Action::StartTls if !self.unread.is_empty() => {
                self.input(Input::Close(StreamCondition::PolicyViolation.into()));
            }
            Action::StartTls => self.input(Input::TlsDone(tls())),
            Action::RestartFramer => self.framer.restart(),
            Action::SetLimits(limits) => self.framer.set_limits(limits),
            Action::FetchKeys { account, hash } => {
                let keys = self
                    .accounts
                    .get(&account)
                    .map(|password| scram::derive(hash, password, b"sixteen bytes of", 4).unwrap());
                self.input(Input::Keys(keys));
            }
            Action::CheckPassword { account, password } => {
                let right = self
                    .accounts
                    .get(&account)
                    .is_some_and(|p| p == password.expose());
                self.input(Input::PasswordChecked(right));
            }
            Action::AskStranger { request, .. } => {
                self.input(Input::Answered(request.iq_result(bytes::Bytes::new())));
            }
            Action::Bind { account, resource } => {
                let jid = account
                    .with_resource(resource.as_deref().unwrap_or("made"))
                    .unwrap();
                let result = self.bind_errors.pop_front().map_or(Ok(jid), Err);
                self.input(Input::Bound(result));
            }
            Action::AuthFailed { .. } | Action::Authenticated { .. } => {}
            Action::Established(_) => self.established = true,
            Action::Close => self.closed = true,
        }
    }

    /// The names of the actions so far, for comparisons of shape.
    pub(crate) fn shape(&self) -> Vec<&str> {
        let is_end = |c: char| !c.is_ascii_alphabetic();
        self.trace
            .iter()
            .map(|line| line.split(is_end).next().unwrap())
            .collect()
    }
}

pub(crate) fn auth(mechanism: &str, message: &str) -> String {
    let message = STANDARD.encode(message);
    format!(
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='{mechanism}'>{message}</auth>"
    )
}

pub(crate) fn plain(authzid: &str, authcid: &str, password: &str) -> String {
    auth("PLAIN", &format!("{authzid}\0{authcid}\0{password}"))
}

pub(crate) fn response(message: &str) -> String {
    let message = STANDARD.encode(message);
    format!("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{message}</response>")
}

pub(crate) fn failure(condition: &str) -> String {
    format!("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><{condition}/></failure>")
}

pub(crate) fn stream_error(condition: &str) -> String {
    format!(
        "<stream:error><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
    )
}

/// The text of the element that `xml` is, decoded.
pub(crate) fn message_in(xml: &str) -> String {
    let element = xml::Element::parse(xml.as_bytes()).unwrap();
    String::from_utf8(STANDARD.decode(&*element.text()).unwrap()).unwrap()
}

/// A client's side of SCRAM-SHA-256, written from RFC 5802 alone.
pub(crate) struct ScramClient {
    pub(crate) header: String,
    pub(crate) binding: Vec<u8>,
    pub(crate) username: &'static str,
    pub(crate) password: &'static str,
}

impl ScramClient {
    pub(crate) fn new(flag: &str, username: &'static str, password: &'static str) -> Self {
        Self {
            header: format!("{flag},,"),
            binding: Vec::new(),
            username,
            password,
        }
    }

    fn bare(&self) -> String {
        format!("n={},r=client", self.username)
    }

    pub(crate) fn first(&self) -> String {
        format!("{}{}", self.header, self.bare())
    }

    /// The last message, and what the server must say then.
    pub(crate) fn last(&self, server_first: &str) -> (String, String) {
        let value = |name: &str| {
            let found = server_first
                .split(',')
                .find_map(|part| part.strip_prefix(name));
            found.unwrap_or_else(|| panic!("no {name} in {server_first}"))
        };
        let salt = STANDARD.decode(value("s=")).unwrap();
        let mut salted = [0; 32];
        let iterations = value("i=").parse().unwrap();
        pbkdf2::pbkdf2_hmac::<Sha256>(self.password.as_bytes(), &salt, iterations, &mut salted);
        let client_key = hmac(&salted, b"Client Key");
        let binding = [self.header.as_bytes(), &self.binding].concat();
        let unproved = format!("c={},r={}", STANDARD.encode(binding), value("r="));
        let signed = format!("{},{server_first},{unproved}", self.bare());
        let signature = hmac(&Sha256::digest(client_key), signed.as_bytes());
        let proof: Vec<u8> = client_key
            .iter()
            .zip(signature)
            .map(|(a, b)| a ^ b)
            .collect();
        let server = hmac(&hmac(&salted, b"Server Key"), signed.as_bytes());
        (
            format!("{unproved},p={}", STANDARD.encode(proof)),
            format!("v={}", STANDARD.encode(server)),
        )
    }

    /// Logs in; gives the server's last answer and what its message should be.
    pub(crate) fn run(&self, mechanism: &str, peer: &mut Peer) -> (String, String) {
        let challenge = peer.say(&auth(mechanism, &self.first()));
        let (last, wanted) = self.last(&message_in(&challenge));
        (peer.say(&response(&last)), wanted)
    }
}

fn hmac(key: &[u8], data: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(data);
    mac.finalize().into_bytes().into()
}

/// Keys of another hash function than asked for.
pub(crate) fn wrong_keys() -> ScramKeys {
    scram::derive(scram::ScramHash::Sha1, "x", b"salt", 1).unwrap()
}
