//! Stream negotiation as a value: features, STARTTLS, SASL, binding. No I/O, no clock.
//!
//! The driver owns the socket, the framer and the clock. It hands over [`Input`]s one at a time
//! and carries out the [`Action`]s that come back before it hands over the next.

mod action;
mod base64;
mod binding;
mod c2s;
mod established;
mod features;
mod header;
pub mod sasl;
pub mod saslprep;
pub mod scram;
mod secret;
mod settings;

pub use action::{Action, Input};
pub use binding::{ChannelBinding, TlsInfo};
pub use c2s::C2s;
pub use established::{Inbound, established};
pub use header::STREAM_END;
pub use sasl::Mechanism;
pub use secret::Secret;
pub use settings::{C2sSettings, ConnectionInfo, Features, MayAsk, Random, Serves, TlsMode};
