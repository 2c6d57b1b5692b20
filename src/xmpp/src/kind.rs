//! The kinds of stanzas and their types (RFC 6120 §8.2, RFC 6121 §4.7.1, §5.2.2).

/// What a stanza is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `<message/>`
    Message(MessageType),
    /// `<presence/>`
    Presence(PresenceType),
    /// `<iq/>`
    Iq(IqType),
}

impl Kind {
    /// The element's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Message(_) => "message",
            Self::Presence(_) => "presence",
            Self::Iq(_) => "iq",
        }
    }

    /// The `type` attribute; `None` for a normal message and available presence, which have none.
    pub fn type_attr(self) -> Option<&'static str> {
        match self {
            Self::Message(MessageType::Normal) | Self::Presence(PresenceType::Available) => None,
            Self::Message(t) => Some(t.as_str()),
            Self::Presence(t) => Some(t.as_str()),
            Self::Iq(t) => Some(t.as_str()),
        }
    }

    /// True for stanzas of type `error`.
    pub fn is_error(self) -> bool {
        self == self.as_error()
    }

    /// True for stanzas that must never be answered by an error: errors and IQ results.
    pub fn is_final(self) -> bool {
        self.is_error() || self == Self::Iq(IqType::Result)
    }

    /// True for an IQ that must be answered.
    pub fn is_request(self) -> bool {
        matches!(self, Self::Iq(IqType::Get | IqType::Set))
    }

    /// The same kind with type `error`.
    pub fn as_error(self) -> Self {
        match self {
            Self::Message(_) => Self::Message(MessageType::Error),
            Self::Presence(_) => Self::Presence(PresenceType::Error),
            Self::Iq(_) => Self::Iq(IqType::Error),
        }
    }
}

macro_rules! types {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
        }

        impl $name {
            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// The type a word on the wire stands for.
            pub fn of(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

types! {
    /// Types of messages (RFC 6121 §5.2.2).
    MessageType {
        /// One message outside of a conversation; also what unknown types count as.
        Normal = "normal",
        /// Part of a conversation of two.
        Chat = "chat",
        /// In a room.
        Groupchat = "groupchat",
        /// News that expects no answer.
        Headline = "headline",
        /// Something went wrong with a message sent before.
        Error = "error",
    }
}

types! {
    /// Types of presence (RFC 6121 §4.7.1).
    PresenceType {
        /// Here; has no `type` attribute, and the word is not accepted on the wire either.
        Available = "available",
        /// Gone.
        Unavailable = "unavailable",
        /// Asks to see the contact's presence.
        Subscribe = "subscribe",
        /// Grants it.
        Subscribed = "subscribed",
        /// No longer wants to see it.
        Unsubscribe = "unsubscribe",
        /// Refuses or withdraws it.
        Unsubscribed = "unsubscribed",
        /// A server asks for the presence now.
        Probe = "probe",
        /// Something went wrong with a presence sent before.
        Error = "error",
    }
}

impl PresenceType {
    /// The four that manage subscriptions and are sent between bare JIDs (RFC 6121 §3).
    pub fn is_subscription(self) -> bool {
        matches!(
            self,
            Self::Subscribe | Self::Subscribed | Self::Unsubscribe | Self::Unsubscribed
        )
    }
}

types! {
    /// Types of IQs (RFC 6120 §8.2.3).
    IqType {
        /// Asks.
        Get = "get",
        /// Changes.
        Set = "set",
        /// Answers.
        Result = "result",
        /// Answers that it did not work.
        Error = "error",
    }
}
