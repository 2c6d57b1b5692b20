//! SASL as XMPP profiles it (RFC 6120 §6): mechanisms, failures, and one attempt to log in.
//!
//! An attempt knows nothing of streams or elements: messages in, steps out.

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use xmpp::BareJid;

use crate::base64;
use crate::binding::{ChannelBinding, TlsInfo};
use crate::saslprep::{Use, saslprep};
use crate::scram::exchange::{Challenged, Opened, ScramError};
use crate::scram::{ScramHash, ScramKeys};
use crate::secret::Secret;
use crate::settings::C2sSettings;

/// A way to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// PLAIN (RFC 4616): the password itself.
    Plain,
    /// SCRAM (RFC 5802) without channel binding.
    Scram(ScramHash),
    /// SCRAM bound to the TLS connection below.
    ScramPlus(ScramHash),
}

impl Mechanism {
    /// All of them, the best first: the order in which they are offered unless told otherwise.
    pub const ALL: [Self; 7] = [
        Self::ScramPlus(ScramHash::Sha512),
        Self::ScramPlus(ScramHash::Sha256),
        Self::ScramPlus(ScramHash::Sha1),
        Self::Scram(ScramHash::Sha512),
        Self::Scram(ScramHash::Sha256),
        Self::Scram(ScramHash::Sha1),
        Self::Plain,
    ];

    /// The name in IANA's registry.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Scram(ScramHash::Sha1) => "SCRAM-SHA-1",
            Self::Scram(ScramHash::Sha256) => "SCRAM-SHA-256",
            Self::Scram(ScramHash::Sha512) => "SCRAM-SHA-512",
            Self::ScramPlus(ScramHash::Sha1) => "SCRAM-SHA-1-PLUS",
            Self::ScramPlus(ScramHash::Sha256) => "SCRAM-SHA-256-PLUS",
            Self::ScramPlus(ScramHash::Sha512) => "SCRAM-SHA-512-PLUS",
        }
    }

    fn is_plus(self) -> bool {
        matches!(self, Self::ScramPlus(_))
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No mechanism of that name is known here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the SASL mechanism {0:?} is not known here")]
pub struct UnknownMechanism(pub String);

impl FromStr for Mechanism {
    type Err = UnknownMechanism;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|mechanism| mechanism.name() == name)
            .ok_or_else(|| UnknownMechanism(name.to_owned()))
    }
}

/// Why an attempt to log in failed, as the client is told (RFC 6120 §6.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SaslFailure {
    /// The client gave up.
    Aborted,
    /// The mechanism wants TLS first.
    EncryptionRequired,
    /// The message is not strict base 64.
    IncorrectEncoding,
    /// The client wants to act as somebody else.
    InvalidAuthzid,
    /// The mechanism is not offered, or not with this type of channel binding.
    InvalidMechanism,
    /// The message does not follow the mechanism's grammar, or comes at the wrong time.
    MalformedRequest,
    /// Wrong password, unknown account, wrong channel binding: never told which.
    NotAuthorized,
    /// It is our fault; the client may try again later.
    TemporaryAuthFailure,
}

impl SaslFailure {
    /// The name of the element.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aborted => "aborted",
            Self::EncryptionRequired => "encryption-required",
            Self::IncorrectEncoding => "incorrect-encoding",
            Self::InvalidAuthzid => "invalid-authzid",
            Self::InvalidMechanism => "invalid-mechanism",
            Self::MalformedRequest => "malformed-request",
            Self::NotAuthorized => "not-authorized",
            Self::TemporaryAuthFailure => "temporary-auth-failure",
        }
    }
}

/// What is offered on one stream: the mechanisms, and the types of channel binding (XEP-0440).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) mechanisms: Vec<Mechanism>,
    /// Empty unless a `-PLUS` mechanism is offered.
    pub(crate) bindings: Vec<ChannelBinding>,
}

impl Offer {
    /// What the settings allow over TLS of that kind, or without TLS.
    pub(crate) fn new(settings: &C2sSettings, tls: Option<&TlsInfo>) -> Self {
        let mut bindings: Vec<_> = tls.map_or_else(Vec::new, |tls| tls.kinds().collect());
        let usable = |mechanism: &Mechanism| match mechanism {
            Mechanism::Plain => tls.is_some() || settings.plain_without_tls,
            Mechanism::Scram(_) => true,
            Mechanism::ScramPlus(_) => !bindings.is_empty(),
        };
        let mechanisms: Vec<_> = match tls {
            None if settings.tls.is_required() => Vec::new(),
            _ => settings.mechanisms.iter().copied().filter(usable).collect(),
        };
        if !mechanisms.iter().any(|mechanism| mechanism.is_plus()) {
            bindings.clear();
        }
        Self {
            mechanisms,
            bindings,
        }
    }

