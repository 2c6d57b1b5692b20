//! `session`: who is online.

use async_graphql::{Context, Object, SimpleObject};

use super::{answer, api, page, page_limit};
use crate::{
    AdminError,
    api::Session,
    scalar::{Count, Jid},
};

/// The most characters of the reason a kicked client is told.
const MAX_REASON: usize = 1000;

/// A page of sessions.
#[derive(SimpleObject)]
pub struct SessionPage {
    /// The sessions of this page.
    pub sessions: Vec<Session>,
    /// How many there are on all pages.
    pub total: Count,
    /// The `after` of the next page; none on the last one.
    pub next: Option<Jid>,
}

/// The sessions that were closed.
#[derive(SimpleObject)]
pub struct Kicked {
    /// Their addresses.
    pub kicked: Vec<Jid>,
}

/// What can be asked of sessions.
pub struct SessionQuery;

/// What can be asked of sessions.
#[Object]
impl SessionQuery {
    /// List the sessions of the node, of one domain or of one account.
    async fn list(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only the sessions of this account or domain")] of: Option<Jid>,
        #[graphql(desc = "Begin after this session")] after: Option<Jid>,
        #[graphql(desc = "At most so many", default = 1000)] limit: u32,
    ) -> async_graphql::Result<SessionPage> {
        let list = async {
            let limit = page_limit(limit)?;
            let of = of.as_ref().map(Jid::any).transpose()?;
            if let Some(full) = of.as_ref().filter(|jid| jid.resource().is_some()) {
                return Err(AdminError::invalid(format!(
                    "`{full}` names a session; sessions are listed by account or domain"
                )));
            }
            let after = after.as_ref().map(full).transpose()?;
            let sessions = &api(ctx).sessions;
            let total = sessions.count(of.as_ref()).await?;
            let found = sessions
                .list(of.as_ref(), after.as_ref(), limit + 1)
                .await?;
            let (sessions, next) = page(found, limit, |s| s.jid.clone());
            Ok(SessionPage {
                sessions,
                total: total.into(),
                next,
            })
        };
        answer(list.await)
    }
}

/// What can be changed about sessions.
pub struct SessionMutation;

/// What can be changed about sessions.
#[Object]
impl SessionMutation {
    /// Close a session, or all sessions of an account.
    ///
    /// The client is told by a stream error and may log in again.
    async fn kick(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "A session, localpart@domain/resource, or an account, localpart@domain, for all of its sessions"
        )]
        jid: Jid,
        #[graphql(desc = "What the client is told")] reason: Option<String>,
    ) -> async_graphql::Result<Kicked> {
        let kick = async {
            let jid = jid.any()?;
            if jid.localpart().is_none() {
                return Err(AdminError::invalid(format!(
                    "`{jid}` names a domain; name a session or an account"
                )));
            }
            if reason
                .as_ref()
                .is_some_and(|r| r.chars().count() > MAX_REASON)
            {
                return Err(AdminError::invalid(format!(
                    "the reason is longer than {MAX_REASON} characters"
                )));
            }
            let kicked = api(ctx).sessions.kick(&jid, reason.as_deref()).await?;
            Ok(Kicked {
                kicked: kicked.iter().map(Jid::from).collect(),
            })
        };
        answer(kick.await)
    }
}

/// The address of a session.
fn full(jid: &Jid) -> Result<xmpp::FullJid, AdminError> {
    jid.any()?.as_full().ok_or_else(|| {
        AdminError::invalid(format!(
            "`{jid}` has no resource; a session is written `localpart@domain/resource`"
        ))
    })
}
