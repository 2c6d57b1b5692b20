//! What clients say and are told in `jabber:iq:privacy` (XEP-0016 §2).

use bytes::Bytes;
use xml::{Child, Element, Writer};
use xmpp::{Condition, Jid, StanzaError, ns};

use super::lists::{List, Lists};
use super::rule::{Action, Item, Kinds, Subject, Subscription, Traffic};
use super::rules::Rules;

/// Most characters of a list's name: what a store's column takes in.
const NAME: usize = 255;
/// Most bytes of a group's name: what a roster takes in.
const GROUP: usize = 1023;

/// What a client asks for.
#[derive(Debug)]
pub enum Query {
    /// The names of all lists, and which are active and default.
    Names,
    /// The list of this name.
    Get(String),
    /// Make a list the session's active one, or none.
    Active(Option<String>),
    /// Make a list the account's default one, or none.
    Default(Option<String>),
    /// Create or replace a list.
    Put(String, Rules),
    /// Remove a list.
    Remove(String),
}

fn bad_request(why: &'static str) -> StanzaError {
    StanzaError::new(Condition::BadRequest).with_text(why)
}

impl Query {
    /// Reads the payload of an IQ. A list may have `max_items` rules.
    ///
    /// # Errors
    /// `bad-request`: more than one list asked for, other than one child in a set, no or too long
    /// a name, a rule that is not as the schema wants it, two rules of the same order.
    /// `jid-malformed`: a rule about an address that is none. `resource-constraint`: too many
    /// rules.
    pub fn read(payload: &Child<'_>, set: bool, max_items: usize) -> Result<Self, StanzaError> {
        let query = payload
            .element()
            .map_err(|_| bad_request("nested too deep"))?;
        if !query.is("query", ns::PRIVACY) {
            return Err(bad_request("no such request"));
        }
        let mut children = query.children().filter(|child| child.ns() == ns::PRIVACY);
        let (first, second) = (children.next(), children.next());
        if second.is_some() {
            return Err(bad_request("one at a time"));
        }
        let Some(child) = first else {
            return match set {
                false => Ok(Self::Names),
                true => Err(bad_request("what is to be changed?")),
            };
        };
        match (child.name(), set) {
            ("list", false) => Ok(Self::Get(needed_name(&child)?)),
            ("list", true) => Self::read_list(&child, max_items),
            ("active", true) => Ok(Self::Active(name(&child)?)),
            ("default", true) => Ok(Self::Default(name(&child)?)),
            _ => Err(bad_request("no such request")),
        }
    }

    fn read_list(list: &Child<'_>, max_items: usize) -> Result<Self, StanzaError> {
        let name = needed_name(list)?;
        let list = list.element().map_err(|_| bad_request("nested too deep"))?;
        let mut items = Vec::new();
        for child in list.children() {
            if !child.is("item", ns::PRIVACY) {
                return Err(bad_request("a list holds items"));
            }
            if items.len() == max_items {
                return Err(too_many_rules());
            }
            items.push(read_item(&child)?);
        }
        if items.is_empty() {
            return Ok(Self::Remove(name));
        }
        let rules = Rules::new(items).map_err(|_| bad_request("two items of the same order"))?;
        Ok(Self::Put(name, rules))
    }
}

/// What is told who wants more rules in a list than may be.
pub(super) fn too_many_rules() -> StanzaError {
    StanzaError::new(Condition::ResourceConstraint).with_text("too many rules in a list")
}

fn name(child: &Child<'_>) -> Result<Option<String>, StanzaError> {
    match child.attr("name") {
        None => Ok(None),
        Some(name) if name.is_empty() => Err(bad_request("a name without letters")),
        Some(name) if name.chars().count() > NAME => Err(bad_request("too long a name")),
        Some(name) => Ok(Some(name.into_owned())),
    }
}

fn needed_name(child: &Child<'_>) -> Result<String, StanzaError> {
    name(child)?.ok_or_else(|| bad_request("a list without a name"))
}

