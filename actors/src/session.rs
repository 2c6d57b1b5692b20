//! The actor of a session: a thin shell around [`router::Session`] and the [`Wire`].
//!
//! It never waits. What its client sent comes from the [`Reader`](crate::reader::Reader) in
//! batches, what others sent from its inbox; what is to be written is collected and written
//! once, when its mailbox is drained. However it dies, dropping its state withdraws the
//! presence and ends the stream with whole frames.
//!
//! In a cluster the client and the [`Session`] may be at two nodes, each with an actor of this kind: see
//! [`guests`](crate::guests).

use std::collections::VecDeque;
use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use ractor_cluster_derive::RactorMessage;
use router::{ConnectionFacts, Ending, Peer, Router, SessionEntry, ToGuest, ToHome};
use stream::{Inbound, established};
use tokio::sync::oneshot;
use xml::Element;
use xmpp::{
    BareJid, Condition, FullJid, Rejected, Stanza, StanzaError, StreamCondition, StreamError,
};

use crate::away::{Opened, Opening};
use crate::figures::ClientFigure;
use crate::guests::{Guests, Hosted};
use crate::inbox::SessionInbox;
use crate::outlet::Outlet;
use crate::vitals::{Roll, RollEntry};
use crate::wire::{Pushed, Wire};

/// A mailbox that never drains is written for all the same, after so many messages.
const UNWRITTEN: usize = 64;

/// What the actor of a session is told.
#[derive(RactorMessage)]
pub(crate) enum SessionMsg {
    /// The client has been told that it is bound: stanzas may be written.
    Start,
    /// What the client sent.
    Input(Batch),
    /// A stanza for the client.
    Deliver(Stanza),
    /// Stanzas for the client that go before those that are kept back.
    Ahead {
        stanzas: Vec<Stanza>,
        taken: oneshot::Sender<()>,
    },
    /// One reason less to keep back what comes.
    Release,
    /// End the stream with this error.
    Close(StreamError),
    /// The client has closed its stream, or is gone.
    Ended(Ending),
    /// What the client says that is connected to another node.
    FromGuest(ToHome),
    /// What the home of the client's account says, which is another node.
    FromHome(ToGuest),
    /// That node is gone. It has not taken these.
    HomeGone { unsaid: Vec<Stanza> },
}

/// What one read gave, and the permission to read on.
pub(crate) struct Batch {
    pub(crate) elements: Vec<Element>,
    pub(crate) permit: Permit,
}

/// Lets the reader read on when it is dropped, however that comes.
pub(crate) struct Permit(pub(crate) Arc<Wire>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.batch_done.notify_one();
    }
}

/// What a session is opened with.
pub(crate) struct SessionArgs {
    pub(crate) router: Router,
    pub(crate) account: BareJid,
    pub(crate) resource: Option<String>,
    pub(crate) facts: ConnectionFacts,
    pub(crate) inbox: Arc<SessionInbox>,
    pub(crate) outlet: Outlet,
    pub(crate) roll: Roll,
    /// Gets the session's entry as soon as it is bound.
    pub(crate) bound: oneshot::Sender<Arc<SessionEntry>>,
    /// Where a session is opened whose account has its home at another node, in a cluster.
    pub(crate) guests: Option<Arc<Guests>>,
    /// Of a client that is connected to another node.
    pub(crate) hosted: Option<Hosted>,
}

/// Why no session was opened, on its way through ractor.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// What the bind request is answered with.
    #[error("refused: {}", .0.condition.as_str())]
    Error(StanzaError),
    /// For a client that is connected to another node: there is yet another to go to.
    #[error("the home of the account is {0}")]
    Elsewhere(Peer),
}

impl Refused {
    /// What the bind request is answered with.
    pub(crate) fn error(self) -> StanzaError {
        match self {
            Self::Error(error) => error,
            Self::Elsewhere(_) => StanzaError::new(Condition::InternalServerError),
        }
    }
}

/// See the [module](self).
pub(crate) struct SessionActor;

