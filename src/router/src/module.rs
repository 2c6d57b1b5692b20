//! The contract of modules.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::plan::{Plan, PlanError};

/// A part of the server that can be added, dropped and configured: most often one XEP.
///
/// A module writes down what it wants and does nothing by itself: its `ModuleActor` installs the
/// plan, runs its timers and asynchronous IQs, and takes everything back when it stops.
pub trait Module: Send + Sync + Sized + 'static {
    /// Its key in the configuration's `modules`, its name in logs, the prefix of its metrics.
    const NAME: &'static str;
    /// What it implements; the README's table and disco's tests are made of it.
    const XEPS: &'static [Xep] = &[];
    /// Its section of the configuration.
    type Config: config::Settings + Clone + Send + Sync;

    /// Builds the module and writes down what it wants. Pure: no I/O, no spawning, no globals.
    ///
    /// # Errors
    /// When the settings contradict each other in a way that only the module knows.
    fn plan(config: Arc<Self::Config>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError>;
}

/// An extension that a module implements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Xep {
    /// Its number.
    pub number: u16,
    /// Its title.
    pub title: &'static str,
    /// The version that is implemented.
    pub version: &'static str,
    /// What of it is not there, or empty when it is whole.
    pub missing: &'static str,
}

impl Xep {
    /// An extension that is there as a whole.
    #[must_use]
    pub const fn new(number: u16, title: &'static str, version: &'static str) -> Self {
        Self {
            number,
            title,
            version,
            missing: "",
        }
    }

    /// The same, but for `missing`.
    #[must_use]
    pub const fn without(self, missing: &'static str) -> Self {
        Self { missing, ..self }
    }
}

/// What a module's handlers have done, for its actor's status.
#[derive(Debug, Default)]
pub struct ModuleFigures {
    name: &'static str,
    answered: AtomicU64,
    faults: AtomicU64,
    last_fault: Mutex<Option<String>>,
}

impl ModuleFigures {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }

    /// IQs it has answered.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Panics of its handlers.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.faults.load(Ordering::Relaxed)
    }

    /// What the last of them said, and where.
    #[must_use]
    pub fn last_fault(&self) -> Option<String> {
        self.last_fault.lock().clone()
    }

    pub(crate) fn answer(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn fault(&self, place: &str, panic: &Box<dyn Any + Send>) {
        let said = panic
            .downcast_ref::<&str>()
            .map(|s| (*s).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without words".to_owned());
        self.faults.fetch_add(1, Ordering::Relaxed);
        tracing::error!(what = "handler_panicked", module = self.name, place, error = %said);
        *self.last_fault.lock() = Some(format!("{place}: {said}"));
    }
}
