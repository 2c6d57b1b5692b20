//! Restart policies and the whole supervision tree on one screen.

pub mod policy;
mod stop;
pub mod supervisor;
pub mod template;
