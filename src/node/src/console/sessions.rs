//! Sessions, by the router's directory.

use std::time::Duration;

use admin::AdminError;
use admin::api::{Answer, Presence, Session, Sessions};
use admin::scalar::{Jid, Seconds, Time};
use router::{Control, Router, SessionEntry};
use std::sync::Arc;
use xmpp::{FullJid, Jid as AnyJid, StreamCondition, StreamError, ns};

/// The sessions of this node.
pub(crate) struct NodeSessions {
    /// Where they are.
    pub(crate) router: Router,
}

impl Sessions for NodeSessions {
    fn list<'a>(
        &'a self,
        of: Option<&'a AnyJid>,
        after: Option<&'a FullJid>,
        limit: u32,
    ) -> Answer<'a, Vec<Session>> {
        Box::pin(async move {
            let mut found = self.find(of);
            if let Some(after) = after {
                found.retain(|session| session.jid > *after);
            }
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            if found.len() > limit && limit > 0 {
                found.select_nth_unstable_by(limit - 1, |a, b| a.jid.cmp(&b.jid));
                found.truncate(limit);
            }
            found.sort_unstable_by(|a, b| a.jid.cmp(&b.jid));
            Ok(found.iter().map(|session| self.shown(session)).collect())
        })
    }

    fn count<'a>(&'a self, of: Option<&'a AnyJid>) -> Answer<'a, u64> {
        Box::pin(async move {
            let count = match of {
                None => self.router.directory().len(),
                Some(_) => self.find(of).len(),
            };
            Ok(u64::try_from(count).unwrap_or(u64::MAX))
        })
    }

    fn kick<'a>(&'a self, jid: &'a AnyJid, reason: Option<&'a str>) -> Answer<'a, Vec<FullJid>> {
        Box::pin(async move {
            let found = self.find(Some(jid));
            if found.is_empty() {
                return Err(AdminError::not_found(format!(
                    "there is no session of {jid}"
                )));
            }
            for session in &found {
                let mut error = StreamError::new(StreamCondition::PolicyViolation);
                error.text = Some(
                    reason
                        .unwrap_or("an administrator has ended this session")
                        .to_owned()
                        .into(),
                );
                tracing::info!(what = "session_kicked", jid = %session.jid);
                session.inbox.control(Control::Close(error));
            }
            Ok(found.iter().map(|session| session.jid.clone()).collect())
        })
    }
}

impl NodeSessions {
    /// The sessions of an account, the one of a full JID, or all; of a domain, those of its
    /// accounts.
    fn find(&self, of: Option<&AnyJid>) -> Vec<Arc<SessionEntry>> {
        let directory = self.router.directory();
        let mut found = Vec::new();
        match of {
            Some(jid) if jid.localpart().is_some() => {
                let account = directory.account(jid.bare_str());
                found.extend(account.iter().flat_map(|account| account.sessions()));
                if let Some(resource) = jid.resource() {
                    found.retain(|session| session.jid.resource() == resource);
                }
            }
            Some(domain) => directory.for_each(|session| {
                if session.jid.domain() == domain.domain() {
                    found.push(session.clone());
                }
            }),
            None => directory.for_each(|session| found.push(session.clone())),
        }
        found
    }

    fn shown(&self, session: &SessionEntry) -> Session {
        let available = session.available();
        let silent = self.router.clock().millis().saturating_sub(session.heard());
        Session {
            jid: Jid::from(&session.jid),
            peer: Some(session.facts.peer.to_string()),
            tls: session.facts.encrypted,
            since: Time::from(session.bound_at),
            idle: Seconds::from(Duration::from_millis(silent)),
            priority: available.as_ref().map_or(0, |available| available.priority),
            presence: available.map_or(Presence::None, |available| {
                let show = available
                    .stanza
                    .child("show", ns::CLIENT)
                    .map(|show| show.text().trim().to_owned());
                match show.as_deref() {
                    Some("chat") => Presence::Chat,
                    Some("away") => Presence::Away,
                    Some("xa") => Presence::Xa,
                    Some("dnd") => Presence::Dnd,
                    _ => Presence::Available,
                }
            }),
        }
    }
}
