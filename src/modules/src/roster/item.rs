//! One contact of an account.

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

    /// The same, not owned.
    #[must_use]
    pub fn view(&self) -> ItemView<'_> {
        ItemView {
            jid: self.jid.as_str(),
            number: self.number,
            version: self.version,
            state: self.state,
            approved: self.approved,
            listed: self.listed,
            words: &self.words,
        }
    }

    /// Bytes of it in a roster, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.view().bytes()
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

/// A contact as it is seen where it is kept: an [`Item`] that owns nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemView<'a> {
    /// Who it is: the text of a bare JID.
    pub jid: &'a str,
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
    /// As in [`Item`].
    pub words: &'a str,
}

impl<'a> ItemView<'a> {
    /// The name that the account has given it; empty if none.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.words.split(BETWEEN).next().unwrap_or_default()
    }

    /// The groups that the account has put it into.
    pub fn groups(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.words.split(BETWEEN).skip(1)
    }

    /// Bytes of it in a roster, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        // The tags around its words: an element, and one for each group.
        let tags = 40 + 16 * self.groups().count();
        self.jid.len() + self.words.len() + tags
    }

    /// Its address.
    #[must_use]
    pub fn bare_jid(&self) -> BareJid {
        BareJid::from_normal(self.jid)
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
            words: self.words.into(),
        }
    }
}