pub(crate) struct SessionState {
    router: Router,
    session: Opened,
    inbox: Arc<SessionInbox>,
    outlet: Outlet,
    guests: Option<Arc<Guests>>,
    /// Whether the client has been told that it is bound.
    started: bool,
    /// What is kept back: what came before that, or while the session is held. It keeps its
    /// credit.
    held: VecDeque<Stanza>,
    /// Set once it is known how the session ends.
    ending: Option<Ending>,
    /// Messages since the last write.
    unwritten: usize,
    /// What one stanza brought about; kept for its memory between the stanzas of a batch.
    out: Vec<Stanza>,
    _hosted: Option<Box<Hosted>>,
    _on_the_roll: RollEntry,
}

impl Drop for SessionState {
    fn drop(&mut self) {
        match &mut self.session {
            Opened::Here(session) => session.close(Ending::Crashed),
            Opened::Away(away) => away.end(self.ending.unwrap_or(Ending::Lost)),
        }
        // What was kept back goes to whom it goes without this session: it may be stored.
        for stanza in std::mem::take(&mut self.held) {
            self.router.route(stanza);
        }
        // After an orderly end the stream is closing already, and this changes nothing.
        let error = StreamError::new(StreamCondition::InternalServerError);
        self.outlet.fail(&error);
    }
}

impl Actor for SessionActor {
    type Msg = SessionMsg;
    type State = SessionState;
    type Arguments = SessionArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<SessionMsg>,
        args: SessionArgs,
    ) -> Result<SessionState, ActorProcessingErr> {
        let SessionArgs {
            router,
            account,
            resource,
            facts,
            inbox,
            outlet,
            roll,
            bound,
            guests,
            hosted,
        } = args;
        // The mailbox exists: what arrives between the binding and the start waits there.
        inbox.open(myself.clone());
        // Boxed: the task of this actor is as large as all that it ever waits for.
        let opening = Opening {
            router: &router,
            guests: guests.as_ref(),
            account: &account,
            resource: resource.as_deref(),
            facts,
            inbox: &inbox,
        };
        let session = Box::pin(opening.open()).await?;
        inbox.name(session.jid().clone());
        let entry = match &session {
            Opened::Here(session) => session.entry().clone(),
            Opened::Away(away) => router.guest(away.jid().clone(), inbox.clone(), facts),
        };
        // A connection that is gone by now will say so through its reader's end.
        let _ = bound.send(entry);
        Ok(SessionState {
            router,
            session,
            outlet,
            guests,
            started: false,
            held: VecDeque::new(),
            ending: None,
            unwritten: 0,
            out: Vec::new(),
            _hosted: hosted.map(Box::new),
            _on_the_roll: roll.enter(myself.get_id(), inbox.clone()),
            inbox,
        })
    }

    async fn post_stop(
        &self,
        _: ActorRef<SessionMsg>,
        state: &mut SessionState,
    ) -> Result<(), ActorProcessingErr> {
        match &mut state.session {
            Opened::Here(session) => session.close(state.ending.unwrap_or(Ending::Closed)),
            Opened::Away(away) => away.end(state.ending.unwrap_or(Ending::Closed)),
        }
        // Unless there was another reason before this one.
        state
            .outlet
            .fail(&StreamError::new(StreamCondition::SystemShutdown));
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<SessionMsg>,
        message: SessionMsg,
        state: &mut SessionState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            SessionMsg::Deliver(stanza) if state.is_held() => state.held.push_back(stanza),
            SessionMsg::Deliver(stanza) => {
                state.inbox.release(stanza.size());
                state.deliver(stanza);
            }
            SessionMsg::Input(batch) => state.input(batch),
            SessionMsg::Start => {
                state.started = true;
                state.let_go();
            }
            SessionMsg::Release => {
                if let Opened::Here(session) = &mut state.session {
                    session.release();
                }
                state.let_go();
            }
            SessionMsg::Ahead { stanzas, taken } => {
                stanzas.into_iter().for_each(|stanza| state.deliver(stanza));
                state.outlet.flush();
                // A stream that ends meanwhile may have taken none of them.
                if state.ending.is_none() {
                    let outlet = state.outlet.clone();
                    tokio::spawn(async move {
                        if outlet.written().await.is_ok() {
                            // Nobody may wait for it any more.
                            let _ = taken.send(());
                        }
                    });
                }
            }
            SessionMsg::Close(error) => state.end(Ending::Closed, Some(&error)),
            SessionMsg::Ended(ending) => state.end(ending, None),
            SessionMsg::FromGuest(word) => state.guest_says(word),
            SessionMsg::FromHome(word) => {
                if let Some(unsaid) = state.home_says(word) {
                    Box::pin(state.open_anew(unsaid)).await;
                }
            }
            SessionMsg::HomeGone { unsaid } => Box::pin(state.open_anew(unsaid)).await,
        }
        state.unwritten += 1;
        if state.inbox.done() == 0 || state.unwritten >= UNWRITTEN {
            state.unwritten = 0;
            state.outlet.flush();
        }
        if state.ending.is_some() {
            myself.stop(None);
        }
        Ok(())
    }
}

