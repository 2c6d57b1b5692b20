//! The words of privacy lists: what a rule says of whom (XEP-0016 §2.1).

use xmpp::{BareJid, Jid, Kind, PresenceType};

/// What happens to what a rule matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It passes.
    Allow,
    /// It does not.
    Deny,
}

/// What passes between an account and somebody else, as far as rules tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    /// A message comes in.
    MessageIn,
    /// An IQ comes in.
    IqIn,
    /// A presence notification (available or unavailable, nothing else) comes in.
    PresenceIn,
    /// A presence notification goes out.
    PresenceOut,
    /// All else, either way: only rules for everything match it.
    Other,
}

impl Traffic {
    /// What a stanza of this kind is when it comes in.
    #[must_use]
    pub fn incoming(kind: Kind) -> Self {
        match kind {
            Kind::Message(_) => Self::MessageIn,
            Kind::Iq(_) => Self::IqIn,
            Kind::Presence(PresenceType::Available | PresenceType::Unavailable) => Self::PresenceIn,
            Kind::Presence(_) => Self::Other,
        }
    }

    /// What a stanza of this kind is when it goes out.
    #[must_use]
    pub fn outgoing(kind: Kind) -> Self {
        match kind {
            Kind::Presence(PresenceType::Available | PresenceType::Unavailable) => {
                Self::PresenceOut
            }
            _ => Self::Other,
        }
    }

    pub(super) fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The kinds of traffic that a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kinds(u8);

impl Kinds {
    /// Everything: a rule that names no kind.
    pub const ALL: Self = Self(0b1_1111);

    /// The kinds named in `kinds`; everything if none is.
    pub fn of(kinds: impl IntoIterator<Item = Traffic>) -> Self {
        match kinds.into_iter().fold(0, |all, kind| all | kind.bit()) {
            0 => Self::ALL,
            bits => Self(bits),
        }
    }

    /// Whether `traffic` is among them.
    #[must_use]
    pub fn has(self, traffic: Traffic) -> bool {
        self.0 & traffic.bit() != 0
    }

    pub(super) fn bits(self) -> u8 {
        self.0
    }

    pub(super) fn from_bits(bits: u8) -> Option<Self> {
        (1..=Self::ALL.0).contains(&bits).then_some(Self(bits))
    }
}

/// A contact's state in the roster (RFC 6121 §2.1.2.5): exact, and `None` for strangers too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subscription {
    /// Neither sees the other's presence.
    None,
    /// The user sees the contact's.
    To,
    /// The contact sees the user's.
    From,
    /// Both.
    Both,
}

impl Subscription {
    pub(super) const ALL: [Self; 4] = [Self::None, Self::To, Self::From, Self::Both];

    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::To => "to",
            Self::From => "from",
            Self::Both => "both",
        }
    }

    /// What a word on the wire stands for.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }

    /// Whether the contact may see the user's presence.
    #[must_use]
    pub fn is_from(self) -> bool {
        matches!(self, Self::From | Self::Both)
    }

    /// Whether the user may see the contact's presence.
    #[must_use]
    pub fn is_to(self) -> bool {
        matches!(self, Self::To | Self::Both)
    }
}

/// Whom a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Everybody: the fall-through.
    Anybody,
    /// An address and all that belong to it: those of a domain, the resources of a bare JID.
    Jid(Jid),
    /// The contacts in a group of the roster.
    Group(String),
    /// The contacts in a state of subscription.
    Subscription(Subscription),
}

/// One rule of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its place: the smallest is looked at first. Unique within its list.
    pub order: u32,
    /// What it does.
    pub action: Action,
    /// With what.
    pub kinds: Kinds,
    /// Of whom.
    pub subject: Subject,
}

impl Item {
    /// A rule that keeps everything of `jid` away: what blocking it means (XEP-0191 §5).
    #[must_use]
    pub fn block(order: u32, jid: Jid) -> Self {
        Self {
            order,
            action: Action::Deny,
            kinds: Kinds::ALL,
            subject: Subject::Jid(jid),
        }
    }

    /// The address that it blocks, if that is all it does.
    #[must_use]
    pub fn blocks(&self) -> Option<&Jid> {
        match self {
            Self {
                action: Action::Deny,
                kinds: Kinds::ALL,
                subject: Subject::Jid(jid),
                ..
            } => Some(jid),
            _ => None,
        }
    }
}

/// What rules ask of a roster. It is asked when a stanza is checked, so that rules follow the
/// roster (XEP-0016 §2.2, rule 9).
pub trait Contacts {
    /// The subscription of `contact`.
    fn subscription(&self, contact: &BareJid) -> Subscription;

    /// Shows each group that `contact` is in.
    fn each_group(&self, contact: &BareJid, see: &mut dyn FnMut(&str));
}

/// An empty roster.
#[derive(Debug, Clone, Copy, Default)]
pub struct Strangers;

impl Contacts for Strangers {
    fn subscription(&self, _: &BareJid) -> Subscription {
        Subscription::None
    }

    fn each_group(&self, _: &BareJid, _: &mut dyn FnMut(&str)) {}
}