    /// The string that XEP-0474 §5.1 hashes: what we offered, in an order that both sides can find.
    fn downgrade_string(&self) -> String {
        fn sorted_list(mut names: Vec<&str>) -> String {
            names.sort_unstable();
            names.join("\x1e")
        }
        let mut out = sorted_list(self.mechanisms.iter().map(|m| m.name()).collect());
        if !self.bindings.is_empty() {
            out.push('\x1f');
            out.push_str(&sorted_list(
                self.bindings.iter().map(|b| b.name()).collect(),
            ));
        }
        out
    }

    /// The value of SCRAM's attribute `h` (XEP-0474).
    pub(crate) fn downgrade_hash(&self, hash: ScramHash) -> String {
        base64::encode(hash.digest(self.downgrade_string().as_bytes()))
    }
}

/// What an attempt to log in may look at.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) settings: &'a C2sSettings,
    pub(crate) offer: &'a Offer,
    pub(crate) tls: Option<&'a TlsInfo>,
    /// The domain that the stream was opened to.
    pub(crate) domain: &'a str,
}

/// Where an attempt to log in has come to.
#[derive(Debug)]
pub(crate) enum Attempt {
    /// The client named its mechanism but sent nothing with it.
    Named(Mechanism),
    /// SCRAM: the account's keys are being fetched.
    Fetching { account: BareJid, opened: Opened },
    /// SCRAM: the client's proof is awaited.
    Challenged {
        account: BareJid,
        challenged: Challenged,
    },
    /// PLAIN: the password is being checked.
    Checking { account: BareJid },
}

/// What comes next in an attempt.
#[derive(Debug)]
pub(crate) enum Step {
    /// Send these bytes (base 64 is yet to come), then wait for the client.
    Challenge(String, Attempt),
    /// Ask for the account's keys.
    FetchKeys {
        account: BareJid,
        hash: ScramHash,
        attempt: Attempt,
    },
    /// Ask whether this is the account's password.
    CheckPassword {
        account: BareJid,
        password: Secret,
        attempt: Attempt,
    },
    /// Logged in; the text goes with the success.
    Success {
        account: BareJid,
        data: Option<String>,
    },
}

/// An attempt failed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) failure: SaslFailure,
    /// Whom the client claimed to be, where that is known and worth slowing down.
    pub(crate) account: Option<BareJid>,
}

impl From<SaslFailure> for Refusal {
    fn from(failure: SaslFailure) -> Self {
        Self {
            failure,
            account: None,
        }
    }
}

impl Refusal {
    fn of(account: BareJid, failure: SaslFailure) -> Self {
        Self {
            failure,
            account: Some(account),
        }
    }

    fn scram(account: Option<BareJid>, error: ScramError) -> Self {
        let failure = match error {
            ScramError::Malformed => SaslFailure::MalformedRequest,
            ScramError::Refused => SaslFailure::NotAuthorized,
            ScramError::Unbound => SaslFailure::InvalidMechanism,
        };
        Self { failure, account }
    }
}

impl Attempt {
    /// The mechanism of that name, if it may be used on this stream.
    pub(crate) fn choose(cx: Context<'_>, name: &str) -> Result<Mechanism, SaslFailure> {
        let mechanism = name.parse().map_err(|_| SaslFailure::InvalidMechanism)?;
        if cx.offer.mechanisms.contains(&mechanism) {
            return Ok(mechanism);
        }
        // Perhaps we would take it, but not on a connection without TLS.
        let missing_tls = cx.tls.is_none() && cx.settings.mechanisms.contains(&mechanism);
        Err(match missing_tls {
            true => SaslFailure::EncryptionRequired,
            false => SaslFailure::InvalidMechanism,
        })
    }

    /// The client has chosen a mechanism and may have sent its first message with it.
    pub(crate) fn begin(
        cx: Context<'_>,
        mechanism: Mechanism,
        initial: Option<&[u8]>,
    ) -> Result<Step, Refusal> {
        match initial {
            Some(message) => Self::first_message(cx, mechanism, message),
            None => Ok(Step::Challenge(String::new(), Self::Named(mechanism))),
        }
    }

    /// Whether the driver's answer is awaited, not the client's.
    pub(crate) fn is_open_question(&self) -> bool {
        matches!(self, Self::Fetching { .. } | Self::Checking { .. })
    }

