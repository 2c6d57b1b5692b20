//! Accounts: who may log in, with the keys derived from their passwords.

use crate::{AccountKeys, StoreError, StoreErrorKind};
use std::{future::Future, pin::Pin, time::SystemTime};
use xmpp::BareJid;

mod entity;
mod mem;
mod sql;

pub use mem::MemAccounts;
pub use sql::SqlAccounts;

/// What a store answers in a while.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// One account as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its bare JID.
    pub jid: BareJid,
    /// When it was registered, to the millisecond.
    pub created_at: SystemTime,
}

/// What became of one account of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It was created.
    New,
    /// It was there already and has kept its keys.
    Existed,
}

/// Where accounts are kept. A write that returned `Ok` is durable; one whose future was dropped has
/// happened or not, but never by half.
///
/// # Errors
/// Every call may fail with what the database says (see [`StoreError`]); the kinds a call adds are
/// named there.
pub trait AccountStore: Send + Sync + 'static {
    /// Adds an account. `Exists` if it is there; nothing is changed then.
    fn create<'a>(&'a self, account: &'a BareJid, keys: AccountKeys) -> Pending<'a, Account>;

    /// Adds many at once, in one transaction; says of each, in their order, what became of it. Of
    /// two equal ones the first counts. An error means that none was added.
    fn create_many(&self, batch: Vec<(BareJid, AccountKeys)>) -> Pending<'_, Vec<Added>>;

    /// Puts other keys in the place of an account's. `Missing` if there is none.
    fn replace_keys<'a>(&'a self, account: &'a BareJid, keys: AccountKeys) -> Pending<'a, ()>;

    /// Takes an account away. `Missing` if there is none.
    fn remove<'a>(&'a self, account: &'a BareJid) -> Pending<'a, ()>;

    /// The keys of an account; `None` if there is no such account.
    fn keys<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Option<AccountKeys>>;

    /// Whether there is such an account.
    fn exists<'a>(&'a self, account: &'a BareJid) -> Pending<'a, bool>;

    /// At most `limit` accounts, of one domain or of all, in the order of the bytes of domain and
    /// localpart, beginning behind `after`, which need not exist.
    fn list<'a>(
        &'a self,
        domain: Option<&'a str>,
        after: Option<&'a BareJid>,
        limit: u64,
    ) -> Pending<'a, Vec<Account>>;

    /// How many accounts there are, of one domain or of all. Reads the index of them: not for hot
    /// paths.
    fn count<'a>(&'a self, domain: Option<&'a str>) -> Pending<'a, u64>;
}

/// The key of an account: domain and localpart.
type Key = (String, String);

fn key(account: &BareJid) -> Key {
    let localpart = account.localpart().unwrap_or_default();
    (account.domain().to_owned(), localpart.to_owned())
}

fn missing(account: &BareJid) -> StoreError {
    StoreError::new(StoreErrorKind::Missing, account.to_string())
}

/// Now, to the millisecond, as it is stored.
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as i64)
}

/// What was stored as `ms`.
fn time_of(ms: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(ms.max(0) as u64)
}
