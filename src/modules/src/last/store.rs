//! What a store of last activities does.

use store::{Apply, Pending};
use xmpp::BareJid;

/// When an account was last seen to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Milliseconds since 1970, UTC.
    pub at: i64,
    /// The text of its last unavailable presence; empty when it had none.
    pub status: String,
}

/// A change to what is kept. Each may be applied twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LastWrite {
    /// An account has left.
    Left(BareJid, Left),
    /// Forgets an account.
    Remove(BareJid),
}

/// Where last activities are kept.
///
/// # Errors
/// Every call may fail with what the database says.
pub trait LastStore: Apply<LastWrite> + 'static {
    /// When this account last left; `None` if it never did.
    fn last<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Option<Left>>;
}