    /// The client answers a challenge.
    pub(crate) fn respond(self, cx: Context<'_>, message: &[u8]) -> Result<Step, Refusal> {
        match self {
            Self::Named(mechanism) => Self::first_message(cx, mechanism, message),
            Self::Challenged {
                account,
                challenged,
            } => match challenged.finish(message) {
                Ok(data) => Ok(Step::Success {
                    account,
                    data: Some(data),
                }),
                Err(error) => Err(Refusal::scram(Some(account), error)),
            },
            Self::Fetching { .. } | Self::Checking { .. } => {
                Err(SaslFailure::MalformedRequest.into())
            }
        }
    }

    fn first_message(
        cx: Context<'_>,
        mechanism: Mechanism,
        message: &[u8],
    ) -> Result<Step, Refusal> {
        match mechanism {
            Mechanism::Plain => Self::plain(cx, message),
            Mechanism::Scram(hash) => Self::scram(cx, hash, false, message),
            Mechanism::ScramPlus(hash) => Self::scram(cx, hash, true, message),
        }
    }

    /// `[authzid] NUL authcid NUL passwd` (RFC 4616 §2).
    fn plain(cx: Context<'_>, message: &[u8]) -> Result<Step, Refusal> {
        let message = std::str::from_utf8(message).map_err(|_| SaslFailure::MalformedRequest)?;
        let mut parts = message.split('\0');
        let (Some(authzid), Some(authcid), Some(password), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(SaslFailure::MalformedRequest.into());
        };
        if authcid.is_empty() || password.is_empty() {
            return Err(SaslFailure::MalformedRequest.into());
        }
        let account = account_of(authcid, cx.domain).ok_or(SaslFailure::NotAuthorized)?;
        if !authzid.is_empty() {
            check_authzid(authzid, &account)?;
        }
        Ok(Step::CheckPassword {
            account: account.clone(),
            password: Secret::new(password),
            attempt: Self::Checking { account },
        })
    }

    fn scram(
        cx: Context<'_>,
        hash: ScramHash,
        plus: bool,
        message: &[u8],
    ) -> Result<Step, Refusal> {
        let plus_offered = cx.offer.mechanisms.iter().any(|m| m.is_plus());
        let opened = Opened::new(hash, plus, plus_offered, cx.tls, message)
            .map_err(|error| Refusal::scram(None, error))?;
        let account = account_of(opened.username(), cx.domain).ok_or(SaslFailure::NotAuthorized)?;
        if let Some(authzid) = opened.authzid() {
            check_authzid(authzid, &account)?;
        }
        Ok(Step::FetchKeys {
            account: account.clone(),
            hash,
            attempt: Self::Fetching { account, opened },
        })
    }

    /// The keys that [`Step::FetchKeys`] asked for, `None` when the account or its keys do not
    /// exist. The client must not see the difference: same shape, same steps, same cost.
    pub(crate) fn keys(self, cx: Context<'_>, keys: Option<ScramKeys>) -> Option<Step> {
        let Self::Fetching { account, opened } = self else {
            return None;
        };
        let hash = opened.hash();
        let fake = ScramKeys::fake(
            hash,
            &cx.settings.fake_key_secret,
            account.as_ref(),
            cx.settings.scram_iterations,
        );
        let keys = keys.filter(|keys| keys.hash() == Some(hash));
        let known = keys.is_some();
        let mut nonce = [0; 18];
        (cx.settings.random)(&mut nonce);
        let (message, challenged) = opened.challenge(
            keys.unwrap_or(fake),
            known,
            &base64::encode(nonce),
            Some(&cx.offer.downgrade_hash(hash)),
        );
        Some(Step::Challenge(
            message,
            Self::Challenged {
                account,
                challenged,
            },
        ))
    }

    /// The answer that [`Step::CheckPassword`] asked for.
    pub(crate) fn password(self, right: bool) -> Option<Result<Step, Refusal>> {
        let Self::Checking { account } = self else {
            return None;
        };
        Some(if right {
            Ok(Step::Success {
                account,
                data: None,
            })
        } else {
            Err(Refusal::of(account, SaslFailure::NotAuthorized))
        })
    }
}

/// The account that a user name means on a stream to `domain`: SASLprep (RFC 5802 §5.1, RFC 4616
/// §2), then the rules of a JID's localpart (RFC 6120 §6.3.7). `None` when there can be none.
fn account_of(username: &str, domain: &str) -> Option<BareJid> {
    let localpart = saslprep(username, Use::Query).ok()?;
    if localpart.contains(['@', '/']) {
        return None;
    }
    format!("{localpart}@{domain}").parse().ok()
}

/// Whoever logs in acts as himself (RFC 6120 §6.3.8).
fn check_authzid(authzid: &str, account: &BareJid) -> Result<(), Refusal> {
    match authzid.parse::<BareJid>() {
        Ok(jid) if jid == *account => Ok(()),
        _ => Err(Refusal::of(account.clone(), SaslFailure::InvalidAuthzid)),
    }
}
