//! Putting what was stored ahead of what comes now.

use std::sync::Arc;

use tokio::sync::oneshot;
use xmpp::Stanza;

use crate::directory::SessionEntry;
use crate::inbox::{Control, Inbox, Undelivered};

/// Bytes of stanzas that are handed to the session in one go: far below what its outbox bears.
const AT_ONCE: usize = 8 * 1024;

/// Keeps back what comes for a session, until it is dropped: what was stored for it goes first
/// ([`PresenceChanged`](crate::PresenceChanged)).
pub struct Hold {
    inbox: Arc<dyn Inbox>,
}

impl Hold {
    pub(crate) fn new(inbox: Arc<dyn Inbox>) -> Self {
        Self { inbox }
    }

    /// Writes `stanzas` to the client ahead of what is kept back, and waits until its socket has
    /// taken all of it.
    ///
    /// # Errors
    /// The session has ended: some of it may not have reached the client.
    pub async fn deliver(&self, stanzas: Vec<Stanza>) -> Result<(), Undelivered> {
        feed(&*self.inbox, stanzas).await
    }
}

impl SessionEntry {
    /// Writes `stanzas` to the client and waits until its socket has taken all of it: for more than
    /// a session would bear at once.
    ///
    /// # Errors
    /// The session has ended: some of it may not have reached the client.
    pub async fn feed(&self, stanzas: Vec<Stanza>) -> Result<(), Undelivered> {
        feed(&*self.inbox, stanzas).await
    }
}

async fn feed(inbox: &dyn Inbox, stanzas: Vec<Stanza>) -> Result<(), Undelivered> {
    let mut rest = stanzas.into_iter().peekable();
    while let Some(first) = rest.next() {
        let mut bytes = first.size();
        let mut some = vec![first];
        while let Some(next) = rest.next_if(|next| bytes + next.size() <= AT_ONCE) {
            bytes += next.size();
            some.push(next);
        }
        let (taken, told) = oneshot::channel();
        inbox.control(Control::Ahead {
            stanzas: some,
            taken,
        });
        told.await.map_err(|_| Undelivered::Gone)?;
    }
    Ok(())
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.inbox.control(Control::Release);
    }
}
