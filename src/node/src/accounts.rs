//! The accounts of this node, as the router and modules see them.

use std::sync::Arc;

use auth::{Auth, AuthError};
use router::{AccountAnswer, AccountService, Accounts, Router};
use stream::Secret;
use xmpp::{BareJid, Condition, StanzaError};

/// Makes accounts, so that nothing of an earlier one of the same name is left to them.
#[derive(Clone)]
pub(crate) struct NodeAccounts {
    /// Where they are.
    pub(crate) auth: Auth,
    /// Who tells modules to delete what is left.
    pub(crate) router: Router,
}

/// Offers the accounts of `auth` to the router and its modules.
pub(crate) fn service(auth: &Auth, router: &Router) -> AccountService {
    AccountService(Arc::new(NodeAccounts {
        auth: auth.clone(),
        router: router.clone(),
    }))
}

impl NodeAccounts {
    /// Deletes what a removal that was cut off has left of `account`, if there is no such account.
    ///
    /// # Errors
    /// It could not be deleted: no account of this name may be made.
    pub(crate) async fn clear(&self, account: &BareJid) -> Result<(), StanzaError> {
        if self.auth.exists(account).await.map_err(unavailable)? {
            return Ok(());
        }
        let cleared = self.router.remove_account(account).await;
        cleared.map_err(|left| {
            tracing::error!(what = "account_not_cleared", error = %left);
            left.error
        })
    }
}

fn unavailable(error: store::StoreError) -> StanzaError {
    tracing::error!(what = "accounts_unavailable", %error);
    StanzaError::from(&error)
}

/// What a client is told.
fn told(error: AuthError) -> StanzaError {
    let condition = match &error {
        AuthError::AlreadyExists(_) => Condition::Conflict,
        AuthError::NoSuchAccount(_) => Condition::ItemNotFound,
        AuthError::Password(_) | AuthError::NoLocalpart(_) => Condition::NotAcceptable,
        AuthError::NotServed(_) | AuthError::Keys(_) => Condition::NotAllowed,
        AuthError::Store(cause) => {
            tracing::error!(what = "accounts_unavailable", error = %cause);
            return StanzaError::from(cause);
        }
    };
    StanzaError::new(condition).with_text(error.to_string())
}

impl Accounts for NodeAccounts {
    fn exists(&self, account: BareJid) -> AccountAnswer<bool> {
        let this = self.clone();
        Box::pin(async move { this.auth.exists(&account).await.map_err(unavailable) })
    }

    fn register(&self, account: BareJid, password: String) -> AccountAnswer<()> {
        let this = self.clone();
        Box::pin(async move {
            this.clear(&account).await?;
            let registered = this.auth.register(&account, Secret::from(password)).await;
            registered.map_err(told)?;
            tracing::info!(what = "account_registered", account = %account);
            this.router.account_registered(&account);
            Ok(())
        })
    }

    fn change_password(&self, account: BareJid, password: String) -> AccountAnswer<()> {
        let this = self.clone();
        Box::pin(async move {
            let password = Secret::from(password);
            let changed = this.auth.change_password(&account, password).await;
            changed.map_err(told)?;
            tracing::info!(what = "password_changed", account = %account);
            Ok(())
        })
    }

    fn unregister(&self, account: BareJid) -> AccountAnswer<()> {
        let this = self.clone();
        Box::pin(async move {
            this.auth.unregister(&account).await.map_err(told)?;
            tracing::info!(what = "account_unregistered", account = %account);
            Ok(())
        })
    }
}
