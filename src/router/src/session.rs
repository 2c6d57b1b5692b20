//! A session: one bound resource, as a value without socket or mailbox.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use xmpp::{
    BareJid, Condition, FullJid, Jid, Kind, Stanza, StanzaError, StreamCondition, StreamError,
};

use crate::Router;
use crate::account::{Account, AccountHold};
use crate::directory::{Available, Bind, SessionEntry};
use crate::elsewhere::Peer;
use crate::figures::{Timed, turn};
use crate::hooks::{
    Flow, PresenceChanged, PresenceFold, SenderFold, SenderStanza, SessionClosed,
    SessionClosedFold, SessionFold, SessionOpened, SessionOpenedFold, SessionStanza,
};
use crate::host::Host;
use crate::ids::random_id;
use crate::inbox::{Control, Inbox};
use crate::iq::Cx;
use crate::presence::tell_others;
use crate::route::dispatch;

/// What happens when a resource is bound that another session has bound (RFC 6120 §7.7.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResourceConflict {
    /// The newer session replaces the older one, whose stream ends with `<conflict/>`.
    #[default]
    Replace,
    /// The newer session gets a resource made by the server.
    Rename,
    /// The newer session is refused with `<conflict/>`.
    Refuse,
}

/// What is known of a session's connection, for those who list sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionFacts {
    /// The address of the client.
    pub peer: IpAddr,
    /// Whether the connection is encrypted.
    pub encrypted: bool,
    /// How it came: `tcp`, `tls`.
    pub transport: &'static str,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Its stream was closed by either side.
    Closed,
    /// Its connection was lost.
    Lost,
    /// A newer session took its place.
    Replaced,
    /// Its actor was killed or panicked.
    Crashed,
}

/// Why a session was not opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotOpened {
    /// What the client's bind request is answered with.
    Refused(StanzaError),
    /// The account has its home on another node: the session is to be opened there
    /// ([`ToHome::Open`](crate::ToHome::Open)).
    Elsewhere(Peer),
}

impl From<StanzaError> for NotOpened {
    fn from(error: StanzaError) -> Self {
        Self::Refused(error)
    }
}

/// A session. Dropping it without [`Session::close`] is a crash: its presence is withdrawn all
/// the same.
pub struct Session {
    router: Router,
    host: Arc<Host>,
    account: AccountHold,
    entry: Arc<SessionEntry>,
    pub(crate) directed: HashSet<Jid>,
    /// Holds that keep back what comes for it.
    pub(crate) holds: u32,
    closed: bool,
}

