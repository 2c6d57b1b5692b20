//! Sessions: who is online.

use async_graphql::{Enum, SimpleObject};
use xmpp::{FullJid, Jid as AnyJid};

use super::Answer;
use crate::scalar::{Jid, Seconds, Time};

/// What a session last said of itself (RFC 6121 §4.7.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum Presence {
    /// No presence was sent yet, or it was taken back.
    None,
    /// Available.
    Available,
    /// Available and eager to chat.
    Chat,
    /// Away.
    Away,
    /// Away for long.
    Xa,
    /// Does not want to be disturbed.
    Dnd,
}

/// One bound resource.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct Session {
    /// Its full address.
    pub jid: Jid,
    /// The address of the client; none for a session without a socket.
    pub peer: Option<String>,
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// When the resource was bound.
    pub since: Time,
    /// How long nothing was heard from the client.
    pub idle: Seconds,
    /// The priority of its presence.
    pub priority: i8,
    /// What it last said of itself.
    pub presence: Presence,
}

/// The sessions of a node.
pub trait Sessions: Send + Sync {
    /// Up to `limit` sessions in the order of their addresses as text; of one
    /// account or of one domain when `of` is given (a bare JID with or without
    /// a localpart); those after `after` when it is given.
    fn list<'a>(
        &'a self,
        of: Option<&'a AnyJid>,
        after: Option<&'a FullJid>,
        limit: u32,
    ) -> Answer<'a, Vec<Session>>;

    /// How many sessions there are, of one account or domain when it is given.
    fn count<'a>(&'a self, of: Option<&'a AnyJid>) -> Answer<'a, u64>;

    /// Closes the session of a full JID, or every session of a bare one, with
    /// a stream error that carries `reason`; returns those it closed.
    /// `NOT_FOUND` when there is none.
    fn kick<'a>(&'a self, jid: &'a AnyJid, reason: Option<&'a str>) -> Answer<'a, Vec<FullJid>>;
}
