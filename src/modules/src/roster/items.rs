//! The contacts of one account, packed into one block of memory, whatever their number. Most of them
//! belong to people who are idle, and every byte of a contact is there once for each who has it.
//!
//! First come the *words*: domains and names of groups, each once. Then the items, in the order of
//! domain and localpart:
//!
//! ```text
//! flags  number  version  domain  localpart  name  groups
//! ```
//!
//! A text follows its length, a domain and a group are the place of a word, the groups follow their
//! number. Numbers have seven bits in a byte, the lowest first, and a bit that says whether more
//! follow.

use std::collections::HashMap;

use super::item::{Item, ItemView};
use super::subscription::State;

/// Of so many items the place of one is noted; the others are found from there.
const STEP: usize = 8;

/// In the flags, above the state.
const APPROVED: u8 = 1 << 4;
const LISTED: u8 = 1 << 5;

/// Items in the order of domain and localpart.
#[derive(Debug, Default)]
pub struct Items {
    pack: Box<[u8]>,
    /// Where every [`STEP`]th begins.
    marks: Box<[u32]>,
    len: u32,
}

/// What items are in the order of.
fn key(jid: &str) -> (&str, &str) {
    match jid.split_once('@') {
        Some((localpart, domain)) => (domain, localpart),
        None => (jid, ""),
    }
}

impl Items {
    /// From items in any order; of those with the same address one stays.
    #[must_use]
    pub fn new(mut items: Vec<Item>) -> Self {
        items.sort_unstable_by(|a, b| key(a.jid.as_str()).cmp(&key(b.jid.as_str())));
        items.dedup_by(|a, b| a.jid == b.jid);
        let mut packing = Packing::default();
        items.iter().for_each(|item| packing.push(item));
        packing.pack()
    }

    /// The item of this bare JID.
    #[must_use]
    pub fn get(&self, jid: &str) -> Option<ItemView<'_>> {
        let wanted = key(jid);
        let behind = self.marks.partition_point(|mark| {
            let marked = self.from(*mark).item();
            marked.is_some_and(|item| item.key() <= wanted)
        });
        let from = self.from(*self.marks.get(behind.checked_sub(1)?)?);
        let near = from.items().take(STEP);
        near.take_while(|item| item.key() <= wanted)
            .find(|item| item.key() == wanted)
    }

    /// Puts `item` in, in the place of the one of the same address.
    pub fn put(&mut self, item: &Item) {
        self.replace(item.jid.as_str(), Some(item));
    }

    /// Takes the item of this bare JID out.
    pub fn remove(&mut self, jid: &str) {
        if self.get(jid).is_some() {
            self.replace(jid, None);
        }
    }

    /// All is packed anew, so that there is never room for more: contacts change rarely.
    fn replace(&mut self, jid: &str, item: Option<&Item>) {
        let others = self.iter().filter(|other| other.key() != key(jid));
        let mut items: Vec<Item> = others.map(|other| other.to_item()).collect();
        items.extend(item.cloned());
        *self = Self::new(items);
    }

    /// How many there are, listed or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = ItemView<'_>> {
        let first = self.marks.first().map(|first| self.from(*first));
        first.into_iter().flat_map(Cursor::items)
    }

    fn from(&self, place: u32) -> Cursor<'_> {
        Cursor {
            pack: &self.pack,
            at: place as usize,
        }
    }
}

/// Somebody who reads a pack.
#[derive(Debug, Clone, Copy)]
struct Cursor<'a> {
    pack: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.pack.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn size(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.size()?;
        let text = self.pack.get(self.at..self.at.checked_add(length)?)?;
        self.at += length;
        std::str::from_utf8(text).ok()
    }

    /// A text that stands among the words.
    fn word(&mut self) -> Option<&'a str> {
        let at = self.size()?;
        let pack = self.pack;
        Cursor { pack, at }.text()
    }

    fn item(&mut self) -> Option<ItemView<'a>> {
        let flags = self.byte()?;
        let number = self.number()?.cast_signed();
        let version = self.number()?.cast_signed();
        let domain = self.word()?;
        let localpart = self.text()?;
        let name = self.text()?;
        let groups = Groups {
            left: self.size()?,
            cursor: *self,
        };
        for _ in 0..groups.left {
            self.number()?;
        }
        Some(ItemView {
            localpart,
            domain,
            number: i32::try_from(number).ok()?,
            version,
            state: State::of_number(flags & (APPROVED - 1))?,
            approved: flags & APPROVED != 0,
            listed: flags & LISTED != 0,
            name,
            groups,
        })
    }

    /// Those from here on.
    fn items(mut self) -> impl Iterator<Item = ItemView<'a>> {
        std::iter::from_fn(move || self.item())
    }
}

/// The groups of an item.
#[derive(Debug, Clone, Copy)]
pub struct Groups<'a> {
    cursor: Cursor<'a>,
    left: usize,
}

impl<'a> Iterator for Groups<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.left = self.left.checked_sub(1)?;
        self.cursor.word()
    }
}

/// Items on their way into the pack, in their order.
#[derive(Default)]
struct Packing<'a> {
    words: Vec<u8>,
    places: HashMap<&'a str, u64>,
    items: Vec<u8>,
    marks: Vec<usize>,
    len: u32,
}

