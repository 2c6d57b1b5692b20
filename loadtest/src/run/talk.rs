//! What one user says to the other, and hears.

use std::fmt::Write;

use bytes::BytesMut;
use xml::Element;

use super::closed::{Game, Heard};

/// A user's side of a conversation.
#[derive(Debug)]
pub(crate) struct Talk {
    /// The message up to the value of its `id`, and behind it.
    head: Box<str>,
    tail: Box<str>,
    said: u64,
    heard: u64,
}

impl Talk {
    /// Talks to `partner` in texts of so many bytes.
    pub(crate) fn new(partner: &str, body: u32) -> Talk {
        let partner = xml::escape_attr(partner);
        let body = "x".repeat(body as usize);
        Talk {
            head: format!("<message type='chat' to='{partner}' id='").into(),
            tail: format!("'><body>{body}</body></message>").into(),
            said: 0,
            heard: 0,
        }
    }

    /// Says the next thing at this time.
    pub(crate) fn say(&mut self, now: u64, out: &mut BytesMut) {
        out.extend_from_slice(self.head.as_bytes());
        // A buffer that grows takes all that is written to it.
        let _ = write!(out, "{}-{now}", self.said);
        out.extend_from_slice(self.tail.as_bytes());
        self.said += 1;
    }

    /// Takes note of what came; `None` if it is none of the partner's messages.
    pub(crate) fn hear(&mut self, message: &Element) -> Option<Heard> {
        if message.name() != "message" || message.plain_attr("type") != Some("chat") {
            return None;
        }
        let (number, at) = message.plain_attr("id")?.split_once('-')?;
        let (number, said_at): (u64, u64) = (number.parse().ok()?, at.parse().ok()?);
        let in_order = number == self.heard;
        self.heard = number + 1;
        Some(Heard { in_order, said_at })
    }
}

impl Game for Talk {
    fn is_due(&self) -> bool {
        true
    }

    fn say(&mut self, now: u64, out: &mut BytesMut) -> u64 {
        Talk::say(self, now, out);
        1
    }

    fn hear(&mut self, stanza: &Element) -> Option<Heard> {
        Talk::hear(self, stanza)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(talk: &mut Talk, message: &str) -> Option<Heard> {
        talk.hear(&Element::parse(message.as_bytes()).expect("an element"))
    }

    #[test]
    fn what_is_said_is_heard() {
        let mut talk = Talk::new("o'hara@localhost/load", 3);
        for (at, id) in [(7, "0-7"), (9, "1-9")] {
            let mut out = BytesMut::new();
            talk.say(at, &mut out);
            let text = String::from_utf8_lossy(&out).into_owned();
            assert!(text.contains(&format!("id='{id}'")), "{text}");
            assert!(text.contains("<body>xxx</body>"), "{text}");
            let element = Element::parse(&out).expect("well-formed");
            assert_eq!(element.attr("to").as_deref(), Some("o'hara@localhost/load"));
            let in_order = true;
            assert_eq!(
                talk.hear(&element),
                Some(Heard {
                    in_order,
                    said_at: at
                })
            );
        }
    }

    #[test]
    fn gaps_and_doubles_are_noticed() {
        let mut talk = Talk::new("u1@localhost/load", 1);
        let order: Vec<bool> = ["0-1", "1-1", "1-1", "3-1", "4-1"]
            .iter()
            .map(|id| {
                heard(&mut talk, &format!("<message type='chat' id='{id}'/>"))
                    .expect("ours")
                    .in_order
            })
            .collect();
        assert_eq!(order, [true, true, false, false, true]);
    }

    #[test]
    fn errors_and_other_messages_are_no_chat() {
        let mut talk = Talk::new("u1@localhost/load", 1);
        for other in [
            "<message type='error' id='0-1'/>",
            "<message type='chat' id='m1-1'/>",
            "<presence/>",
        ] {
            assert_eq!(heard(&mut talk, other), None, "{other}");
        }
    }
}
