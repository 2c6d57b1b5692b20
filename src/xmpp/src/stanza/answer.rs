//! Answers to a stanza (RFC 6120 §8.2.3, §8.3).

use bytes::Bytes;
use smallvec::SmallVec;
use xml::Child;

use super::build::empty;
use super::{Edit, Inner, Stanza, Word};
use crate::error::StanzaError;
use crate::kind::{IqType, Kind};
use crate::ns;

/// Most bytes of the original that an error carries back.
const ECHO: usize = 1024;

impl Stanza {
    /// The result of this IQ; an empty `payload` is a result without content, else it is one whole
    /// element. From whom the request was for, to whom it was from.
    pub fn iq_result(&self, payload: Bytes) -> Self {
        let kind = Kind::Iq(IqType::Result);
        let mut inner = self.answer(kind);
        if !payload.is_empty() {
            inner.append_own(payload);
        }
        Self(inner.into())
    }

    /// The error that answers this stanza, with its payload if that is short; `None` for errors and
    /// results, which must never be answered by an error (§8.3.1).
    pub fn error(&self, error: impl Into<StanzaError>) -> Option<Self> {
        if self.0.kind.is_final() {
            return None;
        }
        let kind = self.0.kind.as_error();
        let added: usize = self.0.added.iter().map(|el| el.bytes().len()).sum();
        let short = self.0.frame.bytes().len() + added <= ECHO;
        let inner = match short {
            // The frame again: its payload, what it declares, its foreign attributes.
            true => Inner {
                kind,
                to: self.0.from.clone(),
                from: self.0.to.clone(),
                ..Inner::clone(&self.0)
            },
            false => self.answer(kind),
        };
        // A stray <error/> in the payload must not be taken for ours.
        let answer = Edit(inner).cut_where(is_error);
        Some(answer.append(error.into().to_bytes()).done())
    }

    /// What this stanza says went wrong, if its type is `error`.
    pub fn stanza_error(&self) -> Option<StanzaError> {
        if !self.0.kind.is_error() {
            return None;
        }
        self.children().find(is_error).map(StanzaError::read)
    }

    /// An empty stanza that goes back, with the same id.
    fn answer(&self, kind: Kind) -> Inner {
        Inner {
            kind,
            to: self.0.from.clone(),
            from: self.0.to.clone(),
            id: match self.id() {
                Some(id) => Word::Own(id.into()),
                None => Word::None,
            },
            lang: Word::None,
            frame: empty(kind),
            cuts: SmallVec::new(),
            added: Vec::new(),
        }
    }
}

fn is_error(child: &Child<'_>) -> bool {
    child.name() == "error" && matches!(child.ns(), ns::CLIENT | ns::SERVER)
}
