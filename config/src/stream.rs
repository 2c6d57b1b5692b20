//! Limits of XML streams.

use crate::{Size, Span, settings};

settings! {
    /// Limits of XML streams. They apply before anything is parsed, and to everybody alike.
    pub struct StreamLimits {
        /// The largest stanza, and the largest element of negotiation, before login. A larger one
        /// ends the stream with `policy-violation`. RFC 6120 §13.12 asks for 10000 bytes at least.
        max_stanza_before_login: Size = Size::kib(10),
        /// The largest stanza after login.
        max_stanza: Size = Size::kib(256),
        /// The largest stream header, `<stream:stream …>`.
        max_header: Size = Size::kib(4),
        /// How deep elements may nest in a stanza, itself included. 4 or more.
        max_depth: u16 = 64,
        /// How many attributes an element may have. 8 or more.
        max_attributes: u16 = 64,
        /// How many namespaces an element may declare. 4 or more.
        max_namespaces: u16 = 32,
        /// A client that has not bound a resource this long after it connected is disconnected.
        login_timeout: Span = Span::seconds(60),
        /// After we said that a stream ends, the other side has so long to say the same.
        closing_timeout: Span = Span::seconds(5),
        /// A session from which nothing was heard for so long, not even white space, is closed
        /// with `connection-timeout`. The module `ping` asks earlier. None: never.
        idle_timeout: Option<Span> = Some(Span::minutes(30)),
        /// How much may wait for a client that does not drain its socket. Past this mark its
        /// session is closed; nobody who writes to it waits.
        max_outbox: Size = Size::mib(1),
        /// How much may wait in the mailbox of a session.
        max_mailbox: Size = Size::mib(1),
        /// How many stanzas may wait in the mailbox of a session.
        max_mailbox_stanzas: u32 = 2_000,
        /// How many connections of one address may be not yet logged in. Further ones are closed
        /// at once.
        unauthenticated_per_address: u32 = 200,
        /// How many connections in all may be not yet logged in.
        unauthenticated: u32 = 5_000,
        /// How many connections a second each listener accepts; more wait in the system's queue.
        accept_rate: u32 = 2_000,
    }
    check |stream, problems| {
        problems.at_least("max_stanza_before_login", stream.max_stanza_before_login, Size::of(10_000));
        problems.at_least("max_header", stream.max_header, Size::of(512));
        problems.at_least("max_depth", stream.max_depth, 4);
        problems.at_least("max_attributes", stream.max_attributes, 8);
        problems.at_least("max_namespaces", stream.max_namespaces, 4);
        problems.at_least("login_timeout", stream.login_timeout, Span::seconds(1));
        problems.at_least("closing_timeout", stream.closing_timeout, Span::millis(100));
        problems.at_least("max_mailbox_stanzas", stream.max_mailbox_stanzas, 1);
        problems.at_least("unauthenticated_per_address", stream.unauthenticated_per_address, 1);
        problems.at_least("accept_rate", stream.accept_rate, 1);
        if let Some(idle) = stream.idle_timeout {
            problems.at_least("idle_timeout", idle, Span::seconds(1));
        }
        if stream.max_stanza < stream.max_stanza_before_login {
            problems.error("max_stanza", format!("{} is less than max_stanza_before_login, {}", stream.max_stanza, stream.max_stanza_before_login),
                format!("write \"{}\" or more", stream.max_stanza_before_login));
        }
        for (field, size) in [("max_outbox", stream.max_outbox), ("max_mailbox", stream.max_mailbox)] {
            if size < stream.max_stanza {
                problems.error(field, format!("{size} holds less than one stanza of max_stanza, {}", stream.max_stanza),
                    format!("write `{field}: \"{}\"` or more", stream.max_stanza));
            }
        }
        if stream.unauthenticated < stream.unauthenticated_per_address {
            problems.error("unauthenticated", format!("{} is less than unauthenticated_per_address, {}", stream.unauthenticated, stream.unauthenticated_per_address),
                format!("write {} or more, or less there", stream.unauthenticated_per_address));
        }
    }
}
