//! The reading side of an established stream: a small task that mostly sleeps.

use std::sync::Arc;

use bytes::BytesMut;
use router::{Clock, Ending, SessionEntry};
use xml::{Event, Framer};
use xmpp::{StreamCondition, StreamError};

use crate::inbox::SessionInbox;
use crate::io::Source;
use crate::session::{Batch, Permit, SessionMsg};
use crate::wire::Wire;

/// Reads, frames, hands a batch to the session's actor, and waits until the actor is done with
/// it. When the actor is behind, nothing is read and nothing is buffered: the client's own TCP
/// slows it down.
pub(crate) struct Reader {
    pub(crate) wire: Arc<Wire>,
    pub(crate) source: Source,
    pub(crate) framer: Framer,
    /// What came and is no whole frame yet.
    pub(crate) rest: BytesMut,
    pub(crate) link: Link,
    pub(crate) entry: Arc<SessionEntry>,
    pub(crate) clock: Clock,
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
        wire.drain(&mut source).await;
        wire.read_out();
    }

    /// Reads until the stream ends; says how.
    async fn read(&mut self) -> SessionMsg {
        loop {
            let (elements, last) = self.frames();
            if !elements.is_empty() {
                let batch = Batch {
                    elements,
                    permit: Permit(self.wire.clone()),
                };
                let told = self.link.0.tell(SessionMsg::Input(batch));
                if told.is_err() {
                    return SessionMsg::Ended(Ending::Lost);
                }
                self.wire.batch_done.notified().await;
            }
            if let Some(last) = last {
                return last;
            }
            match self.wire.read(&mut self.source, &mut self.rest).await {
                Ok(1..) => self.entry.hear(self.clock.millis()),
                // Without a closing tag it is a lost connection, whoever cut it.
                Ok(0) | Err(_) => return SessionMsg::Ended(Ending::Lost),
            }
        }
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
