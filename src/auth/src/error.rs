//! Why something about accounts was refused, in words for whoever asked.

use store::{StoreError, StoreErrorKind};
use stream::{saslprep::SaslPrepError, scram::ScramHash};
use xmpp::BareJid;

/// Why something about accounts was refused.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AuthError {
    /// The account exists already.
    #[error("{0} exists already; change its password, or unregister it first to begin anew")]
    AlreadyExists(BareJid),
    /// There is no such account.
    #[error("there is no account {0}; look for it in the list of accounts, or register it")]
    NoSuchAccount(BareJid),
    /// The JID cannot be an account.
    #[error("{0} names a domain, not an account; write NAME@{0}")]
    NoLocalpart(BareJid),
    /// The domain of the account is not served here.
    #[error(
        "{domain} is not served here, so {0} cannot be an account; use a domain of this server, or \
         add this one to its configuration",
        domain = .0.domain()
    )]
    NotServed(BareJid),
    /// The new password breaks the rules.
    #[error(transparent)]
    Password(#[from] PasswordFault),
    /// There are no keys to import, or they cannot be those of the named hash.
    #[error("{0}")]
    Keys(KeyFault),
    /// The store failed.
    #[error("accounts cannot be read or written now; try again later, the server's log says why")]
    Store(#[from] StoreError),
}

/// What is wrong with a new password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    /// Too few characters.
    #[error("the password has {length} characters; take at least {min}")]
    TooShort {
        /// Its length in characters.
        length: usize,
        /// The least.
        min: usize,
    },
    /// Too many bytes.
    #[error("the password has {length} bytes; take at most {max}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The most.
        max: usize,
    },
    /// Characters that clients could not send.
    #[error("the password cannot be used at login ({0}); leave such characters out")]
    Characters(#[from] SaslPrepError),
}

/// What is wrong with keys that were to be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// None were given.
    #[error("no keys are given; give those of one SCRAM hash at least, or a password")]
    None,
    /// Two sets for one hash.
    #[error("two sets of keys are given for SCRAM-{0}; leave one out")]
    Twice(ScramHash),
    /// They have another length.
    #[error(
        "the keys for SCRAM-{0} must have {length} bytes each; check the hash they were made for",
        length = .0.output_len()
    )]
    Length(ScramHash),
    /// No salt.
    #[error("the salt of the keys for SCRAM-{0} is empty; export the accounts with their salts")]
    Salt(ScramHash),
    /// Rounds that no client would do.
    #[error("the keys for SCRAM-{hash} took {iterations} rounds; 1 to {max} can be served")]
    Iterations {
        /// Whose.
        hash: ScramHash,
        /// The rounds.
        iterations: u32,
        /// The most.
        max: u32,
    },
}

impl AuthError {
    /// An error of the store about one account.
    pub(crate) fn of(account: &BareJid, error: StoreError) -> Self {
        match error.kind {
            StoreErrorKind::Exists => AuthError::AlreadyExists(account.clone()),
            StoreErrorKind::Missing => AuthError::NoSuchAccount(account.clone()),
            _ => AuthError::Store(error),
        }
    }
}
