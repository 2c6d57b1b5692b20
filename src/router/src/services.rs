//! What the node offers to modules by type, and what of them outlives their actors.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

type Thing = Arc<dyn Any + Send + Sync>;

/// Things of the node, each found by its type.
#[derive(Default)]
pub struct Services {
    offered: Mutex<HashMap<TypeId, Thing>>,
    lasting: Mutex<HashMap<(&'static str, TypeId), Thing>>,
}

impl Services {
    /// Offers `service` to all modules, in the place of an earlier one of the same type.
    pub fn offer<T: Send + Sync + 'static>(&self, service: Arc<T>) {
        self.offered.lock().insert(TypeId::of::<T>(), service);
    }

    /// What was offered.
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let thing = self.offered.lock().get(&TypeId::of::<T>()).cloned()?;
        thing.downcast().ok()
    }

    /// What `module` keeps as long as the node runs; made at the first time.
    pub(crate) fn lasting<T: Send + Sync + 'static>(
        &self,
        module: &'static str,
        make: impl FnOnce() -> T,
    ) -> Arc<T> {
        let mut lasting = self.lasting.lock();
        let thing = lasting
            .entry((module, TypeId::of::<T>()))
            .or_insert_with(|| Arc::new(make()))
            .clone();
        match thing.downcast() {
            Ok(kept) => kept,
            Err(_) => unreachable!("things are entered under their own type"),
        }
    }
}
