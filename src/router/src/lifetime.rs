//! An account is made, or removed: one event that every module answers which has something to do then.

use std::time::Duration;

use xmpp::{BareJid, StanzaError, StreamCondition, StreamError};

use crate::Router;
use crate::account::Account;
use crate::inbox::Control;

/// How often it is looked whether the sessions of a removed account are closed, and how many times.
const CLOSING: (Duration, u32) = (Duration::from_millis(20), 250);

/// Something of an account could not be deleted. The removal can be tried again.
#[derive(Debug, thiserror::Error)]
#[error("what module `{module}` keeps of {account} could not be deleted: {}", .error.condition.as_str())]
pub struct NotRemoved {
    /// Whose it is.
    pub account: BareJid,
    /// Whose store it is.
    pub module: &'static str,
    /// Why not.
    pub error: StanzaError,
}

impl Router {
    /// Tells modules of an account that was made a moment ago.
    pub fn account_registered(&self, account: &BareJid) {
        let Some(host) = self.host(account.domain()) else {
            return;
        };
        if let Some(there) = self.directory().account(account.as_ref()) {
            // Somebody has written to it before it was there.
            there.set_exists(true);
        }
        let told = host.host_type().tables().registrations.clone();
        told.iter().for_each(|told| told(self, account));
    }

    /// Deletes all that modules keep of `account`, in their order. Its sessions are closed with
    /// `not-authorized` first. That nobody logs in meanwhile is up to the caller, who deletes
    /// its keys before.
    ///
    /// # Errors
    /// The first module that could not.
    pub async fn remove_account(&self, account: &BareJid) -> Result<(), NotRemoved> {
        let Some(host) = self.host(account.domain()) else {
            return Ok(());
        };
        if let Some(there) = self.directory().account(account.as_ref()) {
            there.set_exists(false);
            // What is being stored for it is stored before it is deleted.
            drop(there.arrivals.lock());
            for session in there.sessions() {
                // RFC 6120 §4.9.3.12: the entity is no longer authorised to be here.
                let gone = StreamError::new(StreamCondition::NotAuthorized);
                session.inbox.control(Control::Close(gone));
            }
            self.closed(&there).await;
        }
        let removals = host.host_type().tables().removals.clone();
        for removal in removals {
            (removal.remove)(account.clone())
                .await
                .map_err(|error| NotRemoved {
                    account: account.clone(),
                    module: removal.module,
                    error,
                })?;
        }
        // Who is sending to it may hold it still, with all that was loaded: one of the same name
        // must not find that.
        if let Some(there) = self.directory().account(account.as_ref()) {
            self.directory().forget(&there);
        }
        Ok(())
    }

    /// Waits until its sessions are closed, but not for ever: one that hangs is gone for its
    /// account all the same.
    async fn closed(&self, account: &Account) {
        for _ in 0..CLOSING.1 {
            if account.sessions().is_empty() {
                return;
            }
            tokio::time::sleep(CLOSING.0).await;
        }
        tracing::warn!(what = "sessions_of_removed_account", account = %account.jid());
    }
}
