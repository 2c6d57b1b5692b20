//! What a listener decides about the streams it accepts.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;

use crate::binding::TlsInfo;
use crate::sasl::Mechanism;

/// How TLS comes about on a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TlsMode {
    /// Never.
    Off,
    /// Offered by STARTTLS; clients may log in without it.
    StartTls,
    /// Offered by STARTTLS; nothing else is offered before it.
    Required,
    /// TLS from the first byte (XEP-0368).
    Direct,
}

impl TlsMode {
    /// Whether nobody may log in outside TLS.
    pub fn is_required(self) -> bool {
        matches!(self, Self::Required | Self::Direct)
    }

    /// Whether STARTTLS is offered on a connection that has no TLS yet.
    pub(crate) fn offers_starttls(self) -> bool {
        matches!(self, Self::StartTls | Self::Required)
    }
}

/// Tells whether we serve a domain (normalised as RFC 7622 §3.2 says).
pub type Serves = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// Gives the features that a domain shows after login, whole elements one after another.
pub type Features = Arc<dyn Fn(&str) -> Bytes + Send + Sync>;

/// Tells whether somebody who has not logged in may ask a domain IQs of a namespace.
pub type MayAsk = Arc<dyn Fn(&str, &str) -> bool + Send + Sync>;

/// Fills a buffer with bytes that nobody can foresee.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// What a listener decides about client streams; shared by all its connections.
#[derive(Clone)]
pub struct C2sSettings {
    /// The domains that are served here.
    pub domains: Serves,
    /// The name we give ourselves to a client that asked for a domain we don't serve, or for none.
    pub host: String,
    /// The mechanisms that are offered, in that order. PLAIN is withheld outside TLS, the `-PLUS`
    /// ones where the connection has no channel binding.
    pub mechanisms: Vec<Mechanism>,
    /// Offer PLAIN outside TLS too.
    pub plain_without_tls: bool,
    /// How TLS comes about.
    pub tls: TlsMode,
    /// Limits until the client has logged in; the driver starts its framer with them.
    pub limits_before: xml::Limits,
    /// Limits from then on.
    pub limits_after: xml::Limits,
    /// The failed attempt to log in that closes the stream (RFC 6120 §6.4.5 wants at least 2 and at
    /// most 5 retries); 0 counts as 1.
    pub max_auth_tries: u8,
    /// Where stream ids and nonces come from.
    pub random: Random,
    /// Makes the answers for accounts that don't exist; must outlive a restart, or they change.
    pub fake_key_secret: [u8; 32],
    /// Rounds of PBKDF2 that accounts which don't exist claim to have.
    pub scram_iterations: u32,
    /// The language of our error texts, `en` (RFC 6120 §4.7.4).
    pub lang: String,
    /// Further features to show after login; asked for each stream, they may change.
    pub features: Features,
    /// Further features to show before login, where a password may be sent: inside TLS, or with
    /// [`plain_without_tls`](Self::plain_without_tls).
    pub login_features: Features,
    /// What may be asked there before login.
    pub strangers_may_ask: MayAsk,
}

impl C2sSettings {
    /// Settings for `host` alone: all mechanisms, STARTTLS required, three tries, 10 000 rounds.
    ///
    /// `random` fills nonces; `fake_key_secret` is a secret that stays.
    pub fn new(host: &str, limits: xml::Limits, random: Random, fake_key_secret: [u8; 32]) -> Self {
        let served = host.to_owned();
        Self {
            domains: Arc::new(move |domain| domain == served),
            host: host.to_owned(),
            mechanisms: Mechanism::ALL.to_vec(),
            plain_without_tls: false,
            tls: TlsMode::Required,
            limits_before: limits,
            limits_after: limits,
            max_auth_tries: 3,
            random,
            fake_key_secret,
            scram_iterations: 10_000,
            lang: "en".to_owned(),
            features: Arc::new(|_| Bytes::new()),
            login_features: Arc::new(|_| Bytes::new()),
            strangers_may_ask: Arc::new(|_, _| false),
        }
    }
}

impl fmt::Debug for C2sSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("C2sSettings")
            .field("host", &self.host)
            .field("mechanisms", &self.mechanisms)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// What is known of a connection when its stream begins.
#[derive(Debug, Clone)]
pub struct ConnectionInfo {
    /// Set when TLS came first (direct TLS).
    pub tls: Option<TlsInfo>,
    /// Where the client comes from.
    pub peer: IpAddr,
}
