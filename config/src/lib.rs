//! Typed configuration in RON, with errors that name line, column, field and the mend.
//!
//! A section is declared once, with [`settings!`], and everything else is made from that
//! declaration: the struct, its defaults, its reading (unknown keys are errors that suggest the
//! nearest known one), the checks of its values and its pages in `examples/full.ron`.
//!
//! ```
//! use config::{settings, Span};
//!
//! settings! {
//!     /// Asks quiet clients whether they are still there.
//!     pub struct PingSettings {
//!         /// A client that was quiet for so long is asked.
//!         interval: Span = Span::minutes(4),
//!         /// It has so long to answer.
//!         timeout: Span = Span::seconds(30),
//!     }
//!     check |ping, problems| {
//!         if ping.timeout >= ping.interval {
//!             problems.error("timeout", "the time-out is not below the interval", "write less than the interval");
//!         }
//!     }
//! }
//!
//! let default = PingSettings::default();
//! assert_eq!(default.interval.to_string(), "4m");
//! ```
//!
//! The crate is a leaf: it knows RON and nothing of XMPP beyond words. What is checked here is
//! what can be told without opening a port or a database.

mod auth;
mod choices;
mod cluster;
mod domain;
mod explain;
mod listener;
mod load;
mod log;
mod module_sections;
mod outline;
mod parameters;
mod path;
mod problem;
mod render;
mod root;
mod session;
mod setting;
mod settings;
mod shape;
mod shutdown;
mod size;
mod source;
mod span;
mod store;
mod stream;
mod watchdog;

pub use auth::{Auth, FailedLogins, Mechanism, PasswordRules};
pub use cluster::{Cluster, ClusterTls, DatabaseDiscovery, DnsDiscovery, Endpoint, FileDiscovery};
pub use domain::Domain;
pub use listener::{Listener, ListenerKind, TlsMode};
pub use load::{ConfigError, Loaded, load, load_str};
pub use log::{Level, Log, LogFormat};
pub use module_sections::ModuleSection;
pub use parameters::{Document, Parameter, read_document};
pub use path::{Path, Step};
pub use problem::{Problem, Problems, Severity};
pub use render::render_full;
pub use root::Config;
pub use session::{OnConflict, Sessions};
pub use setting::{Setting, Settings};
pub use shape::{Key, Section, Shape};
pub use shutdown::Shutdown;
pub use size::Size;
pub use span::Span;
pub use store::Store;
pub use stream::StreamLimits;
pub use watchdog::Watchdog;

/// What the macros of this crate expand to. Not for use by hand.
#[doc(hidden)]
pub mod macro_support {
    pub use crate::choices::{quoted, word};
    pub use crate::setting::Word;
    pub use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
}