impl SessionState {
    fn input(&mut self, Batch { elements, permit }: Batch) {
        if let Opened::Away(_) = self.session {
            return self.pass_on(elements, permit);
        }
        for element in elements {
            if self.ending.is_some() {
                break;
            }
            if let Some(stanza) = self.element(element) {
                self.handle(stanza);
            }
        }
        drop(permit);
    }

    /// The stanza that a first-level element is; all else is dealt with.
    fn element(&mut self, element: Element) -> Option<Stanza> {
        let element = match established(element, &[]) {
            // No namespace of nonzas is asked for.
            Ok(Inbound::Stanza(element) | Inbound::Nonza(element)) => element,
            Ok(Inbound::Answer(bytes)) => {
                let pushed = self.outlet.push(|out| out.extend_from_slice(&bytes));
                self.pushed(pushed);
                return None;
            }
            Ok(Inbound::PeerError(_)) => {
                self.end(Ending::Closed, None);
                return None;
            }
            Err(error) => {
                self.end(Ending::Closed, Some(&error));
                return None;
            }
        };
        match Stanza::read(element, Some(self.session.jid())) {
            Ok(stanza) => return Some(stanza),
            Err(Rejected::Reply(stanza)) => self.write(&stanza),
            Err(Rejected::Stream(error)) => self.end(Ending::Closed, Some(&error)),
            Err(Rejected::Drop(why)) => {
                tracing::debug!(what = "stanza_dropped", session = %self.session.jid(), why);
            }
        }
        None
    }

    fn handle(&mut self, stanza: Stanza) {
        let Opened::Here(session) = &mut self.session else {
            return;
        };
        let mut out = std::mem::take(&mut self.out);
        session.handle(stanza, &mut out);
        for stanza in out.drain(..) {
            self.write(&stanza);
        }
        self.out = out;
    }

    fn is_held(&self) -> bool {
        let held = match &self.session {
            Opened::Here(session) => session.is_held(),
            Opened::Away(_) => false,
        };
        !self.started || held
    }

    /// Writes what was kept back, unless there is still a reason to keep it.
    fn let_go(&mut self) {
        if let Opened::Away(away) = &mut self.session {
            for frames in std::mem::take(&mut away.early) {
                let pushed = self.outlet.push(|out| out.extend_from_slice(&frames));
                self.pushed(pushed);
            }
        }
        while !self.is_held()
            && let Some(stanza) = self.held.pop_front()
        {
            self.inbox.release(stanza.size());
            self.deliver(stanza);
        }
    }

    fn deliver(&mut self, stanza: Stanza) {
        if self.ending.is_none()
            && let Opened::Here(session) = &mut self.session
            && let Some(stanza) = session.deliver(stanza)
        {
            self.write(&stanza);
        }
    }

    fn write(&mut self, stanza: &Stanza) {
        let pushed = self.outlet.push(|out| stanza.write_to(out));
        self.pushed(pushed);
    }

    fn pushed(&mut self, pushed: Pushed) {
        match pushed {
            Pushed::Taken => {}
            // The socket may take some of it yet: only what it refuses counts.
            Pushed::Full => {
                self.outlet.flush();
                if self.outlet.is_full() {
                    self.inbox.count(ClientFigure::NotReading);
                    tracing::info!(what = "client_does_not_read", session = %self.session.jid());
                    let error = StreamError::new(StreamCondition::PolicyViolation)
                        .with_text("the client takes in less than it is sent");
                    self.end(Ending::Closed, Some(&error));
                }
            }
            Pushed::Closed => self.end(Ending::Lost, None),
        }
    }

