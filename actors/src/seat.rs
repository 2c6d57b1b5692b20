//! A place for a supervisor that is found again after its restart.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use ractor::ActorCell;
use ractor::ActorStatus;

/// Holds the cell of whoever supervises here at the moment. A restarted actor is another
/// actor: it takes the seat when it starts, so those who hold a clone needn't know.
#[derive(Clone, Default)]
pub struct Seat(Arc<ArcSwapOption<ActorCell>>);

impl Seat {
    /// Seats `cell`.
    pub fn take(&self, cell: ActorCell) {
        self.0.store(Some(Arc::new(cell)));
    }

    /// The running actor in the seat; `None` while there is none.
    #[must_use]
    pub fn current(&self) -> Option<ActorCell> {
        let cell = self.0.load();
        cell.as_deref()
            .filter(|cell| cell.get_status() <= ActorStatus::Upgrading)
            .cloned()
    }
}
