//! The rules of one list: packed, and compiled into the check that stands on the stanza path.
//!
//! The first rule that matches decides. A rule about an address or a group is found by the hash of
//! its name; of those about the same one, each kind of traffic needs but the first. The others
//! (subscriptions, everybody) are a handful and are looked at in their order, as long as one of
//! them could come before what was found.

use xmpp::Jid;

use super::index::{Index, NO_RULE, Verdict};
use super::packed::{Packed, PackedItem, PackedSubject};
use super::rule::{Action, Contacts, Item, Kinds, Subscription, Traffic};

/// The rules of one list, in their order.
#[derive(Debug)]
pub struct Rules {
    packed: Packed,
    addresses: Index,
    /// Which forms of addresses there are: what is not there needs no look-up.
    forms: u8,
    groups: Index,
    others: Vec<Other>,
}

/// Why a list of rules can't be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRules {
    /// Two rules have the same place (XEP-0016 §2.1).
    #[error("two rules of the same order")]
    SameOrder,
    /// What was stored is no list.
    #[error("stored rules are damaged")]
    Damaged,
}

/// The rule at `place`, as a [`Verdict`].
fn verdict(place: usize, action: Action) -> Verdict {
    (place as u32) << 1 | u32::from(action == Action::Deny)
}

#[derive(Debug)]
struct Other {
    kinds: u8,
    verdict: Verdict,
    /// Who has this subscription; everybody if there is none.
    subscription: Option<Subscription>,
}

/// Forms of addresses.
const DOMAIN: u8 = 1;
const DOMAIN_RESOURCE: u8 = 2;
const BARE: u8 = 4;
const FULL: u8 = 8;

/// The form of an address that is in normal form.
fn form(jid: &str) -> u8 {
    let bare = jid.split_once('/').map_or(jid, |(bare, _)| bare);
    match (bare.contains('@'), bare.len() < jid.len()) {
        (false, false) => DOMAIN,
        (false, true) => DOMAIN_RESOURCE,
        (true, false) => BARE,
        (true, true) => FULL,
    }
}

impl Rules {
    /// Puts `items` into their order.
    ///
    /// # Errors
    /// [`BadRules::SameOrder`].
    pub fn new(mut items: Vec<Item>) -> Result<Self, BadRules> {
        items.sort_by_key(|item| item.order);
        if items.windows(2).any(|two| two[0].order == two[1].order) {
            return Err(BadRules::SameOrder);
        }
        Ok(Self::compile(Packed::new(&items)))
    }

    /// Reads what [`Rules::as_bytes`] gave.
    ///
    /// # Errors
    /// [`BadRules::Damaged`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, BadRules> {
        let packed = Packed::from_bytes(bytes).ok_or(BadRules::Damaged)?;
        Ok(Self::compile(packed))
    }

    /// The rules as they are stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.packed.as_bytes()
    }

    /// The rules, in their order.
    pub fn items(&self) -> impl Iterator<Item = Item> {
        self.packed.items().filter_map(|item| item.unpack())
    }

    /// The addresses that it blocks altogether (XEP-0191 §5), as text, in their order.
    pub fn blocked(&self) -> impl Iterator<Item = &str> {
        self.packed.items().filter_map(|item| match item.subject {
            PackedSubject::Jid(jid) if item.action == Action::Deny && item.kinds == Kinds::ALL => {
                Some(jid)
            }
            _ => None,
        })
    }

    /// How many rules there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.packed.items().count()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packed.as_bytes().is_empty()
    }

    /// Whether `traffic` with `who` passes.
    #[must_use]
    pub fn check(&self, who: &Jid, traffic: Traffic, contacts: &dyn Contacts) -> Action {
        let bit = traffic.bit();
        let mut first = self.by_address(who, bit);
        // The roster is asked only if it matters, and then once.
        if self.groups.first(bit) < first {
            contacts.each_group(&who.to_bare(), &mut |group| {
                first = first.min(self.find(&self.groups, group, bit));
            });
        }
        let mut subscription = None;
        for other in &self.others {
            if other.verdict >= first {
                break;
            }
            if other.kinds & bit == 0 {
                continue;
            }
            let matches = other.subscription.is_none_or(|wanted| {
                let has = || contacts.subscription(&who.to_bare());
                wanted == *subscription.get_or_insert_with(has)
            });
            if matches {
                first = other.verdict;
                break;
            }
        }
        match first & 1 {
            0 => Action::Allow,
            _ => Action::Deny,
        }
    }

    /// XEP-0016 §2.1 in the order of its four forms of addresses. `domain/resource` is that
    /// resource of whoever is at the domain, as it is in other servers: that is how an occupant is
    /// blocked in all rooms of a service.
    fn by_address(&self, who: &Jid, bit: u8) -> Verdict {
        let text = who.as_ref();
        let bare = who.bare_str();
        let at_domain = who.localpart().map_or(0, |localpart| localpart.len() + 1);
        let mut first = NO_RULE;
        if self.forms & DOMAIN != 0 {
            first = first.min(self.find(&self.addresses, &bare[at_domain..], bit));
        }
        if self.forms & BARE != 0 && at_domain > 0 {
            first = first.min(self.find(&self.addresses, bare, bit));
        }
        if text.len() > bare.len() {
            if self.forms & DOMAIN_RESOURCE != 0 {
                first = first.min(self.find(&self.addresses, &text[at_domain..], bit));
            }
            if self.forms & FULL != 0 && at_domain > 0 {
                first = first.min(self.find(&self.addresses, text, bit));
            }
        }
        first
    }

    /// The first rule about exactly `name` for this traffic.
    fn find(&self, index: &Index, name: &str, bit: u8) -> Verdict {
        index.find(&self.packed, name, bit)
    }

    fn compile(packed: Packed) -> Self {
        let count = |wanted: fn(&PackedSubject<'_>) -> bool| {
            packed.items().filter(|item| wanted(&item.subject)).count()
        };
        let addresses = count(|subject| matches!(subject, PackedSubject::Jid(_)));
        let groups = count(|subject| matches!(subject, PackedSubject::Group(_)));
        let mut rules = Self {
            packed: Packed::default(),
            addresses: Index::for_rules(addresses),
            forms: 0,
            groups: Index::for_rules(groups),
            others: Vec::new(),
        };
        for (place, item) in packed.items().enumerate() {
            rules.add(&packed, place, &item);
        }
        rules.packed = packed;
        rules
    }

    /// Adds a rule behind all there are, unless they leave nothing to it.
    fn add(&mut self, packed: &Packed, place: usize, item: &PackedItem<'_>) {
        let verdict = verdict(place, item.action);
        let subscription = match item.subject {
            PackedSubject::Jid(jid) => {
                self.forms |= form(jid);
                return self.addresses.add(packed, item, jid, verdict);
            }
            PackedSubject::Group(group) => return self.groups.add(packed, item, group, verdict),
            PackedSubject::Anybody => None,
            PackedSubject::Subscription(subscription) => Some(subscription),
        };
        let kinds = item.kinds.bits();
        let judged = self
            .others
            .iter()
            .filter(|other| other.subscription.is_none() || other.subscription == subscription);
        let judged = judged.fold(0, |judged, other| judged | other.kinds);
        if kinds & !judged != 0 {
            self.others.push(Other {
                kinds,
                verdict,
                subscription,
            });
        }
    }
}

#[cfg(test)]
mod tests;
