//! The typed list of cuts and additions through which a forwarded stanza may be changed.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;
use xml::{Child, Element, Writer, XmlError};

use super::{Inner, Stanza, Word};
use crate::jid::Jid;
use crate::ns;

/// Changes to a stanza: whole children are cut out or appended, addresses are set. The bytes of
/// what remains are not touched. Nothing changes before [`Edit::done`].
#[derive(Debug, Clone)]
#[must_use = "an edit changes nothing until done()"]
pub struct Edit(pub(super) Inner);

impl Stanza {
    /// Begins to change the stanza.
    pub fn edit(&self) -> Edit {
        Edit(Inner::clone(&self.0))
    }
}

impl Edit {
    /// Cuts the received child that stands at `range` of the frame ([`Child::range`]). A range that
    /// is no child's cuts nothing.
    pub fn cut(mut self, range: Range<usize>) -> Self {
        let place = self
            .0
            .frame
            .children()
            .position(|child| child.range() == range);
        self.cut_place(place);
        self
    }

    /// Cuts every child, received or appended, of which `forged` says true.
    pub fn cut_where(mut self, forged: impl Fn(&Child<'_>) -> bool) -> Self {
        let places: SmallVec<[usize; 4]> = self
            .0
            .frame
            .children()
            .enumerate()
            .filter(|(_, child)| forged(child))
            .map(|(place, _)| place)
            .collect();
        for place in places {
            self.cut_place(Some(place));
        }
        self.0.added.retain(|el| !forged(&el.as_child()));
        self
    }

    fn cut_place(&mut self, place: Option<usize>) {
        // A stanza of more than 65 536 children keeps those behind: its limits forbid it anyway.
        if let Some(place) = place.and_then(|place| u16::try_from(place).ok())
            && !self.0.cuts.contains(&place)
        {
            self.0.cuts.push(place);
        }
    }

    /// Appends one element, written for the default namespace `jabber:client`.
    ///
    /// # Errors
    /// If the bytes are not one whole element.
    pub fn try_append(mut self, element: Bytes) -> Result<Self, XmlError> {
        let element = Element::parse_bytes(element)?;
        self.0.append(element);
        Ok(self)
    }

    /// As [`Edit::try_append`] for bytes we wrote ourselves: bytes that are not one whole element
    /// are left out (and fail in debug builds).
    pub fn append(mut self, element: Bytes) -> Self {
        self.0.append_own(element);
        self
    }

    /// Sets `to`.
    pub fn to(mut self, to: impl Into<Jid>) -> Self {
        self.0.to = Some(to.into());
        self
    }

    /// Sets `from`.
    pub fn from(mut self, from: impl Into<Jid>) -> Self {
        self.0.from = Some(from.into());
        self
    }

    /// Sets `id`.
    pub fn id(mut self, id: &str) -> Self {
        self.0.id = Word::Own(id.into());
        self
    }

    /// The changed stanza.
    pub fn done(self) -> Stanza {
        Stanza(Arc::new(self.0))
    }
}

impl Inner {
    pub(super) fn append_own(&mut self, element: Bytes) {
        let element = Element::parse_bytes(element);
        debug_assert!(
            element.is_ok(),
            "appended bytes are no element: {element:?}"
        );
        if let Ok(element) = element {
            self.append(element);
        }
    }

    /// Appends an element written for `jabber:client` to a frame that may have another default
    /// namespace in force.
    pub(super) fn append(&mut self, element: Element) {
        let declared = self
            .frame
            .declarations()
            .find(|(prefix, _)| prefix.is_empty());
        let in_force = match &declared {
            Some((_, ns)) => ns.as_ref(),
            None => self.frame.outer_default_ns(),
        };
        let fits = matches!(in_force, ns::CLIENT | ns::SERVER)
            || element.declarations().any(|(prefix, _)| prefix.is_empty());
        if fits {
            self.added.push(element);
            return;
        }
        let bytes = element.bytes();
        let name = 1 + element.qualified_name().len();
        let mut w = Writer::new();
        w.raw(&bytes[..name])
            .raw(b" xmlns='jabber:client'")
            .raw(&bytes[name..]);
        if let Ok(element) = Element::parse_bytes(w.finish()) {
            self.added.push(element);
        }
    }
}
