//! The contacts of one account, packed: two blocks of memory, whatever their number. Most of them
//! belong to people who are idle, and every byte of a contact is there once for each who has it.

use super::item::{Item, ItemView};
use super::subscription::State;

/// Where in the text the address and the words of an item are, and what else is known of it.
#[derive(Debug, Clone, Copy)]
struct Head {
    version: i64,
    number: i32,
    /// Where its address begins, and behind it its words, up to the next item.
    start: u32,
    /// Bytes of the address.
    jid: u16,
    state: State,
    approved: bool,
    listed: bool,
}

/// Items in the order of their addresses.
#[derive(Debug, Default)]
pub struct Items {
    heads: Box<[Head]>,
    text: Box<str>,
}

impl Items {
    /// From items in any order; of those with the same address one stays.
    #[must_use]
    pub fn new(mut items: Vec<Item>) -> Self {
        items.sort_unstable_by(|a, b| a.jid.as_str().cmp(b.jid.as_str()));
        items.dedup_by(|a, b| a.jid == b.jid);
        let bytes = |item: &Item| item.jid.as_str().len() + item.words.len();
        let mut packing = Packing::new(items.len(), items.iter().map(bytes).sum());
        items.iter().for_each(|item| packing.push(item.view()));
        packing.pack()
    }

    /// The item at this place.
    fn at(&self, place: usize) -> Option<ItemView<'_>> {
        let head = self.heads.get(place)?;
        let start = head.start as usize;
        let end = self.heads.get(place + 1);
        let end = end.map_or(self.text.len(), |next| next.start as usize);
        let (jid, words) = self
            .text
            .get(start..end)?
            .split_at_checked(usize::from(head.jid))?;
        Some(ItemView {
            jid,
            number: head.number,
            version: head.version,
            state: head.state,
            approved: head.approved,
            listed: head.listed,
            words,
        })
    }

    fn place(&self, jid: &str) -> Result<usize, usize> {
        self.heads.binary_search_by(|head| {
            let start = head.start as usize;
            let there = self.text.get(start..start + usize::from(head.jid));
            there.unwrap_or_default().cmp(jid)
        })
    }

    /// The item of this bare JID.
    #[must_use]
    pub fn get(&self, jid: &str) -> Option<ItemView<'_>> {
        self.at(self.place(jid).ok()?)
    }

    /// Puts `item` in, in the place of the one of the same address.
    pub fn put(&mut self, item: &Item) {
        self.replace(item.jid.as_str(), Some(item.view()));
    }

    /// Takes the item of this bare JID out.
    pub fn remove(&mut self, jid: &str) {
        if self.place(jid).is_ok() {
            self.replace(jid, None);
        }
    }

    /// All is packed anew, so that there is never room for more: contacts change rarely.
    fn replace(&mut self, jid: &str, item: Option<ItemView<'_>>) {
        let place = self.place(jid);
        let (Ok(at) | Err(at)) = place;
        let more = item.map_or(0, |item| item.jid.len() + item.words.len());
        let mut packing = Packing::new(self.len() + 1, self.text.len() + more);
        (0..at)
            .filter_map(|place| self.at(place))
            .for_each(|item| packing.push(item));
        item.into_iter().for_each(|item| packing.push(item));
        (at + usize::from(place.is_ok())..self.len())
            .filter_map(|place| self.at(place))
            .for_each(|item| packing.push(item));
        *self = packing.pack();
    }

    /// How many there are, listed or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = ItemView<'_>> {
        (0..self.len()).filter_map(|place| self.at(place))
    }
}

/// Items on their way into the pack, in their order.
struct Packing {
    heads: Vec<Head>,
    text: String,
}

impl Packing {
    fn new(items: usize, bytes: usize) -> Self {
        Self {
            heads: Vec::with_capacity(items),
            text: String::with_capacity(bytes),
        }
    }

    /// Addresses have at most 3 071 bytes (RFC 7622 §3.1); a pack of 4 GiB takes no more.
    fn push(&mut self, item: ItemView<'_>) {
        let (Ok(start), Ok(jid)) = (
            u32::try_from(self.text.len()),
            u16::try_from(item.jid.len()),
        ) else {
            return;
        };
        self.heads.push(Head {
            version: item.version,
            number: item.number,
            start,
            jid,
            state: item.state,
            approved: item.approved,
            listed: item.listed,
        });
        self.text.push_str(item.jid);
        self.text.push_str(item.words);
    }

    fn pack(self) -> Items {
        Items {
            heads: self.heads.into(),
            text: self.text.into(),
        }
    }
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
        assert_eq!(items.get("romeo@montague.li"), None);
        assert_eq!(items.get("romeo@montague.lit").unwrap().name(), "Romeo");
        let groups: Vec<_> = items.get("romeo@montague.lit").unwrap().groups().collect();
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
            first in proptest::collection::vec(("[a-d]{1,2}", 0i64..99, "[a-z\u{1f}\u{e4}]{0,9}"), 0..9),
            then in proptest::collection::vec(("[a-d]{1,2}", proptest::option::of((0i64..99, "[a-z]{0,9}"))), 0..30),
        ) {
            let address = |local: &str| format!("{local}@x");
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
                let wanted: Vec<_> = map.values().cloned().collect();
                prop_assert_eq!(there, wanted);
            }
            for (address, item) in &map {
                prop_assert_eq!(items.get(address), Some(item.view()));
            }
        }
    }
}
