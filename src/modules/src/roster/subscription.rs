//! Subscription states and what changes them: RFC 6121, appendix A, as one table.

use xmpp::PresenceType;

/// How an account and a contact stand (§A.1), seen from the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum State {
    /// Neither is subscribed to the other.
    #[default]
    None,
    /// Neither; the account has asked.
    NonePendingOut,
    /// Neither; the contact has asked.
    NonePendingIn,
    /// Neither; both have asked.
    NonePendingOutIn,
    /// The account is subscribed to the contact.
    To,
    /// The same, and the contact has asked.
    ToPendingIn,
    /// The contact is subscribed to the account.
    From,
    /// The same, and the account has asked.
    FromPendingOut,
    /// Both are subscribed to each other.
    Both,
}

/// What one says to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// May I see your presence?
    Subscribe,
    /// I no longer want to.
    Unsubscribe,
    /// You may see mine.
    Subscribed,
    /// You may not, or no longer.
    Unsubscribed,
}

/// What a word of the contact brings about beside the new state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The account's sessions are told.
    Deliver,
    /// Nobody is.
    Drop,
    /// Nobody is; the contact gets `subscribed`, which holds already.
    Answer,
}

use Delivery::{Answer, Deliver, Drop};
use State::{
    Both, From, FromPendingOut, None, NonePendingIn, NonePendingOut, NonePendingOutIn, To,
    ToPendingIn,
};

/// A word of the account: whether it is routed to the contact, and the state after it.
type Out = (bool, State);
/// A word of the contact.
type In = (Delivery, State);

const YES: bool = true;
const NO: bool = false;

/// §A.2 and §A.3: for each state what `subscribe`, `unsubscribe`, `subscribed` and `unsubscribed`
/// do, said by the account (on the left) and by the contact (on the right).
#[rustfmt::skip]
const TABLE: [(State, [Out; 4], [In; 4]); 9] = [
    (None,
        [(YES, NonePendingOut), (YES, None), (NO, None), (NO, None)],
        [(Deliver, NonePendingIn), (Drop, None), (Drop, None), (Drop, None)]),
    (NonePendingOut,
        [(YES, NonePendingOut), (YES, None), (NO, NonePendingOut), (NO, NonePendingOut)],
        [(Deliver, NonePendingOutIn), (Drop, NonePendingOut), (Deliver, To), (Deliver, None)]),
    (NonePendingIn,
        [(YES, NonePendingOutIn), (YES, NonePendingIn), (YES, From), (YES, None)],
        [(Drop, NonePendingIn), (Deliver, None), (Drop, NonePendingIn), (Drop, NonePendingIn)]),
    (NonePendingOutIn,
        [(YES, NonePendingOutIn), (YES, NonePendingIn), (YES, FromPendingOut), (YES, NonePendingOut)],
        [(Drop, NonePendingOutIn), (Deliver, NonePendingOut), (Deliver, ToPendingIn), (Deliver, NonePendingIn)]),
    (To,
        [(YES, To), (YES, None), (NO, To), (NO, To)],
        [(Deliver, ToPendingIn), (Drop, To), (Drop, To), (Deliver, None)]),
    (ToPendingIn,
        [(YES, ToPendingIn), (YES, NonePendingIn), (YES, Both), (YES, To)],
        [(Drop, ToPendingIn), (Deliver, To), (Drop, ToPendingIn), (Deliver, NonePendingIn)]),
    (From,
        [(YES, FromPendingOut), (YES, From), (NO, From), (YES, None)],
        [(Answer, From), (Deliver, None), (Drop, From), (Drop, From)]),
    (FromPendingOut,
        [(YES, FromPendingOut), (YES, From), (NO, FromPendingOut), (YES, NonePendingOut)],
        [(Answer, FromPendingOut), (Deliver, NonePendingOut), (Deliver, Both), (Deliver, From)]),
    (Both,
        [(YES, Both), (YES, From), (NO, Both), (YES, To)],
        [(Answer, Both), (Deliver, To), (Drop, Both), (Deliver, From)]),
];

impl State {
    /// The account says `word` (§A.2): whether it is routed, and the state after it.
    #[must_use]
    pub fn say(self, word: Word) -> (bool, State) {
        TABLE[self as usize].1[word as usize]
    }

    /// The contact says `word` (§A.3).
    #[must_use]
    pub fn hear(self, word: Word) -> (Delivery, State) {
        TABLE[self as usize].2[word as usize]
    }

    /// The state of this number, as it is stored.
    #[must_use]
    pub fn of_number(number: u8) -> Option<State> {
        TABLE.get(usize::from(number)).map(|row| row.0)
    }

    /// Whether the account sees the contact's presence.
    #[must_use]
    pub fn to(self) -> bool {
        matches!(self, To | ToPendingIn | Both)
    }

    /// Whether the contact sees the account's presence.
    #[must_use]
    pub fn from(self) -> bool {
        matches!(self, From | FromPendingOut | Both)
    }

    /// Whether the account has asked and was not answered.
    #[must_use]
    pub fn pending_out(self) -> bool {
        matches!(self, NonePendingOut | NonePendingOutIn | FromPendingOut)
    }

    /// Whether the contact has asked and was not answered.
    #[must_use]
    pub fn pending_in(self) -> bool {
        matches!(self, NonePendingIn | NonePendingOutIn | ToPendingIn)
    }

    /// The attribute `subscription` of a roster item (§2.1.2.5).
    #[must_use]
    pub fn attribute(self) -> &'static str {
        match (self.to(), self.from()) {
            (false, false) => "none",
            (true, false) => "to",
            (false, true) => "from",
            (true, true) => "both",
        }
    }
}

impl Word {
    /// The word that a presence of this type says, if it says one.
    #[must_use]
    pub fn of(kind: PresenceType) -> Option<Word> {
        match kind {
            PresenceType::Subscribe => Some(Word::Subscribe),
            PresenceType::Unsubscribe => Some(Word::Unsubscribe),
            PresenceType::Subscribed => Some(Word::Subscribed),
            PresenceType::Unsubscribed => Some(Word::Unsubscribed),
            _ => Option::None,
        }
    }

    /// The type of the presence that says it.
    #[must_use]
    pub fn presence(self) -> PresenceType {
        match self {
            Word::Subscribe => PresenceType::Subscribe,
            Word::Unsubscribe => PresenceType::Unsubscribe,
            Word::Subscribed => PresenceType::Subscribed,
            Word::Unsubscribed => PresenceType::Unsubscribed,
        }
    }
}

#[cfg(test)]
mod tests;
