//! The contacts of one account, packed.

use xmpp::BareJid;

use super::subscription::State;

/// Stands between the words of an item; no XML document has it in it (XML 1.0 §2.2).
pub const BETWEEN: char = '\u{1f}';

/// A contact. What is not `listed` is in no roster: somebody who has asked, or was approved
/// beforehand, and whom the account has not added (RFC 6121 §3.1.3, §3.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Who it is.
    pub jid: BareJid,
    /// Its number among the account's, by which it is stored.
    pub number: i32,
    /// The roster's version when it was last changed.
    pub version: i64,
    /// How they stand.
    pub state: State,
    /// Whether a subscription of the contact is approved beforehand (§3.4).
    pub approved: bool,
    /// Whether it is in the roster.
    pub listed: bool,
    /// The name and then the groups, [`BETWEEN`] between them.
    pub words: Box<str>,
}

impl Item {
    /// One that is nobody yet.
    #[must_use]
    pub fn new(jid: BareJid, number: i32) -> Self {
        Self {
            jid,
            number,
            version: 0,
            state: State::None,
            approved: false,
            listed: false,
            words: "".into(),
        }
    }

    /// The name that the account has given it; empty if none.
    #[must_use]
    pub fn name(&self) -> &str {
        self.words.split(BETWEEN).next().unwrap_or_default()
    }

    /// The groups that the account has put it into.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.words.split(BETWEEN).skip(1)
    }

    /// Packs a name and groups.
    #[must_use]
    pub fn pack<'a>(name: &str, groups: impl IntoIterator<Item = &'a str>) -> Box<str> {
        let mut words = name.to_owned();
        for group in groups {
            words.push(BETWEEN);
            words.push_str(group);
        }
        words.into()
    }

    /// Bytes of it in a roster, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        // The tags around its words: an element, and one for each group.
        let tags = 40 + 16 * self.groups().count();
        self.jid.as_str().len() + self.words.len() + tags
    }

    /// Whether a client sees no difference between the two.
    #[must_use]
    pub fn looks_like(&self, other: &Item) -> bool {
        if !self.listed && !other.listed {
            return true;
        }
        let looks = |item: &Item| {
            (
                item.listed,
                item.state.attribute(),
                item.state.pending_out(),
                item.approved,
            )
        };
        looks(self) == looks(other) && self.words == other.words
    }

    /// Whether nothing would be lost without it.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        !self.listed && !self.approved && self.state == State::None
    }
}

/// Items in the order of their addresses.
#[derive(Debug, Default)]
pub struct Items(Vec<Item>);

impl Items {
    /// From items in any order; of those with the same address one stays.
    #[must_use]
    pub fn new(mut items: Vec<Item>) -> Self {
        items.sort_unstable_by(|a, b| a.jid.as_str().cmp(b.jid.as_str()));
        items.dedup_by(|a, b| a.jid == b.jid);
        items.shrink_to_fit();
        Self(items)
    }

    fn place(&self, jid: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|item| item.jid.as_str().cmp(jid))
    }

    /// The item of this bare JID.
    #[must_use]
    pub fn get(&self, jid: &str) -> Option<&Item> {
        self.place(jid).ok().map(|at| &self.0[at])
    }

    /// Puts `item` in, in the place of the one of the same address.
    pub fn put(&mut self, item: Item) {
        match self.place(item.jid.as_str()) {
            Ok(at) => self.0[at] = item,
            Err(at) => self.0.insert(at, item),
        }
    }

    /// Takes the item of this bare JID out.
    pub fn remove(&mut self, jid: &str) -> Option<Item> {
        self.place(jid).ok().map(|at| self.0.remove(at))
    }

    /// How many there are, listed or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Item> {
        self.0.iter()
    }
}
