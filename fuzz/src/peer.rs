//! A connection without a socket: the framer, the machine, and a driver that answers every action
//! and watches what must never happen.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::OnceLock;

use bytes::BytesMut;
use stream::scram::{self, ScramHash, ScramKeys};
use stream::{Action, C2s, C2sSettings, ConnectionInfo, Input, TlsInfo, TlsMode};
use xml::{Event, Framer, Limits};
use xmpp::{BareJid, Condition, StanzaError, StreamCondition};

/// The one account there is.
pub const ACCOUNT: &str = "romeo@localhost";
/// Its password.
pub const PASSWORD: &str = "r0m30";
/// The salt of its keys, whose rounds are [`ROUNDS`].
pub const SALT: &[u8] = b"sixteen bytes of";
/// Few, so that fuzzing is quick.
pub const ROUNDS: u32 = 2;
/// The limits in force, before and after login.
pub const LIMITS: [Limits; 2] = [
    Limits {
        stanza: 2048,
        header: 512,
        depth: 6,
        attributes: 8,
        namespaces: 4,
    },
    Limits {
        stanza: 4096,
        header: 512,
        depth: 12,
        attributes: 16,
        namespaces: 8,
    },
];

/// What a handshake leaves behind here.
pub fn tls() -> TlsInfo {
    TlsInfo {
        exporter: Some([7; 32]),
        server_end_point: Some(vec![9; 32]),
        version: "TLSv1.3".to_owned(),
    }
}

/// What happens around the connection beside what the client says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    /// The store cannot answer the next question about an account.
    pub store_fails: bool,
    /// The next request to bind is refused.
    pub bind_fails: bool,
}

/// A connection.
pub struct Peer {
    framer: Framer,
    machine: C2s,
    unread: BytesMut,
    limits: Limits,
    received: usize,
    /// What the client was sent, with what it can have been sent taken off the front.
    pub sent: String,
    /// What happens next to questions.
    pub weather: Weather,
    /// Who has shown the right password to the driver.
    proved: Option<BareJid>,
    /// SCRAM may succeed: the client knows the password.
    pub knows_password: bool,
    keys_asked: Option<BareJid>,
    /// Whom the machine believes.
    pub authenticated: Option<BareJid>,
    /// Negotiation is over.
    pub established: bool,
    /// The connection is closed.
    pub closed: bool,
    restarts: u8,
}

