//! What several targets share: ways to split bytes, streams to put elements in, a peer without a
//! socket.

pub mod peer;
pub mod splits;
pub mod streams;
