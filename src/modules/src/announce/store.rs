//! What a store of messages of the day does.

use bytes::Bytes;
use store::{Apply, Pending};
use xmpp::BareJid;

/// The message of the day of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Motd {
    /// The domain.
    pub domain: String,
    /// Its id, at most 20 bytes: no other that is set later has the same.
    pub id: String,
    /// When it was set: milliseconds since 1970, UTC.
    pub since: i64,
    /// A whole message without addresses, at most 60 000 bytes.
    pub message: Bytes,
}

/// A change to what is kept. Each may be applied twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MotdWrite {
    /// This is the message of the day of its domain from now on.
    Set(Motd),
    /// This domain has none any more.
    Delete(String),
    /// This account was told the one of this id.
    Seen(BareJid, String),
    /// Forgets an account.
    Remove(BareJid),
}

/// Where messages of the day are kept.
///
/// # Errors
/// Every call may fail with what the database says.
pub trait MotdStore: Apply<MotdWrite> + 'static {
    /// The messages of the day of all domains, in any order.
    fn motds(&self) -> Pending<'_, Vec<Motd>>;

    /// The id of the last one that this account was told. It may be there no more.
    fn seen<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Option<String>>;
}
