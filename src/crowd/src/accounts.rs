//! The accounts of a crowd.

use auth::{Auth, AuthError, ImportedAccount, ImportedSecret};
use store::{StoreError, StoreErrorKind};
use stream::scram::{self, ScramHash};
use xmpp::BareJid;

/// The password of everybody.
pub(crate) const PASSWORD: &str = "crowd";
/// Accounts that are made in one transaction.
const BATCH: u32 = 10_000;

/// The localpart of an account.
pub(crate) fn localpart(number: u32) -> String {
    format!("c{number}")
}

/// Makes so many accounts of `domain`, where they are not there yet. Their keys are derived once, in
/// one round: what a login costs is another measurement's business.
///
/// # Errors
/// What the store says; or that the node does not serve the domain.
pub async fn make_accounts(auth: &Auth, domain: &str, users: u32) -> Result<(), StoreError> {
    let refused = |why: String| StoreError::new(StoreErrorKind::Internal, why);
    let keys = scram::derive(ScramHash::Sha256, PASSWORD, b"salt of a crowd", 1)
        .map_err(|error| refused(error.to_string()))?;
    let secret = ImportedSecret::Keys(vec![(ScramHash::Sha256, keys)]);
    for first in (0..users).step_by(BATCH as usize) {
        let batch = (first..users.min(first + BATCH)).map(|number| {
            let account = format!("{}@{domain}", localpart(number));
            let account: BareJid = account.parse().map_err(|_| refused(account.clone()))?;
            let secret = secret.clone();
            Ok::<_, StoreError>(ImportedAccount { account, secret })
        });
        for made in auth.import(batch.collect::<Result<Vec<_>, _>>()?).await? {
            match made {
                Ok(()) | Err(AuthError::AlreadyExists(_)) => {}
                Err(AuthError::Store(error)) => return Err(error),
                Err(error) => return Err(refused(error.to_string())),
            }
        }
    }
    Ok(())
}
