//! Which messages are kept for an account that nobody takes them for.

use xml::Child;
use xmpp::{Kind, MessageType, Stanza, ns};

/// What becomes of a message that nobody takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lot {
    /// It waits for its receiver.
    Wait,
    /// It is gone, and its sender needn't know: what it said holds no longer.
    Vanish,
    /// Its sender is told that it did not arrive (RFC 6121 §8.5.2.2.1).
    Bounce,
}

/// XEP-0160 §3, with the sender's hints (XEP-0334 §4) where they differ.
///
/// Normal and chat messages wait, and none of the other types. A message that says nothing but a
/// chat state does not, unless it asks to be stored. Neither does one that asks not to be: its
/// sender is told, since that what it says gets lost is more than it asked for. What
/// `no-permanent-store` forbids are archives: waiting for its receiver is no archive.
pub(crate) fn lot(message: &Stanza) -> Lot {
    if !matches!(
        message.kind(),
        Kind::Message(MessageType::Chat | MessageType::Normal)
    ) {
        return Lot::Bounce;
    }
    let (mut states, mut content, mut store, mut no_store) = (false, false, false, false);
    for child in message.children() {
        match child.ns() {
            ns::HINTS => match child.name() {
                "no-store" => no_store = true,
                "store" => store = true,
                _ => {}
            },
            ns::CHAT_STATES => states = true,
            _ if is_about(&child) => {}
            _ => content = true,
        }
    }
    match (content || !states, no_store) {
        (false, true) => Lot::Vanish,
        (false, false) if !store => Lot::Vanish,
        (true, true) => Lot::Bounce,
        (_, false) => Lot::Wait,
    }
}

/// What only says which conversation, or which message, this is.
fn is_about(child: &Child<'_>) -> bool {
    match child.ns() {
        ns::CLIENT | ns::SERVER => child.name() == "thread",
        ns::SID => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use xml::Element;

    use super::*;

    use Lot::*;

    fn of(kind: &str, children: &str) -> Lot {
        let text = format!(
            "<message type='{kind}' from='romeo@montague.lit/orchard' to='juliet@capulet.lit'>\
             {children}</message>"
        );
        let element = Element::parse(text.as_bytes()).unwrap();
        lot(&Stanza::read(element, None).unwrap())
    }

    const BODY: &str = "<body>O blessed, blessed night!</body>";
    const COMPOSING: &str = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";

    fn hint(name: &str) -> String {
        format!("<{name} xmlns='urn:xmpp:hints'/>")
    }

    /// XEP-0160 §3.
    #[test]
    fn the_type_decides() {
        for (kind, wanted) in [
            ("normal", Wait),
            ("chat", Wait),
            // RFC 6121 §5.2.2: an unknown type counts as normal.
            ("love-letter", Wait),
            ("groupchat", Bounce),
            ("headline", Bounce),
            ("error", Bounce),
        ] {
            assert_eq!(of(kind, BODY), wanted, "{kind}");
            // Not even on demand (XEP-0334 §4.4 leaves errors out, RFC 6121 §8.5.2 the others).
            assert_eq!(of(kind, &(BODY.to_owned() + &hint("store"))), wanted);
        }
    }

    /// XEP-0160 §3: a chat message that contains nothing but XEP-0085.
    #[test]
    fn a_chat_state_alone_does_not_wait() {
        for kind in ["chat", "normal"] {
            assert_eq!(of(kind, COMPOSING), Vanish);
            let in_thread = format!("<thread>act2scene2</thread>{COMPOSING}");
            assert_eq!(of(kind, &in_thread), Vanish);
            let with_id = format!("{COMPOSING}<origin-id xmlns='urn:xmpp:sid:0' id='x'/>");
            assert_eq!(of(kind, &with_id), Vanish);
            let hinted = COMPOSING.to_owned() + &hint("no-store");
            assert_eq!(of(kind, &hinted), Vanish);
            assert_eq!(of(kind, &format!("{BODY}{COMPOSING}")), Wait);
            let receipt = "<received xmlns='urn:xmpp:receipts' id='x'/>";
            assert_eq!(of(kind, &format!("{receipt}{COMPOSING}")), Wait);
        }
    }

    #[test]
    fn what_has_no_body_waits() {
        assert_eq!(of("normal", ""), Wait);
        let receipt = "<received xmlns='urn:xmpp:receipts' id='x'/>";
        assert_eq!(of("chat", receipt), Wait);
        assert_eq!(of("chat", "<subject>Tonight</subject>"), Wait);
        assert_eq!(of("chat", "<thread>act2scene2</thread>"), Wait);
    }

    /// XEP-0334 §4.
    #[test]
    fn hints_are_heard() {
        let body_and = |more: &str| of("chat", &(BODY.to_owned() + more));
        assert_eq!(body_and(&hint("no-store")), Bounce);
        assert_eq!(body_and(&hint("no-permanent-store")), Wait);
        assert_eq!(body_and(&hint("no-copy")), Wait);
        assert_eq!(of("chat", &(COMPOSING.to_owned() + &hint("store"))), Wait);
        // Who asks for both does not mean it.
        assert_eq!(body_and(&(hint("store") + &hint("no-store"))), Bounce);
        // Another namespace is no hint.
        assert_eq!(body_and("<no-store xmlns='urn:other'/>"), Wait);
    }
}
