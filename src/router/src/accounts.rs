//! What the router and modules may know of accounts, and do to them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use xmpp::{BareJid, StanzaError};

/// What is answered later. The error is what those are told who wait for the answer.
pub type AccountAnswer<T> = Pin<Box<dyn Future<Output = Result<T, StanzaError>> + Send>>;

/// The accounts of a node; the node offers them ([`AccountService`]).
pub trait Accounts: Send + Sync + 'static {
    /// Whether there is such an account.
    fn exists(&self, account: BareJid) -> AccountAnswer<bool>;

    /// Makes one. Nothing of an earlier account of its name is left to it.
    ///
    /// # Errors
    /// `conflict` when it is there, `not-acceptable` for a password that is no good.
    fn register(&self, account: BareJid, password: String) -> AccountAnswer<()>;

    /// Gives it another password.
    ///
    /// # Errors
    /// `item-not-found` when it is not there, `not-acceptable` for a password that is no good.
    fn change_password(&self, account: BareJid, password: String) -> AccountAnswer<()>;

    /// Lets nobody log in to it any more. What modules keep of it goes by
    /// [`Router::remove_account`](crate::Router::remove_account).
    ///
    /// # Errors
    /// `item-not-found` when it is not there.
    fn unregister(&self, account: BareJid) -> AccountAnswer<()>;
}

/// [`Accounts`] as a service ([`Router::services`](crate::Router::services)). Without it every account
/// exists and none can be made.
pub struct AccountService(pub Arc<dyn Accounts>);
