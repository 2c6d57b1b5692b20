//! Derivations: off the threads that others wait for, and not more at a time than there are cores.

use crate::PasswordFault;
use std::sync::Arc;
use store::{AccountKeys, Keys, StoreError, StoreErrorKind};
use stream::{
    Secret,
    scram::{self, SALT_LEN, ScramHash, ScramKeys},
};
use tokio::sync::Semaphore;

/// Where passwords become keys. Clones share the permits.
#[derive(Debug, Clone)]
pub(crate) struct Deriving {
    permits: Arc<Semaphore>,
    hashes: Arc<[ScramHash]>,
    iterations: u32,
}

impl Deriving {
    pub(crate) fn new(hashes: &[ScramHash], iterations: u32) -> Self {
        let hashes = match hashes {
            [] => [ScramHash::Sha256].into(),
            some => some.into(),
        };
        Deriving {
            permits: Arc::new(Semaphore::new(cores())),
            hashes,
            iterations,
        }
    }

    /// New keys for all configured hashes, each with a salt of its own.
    pub(crate) async fn keys(
        &self,
        password: Secret,
    ) -> Result<Result<AccountKeys, PasswordFault>, StoreError> {
        let (hashes, iterations) = (self.hashes.clone(), self.iterations);
        self.run(move || {
            let mut keys = AccountKeys::default();
            for hash in hashes.iter().copied() {
                let mut salt = [0; SALT_LEN];
                getrandom::fill(&mut salt).map_err(|error| {
                    StoreError::new(StoreErrorKind::Unavailable, format!("no salt: {error}"))
                })?;
                match scram::derive(hash, password.expose(), &salt, iterations) {
                    Ok(derived) => *slot(&mut keys, hash) = Some(to_stored(derived)),
                    Err(error) => return Ok(Err(error.into())),
                }
            }
            Ok(Ok(keys))
        })
        .await?
    }

    /// Whether the password fits the keys. For an account that does not exist the answer is no, at
    /// the same cost.
    pub(crate) async fn check(
        &self,
        password: Secret,
        keys: Option<AccountKeys>,
    ) -> Result<bool, StoreError> {
        let keys = keys.and_then(|keys| self.quickest(keys));
        let keys = keys.unwrap_or_else(|| self.nobodys());
        self.run(move || scram::verify(password.expose(), &keys))
            .await
    }

    /// Those of the keys that are quickest to check with.
    fn quickest(&self, mut keys: AccountKeys) -> Option<ScramKeys> {
        let stored = QUICKEST
            .into_iter()
            .find_map(|hash| slot(&mut keys, hash).take());
        stored.map(to_scram)
    }

    /// Keys as new ones are, that no password fits.
    fn nobodys(&self) -> ScramKeys {
        let hash = QUICKEST.into_iter().find(|hash| self.hashes.contains(hash));
        let length = hash.unwrap_or(ScramHash::Sha256).output_len();
        ScramKeys {
            salt: vec![0; SALT_LEN],
            iterations: self.iterations,
            stored_key: vec![0; length],
            server_key: vec![0; length],
        }
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let stopped = |what: String| {
            StoreError::new(StoreErrorKind::Unavailable, format!("derivation: {what}"))
        };
        let permits = self.permits.clone();
        let permit = permits.acquire_owned().await;
        let permit = permit.map_err(|error| stopped(error.to_string()))?;
        // The permit goes along: who stops waiting does not stop the work.
        let work = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        work.await.map_err(|error| stopped(error.to_string()))
    }
}

/// SHA-512 takes about five times as long as the others on 64 bits.
const QUICKEST: [ScramHash; 3] = [ScramHash::Sha256, ScramHash::Sha1, ScramHash::Sha512];

/// How many derivations run at a time. More would only take time from those who serve.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The keys of one hash.
pub(crate) fn slot(keys: &mut AccountKeys, hash: ScramHash) -> &mut Option<Keys> {
    match hash {
        ScramHash::Sha1 => &mut keys.sha1,
        ScramHash::Sha256 => &mut keys.sha256,
        ScramHash::Sha512 => &mut keys.sha512,
    }
}

pub(crate) fn to_stored(keys: ScramKeys) -> Keys {
    Keys {
        salt: keys.salt,
        iterations: keys.iterations,
        stored_key: keys.stored_key,
        server_key: keys.server_key,
    }
}

pub(crate) fn to_scram(keys: Keys) -> ScramKeys {
    ScramKeys {
        salt: keys.salt,
        iterations: keys.iterations,
        stored_key: keys.stored_key,
        server_key: keys.server_key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What decides how long a check takes is the hash and the rounds.
    #[tokio::test]
    async fn nobody_costs_what_somebody_costs() {
        for hashes in [
            &ScramHash::ALL[..],
            &[],
            &[ScramHash::Sha1],
            &[ScramHash::Sha512],
        ] {
            let deriving = Deriving::new(hashes, 3);
            let keys = deriving.keys("juliet".into()).await.unwrap().unwrap();
            let (nobody, somebody) = (deriving.nobodys(), deriving.quickest(keys).unwrap());
            assert_eq!(nobody.hash(), somebody.hash(), "{hashes:?}");
            assert_eq!(nobody.iterations, somebody.iterations);
            assert_eq!(nobody.salt.len(), somebody.salt.len());
            assert!(!deriving.check("juliet".into(), None).await.unwrap());
        }
    }

    #[tokio::test]
    async fn who_stops_waiting_gives_no_permit_back_early() {
        let deriving = Deriving::new(&[], 1);
        let (release, hold) = std::sync::mpsc::channel::<()>();
        let (entered, inside) = tokio::sync::oneshot::channel();
        let work = deriving.run(move || {
            let _ = entered.send(());
            hold.recv()
        });
        tokio::select! {
            _ = work => panic!("it waits to be released"),
            started = inside => started.unwrap(),
        }
        assert_eq!(deriving.permits.available_permits(), cores() - 1);
        release.send(()).unwrap();
        let _all = deriving.permits.acquire_many(cores() as u32).await.unwrap();
    }
}
