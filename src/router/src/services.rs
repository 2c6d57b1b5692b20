//! What the node offers to modules by type, and what of them outlives their actors.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

type Thing = Arc<dyn Any + Send + Sync>;

/// Things of the node, each found by its type.
#[derive(Default)]
pub struct Services {
    offered: Mutex<HashMap<TypeId, Thing>>,
    lasting: Mutex<HashMap<(&'static str, TypeId), Thing>>,
    memory: OnceLock<Memory>,
}

/// What modules keep in memory in the place of a database, by their names.
type Memory = Arc<Mutex<HashMap<(&'static str, TypeId), Thing>>>;

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
        kept(&self.lasting, module, make)
    }

    /// What `module` keeps in memory that is a database's otherwise; made at the first time.
    pub(crate) fn memory<T: Send + Sync + 'static>(
        &self,
        module: &'static str,
        make: impl FnOnce() -> T,
    ) -> Arc<T> {
        kept(self.memory.get_or_init(Memory::default), module, make)
    }

    /// Nodes that stand on one stage have one memory, as others have one database.
    #[cfg(feature = "check")]
    pub(crate) fn share_memory_of(&self, other: &Services) {
        let memory = other.memory.get_or_init(Memory::default);
        // Before any module asks.
        let _ = self.memory.set(memory.clone());
    }
}

fn kept<T: Send + Sync + 'static>(
    things: &Mutex<HashMap<(&'static str, TypeId), Thing>>,
    module: &'static str,
    make: impl FnOnce() -> T,
) -> Arc<T> {
    let mut things = things.lock();
    let thing = things
        .entry((module, TypeId::of::<T>()))
        .or_insert_with(|| Arc::new(make()))
        .clone();
    match thing.downcast() {
        Ok(kept) => kept,
        Err(_) => unreachable!("things are entered under their own type"),
    }
}
