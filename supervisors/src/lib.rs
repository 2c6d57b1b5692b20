//! Restart policies and the whole supervision tree on one screen.
