//! What a store of rosters does.

use bytes::Bytes;
use store::{Apply, Pending};
use xmpp::BareJid;

use super::item::Item;

/// An item as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The item.
    pub item: Item,
    /// Whether it was removed: it is kept for those who ask what has changed (RFC 6121 §2.6).
    pub removed: bool,
    /// The presence with which the contact asked for a subscription, as it goes on the wire
    /// (§3.1.3), as long as it is not answered.
    pub request: Option<Bytes>,
}

/// A change. Each may be applied twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RosterWrite {
    /// Keeps an item of an account, in the place of the one of the same number.
    Put(BareJid, Kept),
    /// Forgets the items of these numbers.
    Forget(BareJid, Vec<i32>),
    /// Forgets all of an account.
    Remove(BareJid),
}

/// Where rosters are kept.
///
/// # Errors
/// Every call may fail with what the database says.
pub trait RosterStore: Apply<RosterWrite> + 'static {
    /// All items of an account, in no order.
    fn load<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Vec<Kept>>;
}
