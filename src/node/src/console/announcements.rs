//! Announcements, by the router and the module that keeps messages of the day.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use admin::api::{Announcements, Answer, Motd, Notice};
use admin::scalar::Time;
use admin::{AdminError, ErrorCode};
use router::{MessageOfTheDay, MotdService, Router, random_id};
use xmpp::{BareJid, Condition, MessageType, Stanza, StanzaError, ns};

/// The module that keeps messages of the day.
const MODULE: &str = "announce";
/// Bytes of what is said to everybody: what a message of the day may have.
const LONGEST: usize = 60_000;

/// The announcements of this node.
pub(crate) struct NodeAnnouncements {
    /// Who is online, and the module.
    pub(crate) router: Router,
}

impl Announcements for NodeAnnouncements {
    fn say<'a>(&'a self, domain: Option<&'a str>, notice: Notice) -> Answer<'a, u64> {
        Box::pin(async move {
            self.served(domain)?;
            let message = message(&notice)?;
            let told = self.router.say_to_online(domain, &message, |_| true).await;
            tracing::info!(what = "announced", domain, told);
            Ok(count(told))
        })
    }

    fn motds<'a>(&'a self, domain: Option<&'a str>) -> Answer<'a, Vec<Motd>> {
        Box::pin(async move {
            let (domain, service) = self.kept(domain)?;
            let motds = service.0.list(domain).await.map_err(refused)?;
            Ok(motds.iter().map(shown).collect())
        })
    }

    fn set_motd<'a>(
        &'a self,
        domain: Option<&'a str>,
        notice: Notice,
        later: bool,
    ) -> Answer<'a, u64> {
        Box::pin(async move {
            let (of, service) = self.kept(domain)?;
            let posted = service.0.post(of, message(&notice)?, later);
            let told = posted.await.map_err(refused)?;
            tracing::info!(what = "motd_set", domain, told);
            Ok(count(told))
        })
    }

    fn delete_motd<'a>(&'a self, domain: Option<&'a str>) -> Answer<'a, Vec<Motd>> {
        Box::pin(async move {
            let (of, service) = self.kept(domain)?;
            let motds = service.0.list(of.clone()).await.map_err(refused)?;
            if motds.is_empty() {
                return Err(AdminError::not_found("there is no message of the day"));
            }
            service.0.delete(of).await.map_err(refused)?;
            tracing::info!(what = "motd_deleted", domain);
            Ok(motds.iter().map(shown).collect())
        })
    }
}

impl NodeAnnouncements {
    fn served(&self, domain: Option<&str>) -> Result<Option<BareJid>, AdminError> {
        let Some(domain) = domain else {
            return Ok(None);
        };
        match self.router.host(domain) {
            Some(host) => Ok(Some(host.domain().clone())),
            None => Err(AdminError::invalid(format!(
                "the domain `{domain}` is not served here"
            ))),
        }
    }

    /// Who keeps the messages of the day.
    fn kept(
        &self,
        domain: Option<&str>,
    ) -> Result<(Option<BareJid>, Arc<MotdService>), AdminError> {
        let of = self.served(domain)?;
        let mut hosts = self.router.hosts();
        hosts.retain(|host| domain.is_none_or(|domain| host.domain().domain() == domain));
        if let Some(service) = hosts.iter().find_map(|host| host.host_type().offered()) {
            return Ok((of, service));
        }
        let is_on = |host: &Arc<router::Host>| host.host_type().modules().contains(&MODULE);
        Err(match hosts.iter().any(is_on) {
            true => AdminError::unavailable(format!(
                "the module `{MODULE}` is being started again; try it once more"
            )),
            false => AdminError::refused(format!(
                "the module `{MODULE}`, which keeps the message of the day, is off; \
                 write `modules: ({MODULE}: ())` into the configuration and start the node again"
            )),
        })
    }
}

fn message(notice: &Notice) -> Result<Stanza, AdminError> {
    let mut message = Stanza::message(MessageType::Normal).id(&random_id());
    if let Some(subject) = &notice.subject {
        message = message.leaf("subject", subject);
    }
    let message = message.leaf("body", &notice.text).build();
    match message.to_bytes().len() {
        0..=LONGEST => Ok(message),
        bytes => Err(AdminError::invalid(format!(
            "an announcement has at most {LONGEST} bytes, not {bytes}"
        ))),
    }
}

fn shown(motd: &MessageOfTheDay) -> Motd {
    let text = |name| {
        let text = motd.message.child(name, ns::CLIENT)?;
        Some(text.text().into_owned())
    };
    let since = Duration::from_millis(motd.since.try_into().unwrap_or_default());
    Motd {
        domain: motd.domain.to_string(),
        since: Time::from(SystemTime::UNIX_EPOCH + since),
        subject: text("subject"),
        text: text("body"),
    }
}

fn refused(error: StanzaError) -> AdminError {
    let condition = error.condition;
    match condition {
        Condition::NotAcceptable => AdminError::invalid("the message of the day is too long"),
        _ => AdminError::new(
            ErrorCode::Unavailable,
            format!(
                "the message of the day cannot be read or kept now ({}); the server's log says why",
                condition.as_str()
            ),
        ),
    }
}

fn count(told: usize) -> u64 {
    u64::try_from(told).unwrap_or(u64::MAX)
}
