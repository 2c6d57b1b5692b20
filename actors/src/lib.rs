//! All that lives and is no module: connections, sessions, listeners.

pub mod io;
pub mod pipe;
pub mod seat;
pub mod tls;
pub mod vitals;
pub mod wire;
