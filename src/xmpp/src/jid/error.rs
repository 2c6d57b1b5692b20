//! What can be wrong with an address.

use std::fmt;

/// A part of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Before the `@`.
    Localpart,
    /// Between `@` and `/`.
    Domain,
    /// Behind the `/`.
    Resource,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Localpart => "localpart",
            Self::Domain => "domain",
            Self::Resource => "resource",
        })
    }
}

/// Why a text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JidError {
    /// A part with nothing in it, such as the localpart of `@example.org`.
    #[error("the {0} is empty")]
    Empty(Part),
    /// More than 1023 bytes (RFC 7622 §3.2 to §3.4), or more than DNS allows for a domain.
    #[error("the {0} is too long")]
    TooLong(Part),
    /// A character that the part must not have.
    #[error("the {0} must not contain {1:?}")]
    Forbidden(Part, char),
    /// The part as a whole breaks its profile (PRECIS, IDNA): mixed directions, a combining
    /// character at the start, a label that is no host name, and the like.
    #[error("the {0} is not allowed by RFC 7622")]
    Malformed(Part),
    /// An address with a resource where one without is needed.
    #[error("it has a resource")]
    NotBare,
    /// An address without a resource where one with is needed.
    #[error("it has no resource")]
    NotFull,
}
