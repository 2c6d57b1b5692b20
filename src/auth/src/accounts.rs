//! What can be done with an account.

use crate::{
    AuthError, AuthSettings, Throttle,
    deriving::{Deriving, slot, to_scram},
};
use std::{fmt, sync::Arc};
use store::{Account, AccountStore, StoreError};
use stream::{
    Secret,
    scram::{ScramHash, ScramKeys},
};
use xmpp::BareJid;

/// The accounts of this node. Clones are the same thing.
#[derive(Clone)]
pub struct Auth(Arc<Inner>);

struct Inner {
    store: Arc<dyn AccountStore>,
    settings: AuthSettings,
    deriving: Deriving,
    throttle: Throttle,
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Auth").field(&self.0.settings).finish()
    }
}

impl Auth {
    /// Over the accounts of a store.
    pub fn new(store: Arc<dyn AccountStore>, settings: AuthSettings) -> Self {
        Auth(Arc::new(Inner {
            store,
            deriving: Deriving::new(&settings.hashes, settings.iterations),
            throttle: Throttle::new(settings.throttle),
            settings,
        }))
    }

    /// Makes an account.
    ///
    /// # Errors
    /// `AlreadyExists`, `NoLocalpart`, `NotServed`, `Password`, `Store`.
    pub async fn register(
        &self,
        account: &BareJid,
        password: Secret,
    ) -> Result<Account, AuthError> {
        self.may_exist(account)?;
        self.settings().passwords.check(password.expose())?;
        // Answered before the work; the store has the last word.
        if self.store().exists(account).await? {
            return Err(AuthError::AlreadyExists(account.clone()));
        }
        let keys = self.deriving().keys(password).await??;
        let created = self.store().create(account, keys).await;
        created.map_err(|error| AuthError::of(account, error))
    }

    /// Removes an account. Its sessions are the caller's to close.
    ///
    /// # Errors
    /// `NoSuchAccount`, `Store`.
    pub async fn unregister(&self, account: &BareJid) -> Result<(), AuthError> {
        let removed = self.store().remove(account).await;
        removed.map_err(|error| AuthError::of(account, error))?;
        self.throttle().succeeded(account);
        Ok(())
    }

    /// Gives an account a new password.
    ///
    /// # Errors
    /// `NoSuchAccount`, `Password`, `Store`.
    pub async fn change_password(
        &self,
        account: &BareJid,
        password: Secret,
    ) -> Result<(), AuthError> {
        self.settings().passwords.check(password.expose())?;
        if !self.store().exists(account).await? {
            return Err(AuthError::NoSuchAccount(account.clone()));
        }
        let keys = self.deriving().keys(password).await??;
        let replaced = self.store().replace_keys(account, keys).await;
        replaced.map_err(|error| AuthError::of(account, error))
    }

    /// Whether the password is the account's. An account that does not exist costs as much and is
    /// answered no.
    ///
    /// # Errors
    /// What the store says.
    pub async fn check_password(
        &self,
        account: &BareJid,
        password: Secret,
    ) -> Result<bool, StoreError> {
        let keys = self.store().keys(account).await?;
        self.deriving().check(password, keys).await
    }

    /// The keys of an account for one hash; `None` if there is no such account, or it has none for
    /// this hash. Clients must not see that apart from a wrong password.
    ///
    /// # Errors
    /// What the store says.
    pub async fn keys(
        &self,
        account: &BareJid,
        hash: ScramHash,
    ) -> Result<Option<ScramKeys>, StoreError> {
        let keys = self.store().keys(account).await?;
        Ok(keys.and_then(|mut keys| slot(&mut keys, hash).take().map(to_scram)))
    }

    /// Whether there is such an account.
    ///
    /// # Errors
    /// What the store says.
    pub async fn exists(&self, account: &BareJid) -> Result<bool, StoreError> {
        self.store().exists(account).await
    }

    /// At most `limit` accounts, of one domain or of all, in the order of domain and localpart,
    /// beginning behind `after`, which need not exist.
    ///
    /// # Errors
    /// What the store says.
    pub async fn list(
        &self,
        domain: Option<&str>,
        after: Option<&BareJid>,
        limit: u64,
    ) -> Result<Vec<Account>, StoreError> {
        self.store().list(domain, after, limit).await
    }

    /// How many accounts there are, of one domain or of all.
    ///
    /// # Errors
    /// What the store says.
    pub async fn count(&self, domain: Option<&str>) -> Result<u64, StoreError> {
        self.store().count(domain).await
    }

    /// What slows down guesses.
    pub fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }

    /// Whether such an account may be made.
    pub(crate) fn may_exist(&self, account: &BareJid) -> Result<(), AuthError> {
        if account.localpart().is_none() {
            Err(AuthError::NoLocalpart(account.clone()))
        } else if !(self.settings().serves)(account.domain()) {
            Err(AuthError::NotServed(account.clone()))
        } else {
            Ok(())
        }
    }

    pub(crate) fn store(&self) -> &dyn AccountStore {
        self.0.store.as_ref()
    }

    pub(crate) fn settings(&self) -> &AuthSettings {
        &self.0.settings
    }

    pub(crate) fn deriving(&self) -> &Deriving {
        &self.0.deriving
    }
}