impl Session {
    /// Binds a resource (RFC 6120 §7): `resource`, or one made by the server. Before that what
    /// modules keep of the account is loaded, unless it is there.
    ///
    /// # Errors
    /// It is refused, or to be opened at another node.
    pub async fn open(
        router: &Router,
        account: &BareJid,
        resource: Option<&str>,
        facts: ConnectionFacts,
        inbox: Arc<dyn Inbox>,
    ) -> Result<Self, NotOpened> {
        let Some(host) = router.host(account.domain()) else {
            return Err(StanzaError::new(Condition::NotAllowed).into());
        };
        if router.elsewhere().is_some_and(|others| !others.serves()) {
            let error = StanzaError::new(Condition::ResourceConstraint);
            let text = "this server has lost sight of most of its cluster";
            return Err(error.with_text(text).into());
        }
        let made = || {
            account
                .with_resource(&random_id())
                .map_err(|_| StanzaError::new(Condition::BadRequest))
        };
        let wanted = match resource {
            None | Some("") => made()?,
            Some(resource) => account
                .with_resource(resource)
                .map_err(|_| StanzaError::new(Condition::BadRequest))?,
        };
        let hold = router.enter(&host, account).await?;
        let entry = |jid| {
            let (clock, id) = (router.clock(), router.directory().next_id());
            Arc::new(SessionEntry::new(
                id,
                jid,
                inbox.clone(),
                facts,
                clock.now(),
                clock.millis(),
            ))
        };
        let mut refused = Condition::ResourceConstraint;
        let mut bind = |entry: &Arc<SessionEntry>| {
            router.directory().bind(&hold, entry.clone(), |there| {
                let taken = there
                    .iter()
                    .any(|s| s.jid.resource() == entry.jid.resource());
                match router.settings().resource_conflict {
                    ResourceConflict::Replace if taken => Bind::Take,
                    _ if taken => {
                        refused = Condition::Conflict;
                        Bind::Refuse
                    }
                    _ if there.len() >= router.settings().max_sessions => Bind::Refuse,
                    _ => Bind::Take,
                }
            })
        };
        let mut entered = entry(wanted);
        let mut bound = bind(&entered);
        if bound.is_err()
            && refused == Condition::Conflict
            && router.settings().resource_conflict == ResourceConflict::Rename
        {
            refused = Condition::ResourceConstraint;
            entered = entry(made()?);
            bound = router.directory().bind(&hold, entered.clone(), |there| {
                if there.len() >= router.settings().max_sessions {
                    Bind::Refuse
                } else {
                    Bind::Take
                }
            });
        }
        let older = bound.map_err(|()| StanzaError::new(refused))?;
        let session = Self {
            router: router.clone(),
            host,
            account: hold,
            entry: entered,
            directed: HashSet::new(),
            holds: 0,
            closed: false,
        };
        if let Some(older) = older {
            session.replace(&older);
        }
        router.sessions_changed(&session.account);
        let mut fold = SessionOpenedFold {
            cx: session.cx(),
            account: &session.account,
            session: &session.entry,
        };
        session.host.run::<SessionOpened>(&mut fold);
        Ok(session)
    }

    /// Ends the older session and withdraws its presence, before the newer one is seen.
    fn replace(&self, older: &Arc<SessionEntry>) {
        if let Some(before) = older.set_available(None) {
            let gone = Self::unavailable(older);
            tell_others(
                &self.account,
                &self.entry,
                &gone.with_to(self.account.jid().clone()),
            );
            // Whom it sent directed presence it tells itself, when it closes.
            let mut fold = PresenceFold {
                cx: self.cx(),
                account: &self.account,
                session: older,
                before: Some(before),
                stanza: &gone,
                directed: &mut HashSet::new(),
                holds: &mut 0,
            };
            self.host.run::<PresenceChanged>(&mut fold);
        }
        older
            .inbox
            .control(Control::Close(StreamError::new(StreamCondition::Conflict)));
    }

    /// What everybody may know of it.
    #[must_use]
    pub fn entry(&self) -> &Arc<SessionEntry> {
        &self.entry
    }

    /// Its full JID.
    #[must_use]
    pub fn jid(&self) -> &FullJid {
        &self.entry.jid
    }

