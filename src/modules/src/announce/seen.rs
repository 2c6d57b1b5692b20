//! Which message of the day an account was told.

use std::sync::Arc;

use parking_lot::Mutex;

/// What an account was told last. It is looked up only where there is something to tell: an id that
/// is set later is a new one to everybody.
pub(super) struct Seen(Mutex<Told>);

enum Told {
    /// Nothing that was there when the account was loaded.
    Nothing,
    /// The one of this id.
    Last(Arc<str>),
    /// The account is no more: nothing is noted of it.
    Removed,
}

impl Seen {
    /// An account that was told this last.
    pub(super) fn new(id: Option<Arc<str>>) -> Self {
        Self(Mutex::new(id.map_or(Told::Nothing, Told::Last)))
    }

    /// Whether it is still to be told `id`; then it is taken as told, and `note` is called before
    /// anybody can say that the account is no more.
    pub(super) fn tell(&self, id: &Arc<str>, note: impl FnOnce()) -> bool {
        let mut told = self.0.lock();
        match &*told {
            Told::Removed => return false,
            Told::Last(last) if last == id => return false,
            Told::Last(_) | Told::Nothing => {}
        }
        *told = Told::Last(id.clone());
        note();
        true
    }

    /// From now on nothing is noted of it.
    pub(super) fn remove(&self) {
        *self.0.lock() = Told::Removed;
    }
}
