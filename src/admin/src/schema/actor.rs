//! `actor`: what runs inside the node.

use async_graphql::{Context, Object, SimpleObject};

use super::{answer, api, page_limit};
use crate::api::{Actor, ActorStatus, TreeQuery};

/// A part of the supervision tree.
#[derive(SimpleObject)]
pub struct ActorTree {
    /// The actors, each before its children.
    pub actors: Vec<Actor>,
}

/// What can be asked of actors.
pub struct ActorQuery;

/// What can be asked of actors.
#[Object]
impl ActorQuery {
    /// Show the supervision tree: who runs, who starts whom again, what waits.
    ///
    /// Supervisors of any number of children (such as those of sessions) show
    /// the first of them; `path`, `limit` and `after` page through the rest.
    async fn tree(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Begin with this actor instead of the root")] path: Option<String>,
        #[graphql(desc = "Show so many levels below it")] depth: Option<u32>,
        #[graphql(
            desc = "Show so many children of supervisors that may have any number of them",
            default = 10
        )]
        limit: u32,
        #[graphql(desc = "Of the first actor's children, begin after this name")] after: Option<
            String,
        >,
    ) -> async_graphql::Result<ActorTree> {
        let tree = async {
            let limit = page_limit(limit)?;
            let query = TreeQuery {
                path,
                depth,
                limit,
                after,
            };
            let actors = api(ctx).actors.tree(query).await?;
            Ok(ActorTree { actors })
        };
        answer(tree.await)
    }

    /// Show all that one actor says of itself.
    async fn show(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The actor, as the tree names it")] path: String,
    ) -> async_graphql::Result<ActorStatus> {
        answer(api(ctx).actors.show(&path).await)
    }
}

/// What can be done to actors.
pub struct ActorMutation;

/// What can be done to actors.
#[Object]
impl ActorMutation {
    /// Kill an actor; its supervisor starts it again if its policy says so.
    ///
    /// Answers with the actor as it was.
    async fn kill(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The actor, as the tree names it")] path: String,
    ) -> async_graphql::Result<Actor> {
        answer(api(ctx).actors.kill(&path).await)
    }
}
