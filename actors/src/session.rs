//! The actor of a session: a thin shell around [`router::Session`] and the [`Wire`].
//!
//! It never waits. What its client sent comes from the [`Reader`](crate::reader::Reader) in
//! batches, what others sent from its inbox; what is to be written is collected and written
//! once, when its mailbox is drained. However it dies, dropping its state withdraws the
//! presence and ends the stream with whole frames.

use std::collections::VecDeque;
use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use ractor_cluster_derive::RactorMessage;
use router::{ConnectionFacts, Ending, Router, Session, SessionEntry};
use stream::{Inbound, established};
use tokio::sync::oneshot;
use xml::Element;
use xmpp::{BareJid, Rejected, Stanza, StanzaError, StreamCondition, StreamError};

use crate::figures::ClientFigure;
use crate::inbox::SessionInbox;
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
    pub(crate) wire: Arc<Wire>,
    pub(crate) roll: Roll,
    /// Gets the session's entry as soon as it is bound.
    pub(crate) bound: oneshot::Sender<Arc<SessionEntry>>,
}

/// Why no session was opened, on its way through ractor.
#[derive(Debug, thiserror::Error)]
#[error("refused: {}", .0.condition.as_str())]
pub(crate) struct Refused(pub(crate) StanzaError);

/// See the [module](self).
pub(crate) struct SessionActor;

pub(crate) struct SessionState {
    router: Router,
    session: Session,
    inbox: Arc<SessionInbox>,
    wire: Arc<Wire>,
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
    _on_the_roll: RollEntry,
}

impl Drop for SessionState {
    fn drop(&mut self) {
        self.session.close(Ending::Crashed);
        // What was kept back goes to whom it goes without this session: it may be stored.
        for stanza in std::mem::take(&mut self.held) {
            self.router.route(stanza);
        }
        // After an orderly end the stream is closing already, and this changes nothing.
        let error = StreamError::new(StreamCondition::InternalServerError);
        self.wire.finish(&error.to_bytes());
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
            wire,
            roll,
            bound,
        } = args;
        // The mailbox exists: what arrives between the binding and the start waits there.
        inbox.open(myself.clone());
        // Boxed: the task of this actor is as large as all that it ever waits for.
        let opening = Session::open(&router, &account, resource.as_deref(), facts, inbox.clone());
        let session = Box::pin(opening).await.map_err(Refused)?;
        inbox.name(session.jid().clone());
        // A connection that is gone by now will say so through its reader's end.
        let _ = bound.send(session.entry().clone());
        Ok(SessionState {
            router,
            session,
            wire,
            started: false,
            held: VecDeque::new(),
            ending: None,
            unwritten: 0,
            out: Vec::new(),
            _on_the_roll: roll.enter(myself.get_id(), inbox.clone()),
            inbox,
        })
    }

    async fn post_stop(
        &self,
        _: ActorRef<SessionMsg>,
        state: &mut SessionState,
    ) -> Result<(), ActorProcessingErr> {
        state.session.close(state.ending.unwrap_or(Ending::Closed));
        let error = StreamError::new(StreamCondition::SystemShutdown);
        // Unless there was another reason before this one.
        state.wire.finish(&error.to_bytes());
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
                state.session.release();
                state.let_go();
            }
            SessionMsg::Ahead { stanzas, taken } => {
                stanzas.into_iter().for_each(|stanza| state.deliver(stanza));
                state.wire.flush();
                // A stream that ends meanwhile may have taken none of them.
                if state.ending.is_none() {
                    let wire = state.wire.clone();
                    tokio::spawn(async move {
                        if wire.written().await.is_ok() {
                            // Nobody may wait for it any more.
                            let _ = taken.send(());
                        }
                    });
                }
            }
            SessionMsg::Close(error) => state.end(Ending::Closed, Some(&error)),
            SessionMsg::Ended(ending) => state.end(ending, None),
        }
        state.unwritten += 1;
        if state.inbox.done() == 0 || state.unwritten >= UNWRITTEN {
            state.unwritten = 0;
            state.wire.flush();
        }
        if state.ending.is_some() {
            myself.stop(None);
        }
        Ok(())
    }
}

impl SessionState {
    fn input(&mut self, Batch { elements, permit }: Batch) {
        for element in elements {
            if self.ending.is_some() {
                break;
            }
            self.element(element);
        }
        drop(permit);
    }

    fn element(&mut self, element: Element) {
        let element = match established(element, &[]) {
            // No namespace of nonzas is asked for.
            Ok(Inbound::Stanza(element) | Inbound::Nonza(element)) => element,
            Ok(Inbound::Answer(bytes)) => {
                let pushed = self.wire.push(|out| out.extend_from_slice(&bytes));
                return self.pushed(pushed);
            }
            Ok(Inbound::PeerError(_)) => return self.end(Ending::Closed, None),
            Err(error) => return self.end(Ending::Closed, Some(&error)),
        };
        match Stanza::read(element, Some(self.session.jid())) {
            Ok(stanza) => {
                let mut out = std::mem::take(&mut self.out);
                self.session.handle(stanza, &mut out);
                for stanza in out.drain(..) {
                    self.write(&stanza);
                }
                self.out = out;
            }
            Err(Rejected::Reply(stanza)) => self.write(&stanza),
            Err(Rejected::Stream(error)) => self.end(Ending::Closed, Some(&error)),
            Err(Rejected::Drop(why)) => {
                tracing::debug!(what = "stanza_dropped", session = %self.session.jid(), why);
            }
        }
    }

    fn is_held(&self) -> bool {
        !self.started || self.session.is_held()
    }

    /// Writes what was kept back, unless there is still a reason to keep it.
    fn let_go(&mut self) {
        while !self.is_held()
            && let Some(stanza) = self.held.pop_front()
        {
            self.inbox.release(stanza.size());
            self.deliver(stanza);
        }
    }

    fn deliver(&mut self, stanza: Stanza) {
        if self.ending.is_none()
            && let Some(stanza) = self.session.deliver(stanza)
        {
            self.write(&stanza);
        }
    }

    fn write(&mut self, stanza: &Stanza) {
        let pushed = self.wire.push(|out| stanza.write_to(out));
        self.pushed(pushed);
    }

    fn pushed(&mut self, pushed: Pushed) {
        match pushed {
            Pushed::Taken => {}
            // The socket may take some of it yet: only what it refuses counts.
            Pushed::Full => {
                self.wire.flush();
                if self.wire.is_full() {
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
            Some(error) => self.wire.finish(&error.to_bytes()),
            None => self.wire.finish(b""),
        }
    }
}
