//! Who else wants to know of photos: avatars may be kept in other places as well (XEP-0398).

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use router::Router;
use xmpp::BareJid;

use super::photo::Photo;

type Watcher = Arc<dyn Fn(&Router, &BareJid, Option<&Photo>) + Send + Sync>;

/// Tells modules that an account has another photo than before, or none, as soon as it is on disk.
#[derive(Default)]
pub struct PhotoChanges(Mutex<BTreeMap<&'static str, Watcher>>);

impl PhotoChanges {
    /// Those of a node.
    #[must_use]
    pub fn of(node: &Router) -> Arc<Self> {
        if let Some(there) = node.services().get() {
            return there;
        }
        let new = Arc::new(Self::default());
        node.services().offer(new.clone());
        new
    }

    /// Calls `watcher` from now on, in the place of an earlier one of the same module. It must not
    /// wait.
    pub fn watch(
        &self,
        module: &'static str,
        watcher: impl Fn(&Router, &BareJid, Option<&Photo>) + Send + Sync + 'static,
    ) {
        self.0.lock().insert(module, Arc::new(watcher));
    }

    pub(super) fn tell(&self, node: &Router, account: &BareJid, photo: Option<&Photo>) {
        let watchers: Vec<Watcher> = self.0.lock().values().cloned().collect();
        watchers
            .iter()
            .for_each(|watcher| watcher(node, account, photo));
    }
}
