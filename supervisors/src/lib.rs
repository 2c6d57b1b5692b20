//! Restart policies and the whole supervision tree on one screen.

pub mod policy;
pub mod snapshot;
mod stop;
pub mod supervisor;
pub mod template;
pub mod tree;
pub mod watchdog;
