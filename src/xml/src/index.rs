//! What the scanner writes down about a frame: offsets only, so that nothing is copied.

use smallvec::SmallVec;

use crate::scope::{Scope, XML_NS};

/// A qualified name in the frame.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Name {
    /// Offset of the first byte, the prefix included.
    pub(crate) start: u32,
    /// Bytes in all.
    pub(crate) len: u16,
    /// Bytes of the prefix without the colon; 0 if there is none.
    pub(crate) prefix: u16,
}

impl Name {
    pub(crate) fn whole(self, frame: &[u8]) -> &[u8] {
        &frame[self.start as usize..self.start as usize + self.len as usize]
    }

    pub(crate) fn prefix(self, frame: &[u8]) -> &[u8] {
        &frame[self.start as usize..self.start as usize + self.prefix as usize]
    }

    pub(crate) fn local(self, frame: &[u8]) -> &[u8] {
        let skip = match self.prefix {
            0 => 0,
            n => n as usize + 1,
        };
        &self.whole(frame)[skip..]
    }
}

/// An attribute or namespace declaration of an opening tag.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttrAt {
    pub(crate) name: Name,
    /// Offset of the value, behind its quote.
    pub(crate) value: u32,
    /// Bytes of the value.
    pub(crate) len: u32,
    /// The value stands for itself: no references, no white space to normalise.
    pub(crate) plain: bool,
}

impl AttrAt {
    pub(crate) fn raw(self, frame: &[u8]) -> &[u8] {
        &frame[self.value as usize..(self.value + self.len) as usize]
    }

    /// The prefix this declares (empty: the default namespace), if it is a declaration.
    pub(crate) fn declares(self, frame: &[u8]) -> Option<&[u8]> {
        match self.name.whole(frame) {
            [b'x', b'm', b'l', b'n', b's'] => Some(b""),
            [b'x', b'm', b'l', b'n', b's', b':', prefix @ ..] => Some(prefix),
            _ => None,
        }
    }
}

/// Where the text of a namespace is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NsAt {
    /// No namespace.
    Nowhere,
    /// The prefix `xml`.
    Xml,
    /// In the frame, as it stands.
    Frame { start: u32, len: u32 },
    /// Declared outside, in the scope.
    Outer(u16),
    /// Written with references in the frame; decoded in [`Index::odd`].
    Odd(u16),
}

impl NsAt {
    /// The namespace's text.
    pub(crate) fn text<'a>(
        self,
        frame: &'a [u8],
        odd: &'a [Box<str>],
        scope: &'a Scope,
    ) -> &'a str {
        match self {
            Self::Nowhere => "",
            Self::Xml => XML_NS,
            Self::Frame { start, len } => text(&frame[start as usize..(start + len) as usize]),
            Self::Outer(i) => &scope.decls[i as usize].1,
            Self::Odd(i) => &odd[i as usize],
        }
    }
}

/// A first-level child.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChildAt {
    pub(crate) name: Name,
    pub(crate) ns: NsAt,
    /// Offset of its `<`.
    pub(crate) start: u32,
    /// Offset behind its opening tag.
    pub(crate) open_end: u32,
    /// Offset behind its last byte.
    pub(crate) end: u32,
}

/// The frame's root and its first-level children.
#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) name: Name,
    pub(crate) ns: NsAt,
    pub(crate) attrs: SmallVec<[AttrAt; 6]>,
    pub(crate) children: SmallVec<[ChildAt; 4]>,
    /// Offset behind the root's opening tag.
    pub(crate) open_end: u32,
    /// Offset of the root's closing tag; equal to `open_end` if the root closed itself.
    pub(crate) content_end: u32,
    /// The opening tag was `<a/>`.
    pub(crate) closed: bool,
    /// Bit n: declaration n of the scope is used somewhere in the frame.
    pub(crate) outer: u64,
    /// Namespaces that were written with references, decoded.
    pub(crate) odd: Vec<Box<str>>,
}

/// By hand because the derived one copies the lists item by item.
impl Clone for Index {
    fn clone(&self) -> Self {
        Self {
            attrs: SmallVec::from_slice(&self.attrs),
            children: SmallVec::from_slice(&self.children),
            odd: self.odd.clone(),
            ..*self
        }
    }
}

impl Index {
    pub(crate) fn new() -> Self {
        Self {
            name: Name::default(),
            ns: NsAt::Nowhere,
            attrs: SmallVec::new(),
            children: SmallVec::new(),
            open_end: 0,
            content_end: 0,
            closed: false,
            outer: 0,
            odd: Vec::new(),
        }
    }
}

/// Bytes of a checked frame as text. Frames are checked whole, and offsets stand beside ASCII
/// bytes, so this always holds; an empty text instead of a panic if it ever did not.
pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// Equality of names and prefixes: short, so that a loop is cheaper than a call.
#[inline(always)]
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b)
}
