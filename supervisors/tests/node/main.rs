//! A node of sessions and ports under supervision, and what its clients see when parts of it
//! fall. Over in-process pipes the clock is paused, over sockets and in
//! the flood it is the real one.

mod flood;
mod guests;
mod keeping;
mod modules;
mod ports;
mod sessions;
mod stage;
mod tree;
