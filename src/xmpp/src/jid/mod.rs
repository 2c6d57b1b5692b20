//! Addresses (RFC 7622): `localpart@domain/resource`.
//!
//! All three types share one text behind a counter; a bare JID taken from a full one is the same
//! text with a nearer end. They compare, hash and print as their text.

mod error;
mod prepare;

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

pub use error::{JidError, Part};

/// A normalised address and where its parts are.
#[derive(Clone)]
struct Text {
    text: Arc<str>,
    /// Bytes of the localpart; 0 if there is none.
    at: u16,
    /// Where the bare JID ends.
    bare: u16,
    /// Where this address ends: `bare`, or the whole text.
    end: u16,
}

impl Text {
    fn whole(&self) -> &str {
        &self.text[..usize::from(self.end)]
    }

    fn bare_str(&self) -> &str {
        &self.text[..usize::from(self.bare)]
    }

    fn localpart(&self) -> Option<&str> {
        (self.at > 0).then(|| &self.text[..usize::from(self.at)])
    }

    fn domain(&self) -> &str {
        let start = match self.at {
            0 => 0,
            n => usize::from(n) + 1,
        };
        &self.text[start..usize::from(self.bare)]
    }

    fn resource(&self) -> Option<&str> {
        (self.end > self.bare).then(|| &self.text[usize::from(self.bare) + 1..])
    }

    fn to_bare(&self) -> Self {
        Self {
            end: self.bare,
            ..self.clone()
        }
    }
}

/// An address with or without a resource.
#[derive(Clone)]
pub struct Jid(Text);

/// An address without a resource: an account, a room, a server.
#[derive(Clone)]
pub struct BareJid(Text);

/// An address with a resource: a session, an occupant of a room.
#[derive(Clone)]
pub struct FullJid(Text);

impl Jid {
    /// Normalises and checks an address.
    ///
    /// # Errors
    /// Which part is wrong, and how.
    pub fn new(text: &str) -> Result<Self, JidError> {
        prepare::jid(text).map(Self)
    }

    /// The part before the `@`.
    pub fn localpart(&self) -> Option<&str> {
        self.0.localpart()
    }

    /// The domain, a host name with Unicode labels or an IP address.
    pub fn domain(&self) -> &str {
        self.0.domain()
    }

    /// The part behind the `/`.
    pub fn resource(&self) -> Option<&str> {
        self.0.resource()
    }

    /// The address without its resource; shares the text.
    pub fn to_bare(&self) -> BareJid {
        BareJid(self.0.to_bare())
    }

    /// The text without its resource.
    pub fn bare_str(&self) -> &str {
        self.0.bare_str()
    }

    /// True without a resource.
    pub fn is_bare(&self) -> bool {
        self.0.end == self.0.bare
    }

    /// True for a domain alone.
    pub fn is_domain(&self) -> bool {
        self.is_bare() && self.0.at == 0
    }

    /// The same as a full JID, if it has a resource.
    pub fn as_full(&self) -> Option<FullJid> {
        (!self.is_bare()).then(|| FullJid(self.0.clone()))
    }
}

impl BareJid {
    /// Normalises and checks an address.
    ///
    /// # Errors
    /// Which part is wrong, and how; [`JidError::NotBare`] if there is a resource.
    pub fn new(text: &str) -> Result<Self, JidError> {
        Self::try_from(Jid::new(text)?)
    }

    /// The address whose text this is, as [`as_str`](Self::as_str) gave it: for those who keep many
    /// and make them anew at once. What is no text of a bare JID gives an address that is none.
    pub fn from_normal(text: &str) -> Self {
        Self(prepare::normal(text))
    }

    /// The address of an account, from its parts.
    ///
    /// # Errors
    /// Which part is wrong, and how.
    pub fn from_parts(localpart: Option<&str>, domain: &str) -> Result<Self, JidError> {
        prepare::parts(localpart, domain, None).map(Self)
    }

    /// The part before the `@`.
    pub fn localpart(&self) -> Option<&str> {
        self.0.localpart()
    }

    /// The domain.
    pub fn domain(&self) -> &str {
        self.0.domain()
    }

    /// The full JID of a resource here.
    ///
    /// # Errors
    /// If the resource is empty, too long or has forbidden characters.
    pub fn with_resource(&self, resource: &str) -> Result<FullJid, JidError> {
        prepare::with_resource(&self.0, resource).map(FullJid)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.whole()
    }
}

impl FullJid {
    /// Normalises and checks an address.
    ///
    /// # Errors
    /// Which part is wrong, and how; [`JidError::NotFull`] if there is no resource.
    pub fn new(text: &str) -> Result<Self, JidError> {
        Self::try_from(Jid::new(text)?)
    }

    /// The part before the `@`.
    pub fn localpart(&self) -> Option<&str> {
        self.0.localpart()
    }

    /// The domain.
    pub fn domain(&self) -> &str {
        self.0.domain()
    }

    /// The part behind the `/`.
    pub fn resource(&self) -> &str {
        self.0.resource().unwrap_or_default()
    }

    /// The address without its resource; shares the text.
    pub fn bare(&self) -> BareJid {
        BareJid(self.0.to_bare())
    }

    /// The text without its resource.
    pub fn bare_str(&self) -> &str {
        self.0.bare_str()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.whole()
    }
}

macro_rules! as_text {
    ($($name:ident)*) => {$(
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.0.whole()
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.0.whole()
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.whole() == other.0.whole()
            }
        }

        impl Eq for $name {}

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0.whole() == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0.whole() == *other
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                self.0.whole().cmp(other.0.whole())
            }
        }

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.0.whole().hash(state);
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.0.whole())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0.whole())
            }
        }

        impl FromStr for $name {
            type Err = JidError;

            fn from_str(text: &str) -> Result<Self, JidError> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = JidError;

            fn try_from(text: &str) -> Result<Self, JidError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = JidError;

            fn try_from(text: String) -> Result<Self, JidError> {
                Self::new(&text)
            }
        }
    )*};
}

as_text!(Jid BareJid FullJid);

impl From<BareJid> for Jid {
    fn from(jid: BareJid) -> Self {
        Self(jid.0)
    }
}

impl From<FullJid> for Jid {
    fn from(jid: FullJid) -> Self {
        Self(jid.0)
    }
}

impl From<&BareJid> for Jid {
    fn from(jid: &BareJid) -> Self {
        Self(jid.0.clone())
    }
}

impl From<&FullJid> for Jid {
    fn from(jid: &FullJid) -> Self {
        Self(jid.0.clone())
    }
}

impl From<FullJid> for BareJid {
    fn from(jid: FullJid) -> Self {
        jid.bare()
    }
}

impl TryFrom<Jid> for BareJid {
    type Error = JidError;

    fn try_from(jid: Jid) -> Result<Self, JidError> {
        if jid.is_bare() {
            Ok(Self(jid.0))
        } else {
            Err(JidError::NotBare)
        }
    }
}

impl TryFrom<Jid> for FullJid {
    type Error = JidError;

    fn try_from(jid: Jid) -> Result<Self, JidError> {
        if jid.is_bare() {
            Err(JidError::NotFull)
        } else {
            Ok(Self(jid.0))
        }
    }
}
