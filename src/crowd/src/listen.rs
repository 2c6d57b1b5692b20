//! What comes for a client, as elements.

use bytes::BytesMut;
use xml::{Event, Framer, Limits};

use crate::client::header;
use crate::problem::Problem;

/// What a node may send us.
const LIMITS: Limits = Limits {
    stanza: 1 << 20,
    header: 1 << 16,
    depth: 64,
    attributes: 64,
    namespaces: 64,
};

/// A stream that is read. Only clients with part of something unread, or not online yet, have one of
/// their own: between two elements one stream looks like any other.
pub(crate) struct Listening {
    pub(crate) framer: Framer,
    pub(crate) unread: BytesMut,
}

impl Listening {
    /// At the start of a connection.
    pub(crate) fn new() -> Listening {
        Listening {
            framer: Framer::new(LIMITS),
            unread: BytesMut::new(),
        }
    }

    /// Within a stream, between two elements.
    pub(crate) fn online() -> Result<Listening, Problem> {
        let mut listening = Self::new();
        listening.unread.extend_from_slice(header("").as_bytes());
        listening.next()?;
        Ok(listening)
    }

    /// The next event of what came.
    pub(crate) fn next(&mut self) -> Result<Option<Event>, Problem> {
        Ok(self.framer.next(&mut self.unread)?)
    }
}
