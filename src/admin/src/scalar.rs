//! The scalars of the schema: text and numbers that carry their unit in their
//! type, so that a client can show them well without knowing the field.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use async_graphql::{InputType, InputValueError, InputValueResult, Scalar, ScalarType, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::AdminError;

/// An XMPP address (RFC 7622): `localpart@domain` for an account,
/// `localpart@domain/resource` for one of its sessions.
///
/// It holds the text; arguments are checked where they are used, by
/// [`Jid::account`] and [`Jid::any`], so that the refusal can say what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jid(pub String);

impl Jid {
    /// The address of an account: a bare JID with a localpart.
    pub fn account(&self) -> Result<xmpp::BareJid, AdminError> {
        let jid: xmpp::Jid = self.any()?;
        if jid.resource().is_some() {
            return Err(AdminError::invalid(format!(
                "`{self}` names a session; the address of an account has no resource (`{}`)",
                jid.bare_str()
            )));
        }
        if jid.localpart().is_none() {
            return Err(AdminError::invalid(format!(
                "`{self}` names a domain; an account is written `localpart@domain`"
            )));
        }
        Ok(jid.to_bare())
    }

    /// Any address, bare or full.
    pub fn any(&self) -> Result<xmpp::Jid, AdminError> {
        self.0
            .parse()
            .map_err(|e| AdminError::invalid(format!("`{self}` is no JID: {e}")))
    }
}

impl fmt::Display for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&xmpp::BareJid> for Jid {
    fn from(jid: &xmpp::BareJid) -> Self {
        Jid(jid.to_string())
    }
}

impl From<&xmpp::FullJid> for Jid {
    fn from(jid: &xmpp::FullJid) -> Self {
        Jid(jid.to_string())
    }
}

/// An XMPP address (RFC 7622): `localpart@domain` for an account, `localpart@domain/resource` for one of its sessions.
#[Scalar(name = "Jid")]
impl ScalarType for Jid {
    fn parse(value: Value) -> InputValueResult<Self> {
        text(value).map(Jid)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A password on its way in. It is never sent back.
#[derive(Debug)]
pub struct Secret(pub stream::Secret);

/// A password. Clients ask for it without showing it; it is never sent back.
#[Scalar(name = "Secret")]
impl ScalarType for Secret {
    fn parse(value: Value) -> InputValueResult<Self> {
        text(value).map(|s| Secret(stream::Secret::new(s)))
    }

    fn to_value(&self) -> Value {
        Value::Null
    }
}

/// One set of SCRAM keys as text; [`mod@crate::schema`] reads it for its hash.
#[derive(Debug)]
pub struct ScramKeysText(pub String);

/// Ready SCRAM keys (RFC 5802) as text: `iterations:salt:stored_key:server_key`, the last three in base64.
#[Scalar(name = "ScramKeys")]
impl ScalarType for ScramKeysText {
    fn parse(value: Value) -> InputValueResult<Self> {
        text(value).map(ScramKeysText)
    }

    fn to_value(&self) -> Value {
        Value::Null
    }
}

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub SystemTime);

impl From<SystemTime> for Time {
    fn from(at: SystemTime) -> Self {
        Time(at)
    }
}

/// A moment in UTC, as RFC 3339 writes it: `2026-03-01T12:00:00Z`.
#[Scalar(name = "Time")]
impl ScalarType for Time {
    fn parse(value: Value) -> InputValueResult<Self> {
        let at = OffsetDateTime::parse(&text::<Self>(value)?, &Rfc3339)?;
        Ok(Time(at.into()))
    }

    fn to_value(&self) -> Value {
        // Whole seconds: nothing here is measured more finely.
        OffsetDateTime::from(self.0)
            .replace_nanosecond(0)
            .ok()
            .and_then(|at| at.format(&Rfc3339).ok())
            .map_or(Value::Null, Value::String)
    }
}

/// Declares scalars that are whole numbers, wider than GraphQL's `Int` of 32 bits.
macro_rules! whole_numbers {
    ($($(#[doc = $doc:literal])+ $name:ident;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(pub u64);

        impl From<u64> for $name {
            fn from(n: u64) -> Self {
                $name(n)
            }
        }

        $(#[doc = $doc])+
        #[Scalar]
        impl ScalarType for $name {
            fn parse(value: Value) -> InputValueResult<Self> {
                match &value {
                    Value::Number(n) => n.as_u64().map($name),
                    _ => None,
                }
                .ok_or_else(|| InputValueError::custom("a whole number, zero or more, is expected"))
            }

            fn to_value(&self) -> Value {
                Value::Number(self.0.into())
            }
        }
    )+};
}

whole_numbers! {
    /// A length of time in whole seconds.
    Seconds;
    /// A size in bytes.
    Bytes;
    /// A whole number of something, which may pass 32 bits.
    Count;
}

impl From<Duration> for Seconds {
    fn from(d: Duration) -> Self {
        Seconds(d.as_secs())
    }
}

/// The text of a string value. The error does not repeat what was sent: it may be a secret.
fn text<T: InputType>(value: Value) -> Result<String, InputValueError<T>> {
    match value {
        Value::String(s) => Ok(s),
        _ => Err(InputValueError::custom("a string is expected")),
    }
}
