//! What nodes say to each other and know of each other, as values. No I/O, no clock.
//!
//! Two nodes greet each other over a connection ([`Handshake`]) and go on or begin anew with their
//! [`Link`], which outlives its connections. [`Members`] holds the links and knows who lives; the
//! [`Registry`] knows what is where. The driver owns sockets and time, and does what each [`Event`] says.

mod frame;
mod handshake;
mod link;
mod members;
mod node;
mod registry;
mod rendezvous;
mod wire;

pub use frame::{Garbage, LONGEST_FRAME, LONGEST_LETTER, Parcel};
pub use handshake::{Cookie, Greeting, Handshake, Met, Refusal, Side};
pub use link::{Connection, Link, LinkLimits, NotTaken, Severed};
pub use members::{Event, Go, Life, LinkId, Member, Members, NotForgotten, Resume};
pub use node::{BadName, Boot, Millis, NodeId, NodeName};
pub use registry::{
    Change, Holder, Home, Key, KeyKind, PeerIndex, Registry, Resource, Resources, Winner,
};
pub use rendezvous::highest;
