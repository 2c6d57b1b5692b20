//! `announce`: what everybody is told.

use async_graphql::{Context, Object, SimpleObject};

use super::{account::domain_name, answer, api};
use crate::{
    AdminError,
    api::{Motd, Notice},
    scalar::Count,
};

/// What was said.
#[derive(SimpleObject)]
pub struct Announced {
    /// How many accounts were online and were told.
    pub told: Count,
}

/// Messages of the day.
#[derive(SimpleObject)]
pub struct MotdList {
    /// One for each domain that has one.
    pub messages: Vec<Motd>,
}

/// What can be asked of announcements.
pub struct AnnounceQuery;

/// What can be asked of announcements.
#[Object]
impl AnnounceQuery {
    /// Show the message of the day.
    async fn motd(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only that of this domain")] domain: Option<String>,
    ) -> async_graphql::Result<MotdList> {
        let motds = async {
            let domain = domain.as_deref().map(domain_name).transpose()?;
            let messages = api(ctx).announcements.motds(domain.as_deref()).await?;
            Ok(MotdList { messages })
        };
        answer(motds.await)
    }
}

/// What everybody can be told.
pub struct AnnounceMutation;

/// What everybody can be told.
#[Object]
impl AnnounceMutation {
    /// Say something to everybody who is online.
    async fn online(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is said")] text: String,
        #[graphql(desc = "Its subject")] subject: Option<String>,
        #[graphql(desc = "Only to those of this domain")] domain: Option<String>,
    ) -> async_graphql::Result<Announced> {
        let say = async {
            let domain = domain.as_deref().map(domain_name).transpose()?;
            let notice = notice(text, subject)?;
            let told = api(ctx).announcements.say(domain.as_deref(), notice);
            Ok(Announced {
                told: told.await?.into(),
            })
        };
        answer(say.await)
    }

    /// Set the message of the day: everybody gets it once.
    ///
    /// Those who are online get it now, the others when they come online. It takes the place of the
    /// one before. The module `announce` keeps it.
    async fn set_motd(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is said")] text: String,
        #[graphql(desc = "Its subject")] subject: Option<String>,
        #[graphql(desc = "Only for this domain")] domain: Option<String>,
        #[graphql(
            desc = "Nobody gets it now: those who are online get it when they next come online",
            default = false
        )]
        later: bool,
    ) -> async_graphql::Result<Announced> {
        let set = async {
            let domain = domain.as_deref().map(domain_name).transpose()?;
            let notice = notice(text, subject)?;
            let told = api(ctx)
                .announcements
                .set_motd(domain.as_deref(), notice, later);
            Ok(Announced {
                told: told.await?.into(),
            })
        };
        answer(set.await)
    }

    /// Delete the message of the day: nobody gets it any more.
    ///
    /// Answers with what was deleted.
    async fn delete_motd(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only that of this domain")] domain: Option<String>,
    ) -> async_graphql::Result<MotdList> {
        let delete = async {
            let domain = domain.as_deref().map(domain_name).transpose()?;
            let deleted = api(ctx).announcements.delete_motd(domain.as_deref());
            Ok(MotdList {
                messages: deleted.await?,
            })
        };
        answer(delete.await)
    }
}

fn notice(text: String, subject: Option<String>) -> Result<Notice, AdminError> {
    if text.is_empty() {
        return Err(AdminError::invalid(
            "there is nothing to be said: the text is empty",
        ));
    }
    let subject = subject.filter(|subject| !subject.is_empty());
    Ok(Notice { subject, text })
}