impl<'a> Packing<'a> {
    fn push(&mut self, item: &'a Item) {
        if (self.len as usize).is_multiple_of(STEP) {
            self.marks.push(self.items.len());
        }
        self.len += 1;
        let mut flags = item.state as u8;
        for (set, flag) in [(item.approved, APPROVED), (item.listed, LISTED)] {
            flags |= if set { flag } else { 0 };
        }
        self.items.push(flags);
        let domain = self.word(item.jid.domain());
        put_number(&mut self.items, i64::from(item.number).cast_unsigned());
        put_number(&mut self.items, item.version.cast_unsigned());
        put_number(&mut self.items, domain);
        put_text(&mut self.items, item.jid.localpart().unwrap_or_default());
        put_text(&mut self.items, item.name());
        put_number(&mut self.items, item.groups().count() as u64);
        for group in item.groups() {
            let place = self.word(group);
            put_number(&mut self.items, place);
        }
    }

    /// Where this word is.
    fn word(&mut self, word: &'a str) -> u64 {
        let words = &mut self.words;
        *self.places.entry(word).or_insert_with(|| {
            let place = words.len() as u64;
            put_text(words, word);
            place
        })
    }

    fn pack(mut self) -> Items {
        let first = self.words.len();
        self.words.append(&mut self.items);
        // What a roster may be at most is far below 4 GiB.
        let mark = |mark: usize| u32::try_from(first + mark).unwrap_or(u32::MAX);
        Items {
            pack: self.words.into(),
            marks: self.marks.into_iter().map(mark).collect(),
            len: self.len,
        }
    }
}

fn put_number(pack: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        pack.push(number as u8 | 0x80);
        number >>= 7;
    }
    pack.push(number as u8);
}

fn put_text(pack: &mut Vec<u8>, text: &str) {
    put_number(pack, text.len() as u64);
    pack.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use xmpp::BareJid;

    use super::*;

    fn item(jid: &str, version: i64, words: &str) -> Item {
        Item {
            version,
            state: State::ToPendingIn,
            approved: version % 2 == 0,
            listed: version % 3 == 0,
            words: words.into(),
            ..Item::new(BareJid::new(jid).unwrap(), version as i32 - 7)
        }
    }

    #[test]
    fn an_item_is_as_it_was_put() {
        let romeo = item(
            "romeo@montague.lit",
            4,
            "Romeo\u{1f}Friends\u{1f}\u{c4}rzte",
        );
        let server = item("capulet.lit", 5, "");
        let mut items = Items::new(vec![romeo.clone(), server.clone(), romeo.clone()]);
        assert_eq!(items.len(), 2);
        assert_eq!(items.get("romeo@montague.lit").unwrap().to_item(), romeo);
        assert_eq!(items.get("capulet.lit").unwrap().to_item(), server);
        assert!(items.get("romeo@montague.li").is_none());
        assert_eq!(items.get("romeo@montague.lit").unwrap().name, "Romeo");
        let groups: Vec<_> = items.get("romeo@montague.lit").unwrap().groups.collect();
        assert_eq!(groups, ["Friends", "\u{c4}rzte"]);
        items.remove("nobody@montague.lit");
        items.remove("romeo@montague.lit");
        assert_eq!(
            items.iter().map(|i| i.to_item()).collect::<Vec<_>>(),
            [server]
        );
        items.remove("capulet.lit");
        assert!(items.is_empty());
    }

    proptest! {
        /// Whatever is put and taken out in whatever order, the pack is the map that it stands for.
        #[test]
        fn it_is_a_map(
            first in proptest::collection::vec(("[a-d]{1,3}", 0i64..99, "[a-z\u{1f}\u{e4}]{0,9}"), 0..9),
            then in proptest::collection::vec(("[a-d]{1,3}", proptest::option::of((0i64..99, "[a-z]{0,9}"))), 0..30),
        ) {
            let address = |local: &str| match local.len() {
                1 => format!("{local}.x"),
                _ => format!("{}@{}.x", &local[..1], &local[1..]),
            };
            let first: BTreeMap<_, _> = first
                .iter()
                .map(|(local, version, words)| (address(local), item(&address(local), *version, words)))
                .collect();
            let mut map = first.clone();
            let mut items = Items::new(first.into_values().rev().collect());
            for (local, put) in then {
                let address = address(&local);
                match put {
                    Some((version, words)) => {
                        let item = item(&address, version, &words);
                        items.put(&item);
                        map.insert(address, item);
                    }
                    None => {
                        items.remove(&address);
                        map.remove(&address);
                    }
                }
                let there: Vec<_> = items.iter().map(|item| item.to_item()).collect();
                let mut wanted: Vec<_> = map.values().cloned().collect();
                wanted.sort_unstable_by(|a, b| key(a.jid.as_str()).cmp(&key(b.jid.as_str())));
                prop_assert_eq!(there, wanted);
            }
            for (address, item) in &map {
                prop_assert_eq!(items.get(address).map(|there| there.to_item()), Some(item.clone()));
            }
        }
    }
}
