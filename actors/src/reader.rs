//! The reading side of an established stream: a small task that mostly sleeps.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;

use bytes::BytesMut;
use router::{Clock, Ending, SessionEntry};
use xml::{Event, Framer};
use xmpp::{StreamCondition, StreamError};

use crate::inbox::SessionInbox;
use crate::io::Source;
use crate::session::{Batch, Permit, SessionMsg};
use crate::turns::{Pace, Turns};
use crate::wire::Wire;

/// Reads, frames, hands a batch to the session's actor, and reads on when more has come and the
/// actor is done with that batch. When the actor is behind, nothing is read and nothing is buffered:
/// the client's own TCP slows it down.
pub(crate) struct Reader {
    pub(crate) wire: Arc<Wire>,
    pub(crate) source: Source,
    pub(crate) framer: Framer,
    /// What came and is no whole frame yet.
    pub(crate) rest: BytesMut,
    pub(crate) link: Link,
    pub(crate) entry: Arc<SessionEntry>,
    pub(crate) clock: Clock,
    pub(crate) turns: Turns,
}

/// The tie between a connection and its session: when it is cut, by whatever it may be, the
/// session learns of it.
pub(crate) struct Link(pub(crate) Arc<SessionInbox>);

impl Drop for Link {
    fn drop(&mut self) {
        // A session that ended before has nothing to learn.
        let _ = self.0.tell(SessionMsg::Ended(Ending::Lost));
    }
}

impl Reader {
    /// Reads until the stream ends, then sees the connection out.
    pub(crate) async fn run(mut self) {
        let last = self.read().await;
        let _ = self.link.0.tell(last);
        let Self {
            wire,
            mut source,
            link,
            entry,
            ..
        } = self;
        drop((link, entry));
        // Boxed, so that nobody holds room for it who is still there.
        let seen_out = Box::pin(async move {
            wire.drain(&mut source).await;
            wire.read_out();
        });
        seen_out.await;
    }

    /// Reads until the stream ends; says how.
    async fn read(&mut self) -> SessionMsg {
        let mut pace = Pace::default();
        loop {
            let handed = match self.hand_over() {
                Ok(handed) => handed,
                Err(last) => return last,
            };
            if handed && self.batch_done(&pace).await.is_err() {
                return SessionMsg::Ended(Ending::Lost);
            }
            pace.take_turn(&self.turns).await;
            match self.receive(&mut pace).await {
                Ok(1..) => self.entry.hear(self.clock.millis()),
                // Without a closing tag it is a lost connection, whoever cut it.
                Ok(0) | Err(_) => return SessionMsg::Ended(Ending::Lost),
            }
        }
    }

    /// Hands the whole frames of what came to the actor; says whether there were any, or how the
    /// stream ends.
    fn hand_over(&mut self) -> Result<bool, SessionMsg> {
        let (elements, last) = self.frames();
        let some = !elements.is_empty();
        if some {
            let batch = Batch {
                elements,
                permit: Permit(self.wire.clone()),
            };
            let told = self.link.0.tell(SessionMsg::Input(batch));
            told.map_err(|_| SessionMsg::Ended(Ending::Lost))?;
        }
        last.map_or(Ok(some), Err)
    }

    /// Waits until the actor is done with the batch it has in hand. Where one stanza comes now and then,
    /// this looks for the next one first, so that nobody has to wake it when the batch is done: as a
    /// rule that was long ago.
    async fn batch_done(&mut self, pace: &Pace) -> io::Result<()> {
        if !pace.is_flood() {
            poll_fn(|cx| self.wire.poll_readable(&mut self.source, cx)).await?;
        }
        self.wire.batch_done.notified().await;
        Ok(())
    }

    /// Waits for bytes, and says how many came: 0 at the end of the stream.
    async fn receive(&mut self, pace: &mut Pace) -> io::Result<usize> {
        let read = poll_fn(|cx| {
            let read = self.wire.poll_read(&mut self.source, cx, &mut self.rest);
            if read.is_pending() {
                pace.pause();
            }
            read
        });
        let bytes = read.await?;
        pace.sent(bytes);
        Ok(bytes)
    }

    /// Takes the whole frames off the front of what came.
    fn frames(&mut self) -> (Vec<xml::Element>, Option<SessionMsg>) {
        let mut elements = Vec::new();
        let last = loop {
            match self.framer.next(&mut self.rest) {
                Ok(Some(Event::Element(element))) => elements.push(element),
                Ok(Some(Event::Close)) => break Some(SessionMsg::Ended(Ending::Closed)),
                Ok(Some(Event::Header(_))) => {
                    break Some(SessionMsg::Close(StreamError::new(
                        StreamCondition::BadFormat,
                    )));
                }
                Ok(None) => break None,
                Err(error) => break Some(SessionMsg::Close(error.into())),
            }
        };
        if self.rest.is_empty() {
            // No buffer while nothing comes.
            self.rest = BytesMut::new();
        }
        (elements, last)
    }
}

#[cfg(test)]
mod tests;