fn read_item(child: &Child<'_>) -> Result<Item, StanzaError> {
    let item = child
        .element()
        .map_err(|_| bad_request("nested too deep"))?;
    let action = match item.attr("action").as_deref() {
        Some("allow") => Action::Allow,
        Some("deny") => Action::Deny,
        _ => return Err(bad_request("action: allow or deny")),
    };
    let order = item.attr("order");
    let order = order.as_deref().and_then(|order| order.trim().parse().ok());
    Ok(Item {
        order: order.ok_or_else(|| bad_request("order: a number from 0"))?,
        action,
        kinds: read_kinds(&item)?,
        subject: read_subject(&item)?,
    })
}

fn read_kinds(item: &Element) -> Result<Kinds, StanzaError> {
    let mut kinds = Vec::new();
    for child in item.children() {
        // What is not understood must not make a rule for everything out of a narrower one.
        let known = KINDS.iter().find(|(_, name)| child.is(name, ns::PRIVACY));
        let (kind, _) = known.ok_or_else(|| bad_request("an unknown kind of stanza"))?;
        kinds.push(*kind);
    }
    Ok(Kinds::of(kinds))
}

fn read_subject(item: &Element) -> Result<Subject, StanzaError> {
    let kind = item.attr("type");
    let Some(kind) = kind.as_deref() else {
        return Ok(Subject::Anybody);
    };
    let value = item.attr("value");
    let value = value.ok_or_else(|| bad_request("a type without a value"))?;
    match kind {
        "jid" => match Jid::new(&value) {
            Ok(jid) => Ok(Subject::Jid(jid)),
            Err(_) => Err(StanzaError::new(Condition::JidMalformed)),
        },
        "group" if value.is_empty() => Err(bad_request("a group without a name")),
        "group" if value.len() > GROUP => Err(bad_request("too long a group")),
        "group" => Ok(Subject::Group(value.into_owned())),
        "subscription" => match Subscription::of(&value) {
            Some(subscription) => Ok(Subject::Subscription(subscription)),
            None => Err(bad_request("subscription: both, to, from or none")),
        },
        _ => Err(bad_request("type: jid, group or subscription")),
    }
}

/// The elements that narrow a rule down.
const KINDS: [(Traffic, &str); 4] = [
    (Traffic::MessageIn, "message"),
    (Traffic::IqIn, "iq"),
    (Traffic::PresenceIn, "presence-in"),
    (Traffic::PresenceOut, "presence-out"),
];

/// The names of all lists, the active and the default one in front.
#[must_use]
pub fn write_names(lists: &Lists, active: Option<&str>) -> Bytes {
    let mut w = Writer::new();
    w.start("query", ns::PRIVACY);
    if let Some(active) = active.and_then(|name| lists.get(name)) {
        w.empty("active").attr("name", &active.name);
    }
    if let Some(default) = lists.default_list() {
        w.empty("default").attr("name", &default.name);
    }
    for list in lists.all() {
        w.empty("list").attr("name", &list.name);
    }
    w.end();
    w.finish()
}

/// A list with its rules.
#[must_use]
pub fn write_list(list: &List) -> Bytes {
    let mut w = Writer::new();
    w.start("query", ns::PRIVACY);
    w.start("list", "").attr("name", &list.name);
    for item in list.rules.items() {
        write_item(&mut w, &item);
    }
    w.end().end();
    w.finish()
}

fn write_item(w: &mut Writer, item: &Item) {
    w.start("item", "");
    let (kind, value) = match &item.subject {
        Subject::Anybody => (None, None),
        Subject::Jid(jid) => (Some("jid"), Some(jid.as_ref())),
        Subject::Group(group) => (Some("group"), Some(group.as_str())),
        Subject::Subscription(state) => (Some("subscription"), Some(state.as_str())),
    };
    w.opt_attr("type", kind).opt_attr("value", value);
    let action = match item.action {
        Action::Allow => "allow",
        Action::Deny => "deny",
    };
    w.attr("action", action)
        .attr("order", &item.order.to_string());
    if item.kinds != Kinds::ALL {
        for (_, name) in KINDS.iter().filter(|(kind, _)| item.kinds.has(*kind)) {
            w.empty(name);
        }
    }
    w.end();
}

/// What all sessions are told of a list that was changed (XEP-0016 §2.2, rule 10): its name.
#[must_use]
pub fn write_push(name: &str) -> Bytes {
    let mut w = Writer::new();
    w.start("query", ns::PRIVACY);
    w.empty("list").attr("name", name);
    w.end();
    w.finish()
}

#[cfg(test)]
mod tests;
