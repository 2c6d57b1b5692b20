//! The one admin interface of a node: GraphQL over HTTP, and what monitoring asks for.
//!
//! [`api`] is what the interface asks of a node, as small traits that the node
//! implements over its accounts, its session directory and its tree of
//! actors. [`mod@schema`] is the GraphQL made of them, by category
//! (`query { account { list } }`), and [`serve`] puts it behind
//! `POST /graphql` and the node's secret. Beside it are `/healthz`, `/readyz` and
//! `/metrics` for those who watch over the node, made of [`api::Health`].
//!
//! `src/admin/schema.graphql` is the exported schema: `mungoctl` builds its
//! commands from that file, and a test keeps it equal to the code
//! (`UPDATE_EXPECT=1 cargo test -p admin` writes it anew).

pub mod api;
mod error;
mod http;
mod metrics;
pub mod scalar;
pub mod schema;
mod secret;

pub use api::Api;
pub use error::{AdminError, ErrorCode};
pub use http::{BODY_LIMIT, GRACE, Served, serve};
pub use schema::{AdminSchema, schema, sdl};
pub use secret::AdminSecret;
