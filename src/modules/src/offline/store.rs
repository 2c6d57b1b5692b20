//! What a store of waiting messages does.

use bytes::Bytes;
use store::{Apply, Pending};
use xmpp::BareJid;

/// A message that waits for its account. Times are milliseconds since 1970, UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its number: within one account the order in which the messages came.
    pub id: i64,
    /// When it came.
    pub stored_at: i64,
    /// When it is too old to be delivered; `None`: never.
    pub expires_at: Option<i64>,
    /// Who sent it, as an address; empty if nobody said.
    pub sender: String,
    /// The stanza as it goes on the wire, `from` and `to` in it.
    pub stanza: Bytes,
}

/// What is known of a waiting message without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// As [`Waiting::id`].
    pub id: i64,
    /// Bytes of the stanza.
    pub size: usize,
    /// As [`Waiting::expires_at`].
    pub expires_at: Option<i64>,
}

/// The head of a waiting message (XEP-0013 §2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// As [`Waiting::id`].
    pub id: i64,
    /// As [`Waiting::sender`].
    pub sender: String,
}

/// A change to what is kept. Each may be applied twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfflineWrite {
    /// Keeps a message.
    Keep(BareJid, Waiting),
    /// Forgets the messages of these numbers, in their order, whether they are there or not.
    Forget(BareJid, Vec<i64>),
    /// Forgets all of an account.
    Remove(BareJid),
}

/// Where waiting messages are kept.
///
/// # Errors
/// Every call may fail with what the database says.
pub trait OfflineStore: Apply<OfflineWrite> + 'static {
    /// What waits for an account, in its order.
    fn lines<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Vec<Line>>;

    /// Who sent what waits for an account, in its order.
    fn heads<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Vec<Head>>;

    /// The messages of an account whose numbers are `first` to `last`, both included, in their
    /// order.
    fn read<'a>(&'a self, account: &'a BareJid, first: i64, last: i64)
    -> Pending<'a, Vec<Waiting>>;

    /// Forgets at most `limit` messages, of whomever, that had expired at `now`; says how many.
    fn purge(&self, now: i64, limit: u64) -> Pending<'_, u64>;
}
