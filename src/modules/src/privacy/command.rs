//! What clients say and are told in `urn:xmpp:blocking` (XEP-0191 §3).

use bytes::Bytes;
use xml::{Child, Element, Writer};
use xmpp::{Condition, ErrorType, Jid, StanzaError, ns};

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// The block list.
    BlockList,
    /// Put these on it; at least one.
    Block(Vec<Jid>),
    /// Take these from it; at least one.
    Unblock(Vec<Jid>),
    /// Take all from it.
    UnblockAll,
}

impl Command {
    /// Reads the payload of an IQ. One request may name `max_items` addresses.
    ///
    /// # Errors
    /// `bad-request`: an unknown request, a block of nobody, an item without an address.
    /// `jid-malformed`: an address that is none. `resource-constraint`: too many addresses.
    pub fn read(payload: &Child<'_>, set: bool, max_items: usize) -> Result<Self, StanzaError> {
        let bad_request = || StanzaError::new(Condition::BadRequest);
        let command = payload.element().map_err(|_| bad_request())?;
        match (command.name(), set) {
            ("blocklist", false) => Ok(Self::BlockList),
            ("block", true) => match read_items(&command, max_items)? {
                items if items.is_empty() => Err(bad_request()),
                items => Ok(Self::Block(items)),
            },
            ("unblock", true) => match read_items(&command, max_items)? {
                items if items.is_empty() => Ok(Self::UnblockAll),
                items => Ok(Self::Unblock(items)),
            },
            _ => Err(bad_request()),
        }
    }
}

fn read_items(command: &Element, max_items: usize) -> Result<Vec<Jid>, StanzaError> {
    let mut jids = Vec::new();
    for child in command.children() {
        if !child.is("item", ns::BLOCKING) {
            return Err(StanzaError::new(Condition::BadRequest));
        }
        if jids.len() == max_items {
            return Err(StanzaError::new(Condition::ResourceConstraint));
        }
        let jid = child.attr("jid");
        let jid = jid.ok_or_else(|| StanzaError::new(Condition::BadRequest))?;
        let jid = Jid::new(&jid).map_err(|_| StanzaError::new(Condition::JidMalformed))?;
        jids.push(jid);
    }
    Ok(jids)
}

fn write<J: AsRef<str>>(name: &str, jids: impl IntoIterator<Item = J>) -> Bytes {
    let mut w = Writer::new();
    w.start(name, ns::BLOCKING);
    for jid in jids {
        w.empty("item").attr("jid", jid.as_ref());
    }
    w.end();
    w.finish()
}

/// The block list.
#[must_use]
pub fn write_block_list<J: AsRef<str>>(jids: impl IntoIterator<Item = J>) -> Bytes {
    write("blocklist", jids)
}

/// What those who asked for the block list are told of addresses that were put on it.
#[must_use]
pub fn write_block<J: AsRef<str>>(jids: impl IntoIterator<Item = J>) -> Bytes {
    write("block", jids)
}

/// The same of addresses that were taken from it; without any, all were.
#[must_use]
pub fn write_unblock<J: AsRef<str>>(jids: impl IntoIterator<Item = J>) -> Bytes {
    write("unblock", jids)
}

/// What an account is told that sends something to whom it has blocked (XEP-0191 §3.3).
#[must_use]
pub fn blocked() -> StanzaError {
    let mut w = Writer::new();
    w.empty_in("blocked", ns::BLOCKING_ERRORS);
    StanzaError::new(Condition::NotAcceptable)
        .with_kind(ErrorType::Cancel)
        .with_app(w.finish())
}

#[cfg(test)]
mod tests;
