//! Storage: pools, errors, accounts, and the conformance suite of every back end.
//!
//! What lasts goes through sea-orm. SQLite in the data folder is the default and needs no service.
//! A write that returned `Ok` is on disk.

mod account;
mod error;
mod keys;
mod nodes;
mod open;
mod pool;
mod readers;
mod secret;
mod writer;

pub use account::{Account, AccountStore, Added, MemAccounts, Pending, SqlAccounts};
pub use error::{Retry, StoreError, StoreErrorKind};
pub use keys::{AccountKeys, BadKeys, Keys};
pub use nodes::{NodeRow, Nodes};
pub use open::OpenError;
pub use pool::{FILE_NAME, Pool, PoolSettings};
pub use readers::Readers;
pub use writer::{Apply, Ticket, Writer};
