//! The messages of the day as they are known here: read once, changed on disk first.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use store::StoreError;
use tokio::sync::Mutex;
use xml::Element;
use xmpp::{Kind, Stanza};

use super::store::{Motd, MotdStore, MotdWrite};

/// A message of the day, ready to be said.
#[derive(Debug)]
pub(super) struct Posted {
    /// Its id.
    pub(super) id: Arc<str>,
    /// When it was set: milliseconds since 1970, UTC.
    pub(super) since: i64,
    /// Without addresses.
    pub(super) message: Stanza,
}

/// The messages of the day by their domains.
#[derive(Default)]
pub(super) struct Board {
    posted: ArcSwap<HashMap<Box<str>, Arc<Posted>>>,
    /// Whether they are those of the store.
    known: AtomicBool,
    /// Held by who reads or changes the store.
    turn: Mutex<()>,
}

impl Board {
    /// The one of this domain, as far as it is known.
    pub(super) fn of(&self, domain: &str) -> Option<Arc<Posted>> {
        self.posted.load().get(domain).cloned()
    }

    /// Waits until they are known: reads them if they are not.
    ///
    /// # Errors
    /// What the database says.
    pub(super) async fn known(&self, store: &dyn MotdStore) -> Result<(), StoreError> {
        if self.known.load(Ordering::Acquire) {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        self.read(store).await
    }

    async fn read(&self, store: &dyn MotdStore) -> Result<(), StoreError> {
        if self.known.load(Ordering::Acquire) {
            return Ok(());
        }
        let motds = store.motds().await?;
        let posted = motds.iter().filter_map(|motd| {
            let posted = posted(motd);
            if posted.is_none() {
                tracing::error!(what = "motd_damaged", domain = %motd.domain, "nobody is told it");
            }
            Some((motd.domain.as_str().into(), Arc::new(posted?)))
        });
        self.posted.store(Arc::new(posted.collect()));
        self.known.store(true, Ordering::Release);
        Ok(())
    }

    /// Changes them in the store, then here. When it fails, or whoever waits for it gives up, they
    /// are read again before they are next needed: nobody can know what was written.
    ///
    /// # Errors
    /// What the database says.
    pub(super) async fn change(
        &self,
        store: &dyn MotdStore,
        writes: &[MotdWrite],
    ) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        self.read(store).await?;
        self.known.store(false, Ordering::Release);
        store.apply(writes).await?;
        let mut all = HashMap::clone(&self.posted.load());
        for write in writes {
            match write {
                MotdWrite::Set(motd) => {
                    if let Some(posted) = posted(motd) {
                        all.insert(motd.domain.as_str().into(), Arc::new(posted));
                    }
                }
                MotdWrite::Delete(domain) => _ = all.remove(domain.as_str()),
                MotdWrite::Seen(..) | MotdWrite::Remove(_) => {}
            }
        }
        self.posted.store(Arc::new(all));
        self.known.store(true, Ordering::Release);
        Ok(())
    }
}

/// `None` for bytes that are no message.
fn posted(motd: &Motd) -> Option<Posted> {
    let element = Element::parse_bytes(motd.message.clone()).ok()?;
    let message = Stanza::read(element, None).ok()?;
    matches!(message.kind(), Kind::Message(_)).then(|| Posted {
        id: motd.id.as_str().into(),
        since: motd.since,
        message,
    })
}
