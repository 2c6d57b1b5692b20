//! Stream negotiation as a value: features, STARTTLS, SASL, binding. No I/O, no clock.
//!
//! The driver owns the socket, the framer and the clock. It hands over [`Input`]s one at a time
//! and carries out the [`Action`]s that come back before it hands over the next.

mod base64;
mod binding;
pub mod saslprep;
pub mod scram;
mod secret;

pub use binding::{ChannelBinding, TlsInfo};
pub use secret::Secret;
