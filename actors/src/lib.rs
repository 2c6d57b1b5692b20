//! All that lives and is no module: connections, sessions, listeners.
//!
//! ```text
//! listener ─ accept ─ limits ─ connection ─ negotiation ─┬─ reader ─ batch ─▶ session actor
//!                                                        └─ wire ◀─ frames ─────────┘
//! ```

mod away;
pub mod background;
pub mod cluster;
pub mod connection;
pub mod figures;
pub mod guests;
pub mod idle;
mod inbox;
pub mod io;
pub mod limits;
pub mod listener;
pub mod module;
mod outlet;
pub mod pipe;
pub mod pool;
mod reader;
pub mod seat;
pub mod service;
mod session;
pub mod tls;
pub mod turns;
pub mod visit;
pub mod vitals;
pub mod wire;

pub use inbox::InboxLimits;
