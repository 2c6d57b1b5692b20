//! Keys of the registry, and what is kept under one.

use std::fmt;

use bytes::BufMut;

/// What a key names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum KeyKind {
    /// An account, by its bare JID; its resources are its sessions.
    Account = 1,
    /// A room, by its JID.
    Room = 2,
}

impl KeyKind {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::Account, Self::Room];

    /// That of this number on the wire.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == number)
    }

    pub(crate) fn index(self) -> usize {
        self as usize - 1
    }
}

/// What is on one node at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What it names.
    pub kind: KeyKind,
    /// Its name. Longer ones than 65 535 bytes can't be told to anybody.
    pub name: Box<str>,
}

impl Key {
    /// A key.
    #[must_use]
    pub fn new(kind: KeyKind, name: &str) -> Self {
        let name = name.into();
        Self { kind, name }
    }
}

/// One of the resources of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resource<'a> {
    /// Its name.
    pub name: &'a str,
    /// Whether it is available.
    pub available: bool,
}

/// The resources of a key, in as few bytes as they take: the length of each, whose highest bit says that it is
/// available, in two bytes, and then its name.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Resources(Box<[u8]>);

/// Marks a resource as available.
const AVAILABLE: u16 = 0x8000;

impl Resources {
    /// Packs them. A name is at most 1 023 bytes (RFC 7622 §3.4); longer ones are left out.
    #[must_use]
    pub fn new<'a>(resources: impl IntoIterator<Item = Resource<'a>>) -> Self {
        let mut packed = Vec::new();
        for resource in resources {
            let Ok(len) = u16::try_from(resource.name.len()) else {
                continue;
            };
            if len < AVAILABLE {
                packed.put_u16(if resource.available {
                    len | AVAILABLE
                } else {
                    len
                });
                packed.put_slice(resource.name.as_bytes());
            }
        }
        Self(packed.into())
    }

    /// What came from a peer, if it is what [`new`](Self::new) makes.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        while !rest.is_empty() {
            (_, rest) = split(rest)?;
        }
        Some(Self(bytes.into()))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Resource<'_>> {
        let mut rest = &*self.0;
        std::iter::from_fn(move || {
            let (resource, after) = split(rest)?;
            rest = after;
            Some(resource)
        })
    }

    /// The names of those that are available.
    pub fn available(&self) -> impl Iterator<Item = &str> {
        self.iter().filter(|r| r.available).map(|r| r.name)
    }
}

fn split(packed: &[u8]) -> Option<(Resource<'_>, &[u8])> {
    let (head, rest) = packed.split_first_chunk::<2>()?;
    let head = u16::from_be_bytes(*head);
    let (name, rest) = rest.split_at_checked(usize::from(head & !AVAILABLE))?;
    let resource = Resource {
        name: std::str::from_utf8(name).ok()?,
        available: head & AVAILABLE != 0,
    };
    Some((resource, rest))
}

impl fmt::Debug for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
