//! The items of a list in the bytes in which they are kept, in memory and in the store.
//!
//! One item is a byte (two bits of what it is about, one of its action, five of its kinds), its
//! order in four bytes and the length of its value in two, little-endian, then the value. What
//! is stored is read by later versions too: this form is only ever added to.

use super::rule::{Action, Item, Kinds, Subject, Subscription};

/// Items, in their order.
#[derive(Debug, Default)]
pub(super) struct Packed(Box<[u8]>);

/// A view of one item.
#[derive(Debug, Clone, Copy)]
pub(super) struct PackedItem<'a> {
    pub(super) order: u32,
    pub(super) action: Action,
    pub(super) kinds: Kinds,
    pub(super) subject: PackedSubject<'a>,
    /// Where its value is.
    pub(super) at: u32,
    pub(super) len: u16,
}

/// Whom an item is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PackedSubject<'a> {
    Anybody,
    Jid(&'a str),
    Group(&'a str),
    Subscription(Subscription),
}

const HEAD: usize = 7;

impl Packed {
    /// Values longer than 65 535 bytes are cut: protocols refuse them before.
    pub(super) fn new(items: &[Item]) -> Self {
        let mut bytes = Vec::new();
        for item in items {
            let (tag, value): (u8, &[u8]) = match &item.subject {
                Subject::Anybody => (0, b""),
                Subject::Jid(jid) => (1, jid.as_ref().as_bytes()),
                Subject::Group(group) => (2, group.as_bytes()),
                Subject::Subscription(subscription) => (3, subscription.as_str().as_bytes()),
            };
            let deny = u8::from(item.action == Action::Deny);
            let value = &value[..value.len().min(usize::from(u16::MAX))];
            bytes.push(tag | deny << 2 | item.kinds.bits() << 3);
            bytes.extend(item.order.to_le_bytes());
            bytes.extend((value.len() as u16).to_le_bytes());
            bytes.extend(value);
        }
        Self(bytes.into())
    }

    /// `None` if the bytes are no items in their order.
    pub(super) fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        let (mut at, mut order) = (0, None);
        while at < bytes.len() {
            let (item, next) = read(&bytes, at)?;
            if order >= Some(item.order) {
                return None;
            }
            (at, order) = (next, Some(item.order));
        }
        Some(Self(bytes.into()))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn items(&self) -> impl Iterator<Item = PackedItem<'_>> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let (item, next) = read(&self.0, at)?;
            at = next;
            Some(item)
        })
    }

    /// The bytes of a value.
    pub(super) fn bytes(&self, at: u32, len: u16) -> &[u8] {
        let at = at as usize;
        self.0.get(at..at + usize::from(len)).unwrap_or_default()
    }
}

/// The item at `at`, and where the next one begins.
fn read(bytes: &[u8], at: usize) -> Option<(PackedItem<'_>, usize)> {
    let head = bytes.get(at..at + HEAD)?;
    let order = u32::from_le_bytes(head[1..5].try_into().ok()?);
    let len = u16::from_le_bytes(head[5..7].try_into().ok()?);
    let start = at + HEAD;
    let end = start + usize::from(len);
    let value = std::str::from_utf8(bytes.get(start..end)?).ok()?;
    let subject = match head[0] & 0b11 {
        0 => PackedSubject::Anybody,
        1 => PackedSubject::Jid(value),
        2 => PackedSubject::Group(value),
        _ => PackedSubject::Subscription(Subscription::of(value)?),
    };
    let item = PackedItem {
        order,
        action: match head[0] >> 2 & 1 {
            0 => Action::Allow,
            _ => Action::Deny,
        },
        kinds: Kinds::from_bits(head[0] >> 3)?,
        subject,
        at: u32::try_from(start).ok()?,
        len,
    };
    Some((item, end))
}

impl PackedItem<'_> {
    /// `None` for an address that is none: nobody can have it.
    pub(super) fn unpack(&self) -> Option<Item> {
        Some(Item {
            order: self.order,
            action: self.action,
            kinds: self.kinds,
            subject: match self.subject {
                PackedSubject::Anybody => Subject::Anybody,
                PackedSubject::Jid(jid) => Subject::Jid(jid.parse().ok()?),
                PackedSubject::Group(group) => Subject::Group(group.to_owned()),
                PackedSubject::Subscription(subscription) => Subject::Subscription(subscription),
            },
        })
    }
}