impl Peer {
    /// A connection to a listener of this kind, told by words: `off`, `required`, `direct`
    /// (otherwise TLS is optional), `plain` (PLAIN outside of TLS).
    pub fn new(words: &str) -> Self {
        let random = Arc::new(|bytes: &mut [u8]| bytes.fill(3));
        let mut settings = C2sSettings::new("localhost", LIMITS[0], random, [5; 32]);
        let has = |word: &str| words.split_ascii_whitespace().any(|w| w == word);
        settings.tls = match () {
            () if has("off") => TlsMode::Off,
            () if has("required") => TlsMode::Required,
            () if has("direct") => TlsMode::Direct,
            () => TlsMode::StartTls,
        };
        settings.plain_without_tls = has("plain");
        settings.scram_iterations = ROUNDS;
        settings.limits_after = LIMITS[1];
        let connection = ConnectionInfo {
            tls: matches!(settings.tls, TlsMode::Direct).then(tls),
            peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        Self {
            framer: Framer::new(LIMITS[0]),
            machine: C2s::new(Arc::new(settings), connection),
            unread: BytesMut::new(),
            limits: LIMITS[0],
            received: 0,
            sent: String::new(),
            weather: Weather::default(),
            proved: None,
            knows_password: false,
            keys_asked: None,
            authenticated: None,
            established: false,
            closed: false,
            restarts: 0,
        }
    }

    /// Whether the client wants to log in as somebody who has an account.
    pub fn asks_for_somebody(&self) -> bool {
        self.keys_asked
            .as_ref()
            .is_some_and(|account| account == ACCOUNT)
    }

    /// The client's bytes arrive, in one read.
    pub fn receive(&mut self, bytes: &[u8]) {
        if self.closed {
            return;
        }
        self.unread.extend_from_slice(bytes);
        self.received += bytes.len();
        while !self.closed {
            match self.framer.next(&mut self.unread) {
                Ok(Some(event)) => self.event(event),
                Ok(None) => break,
                Err(error) => self.input(Input::BadXml(error)),
            }
        }
        if !self.closed {
            let most = self.limits.stanza.max(self.limits.header);
            assert!(self.unread.len() <= most, "more is held back than allowed");
        }
        // Two or three headers, a few failures, errors that repeat a payload.
        let most = 16 * 1024 + 4 * self.received;
        assert!(self.sent.len() <= most, "answers grow without bound");
    }

    fn event(&mut self, event: Event) {
        match event {
            // The session has taken over.
            Event::Element(element) if self.established => {
                self.closed = stream::established(element, &[]).is_err();
            }
            _ if self.established => self.closed = true,
            event => self.input(Input::Event(event)),
        }
    }

    /// Something happens.
    pub fn input(&mut self, input: Input) {
        let mut actions = Vec::new();
        self.machine.handle(input, &mut actions);
        for action in actions {
            self.act(action);
        }
    }

    fn act(&mut self, action: Action) {
        assert!(!self.closed, "{action:?} after the end");
        assert!(
            !self.established || matches!(action, Action::Send(_) | Action::Close),
            "{action:?} after negotiation"
        );
        match action {
            Action::Send(bytes) => {
                self.sent += std::str::from_utf8(&bytes).expect("what we say is UTF-8");
            }
            Action::StartTls if !self.unread.is_empty() => {
                self.input(Input::Close(StreamCondition::PolicyViolation.into()));
            }
            Action::StartTls => self.input(Input::TlsDone(tls())),
            Action::RestartFramer => {
                self.restarts += 1;
                assert!(self.restarts <= 2, "TLS and login, each once");
                self.framer.restart();
            }
            Action::SetLimits(limits) => {
                assert!(self.authenticated.is_some(), "wider before login");
                self.limits = limits;
                self.framer.set_limits(limits);
            }
            Action::FetchKeys { account, hash } => {
                if self.weather.store_fails {
                    self.weather.store_fails = false;
                    return self.input(Input::AuthUnavailable);
                }
                let known = account == ACCOUNT;
                self.keys_asked = Some(account);
                self.input(Input::Keys(known.then(|| keys(hash))));
            }
            Action::CheckPassword { account, password } => {
                if self.weather.store_fails {
                    self.weather.store_fails = false;
                    return self.input(Input::AuthUnavailable);
                }
                let right = account == ACCOUNT && password.expose() == PASSWORD;
                self.proved = right.then_some(account);
                self.input(Input::PasswordChecked(right));
            }
            Action::Authenticated { account } => {
                assert!(self.authenticated.is_none(), "logged in twice");
                let scram = self.knows_password
                    && account == ACCOUNT
                    && self.keys_asked.as_ref() == Some(&account);
                assert!(
                    self.proved.as_ref() == Some(&account) || scram,
                    "{account} without the right password"
                );
                self.authenticated = Some(account);
            }
            Action::AskStranger { request, .. } => {
                let answer = request.iq_result(bytes::Bytes::new());
                self.input(Input::Answered(answer));
            }
            Action::Bind { account, resource } => {
                assert_eq!(Some(&account), self.authenticated.as_ref());
                let result = if self.weather.bind_fails {
                    self.weather.bind_fails = false;
                    Err(StanzaError::new(Condition::Conflict))
                } else {
                    let resource = resource.as_deref().unwrap_or("made");
                    Ok(account
                        .with_resource(resource)
                        .expect("the machine has checked it"))
                };
                self.input(Input::Bound(result));
            }
            Action::Established(jid) => {
                assert_eq!(Some(jid.bare()), self.authenticated);
                self.established = true;
            }
            Action::AuthFailed { .. } => {}
            Action::Close => self.closed = true,
        }
    }
}

/// The account's keys, derived once.
pub fn keys(hash: ScramHash) -> ScramKeys {
    static KEYS: OnceLock<[ScramKeys; 3]> = OnceLock::new();
    let all = KEYS.get_or_init(|| {
        ScramHash::ALL
            .map(|hash| scram::derive(hash, PASSWORD, SALT, ROUNDS).expect("a plain password"))
    });
    let place = ScramHash::ALL.iter().position(|h| *h == hash);
    all[place.expect("one of all")].clone()
}