    /// Ends the stream. The first reason counts.
    fn end(&mut self, ending: Ending, error: Option<&StreamError>) {
        if self.ending.is_some() {
            return;
        }
        self.ending = Some(ending);
        // Before the client learns of it, and tells others.
        self.inbox.close();
        match error {
            Some(error) => self.outlet.fail(error),
            None => self.outlet.close(),
        }
    }
}

/// A client and its session at two nodes.
impl SessionState {
    /// Here is the session.
    fn guest_says(&mut self, word: ToHome) {
        match word {
            ToHome::Said(stanzas) => {
                if let Opened::Here(session) = &self.session {
                    session.hear();
                }
                for stanza in stanzas {
                    if self.ending.is_none() {
                        self.handle(stanza);
                    }
                }
                if let Outlet::Guest(guest) = &self.outlet {
                    guest.tell(ToGuest::Ready);
                }
            }
            ToHome::Ended(ending) => self.end(ending, None),
            // These are not for a session that is open.
            ToHome::Open(_) | ToHome::Taken(_) => {}
        }
    }

    /// Here is the client. What is returned is to be said to a new home.
    fn home_says(&mut self, word: ToGuest) -> Option<Vec<Stanza>> {
        let Opened::Away(away) = &mut self.session else {
            return None;
        };
        match word {
            ToGuest::Write(frames) if !self.started => away.early.push(frames),
            ToGuest::Write(frames) => {
                let pushed = self.outlet.push(|out| out.extend_from_slice(&frames));
                self.pushed(pushed);
            }
            ToGuest::Ready => away.ready(),
            ToGuest::Ask(number) => {
                self.outlet.flush();
                let (outlet, taken) = (self.outlet.clone(), away.taken(number));
                tokio::spawn(async move {
                    if outlet.written().await.is_ok() {
                        taken();
                    }
                });
            }
            ToGuest::Finish(last) => {
                self.ending = Some(Ending::Closed);
                self.inbox.close();
                self.outlet.finish(&last);
            }
            ToGuest::Leave => return Some(Vec::new()),
            // These are for who waits for a session.
            ToGuest::Opened(_) | ToGuest::Refused(_) | ToGuest::Moved(_) => {}
        }
        None
    }

    /// What the client says goes to its session's node.
    fn pass_on(&mut self, elements: Vec<Element>, permit: Permit) {
        let mut said = Vec::with_capacity(elements.len());
        for element in elements {
            if self.ending.is_none() {
                said.extend(self.element(element));
            }
        }
        let Opened::Away(away) = &mut self.session else {
            return;
        };
        if let Err(error) = away.say(said, Some(permit)) {
            tracing::info!(what = "home_takes_nothing", session = %away.jid(), %error);
            let error = StreamError::new(StreamCondition::ResourceConstraint);
            self.end(Ending::Lost, Some(&error));
        }
    }

    /// The node that had the session has it no more: it is opened anew wherever the account is now, and
    /// gets the client's last presence, and what was not taken.
    async fn open_anew(&mut self, unsaid: Vec<Stanza>) {
        let Opened::Away(away) = &mut self.session else {
            return;
        };
        if self.ending.is_some() {
            return;
        }
        let left = away.leave();
        let account = left.jid.bare();
        let opening = Opening {
            router: &self.router,
            guests: self.guests.as_ref(),
            account: &account,
            resource: Some(left.jid.resource()),
            facts: left.facts,
            inbox: &self.inbox,
        };
        match opening.open().await {
            Ok(session) => self.session = session,
            Err(refused) => {
                let error = refused.error();
                tracing::info!(
                    what = "session_not_opened_anew", session = %left.jid, error = error.condition.as_str()
                );
                let error = StreamError::new(StreamCondition::SystemShutdown);
                return self.end(Ending::Lost, Some(&error));
            }
        }
        let said: Vec<Stanza> = left.presence.into_iter().chain(unsaid).collect();
        if let Opened::Away(away) = &mut self.session {
            // A node that takes nothing is about to be gone, too.
            let _ = away.say(said, None);
            return;
        }
        for stanza in said {
            self.handle(stanza);
        }
    }
}

impl Opened {
    fn jid(&self) -> &FullJid {
        match self {
            Self::Here(session) => session.jid(),
            Self::Away(away) => away.jid(),
        }
    }
}
