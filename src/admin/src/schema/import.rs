//! `account { importBatch }`: many accounts at once.

use std::sync::Arc;

use async_graphql::{InputObject, SimpleObject};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use stream::scram::{ScramHash, ScramKeys};
use tracing::info;

use crate::{
    AdminError, ErrorCode,
    api::{Accounts, Credentials, NewAccount, ReadyKeys},
    scalar::{Jid, ScramKeysText, Secret},
};

/// The most accounts one batch may have.
pub const MAX_BATCH: usize = 1000;

/// The most rounds a set of imported keys may ask of its clients.
const MAX_ITERATIONS: u32 = 10_000_000;

/// An account to be made: a password, or ready keys for one or more hashes.
#[derive(Debug, InputObject)]
pub struct ImportAccount {
    /// Its address.
    pub account: Jid,
    /// Its password.
    pub password: Option<Secret>,
    /// Its keys for SCRAM-SHA-1.
    pub scram_sha1: Option<ScramKeysText>,
    /// Its keys for SCRAM-SHA-256.
    pub scram_sha256: Option<ScramKeysText>,
    /// Its keys for SCRAM-SHA-512.
    pub scram_sha512: Option<ScramKeysText>,
}

/// What became of a batch.
#[derive(SimpleObject)]
pub struct ImportResult {
    /// How many accounts were made.
    pub imported: u32,
    /// Those that were not.
    pub failed: Vec<ImportFailure>,
}

/// An account that was not made.
#[derive(SimpleObject)]
pub struct ImportFailure {
    /// Its place in the batch, from 0.
    pub index: u32,
    /// Its address as it was given.
    pub account: Jid,
    /// Why, for programs.
    pub code: ErrorCode,
    /// Why, for people.
    pub message: String,
}

/// Checks a batch, hands what is good to the node and puts the results together.
pub(super) async fn import(
    store: &Arc<dyn Accounts>,
    batch: Vec<ImportAccount>,
) -> Result<ImportResult, AdminError> {
    if batch.len() > MAX_BATCH {
        return Err(AdminError::invalid(format!(
            "a batch has at most {MAX_BATCH} accounts, not {}",
            batch.len()
        )));
    }
    let mut failed = Vec::new();
    let mut fail = |index: usize, account: Jid, e: AdminError| {
        failed.push(ImportFailure {
            index: index as u32,
            account,
            code: e.code,
            message: e.message,
        });
    };
    let mut good = Vec::with_capacity(batch.len());
    let mut places = Vec::with_capacity(batch.len());
    for (index, entry) in batch.into_iter().enumerate() {
        let name = entry.account.clone();
        match read(entry) {
            Ok(account) => {
                good.push(account);
                places.push((index, name));
            }
            Err(e) => fail(index, name, e),
        }
    }
    let mut imported = 0;
    if !good.is_empty() {
        for ((index, name), result) in places.into_iter().zip(store.import(good).await?) {
            match result {
                Ok(()) => imported += 1,
                Err(e) => fail(index, name, e),
            }
        }
    }
    failed.sort_by_key(|f| f.index);
    info!(what = "accounts_imported", imported, failed = failed.len());
    Ok(ImportResult { imported, failed })
}

/// One entry as the node takes it.
fn read(entry: ImportAccount) -> Result<NewAccount, AdminError> {
    let account = entry.account.account()?;
    let keys = |text: Option<ScramKeysText>, hash| text.map(|t| read_keys(&t.0, hash)).transpose();
    let sha1 = keys(entry.scram_sha1, ScramHash::Sha1)?;
    let sha256 = keys(entry.scram_sha256, ScramHash::Sha256)?;
    let sha512 = keys(entry.scram_sha512, ScramHash::Sha512)?;
    let any_keys = sha1.is_some() || sha256.is_some() || sha512.is_some();
    let credentials = match (entry.password, any_keys) {
        (Some(password), false) => Credentials::Password(password.0),
        (None, true) => Credentials::Keys(Box::new(ReadyKeys {
            sha1,
            sha256,
            sha512,
        })),
        (Some(_), true) => {
            return Err(AdminError::invalid(
                "both a password and keys are given; one of them is enough",
            ));
        }
        (None, false) => {
            return Err(AdminError::invalid("neither a password nor keys are given"));
        }
    };
    Ok(NewAccount {
        account,
        credentials,
    })
}

/// Reads `iterations:salt:stored_key:server_key`. The errors don't repeat the keys.
fn read_keys(text: &str, hash: ScramHash) -> Result<ScramKeys, AdminError> {
    let wrong = |what: String| AdminError::invalid(format!("keys for SCRAM-{hash}: {what}"));
    let [iterations, salt, stored_key, server_key] =
        <[&str; 4]>::try_from(text.split(':').collect::<Vec<_>>()).map_err(|parts| {
            wrong(format!(
                "`iterations:salt:stored_key:server_key` is expected, 4 parts, not {}",
                parts.len()
            ))
        })?;
    let iterations = iterations
        .parse()
        .ok()
        .filter(|n| (1..=MAX_ITERATIONS).contains(n))
        .ok_or_else(|| {
            wrong(format!(
                "the iterations are a number from 1 to {MAX_ITERATIONS}"
            ))
        })?;
    let bytes = |part: &str, what: &str| {
        BASE64
            .decode(part)
            .map_err(|_| wrong(format!("the {what} is not base64")))
    };
    let key = |part: &str, what: &str| {
        let key = bytes(part, what)?;
        if key.len() == hash.output_len() {
            Ok(key)
        } else {
            Err(wrong(format!(
                "the {what} has {} bytes, not {}",
                key.len(),
                hash.output_len()
            )))
        }
    };
    let salt = bytes(salt, "salt")?;
    if salt.is_empty() {
        return Err(wrong("the salt is empty".to_owned()));
    }
    Ok(ScramKeys {
        iterations,
        salt,
        stored_key: key(stored_key, "stored key")?,
        server_key: key(server_key, "server key")?,
    })
}
