//! The address of a session's actor, behind its credit.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use ractor::ActorRef;
use router::{Control, Inbox, Undelivered};
use xmpp::{FullJid, Stanza, StreamCondition, StreamError};

use crate::figures::{ClientFigure, ClientFigures};
use crate::outlet::Outlet;
use crate::session::SessionMsg;
use crate::vitals::{Figure, Status};

/// How much may wait for a session.
#[derive(Debug, Clone, Copy)]
pub struct InboxLimits {
    /// Bytes of stanzas in its mailbox.
    pub bytes: usize,
    /// Stanzas in its mailbox.
    pub stanzas: usize,
}

/// Where stanzas for a session go. ractor's mailboxes know no bound, so the bound is here: two
/// atomics, which are also the depth that is shown.
pub(crate) struct SessionInbox {
    actor: OnceLock<ActorRef<SessionMsg>>,
    jid: OnceLock<FullJid>,
    outlet: Outlet,
    limits: InboxLimits,
    /// Bytes of stanzas in the mailbox.
    bytes: AtomicUsize,
    /// Messages in the mailbox or in hand.
    pending: AtomicUsize,
    handled: AtomicU64,
    /// Whether it is ending.
    over: AtomicBool,
    figures: Arc<ClientFigures>,
}

impl SessionInbox {
    pub(crate) fn new(
        outlet: Outlet,
        limits: InboxLimits,
        figures: Arc<ClientFigures>,
    ) -> Arc<Self> {
        Arc::new(Self {
            actor: OnceLock::new(),
            jid: OnceLock::new(),
            outlet,
            limits,
            bytes: AtomicUsize::new(0),
            pending: AtomicUsize::new(0),
            handled: AtomicU64::new(0),
            over: AtomicBool::new(false),
            figures,
        })
    }

    /// Connects it with the actor behind it. Before that nothing is delivered.
    pub(crate) fn open(&self, actor: ActorRef<SessionMsg>) {
        // Only the actor calls this, once, when it starts.
        let _ = self.actor.set(actor);
    }

    /// Gives it its name.
    pub(crate) fn name(&self, jid: FullJid) {
        let _ = self.jid.set(jid);
    }

    /// Puts a message into the mailbox that needs no credit.
    pub(crate) fn tell(&self, message: SessionMsg) -> Result<(), Undelivered> {
        self.pending.fetch_add(1, Ordering::AcqRel);
        let sent = self
            .actor
            .get()
            .is_some_and(|actor| actor.send_message(message).is_ok());
        if sent {
            return Ok(());
        }
        self.pending.fetch_sub(1, Ordering::AcqRel);
        Err(Undelivered::Gone)
    }

    /// The actor has taken a stanza of so many bytes out of the mailbox.
    pub(crate) fn release(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::AcqRel);
    }

    /// The actor is done with a message: how many more wait.
    pub(crate) fn done(&self) -> usize {
        self.handled.fetch_add(1, Ordering::Relaxed);
        self.pending.fetch_sub(1, Ordering::AcqRel) - 1
    }

    /// The session is ending: what comes from here on would be written by nobody.
    pub(crate) fn close(&self) {
        self.over.store(true, Ordering::Release);
    }

    /// Ends a session that takes in less than it is sent. Anybody's thread may be here, and the
    /// actor may be stuck: the stream is closed past it.
    fn overflow(&self) {
        if self.over.swap(true, Ordering::AcqRel) {
            return;
        }
        self.figures.count(ClientFigure::Overflowed);
        let error = StreamError::new(StreamCondition::PolicyViolation)
            .with_text("more waits for this client than the server keeps");
        self.outlet.fail(&error);
        if let Some(actor) = self.actor.get() {
            tracing::info!(what = "session_overflow", session = %self.named(), "its mailbox is full");
            actor.stop(Some("its mailbox is full".to_owned()));
        }
    }

    /// What is counted of all clients together.
    pub(crate) fn count(&self, figure: ClientFigure) {
        self.figures.count(figure);
    }

    fn named(&self) -> &str {
        self.jid.get().map_or("?", FullJid::as_str)
    }
}

impl Inbox for SessionInbox {
    fn deliver(&self, stanza: Stanza) -> Result<(), Undelivered> {
        if self.over.load(Ordering::Acquire) {
            return Err(Undelivered::Gone);
        }
        let size = stanza.size();
        let bytes = self.bytes.fetch_add(size, Ordering::AcqRel) + size;
        let full = bytes > self.limits.bytes
            || self.pending.load(Ordering::Acquire) >= self.limits.stanzas;
        let delivered = if full {
            self.overflow();
            Err(Undelivered::Full)
        } else {
            self.tell(SessionMsg::Deliver(stanza))
        };
        if delivered.is_err() {
            self.release(size);
        }
        delivered
    }

    fn control(&self, control: Control) {
        // A session that is gone has nothing to do, and who waits for it learns of its end by the
        // channel.
        let _ = self.tell(match control {
            Control::Close(error) => SessionMsg::Close(error),
            Control::Ahead { stanzas, taken } => SessionMsg::Ahead { stanzas, taken },
            Control::Release => SessionMsg::Release,
        });
    }

    fn depth(&self) -> usize {
        self.pending.load(Ordering::Relaxed)
    }
}

impl Status for SessionInbox {
    fn kind(&self) -> &'static str {
        "session"
    }

    fn name(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.named())
    }

    fn handled(&self) -> u64 {
        self.handled.load(Ordering::Relaxed)
    }

    fn depth(&self) -> u64 {
        self.pending.load(Ordering::Relaxed) as u64
    }

    fn mailbox_bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed) as u64
    }

    fn figures(&self) -> Vec<Figure> {
        vec![
            ("mailbox_bytes", self.bytes.load(Ordering::Relaxed) as u64),
            ("outbox_bytes", self.outlet.waiting() as u64),
        ]
    }
}
