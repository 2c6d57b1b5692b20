//! The GraphQL schema, by category.
//!
//! Rules that clients such as `mungoctl` build on, and that a new category keeps:
//!
//! - A root field whose type's name ends in `Query` or `Mutation` is a
//!   category; its fields are commands. Any other root field is a command itself.
//! - Lists that may be long are pages: arguments `after` and `limit`, an
//!   answer with `next` (the `after` of the next page) and one list of objects.
//! - A list of objects with a `depth` is a tree, each object before its children.
//! - Passwords are `Secret`; moments, lengths and sizes are `Time`, `Seconds`, `Bytes`.
//! - Doc comments are what `--help` shows: the first paragraph in lists of commands.

use async_graphql::{Context, EmptySubscription, Object, SDLExportOptions, Schema};

use crate::{
    AdminError,
    api::{Api, NodeStatus},
};

mod account;
mod actor;
mod announce;
mod cluster;
mod import;
mod session;
mod tls;

pub use account::{AccountMutation, AccountName, AccountPage, AccountQuery};
pub use actor::{ActorMutation, ActorQuery, ActorTree};
pub use announce::{AnnounceMutation, AnnounceQuery, Announced, MotdList};
pub use cluster::{ClusterLinks, ClusterMutation, ClusterNodes, ClusterQuery, ClusterStatus};
pub use import::{ImportAccount, ImportFailure, ImportResult, MAX_BATCH};
pub use session::{Kicked, SessionMutation, SessionPage, SessionQuery};
pub use tls::{Certificates, TlsMutation};

/// The schema over one node.
pub type AdminSchema = Schema<Query, Mutation, EmptySubscription>;

/// How deep a request may be nested; introspection by common tools needs 13.
const MAX_DEPTH: usize = 20;

/// The most entries one page may have.
pub const MAX_PAGE: u32 = 10_000;

/// Makes the schema over a node.
pub fn schema(api: Api) -> AdminSchema {
    Schema::build(Query, Mutation, EmptySubscription)
        .limit_depth(MAX_DEPTH)
        .data(api)
        .finish()
}

/// The schema as GraphQL writes it, with its documentation.
pub fn sdl() -> String {
    let options = SDLExportOptions::new()
        .use_space_ident()
        .indent_width(2)
        .prefer_single_line_descriptions();
    let text = Schema::build(Query, Mutation, EmptySubscription)
        .finish()
        .sdl_with_options(options);
    // Empty lines of descriptions come indented.
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines.join("\n") + "\n"
}

/// What can be asked.
pub struct Query;

/// What can be asked.
#[Object]
impl Query {
    /// Accounts: who may log in.
    async fn account(&self) -> AccountQuery {
        AccountQuery
    }

    /// Sessions: who is online.
    async fn session(&self) -> SessionQuery {
        SessionQuery
    }

    /// Announcements: what everybody is told.
    async fn announce(&self) -> AnnounceQuery {
        AnnounceQuery
    }

    /// Cluster: the nodes that are one server.
    async fn cluster(&self) -> ClusterQuery {
        ClusterQuery
    }

    /// Actors: what runs inside the node.
    async fn actor(&self) -> ActorQuery {
        ActorQuery
    }

    /// Show how the node does: version, uptime, domains, listeners, sessions, memory.
    async fn status(&self, ctx: &Context<'_>) -> async_graphql::Result<NodeStatus> {
        answer(api(ctx).node.status().await)
    }
}

/// What can be changed.
pub struct Mutation;

/// What can be changed.
#[Object]
impl Mutation {
    /// Accounts: who may log in.
    async fn account(&self) -> AccountMutation {
        AccountMutation
    }

    /// Sessions: who is online.
    async fn session(&self) -> SessionMutation {
        SessionMutation
    }

    /// Announcements: what everybody is told.
    async fn announce(&self) -> AnnounceMutation {
        AnnounceMutation
    }

    /// Cluster: the nodes that are one server.
    async fn cluster(&self) -> ClusterMutation {
        ClusterMutation
    }

    /// Actors: what runs inside the node.
    async fn actor(&self) -> ActorMutation {
        ActorMutation
    }

    /// TLS: the certificates that the node shows.
    async fn tls(&self) -> TlsMutation {
        TlsMutation
    }
}

/// The node behind the schema.
fn api<'c>(ctx: &Context<'c>) -> &'c Api {
    ctx.data_unchecked()
}

/// A result with the refusal as GraphQL wants it.
fn answer<T>(result: Result<T, AdminError>) -> async_graphql::Result<T> {
    result.map_err(AdminError::graphql)
}

/// Checks the `limit` of a page.
fn page_limit(limit: u32) -> Result<u32, AdminError> {
    if (1..=MAX_PAGE).contains(&limit) {
        Ok(limit)
    } else {
        Err(AdminError::invalid(format!(
            "a page has 1 to {MAX_PAGE} entries, not {limit}"
        )))
    }
}

/// Cuts what was fetched (one more than the page holds, if there are as many)
/// to the page, and says where the next one begins.
fn page<T, K>(mut found: Vec<T>, limit: u32, key: impl Fn(&T) -> K) -> (Vec<T>, Option<K>) {
    let limit = limit as usize;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = if more { found.last().map(key) } else { None };
    (found, next)
}
