//! The connection's side of a session whose account has its home at another node: what the client says
//! goes there, what comes from there goes to the client.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use router::{
    ConnectionFacts, Ending, GuestOpen, NotOpened, Peer, Router, Session, ToHome, Unsent,
};
use xmpp::{BareJid, Condition, FullJid, Kind, PresenceType, Stanza, StanzaError};

use crate::guests::{Guests, Received, Visiting};
use crate::inbox::SessionInbox;
use crate::session::{Permit, Refused};

/// How often one session is asked for, at whatever nodes.
const TRIES: usize = 64;
/// How long it is waited until an account that is leaving its home has left it.
const LEAVING: Duration = Duration::from_millis(100);

/// A client whose session is at another node.
pub(crate) struct Away {
    visiting: Visiting,
    jid: FullJid,
    /// What is known of its connection.
    facts: ConnectionFacts,
    /// Its last presence to all, while it is available: with it its session is opened anew.
    presence: Option<Stanza>,
    /// What its home has written before the client knew that it is bound.
    pub(crate) early: Vec<Bytes>,
    /// Given back when the home has dealt with what the client said last.
    permit: Option<Permit>,
}

/// What a client had at a home that is no more.
pub(crate) struct Left {
    pub(crate) jid: FullJid,
    pub(crate) facts: ConnectionFacts,
    pub(crate) presence: Option<Stanza>,
}

/// What is needed to open a session, wherever it is.
pub(crate) struct Opening<'a> {
    pub(crate) router: &'a Router,
    pub(crate) guests: Option<&'a Arc<Guests>>,
    pub(crate) account: &'a BareJid,
    pub(crate) resource: Option<&'a str>,
    pub(crate) facts: ConnectionFacts,
    pub(crate) inbox: &'a Arc<SessionInbox>,
}

/// A session that was opened.
pub(crate) enum Opened {
    Here(Session),
    Away(Box<Away>),
}

impl Opening<'_> {
    /// Opens the session at the home of the account.
    pub(crate) async fn open(&self) -> Result<Opened, Refused> {
        let mut moved: Option<Peer> = None;
        for _ in 0..TRIES {
            let home = match moved.take() {
                Some(peer) => peer,
                None => {
                    let inbox = self.inbox.clone();
                    let opened =
                        Session::open(self.router, self.account, self.resource, self.facts, inbox);
                    match opened.await {
                        Ok(session) => return Ok(Opened::Here(session)),
                        Err(NotOpened::Refused(error)) => return Err(Refused::Error(error)),
                        Err(NotOpened::Elsewhere(peer)) => peer,
                    }
                }
            };
            let Some(guests) = self.guests else {
                return Err(Refused::Elsewhere(home));
            };
            let open = GuestOpen {
                account: self.account.clone(),
                resource: self.resource.map(str::to_owned),
                facts: self.facts,
            };
            let (mut visiting, received) = guests.visit(home, open, self.inbox.clone());
            match received.await {
                Ok(Received::Opened(jid)) => {
                    return Ok(Opened::Away(Box::new(Away {
                        visiting,
                        jid,
                        facts: self.facts,
                        presence: None,
                        early: Vec::new(),
                        permit: None,
                    })));
                }
                Ok(Received::Refused(error)) => {
                    visiting.is_over();
                    return Err(Refused::Error(error));
                }
                Ok(Received::Moved(peer)) => {
                    visiting.is_over();
                    moved = Some(peer);
                }
                // The node stops or is gone: soon the account is somebody else's, or nobody's.
                Ok(Received::Leaving) | Err(_) => {
                    visiting.is_over();
                    tokio::time::sleep(LEAVING).await;
                }
            }
        }
        tracing::warn!(what = "no_home", account = %self.account, "no node takes the account");
        Err(Refused::Error(StanzaError::new(
            Condition::RemoteServerTimeout,
        )))
    }
}

impl Away {
    pub(crate) fn jid(&self) -> &FullJid {
        &self.jid
    }

    /// Passes on what the client has said; the permit to read on comes back when the home is done.
    pub(crate) fn say(&mut self, said: Vec<Stanza>, permit: Option<Permit>) -> Result<(), Unsent> {
        for stanza in &said {
            self.remember(stanza);
        }
        if !said.is_empty() {
            self.visiting.say(ToHome::Said(said))?;
            self.permit = permit;
        }
        Ok(())
    }

    /// The home has dealt with what was said last.
    pub(crate) fn ready(&mut self) {
        self.permit = None;
    }

    /// Tells the home, when it is called, that the client's socket has taken what question `number` was
    /// about.
    pub(crate) fn taken(&self, number: u64) -> impl FnOnce() + Send + 'static {
        self.visiting.taken(number)
    }

    pub(crate) fn end(&mut self, ending: Ending) {
        self.visiting.end(ending);
    }

    /// The home is gone, or has sent the client away: its session there is no more. What is left of it is
    /// its last presence.
    pub(crate) fn leave(&mut self) -> Left {
        self.visiting.is_over();
        self.permit = None;
        Left {
            jid: self.jid.clone(),
            facts: self.facts,
            presence: self.presence.take(),
        }
    }

    fn remember(&mut self, stanza: &Stanza) {
        match stanza.kind() {
            Kind::Presence(_) if stanza.to().is_some() => {}
            Kind::Presence(PresenceType::Available) => self.presence = Some(stanza.clone()),
            Kind::Presence(PresenceType::Unavailable) => self.presence = None,
            _ => {}
        }
    }
}
