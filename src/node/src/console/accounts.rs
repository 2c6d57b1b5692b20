//! Accounts, by `auth`.

use admin::api::{Account, Accounts, Answer, Credentials, NewAccount, ReadyKeys};
use admin::scalar::{Jid, Time};
use admin::{AdminError, ErrorCode};
use auth::{Auth, AuthError, ImportedAccount, ImportedSecret};
use router::Router;
use store::StoreError;
use stream::Secret;
use stream::scram::ScramHash;
use xmpp::BareJid;

use crate::accounts::NodeAccounts;

/// The accounts of this node.
pub(crate) struct ConsoleAccounts {
    /// Where they are.
    pub(crate) auth: Auth,
    /// Where their sessions are: they end with the account.
    pub(crate) router: Router,
}

impl Accounts for ConsoleAccounts {
    fn list<'a>(
        &'a self,
        domain: Option<&'a str>,
        after: Option<&'a BareJid>,
        limit: u32,
    ) -> Answer<'a, Vec<Account>> {
        Box::pin(async move {
            let accounts = self
                .auth
                .list(domain, after, limit.into())
                .await
                .map_err(store_error)?;
            Ok(accounts.iter().map(shown).collect())
        })
    }

    fn count<'a>(&'a self, domain: Option<&'a str>) -> Answer<'a, u64> {
        Box::pin(async move { self.auth.count(domain).await.map_err(store_error) })
    }

    fn register(&self, account: BareJid, password: Secret) -> Answer<'_, Account> {
        Box::pin(async move {
            let accounts = NodeAccounts {
                auth: self.auth.clone(),
                router: self.router.clone(),
            };
            accounts.clear(&account).await.map_err(|_| {
                AdminError::new(
                    ErrorCode::Unavailable,
                    format!("what an earlier {account} has left cannot be deleted now; the server's log says why"),
                )
            })?;
            let registered = self
                .auth
                .register(&account, password)
                .await
                .map_err(auth_error)?;
            tracing::info!(what = "account_registered", account = %registered.jid);
            self.router.account_registered(&registered.jid);
            Ok(shown(&registered))
        })
    }

    fn unregister(&self, account: BareJid) -> Answer<'_, ()> {
        Box::pin(async move {
            let unregistered = match self.auth.unregister(&account).await {
                // Something of it may have been left behind by a try that failed half-way.
                Err(error @ AuthError::NoSuchAccount(_)) => Err(error),
                Err(error) => return Err(auth_error(error)),
                Ok(()) => Ok(()),
            };
            self.router.remove_account(&account).await.map_err(|error| {
                tracing::error!(what = "account_not_removed", %error);
                AdminError::new(
                    ErrorCode::Unavailable,
                    format!("{error}; the account can't log in any more, do this again to delete the rest"),
                )
            })?;
            unregistered.map_err(auth_error)?;
            tracing::info!(what = "account_unregistered", account = %account);
            Ok(())
        })
    }

    fn change_password(&self, account: BareJid, password: Secret) -> Answer<'_, ()> {
        Box::pin(async move {
            self.auth
                .change_password(&account, password)
                .await
                .map_err(auth_error)?;
            tracing::info!(what = "password_changed", account = %account);
            Ok(())
        })
    }

    fn check_password(&self, account: BareJid, password: Secret) -> Answer<'_, bool> {
        Box::pin(async move {
            if !self.auth.exists(&account).await.map_err(store_error)? {
                return Err(auth_error(AuthError::NoSuchAccount(account)));
            }
            self.auth
                .check_password(&account, password)
                .await
                .map_err(store_error)
        })
    }

    fn import(&self, accounts: Vec<NewAccount>) -> Answer<'_, Vec<Result<(), AdminError>>> {
        Box::pin(async move {
            let batch = accounts.into_iter().map(imported).collect();
            let results = self.auth.import(batch).await.map_err(store_error)?;
            Ok(results
                .into_iter()
                .map(|result| result.map_err(auth_error))
                .collect())
        })
    }
}

fn shown(account: &store::Account) -> Account {
    Account {
        account: Jid::from(&account.jid),
        registered: Some(Time::from(account.created_at)),
    }
}

fn imported(
    NewAccount {
        account,
        credentials,
    }: NewAccount,
) -> ImportedAccount {
    let secret = match credentials {
        Credentials::Password(password) => ImportedSecret::Password(password),
        Credentials::Keys(keys) => {
            let ReadyKeys {
                sha1,
                sha256,
                sha512,
            } = *keys;
            let keys = [
                (ScramHash::Sha1, sha1),
                (ScramHash::Sha256, sha256),
                (ScramHash::Sha512, sha512),
            ];
            ImportedSecret::Keys(
                keys.into_iter()
                    .filter_map(|(hash, keys)| Some((hash, keys?)))
                    .collect(),
            )
        }
    };
    ImportedAccount { account, secret }
}

fn auth_error(error: AuthError) -> AdminError {
    let code = match &error {
        AuthError::AlreadyExists(_) => ErrorCode::AlreadyExists,
        AuthError::NoSuchAccount(_) => ErrorCode::NotFound,
        AuthError::NoLocalpart(_)
        | AuthError::NotServed(_)
        | AuthError::Password(_)
        | AuthError::Keys(_) => ErrorCode::Invalid,
        AuthError::Store(cause) => {
            tracing::error!(what = "store_failed", error = %cause);
            ErrorCode::Unavailable
        }
    };
    AdminError::new(code, error.to_string())
}

fn store_error(error: StoreError) -> AdminError {
    auth_error(AuthError::Store(error))
}
