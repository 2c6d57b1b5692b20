//! How long those wait who need something of a database that is away.

use std::time::Duration;

use store::{StoreError, StoreErrorKind};
use tokio::time::timeout;

/// A client that hears nothing for longer gives up by itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the database says in good time.
///
/// # Errors
/// Its own; `Unavailable` when it says nothing.
pub(crate) async fn patiently<T>(
    asked: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    timeout(PATIENCE, asked).await.unwrap_or_else(|_| {
        let late = "the database does not answer in time";
        Err(StoreError::new(StoreErrorKind::Unavailable, late))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_waits_in_vain_is_told() {
        let never = std::future::pending::<Result<(), StoreError>>();
        let error = patiently(never).await.unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Unavailable);
        assert_eq!(patiently(async { Ok(7) }).await.unwrap(), 7);
    }
}
