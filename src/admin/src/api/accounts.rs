//! Accounts: who may log in.

use async_graphql::SimpleObject;
use stream::{Secret, scram::ScramKeys};
use xmpp::BareJid;

use super::Answer;
use crate::{
    AdminError,
    scalar::{Jid, Time},
};

/// An account of this node.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct Account {
    /// Its address.
    pub account: Jid,
    /// When it was registered.
    pub registered: Option<Time>,
}

/// What a new account logs in with.
#[derive(Debug)]
pub enum Credentials {
    /// A password, from which the node derives its keys.
    Password(Secret),
    /// Ready keys, by hash; at least one is given.
    Keys(Box<ReadyKeys>),
}

/// Ready keys by hash.
#[derive(Debug)]
pub struct ReadyKeys {
    /// For SCRAM-SHA-1.
    pub sha1: Option<ScramKeys>,
    /// For SCRAM-SHA-256.
    pub sha256: Option<ScramKeys>,
    /// For SCRAM-SHA-512.
    pub sha512: Option<ScramKeys>,
}

/// An account to be made by an import.
#[derive(Debug)]
pub struct NewAccount {
    /// Its address.
    pub account: BareJid,
    /// What it logs in with.
    pub credentials: Credentials,
}

/// The accounts of a node. What is answered with `Ok` is durable.
///
/// Every method that names an account refuses with `INVALID` when its domain
/// is not served here, and every method with `UNAVAILABLE` when the store is.
pub trait Accounts: Send + Sync {
    /// Up to `limit` accounts in the order of their addresses as text by
    /// domain, then localpart; of one domain when it is given; those after
    /// `after` (which need not exist) when it is given.
    fn list<'a>(
        &'a self,
        domain: Option<&'a str>,
        after: Option<&'a BareJid>,
        limit: u32,
    ) -> Answer<'a, Vec<Account>>;

    /// How many accounts there are, of one domain when it is given.
    fn count<'a>(&'a self, domain: Option<&'a str>) -> Answer<'a, u64>;

    /// Makes an account. `ALREADY_EXISTS`; `INVALID` when the password breaks the rules.
    fn register(&self, account: BareJid, password: Secret) -> Answer<'_, Account>;

    /// Removes an account and closes its sessions. `NOT_FOUND`.
    fn unregister(&self, account: BareJid) -> Answer<'_, ()>;

    /// Gives an account a new password. `NOT_FOUND`; `INVALID` when the password breaks the rules.
    fn change_password(&self, account: BareJid, password: Secret) -> Answer<'_, ()>;

    /// Whether the password is the account's. `NOT_FOUND`.
    fn check_password(&self, account: BareJid, password: Secret) -> Answer<'_, bool>;

    /// Makes many accounts; one result for each, in their order. `Err` as a
    /// whole means that none of them was made.
    fn import(&self, accounts: Vec<NewAccount>) -> Answer<'_, Vec<Result<(), AdminError>>>;
}
