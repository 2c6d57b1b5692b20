//! The rules of one list: packed, and compiled into the check that stands on the stanza path.
//!
//! The first rule that matches decides. A rule about an address is found by its hash; of those
//! about the same address, each kind of traffic needs but the first. The others (groups,
//! subscriptions, everybody) are few and are looked at in their order, as long as one of them
//! could come before what was found by the address.

use xmpp::Jid;

use super::packed::{Packed, PackedItem, PackedSubject};
use super::rule::{Action, Contacts, Item, Kinds, Subscription, Traffic};
use super::table::Table;

/// The rules of one list, in their order.
#[derive(Debug)]
pub struct Rules {
    packed: Packed,
    /// Of rules about addresses, what is needed to find and judge.
    addresses: Vec<Address>,
    /// Finds the first of `addresses` with some text.
    table: Table,
    /// Which forms of addresses there are: what is not there needs no look-up.
    forms: u8,
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

/// Place among the rules and action in one number: of two, the smaller one decides.
type Verdict = u32;

/// No rule matches: it passes (XEP-0016 §2.2, rule 7).
const NO_RULE: Verdict = Verdict::MAX - 1;

fn verdict(place: usize, action: Action) -> Verdict {
    (place as u32) << 1 | u32::from(action == Action::Deny)
}

#[derive(Debug)]
struct Address {
    /// Where its text is in the packed form.
    at: u32,
    len: u16,
    kinds: u8,
    verdict: Verdict,
    /// The next rule about the same address, or [`END`].
    next: u32,
}

const END: u32 = u32::MAX;

#[derive(Debug)]
struct Other {
    kinds: u8,
    verdict: Verdict,
    whom: Whom,
}

#[derive(Debug)]
enum Whom {
    Anybody,
    Subscription(Subscription),
    /// Where the group's name is in the packed form.
    Group {
        at: u32,
        len: u16,
    },
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
        // Asked for at most once.
        let (mut bare, mut subscription) = (None, None);
        for other in &self.others {
            if other.verdict >= first {
                break;
            }
            if other.kinds & bit == 0 {
                continue;
            }
            let matches = match other.whom {
                Whom::Anybody => true,
                Whom::Subscription(wanted) => {
                    let bare = bare.get_or_insert_with(|| who.to_bare());
                    wanted == *subscription.get_or_insert_with(|| contacts.subscription(bare))
                }
                Whom::Group { at, len } => {
                    let bare = bare.get_or_insert_with(|| who.to_bare());
                    contacts.in_group(bare, self.packed.text(at, len))
                }
            };
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
            first = first.min(self.find(&bare[at_domain..], bit));
        }
        if self.forms & BARE != 0 && at_domain > 0 {
            first = first.min(self.find(bare, bit));
        }
        if text.len() > bare.len() {
            if self.forms & DOMAIN_RESOURCE != 0 {
                first = first.min(self.find(&text[at_domain..], bit));
            }
            if self.forms & FULL != 0 && at_domain > 0 {
                first = first.min(self.find(text, bit));
            }
        }
        first
    }

    /// The first rule about exactly `address` for this traffic.
    fn find(&self, address: &str, bit: u8) -> Verdict {
        let is = |at: u32| self.text_of(at) == address.as_bytes();
        let mut next = self.table.find(address.as_bytes(), is).unwrap_or(END);
        while let Some(rule) = self.addresses.get(next as usize) {
            if rule.kinds & bit != 0 {
                return rule.verdict;
            }
            next = rule.next;
        }
        NO_RULE
    }

    fn text_of(&self, address: u32) -> &[u8] {
        match self.addresses.get(address as usize) {
            Some(rule) => self.packed.bytes(rule.at, rule.len),
            None => &[],
        }
    }

    fn compile(packed: Packed) -> Self {
        let mut rules = Self {
            packed: Packed::default(),
            addresses: Vec::new(),
            table: Table::default(),
            forms: 0,
            others: Vec::new(),
        };
        let about_addresses = packed
            .items()
            .filter(|item| matches!(item.subject, PackedSubject::Jid(_)));
        rules.table = Table::for_entries(about_addresses.count());
        for (place, item) in packed.items().enumerate() {
            rules.add(&packed, place, &item);
        }
        rules.addresses.shrink_to_fit();
        rules.others.shrink_to_fit();
        rules.packed = packed;
        rules
    }

    /// Adds a rule behind all there are, unless they leave nothing to it.
    fn add(&mut self, packed: &Packed, place: usize, item: &PackedItem<'_>) {
        let kinds = item.kinds.bits();
        let verdict = verdict(place, item.action);
        let (at, len) = (item.at, item.len);
        let whom = match item.subject {
            PackedSubject::Jid(jid) => {
                self.forms |= form(jid);
                let address = Address {
                    at,
                    len,
                    kinds,
                    verdict,
                    next: END,
                };
                return self.add_address(packed, jid, address);
            }
            PackedSubject::Anybody => Whom::Anybody,
            PackedSubject::Subscription(subscription) => Whom::Subscription(subscription),
            PackedSubject::Group(_) => Whom::Group { at, len },
        };
        let same = |other: &&Other| match (&other.whom, &whom) {
            (Whom::Anybody, _) => true,
            (Whom::Subscription(a), Whom::Subscription(b)) => a == b,
            (Whom::Group { at, len }, Whom::Group { .. }) => {
                PackedSubject::Group(packed.text(*at, *len)) == item.subject
            }
            _ => false,
        };
        let judged = self.others.iter().filter(same);
        let judged = judged.fold(0, |kinds, other| kinds | other.kinds);
        if kinds & !judged != 0 {
            self.others.push(Other {
                kinds,
                verdict,
                whom,
            });
        }
    }

    fn add_address(&mut self, packed: &Packed, jid: &str, address: Address) {
        let new = self.addresses.len() as u32;
        let addresses = &self.addresses;
        let is = |at: u32| {
            addresses
                .get(at as usize)
                .is_some_and(|rule| packed.bytes(rule.at, rule.len) == jid.as_bytes())
        };
        let Some(mut last) = self.table.find(jid.as_bytes(), is) else {
            self.table.insert(jid.as_bytes(), new);
            self.addresses.push(address);
            return;
        };
        let mut judged = 0;
        loop {
            let rule = &self.addresses[last as usize];
            judged |= rule.kinds;
            if rule.next == END {
                break;
            }
            last = rule.next;
        }
        if address.kinds & !judged != 0 {
            self.addresses[last as usize].next = new;
            self.addresses.push(address);
        }
    }
}

#[cfg(test)]
mod tests;
