//! What an admin request is refused with.

use async_graphql::{Enum, Error, ErrorExtensions};

/// Why a request was refused. It travels as `extensions.code` of a GraphQL
/// error, so that programs need not read the sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ErrorCode {
    /// The account, session or actor that was named is not there.
    NotFound,
    /// What was to be made is there already.
    AlreadyExists,
    /// An argument can't be what it says: no JID, no key, too long, too many.
    Invalid,
    /// The node understood and says no.
    Refused,
    /// The node can't do it now; the same request may succeed later.
    Unavailable,
}

impl ErrorCode {
    /// The code as it stands in the schema and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorCode::NotFound => "NOT_FOUND",
            ErrorCode::AlreadyExists => "ALREADY_EXISTS",
            ErrorCode::Invalid => "INVALID",
            ErrorCode::Refused => "REFUSED",
            ErrorCode::Unavailable => "UNAVAILABLE",
        }
    }
}

/// A refusal: a code for programs and a sentence for people.
///
/// The sentence is shown to the operator as it is. It must not carry secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct AdminError {
    /// For programs.
    pub code: ErrorCode,
    /// For people: one sentence without a full stop.
    pub message: String,
}

impl AdminError {
    /// A refusal of the given kind.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        AdminError {
            code,
            message: message.into(),
        }
    }

    /// [`ErrorCode::NotFound`].
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::NotFound, message)
    }

    /// [`ErrorCode::AlreadyExists`].
    pub fn already_exists(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::AlreadyExists, message)
    }

    /// [`ErrorCode::Invalid`].
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Invalid, message)
    }

    /// [`ErrorCode::Refused`].
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Refused, message)
    }

    /// [`ErrorCode::Unavailable`].
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Unavailable, message)
    }

    /// As a GraphQL error with `extensions.code`.
    pub(crate) fn graphql(self) -> Error {
        let code = self.code.as_str();
        Error::new(self.message).extend_with(|_, e| e.set("code", code))
    }
}
