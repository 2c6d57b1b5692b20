//! Many accounts at once.

use crate::{
    Auth, AuthError, KeyFault, PasswordFault, PasswordRules,
    deriving::{cores, slot, to_stored},
};
use std::collections::HashMap;
use store::{AccountKeys, Added, StoreError, StoreErrorKind};
use stream::{
    Secret,
    scram::{ScramHash, ScramKeys},
};
use tokio::task::JoinSet;
use xmpp::BareJid;

/// More rounds than this no client does, and checking a password would hold up a core.
const MAX_ITERATIONS: u32 = 10_000_000;

/// An account that was made elsewhere, or is made here with many others.
#[derive(Debug, Clone)]
pub struct ImportedAccount {
    /// Its bare JID.
    pub account: BareJid,
    /// What it logs in with.
    pub secret: ImportedSecret,
}

/// What an imported account logs in with.
#[derive(Debug, Clone)]
pub enum ImportedSecret {
    /// A password, from which keys are derived. Those of one batch that are equal are derived once
    /// and share salts.
    Password(Secret),
    /// Ready keys, at most one set for each hash.
    Keys(Vec<(ScramHash, ScramKeys)>),
}

/// The keys of each password of a batch.
type Derived<'a> = HashMap<&'a str, Result<AccountKeys, PasswordFault>>;

impl Auth {
    /// Makes many accounts in one transaction, and says of each, in their order, what became of it.
    /// Their owners have the passwords already, so these may be shorter than a new one; empty ones
    /// are refused.
    ///
    /// # Errors
    /// What the store says; no account was made then.
    pub async fn import(
        &self,
        batch: Vec<ImportedAccount>,
    ) -> Result<Vec<Result<(), AuthError>>, StoreError> {
        let derived = self.derive_all(&batch).await?;
        let mut rows = Vec::with_capacity(batch.len());
        let mut results = Vec::with_capacity(batch.len());
        for ImportedAccount { account, secret } in &batch {
            let keys = self.may_exist(account).and_then(|()| match secret {
                ImportedSecret::Keys(keys) => ready(keys).map_err(AuthError::Keys),
                ImportedSecret::Password(password) => match derived.get(password.expose()) {
                    Some(keys) => keys.clone().map_err(AuthError::Password),
                    None => Err(lost().into()),
                },
            });
            results.push(keys.map(|keys| rows.push((account.clone(), keys))));
        }
        let mut added = self.store().create_many(rows).await?.into_iter();
        for (result, row) in results.iter_mut().zip(batch) {
            if result.is_ok() {
                *result = match added.next() {
                    Some(Added::New) => Ok(()),
                    Some(Added::Existed) => Err(AuthError::AlreadyExists(row.account)),
                    None => Err(lost().into()),
                };
            }
        }
        Ok(results)
    }

    /// Derives the keys of a batch, once for each password. No more derivations are under way at a
    /// time than can run, so that a login in between waits for one round of them and not for all.
    async fn derive_all<'a>(
        &self,
        batch: &'a [ImportedAccount],
    ) -> Result<Derived<'a>, StoreError> {
        let passwords: HashMap<&str, &Secret> = batch
            .iter()
            .filter_map(|row| match &row.secret {
                ImportedSecret::Password(password) => Some((password.expose(), password)),
                ImportedSecret::Keys(_) => None,
            })
            .collect();
        let passwords: Vec<&'a Secret> = passwords.into_values().collect();
        let mut derived = HashMap::with_capacity(passwords.len());
        let mut waiting = passwords.iter().enumerate();
        let mut running = JoinSet::new();
        loop {
            while running.len() < cores() {
                let Some((place, password)) = waiting.next() else {
                    break;
                };
                if let Err(fault) = PasswordRules::IMPORTED.check(password.expose()) {
                    derived.insert(password.expose(), Err(fault));
                    continue;
                }
                let (deriving, password) = (self.deriving().clone(), Secret::clone(password));
                running.spawn(async move { (place, deriving.keys(password).await) });
            }
            let Some(done) = running.join_next().await else {
                return Ok(derived);
            };
            let (place, keys) = done.map_err(|_| lost())?;
            derived.insert(passwords[place].expose(), keys?);
        }
    }
}

/// Ready keys as they are stored, if they can be what they are said to be.
fn ready(given: &[(ScramHash, ScramKeys)]) -> Result<AccountKeys, KeyFault> {
    let mut all = AccountKeys::default();
    for (hash, keys) in given {
        let (hash, iterations) = (*hash, keys.iterations);
        if keys.hash() != Some(hash) {
            return Err(KeyFault::Length(hash));
        }
        if keys.salt.is_empty() {
            return Err(KeyFault::Salt(hash));
        }
        if !(1..=MAX_ITERATIONS).contains(&iterations) {
            return Err(KeyFault::Iterations {
                hash,
                iterations,
                max: MAX_ITERATIONS,
            });
        }
        if slot(&mut all, hash)
            .replace(to_stored(keys.clone()))
            .is_some()
        {
            return Err(KeyFault::Twice(hash));
        }
    }
    match given {
        [] => Err(KeyFault::None),
        _ => Ok(all),
    }
}

/// Something of a batch has vanished: a task of ours died, or a store does not answer for all.
fn lost() -> StoreError {
    StoreError::new(StoreErrorKind::Internal, "part of an import was lost")
}
