//! `jabber:iq:roster` on the wire (RFC 6121 §2.1).

use bytes::Bytes;
use xml::{Child, Writer};
use xmpp::{BareJid, Condition, IqType, Jid, Stanza, StanzaError, ns};

use super::item::{BETWEEN, Item, ItemView};

/// What the sizes of an item may be at most, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct ItemLimits {
    /// Its name.
    pub name: usize,
    /// The name of a group.
    pub group: usize,
    /// How many groups it is in.
    pub groups: usize,
}

/// What a client wants of its roster (§2.1.5).
#[derive(Debug, PartialEq, Eq)]
pub enum RosterSet {
    /// To add a contact, or to change its name and groups.
    Put {
        /// Who it is.
        jid: BareJid,
        /// Name and groups, packed as in [`Item::words`].
        words: Box<str>,
    },
    /// To remove it.
    Remove(BareJid),
}

/// Reads the payload of a set.
///
/// # Errors
/// `bad-request` for what §2.1.5 forbids, `not-acceptable` for names and groups that are empty or
/// too long (§2.3.3).
pub fn read(payload: &Child<'_>, limits: &ItemLimits) -> Result<RosterSet, StanzaError> {
    let bad = || StanzaError::new(Condition::BadRequest);
    let not_acceptable = || StanzaError::new(Condition::NotAcceptable);
    let query = payload.tree().map_err(|_| bad())?;
    if payload.name() != "query" {
        return Err(bad());
    }
    let mut items = query.children_named("item", ns::ROSTER);
    let (Some(item), None) = (items.next(), items.next()) else {
        return Err(bad());
    };
    let jid: Jid = item
        .attr("jid")
        .ok_or_else(bad)?
        .parse()
        .map_err(|_| bad())?;
    // Old gateways have contacts with a resource; what is subscribed to is the bare JID.
    let jid = jid.to_bare();
    if item.attr("subscription") == Some("remove") {
        return Ok(RosterSet::Remove(jid));
    }
    let name = item.attr("name").unwrap_or_default();
    if name.len() > limits.name || name.contains(BETWEEN) {
        return Err(not_acceptable());
    }
    let mut groups: Vec<String> = Vec::new();
    for group in item.children_named("group", ns::ROSTER) {
        let group = group.text();
        if group.is_empty() || group.len() > limits.group || group.contains(BETWEEN) {
            return Err(not_acceptable());
        }
        // §2.3.3: the same group twice.
        if groups.contains(&group) {
            return Err(bad());
        }
        groups.push(group);
    }
    if groups.len() > limits.groups {
        return Err(not_acceptable());
    }
    Ok(RosterSet::Put {
        jid,
        words: Item::pack(name, groups.iter().map(String::as_str)),
    })
}

/// A roster, or what has changed of it: `version` stands in its tag for clients that know of
/// versions.
#[must_use]
pub fn query<'a>(version: Option<i64>, items: impl Iterator<Item = ItemView<'a>>) -> Bytes {
    let mut w = begin(version);
    items.for_each(|item| write_item(&mut w, item));
    w.end();
    w.finish()
}

/// The same for a contact that was removed (§2.1.2.5).
#[must_use]
pub fn removed(version: i64, jid: &BareJid) -> Bytes {
    let mut w = begin(Some(version));
    w.start("item", ns::ROSTER)
        .attr("jid", jid.as_str())
        .attr("subscription", "remove")
        .end()
        .end();
    w.finish()
}

fn begin(version: Option<i64>) -> Writer {
    let mut w = Writer::new();
    w.start("query", ns::ROSTER);
    if let Some(version) = version {
        w.attr("ver", &version.to_string());
    }
    w
}

fn write_item(w: &mut Writer, item: ItemView<'_>) {
    w.start("item", ns::ROSTER)
        .attr("jid", item.bare_jid().as_str());
    if !item.name.is_empty() {
        w.attr("name", item.name);
    }
    w.attr("subscription", item.state.attribute());
    if item.state.pending_out() {
        w.attr("ask", "subscribe");
    }
    if item.approved {
        w.attr("approved", "true");
    }
    for group in item.groups {
        w.leaf("group", group);
    }
    w.end();
}

/// A push to one session of `account` (§2.1.6).
#[must_use]
pub fn push(account: &BareJid, to: Jid, query: Bytes) -> Stanza {
    Stanza::iq(IqType::Set)
        .from(account.clone())
        .to(to)
        .id(&router::random_id())
        .payload(query)
        .build()
}
