//! Where a session writes to: the wire of its connection, or the node that its client is connected to.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use bytes::BytesMut;
use parking_lot::Mutex;
use router::{Elsewhere, GuestId, Letter, Peer, ToGuest};
use tokio::sync::oneshot;
use xmpp::{StreamCondition, StreamError};

use crate::wire::{Pushed, Wire};

/// The writing side of a session's client.
#[derive(Clone)]
pub(crate) enum Outlet {
    /// It is connected here.
    Wire(Arc<Wire>),
    /// It is connected to another node.
    Guest(Arc<GuestWire>),
}

/// The way to a client that is connected to another node: whole frames are collected and go there in
/// one letter when the session's mailbox is drained. What the client does not take waits at that node.
pub(crate) struct GuestWire {
    elsewhere: Arc<dyn Elsewhere>,
    peer: Peer,
    guest: GuestId,
    out: Mutex<Out>,
}

#[derive(Default)]
struct Out {
    frames: BytesMut,
    closed: bool,
    asked: u64,
    /// Who waits until the client's socket has taken what was written.
    waiting: HashMap<u64, oneshot::Sender<()>>,
}

impl GuestWire {
    pub(crate) fn new(elsewhere: Arc<dyn Elsewhere>, peer: Peer, guest: GuestId) -> Arc<Self> {
        Arc::new(Self {
            elsewhere,
            peer,
            guest,
            out: Mutex::default(),
        })
    }

    /// Tells the guest's node something.
    pub(crate) fn tell(&self, word: ToGuest) -> bool {
        let letter = Letter::ToGuest {
            guest: self.guest,
            word,
        };
        self.elsewhere.send(&self.peer, letter.to_bytes()).is_ok()
    }

    /// The client's socket has taken what was written before question `number`.
    pub(crate) fn taken(&self, number: u64) {
        if let Some(waiting) = self.out.lock().waiting.remove(&number) {
            // Nobody may wait for it any more.
            let _ = waiting.send(());
        }
    }

    fn push(&self, frame: impl FnOnce(&mut BytesMut)) -> Pushed {
        let mut out = self.out.lock();
        if out.closed {
            return Pushed::Closed;
        }
        frame(&mut out.frames);
        Pushed::Taken
    }

    fn flush(&self) {
        let mut out = self.out.lock();
        if out.frames.is_empty() || out.closed {
            return;
        }
        let frames = out.frames.split().freeze();
        if !self.tell(ToGuest::Write(frames)) {
            out.closed = true;
            out.waiting.clear();
        }
    }

    fn finish(&self, error: &StreamError) {
        self.flush();
        let mut out = self.out.lock();
        if std::mem::replace(&mut out.closed, true) {
            return;
        }
        out.waiting.clear();
        drop(out);
        // The client's own node goes on: there its session is opened anew.
        self.tell(match error.condition {
            StreamCondition::SystemShutdown => ToGuest::Leave,
            _ => ToGuest::Finish(error.to_bytes()),
        });
    }

    async fn written(&self) -> io::Result<()> {
        self.flush();
        let (taken, told) = oneshot::channel();
        let number = {
            let mut out = self.out.lock();
            if out.closed {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            out.asked += 1;
            let number = out.asked;
            out.waiting.insert(number, taken);
            number
        };
        self.tell(ToGuest::Ask(number));
        told.await.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Outlet {
    /// Appends a whole frame without writing yet.
    pub(crate) fn push(&self, frame: impl FnOnce(&mut BytesMut)) -> Pushed {
        match self {
            Self::Wire(wire) => wire.push(frame),
            Self::Guest(guest) => guest.push(frame),
        }
    }

    /// Writes what was appended.
    pub(crate) fn flush(&self) {
        match self {
            Self::Wire(wire) => wire.flush(),
            Self::Guest(guest) => guest.flush(),
        }
    }

    /// Whether more waits for the client than may.
    pub(crate) fn is_full(&self) -> bool {
        match self {
            Self::Wire(wire) => wire.is_full(),
            Self::Guest(_) => false,
        }
    }

    /// Bytes that wait for the client here.
    pub(crate) fn waiting(&self) -> usize {
        match self {
            Self::Wire(wire) => wire.waiting(),
            Self::Guest(guest) => guest.out.lock().frames.len(),
        }
    }

    /// Ends the stream with `error`, unless it has ended.
    pub(crate) fn fail(&self, error: &StreamError) {
        match self {
            Self::Wire(wire) => wire.finish(&error.to_bytes()),
            Self::Guest(guest) => guest.finish(error),
        }
    }

    /// Ends the stream with these last bytes, unless it has ended.
    pub(crate) fn finish(&self, last: &[u8]) {
        match self {
            Self::Wire(wire) => wire.finish(last),
            // A guest's session is here: nobody else ends its stream.
            Self::Guest(guest) => guest.out.lock().closed = true,
        }
    }

    /// Ends the stream in order.
    pub(crate) fn close(&self) {
        match self {
            Self::Wire(wire) => wire.finish(b""),
            // It is the client that has closed it: its node knows.
            Self::Guest(guest) => guest.out.lock().closed = true,
        }
    }

    /// Waits until the client's socket has taken all that was written.
    ///
    /// # Errors
    /// The stream has ended.
    pub(crate) async fn written(&self) -> io::Result<()> {
        match self {
            Self::Wire(wire) => wire.written().await,
            Self::Guest(guest) => guest.written().await,
        }
    }
}
