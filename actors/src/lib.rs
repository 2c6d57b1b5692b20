//! All that lives and is no module: connections, sessions, listeners.
