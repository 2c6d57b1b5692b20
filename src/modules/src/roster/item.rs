//! One contact of an account.

use xmpp::BareJid;

use super::items::Groups;
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

    /// The name that the account has given it; empty if none.
    #[must_use]
    pub fn name(&self) -> &str {
        self.words.split(BETWEEN).next().unwrap_or_default()
    }

    /// The groups that the account has put it into.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.words.split(BETWEEN).skip(1)
    }

    /// Bytes of it in a roster, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let words = self.name().len() + self.groups().map(str::len).sum::<usize>();
        about(self.jid.as_str().len() + words, self.groups().count())
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

/// Bytes of an item in a roster: those of its words, and the tags around them.
fn about(words: usize, groups: usize) -> usize {
    words + 40 + 17 * groups
}

/// A contact as it is seen where it is kept: an [`Item`] that owns nothing.
#[derive(Debug, Clone, Copy)]
pub struct ItemView<'a> {
    /// The first part of its address; empty for a server.
    pub localpart: &'a str,
    /// The second part.
    pub domain: &'a str,
    /// As in [`Item`].
    pub number: i32,
    /// As in [`Item`].
    pub version: i64,
    /// As in [`Item`].
    pub state: State,
    /// As in [`Item`].
    pub approved: bool,
    /// As in [`Item`].
    pub listed: bool,
    /// The name that the account has given it; empty if none.
    pub name: &'a str,
    /// The groups that the account has put it into.
    pub groups: Groups<'a>,
}

impl<'a> ItemView<'a> {
    /// Domain and localpart.
    #[must_use]
    pub fn key(&self) -> (&'a str, &'a str) {
        (self.domain, self.localpart)
    }

    /// Bytes of it in a roster, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let words = self.name.len() + self.groups.map(str::len).sum::<usize>();
        let jid = self.localpart.len() + self.domain.len() + 1;
        about(jid + words, self.groups.count())
    }

    /// Its address.
    #[must_use]
    pub fn bare_jid(&self) -> BareJid {
        match self.localpart {
            "" => BareJid::from_normal(self.domain),
            localpart => BareJid::from_normal(&[localpart, "@", self.domain].concat()),
        }
    }

    /// The item by itself.
    #[must_use]
    pub fn to_item(&self) -> Item {
        Item {
            jid: self.bare_jid(),
            number: self.number,
            version: self.version,
            state: self.state,
            approved: self.approved,
            listed: self.listed,
            words: Item::pack(self.name, self.groups),
        }
    }
}