    /// The account it belongs to.
    #[must_use]
    pub fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// Whether what comes for it is kept back ([`Hold`](crate::Hold)). Whoever calls
    /// [`deliver`](Self::deliver) then waits until it is not.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.holds > 0
    }

    /// One [`Hold`](crate::Hold) is gone.
    pub fn release(&mut self) {
        self.holds = self.holds.saturating_sub(1);
    }

    pub(crate) fn router(&self) -> &Router {
        &self.router
    }

    pub(crate) fn cx(&self) -> Cx<'_> {
        Cx {
            router: &self.router,
            host: &self.host,
        }
    }

    /// Notes that the client was heard, be it by a space: once for all that one read gave.
    pub fn hear(&self) {
        self.entry.hear(self.router.clock().millis());
    }

    /// Takes in one stanza that the client sent, its `from` stamped. What goes straight back to
    /// the client is put into `out`.
    pub fn handle(&mut self, stanza: Stanza, out: &mut Vec<Stanza>) {
        let measured = turn();
        self.router.figures().receive(stanza.kind());
        let mut fold = SenderFold {
            cx: self.cx(),
            account: &self.account,
            session: &self.entry,
            stanza,
        };
        let flow = self
            .router
            .figures()
            .time(Timed::SenderStanza, measured, || {
                self.host.run::<SenderStanza>(&mut fold)
            });
        let stanza = fold.stanza;
        match flow {
            Flow::Continue => {}
            Flow::Stop => return,
            Flow::Refuse(error) => {
                if let Some(reply) = stanza.error(error) {
                    self.emit(reply, out);
                }
                return;
            }
        }
        if let Kind::Presence(kind) = stanza.kind() {
            return self.presence(kind, stanza, out);
        }
        // RFC 6120 §10.3: without `to` it is for the account itself.
        let stanza = match stanza.to() {
            Some(_) => stanza,
            None => stanza.with_to(self.account.jid().clone()),
        };
        let reply = self
            .router
            .figures()
            .time(Timed::Route, measured, || self.send(stanza));
        if let Some(reply) = reply {
            self.emit(reply, out);
        }
    }

    /// Sends a stanza on behalf of this session. To its own account it does not leave.
    pub(crate) fn send(&self, stanza: Stanza) -> Option<Stanza> {
        let own = stanza
            .to()
            .is_some_and(|to| to.bare_str() == self.account.jid().as_ref());
        if own {
            return dispatch(&self.router, stanza);
        }
        self.cx().send(&self.account, Some(&self.entry), stanza)
    }

    /// Takes in one stanza for the client and says what is to be written, if anything is.
    pub fn deliver(&mut self, stanza: Stanza) -> Option<Stanza> {
        let mut fold = SessionFold {
            cx: self.cx(),
            account: &self.account,
            session: &self.entry,
            stanza,
        };
        let figures = self.router.figures();
        let flow = figures.time(Timed::SessionStanza, turn(), || {
            self.host.run::<SessionStanza>(&mut fold)
        });
        match flow {
            Flow::Continue => {
                figures.deliver(fold.stanza.kind());
                Some(fold.stanza)
            }
            Flow::Stop => None,
            Flow::Refuse(error) => {
                let refused = fold.stanza.error(error);
                if let Some(refused) = refused {
                    self.router.route(refused);
                }
                None
            }
        }
    }

    pub(crate) fn emit(&mut self, stanza: Stanza, out: &mut Vec<Stanza>) {
        out.extend(self.deliver(stanza));
    }

    /// Ends the session: the directory forgets it and its presence is withdrawn.
    pub fn close(&mut self, ending: Ending) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        let current = self.router.directory().unbind(&self.account, &self.entry);
        let gone = Self::unavailable(&self.entry);
        self.router.sessions_changed(&self.account);
        if let Some(before) = self.entry.set_available(None)
            && (current || !self.succeeded())
        {
            let to_own = gone.with_to(self.account.jid().clone());
            tell_others(&self.account, &self.entry, &to_own);
            self.presence_changed(Some(before), &gone);
        }
        self.leave_directed(&gone);
        let ending = if current { ending } else { Ending::Replaced };
        let mut fold = SessionClosedFold {
            cx: self.cx(),
            account: &self.account,
            session: &self.entry,
            ending,
        };
        self.host.run::<SessionClosed>(&mut fold);
    }
}

impl Session {
    /// Whether the newer session of the same full JID has said that it is available.
    fn succeeded(&self) -> bool {
        self.account
            .session(self.entry.jid.resource())
            .is_some_and(|newer| newer.priority().is_some())
    }

    /// Runs [`PresenceChanged`].
    pub(crate) fn presence_changed(&mut self, before: Option<Available>, stanza: &Stanza) {
        let mut fold = PresenceFold {
            cx: Cx {
                router: &self.router,
                host: &self.host,
            },
            account: &self.account,
            session: &self.entry,
            before,
            stanza,
            directed: &mut self.directed,
            holds: &mut self.holds,
        };
        self.host.run::<PresenceChanged>(&mut fold);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.close(Ending::Crashed);
    }
}
