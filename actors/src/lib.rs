//! All that lives and is no module: connections, sessions, listeners.

pub mod background;
pub mod io;
pub mod module;
pub mod pipe;
pub mod pool;
pub mod seat;
pub mod tls;
pub mod vitals;
pub mod wire;
