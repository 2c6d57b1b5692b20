//! What one user says to the other, and hears.

use std::fmt::Write;

use bytes::BytesMut;
use xml::Element;

/// A user's side of a conversation.
#[derive(Debug)]
pub(crate) struct Talk {
    /// The message up to the value of its `id`, and behind it.
    head: Box<str>,
    tail: Box<str>,
    said: u64,
    heard: u64,
}

/// A message that came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    /// Whether it is the one that follows the last.
    pub(crate) in_order: bool,
    /// When it was sent, in the sender's nanoseconds; `None` if it is not one of ours.
    pub(crate) sent_at: Option<u64>,
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

    /// Takes note of what came.
    pub(crate) fn hear(&mut self, message: &Element) -> Heard {
        let numbers = message.plain_attr("id").and_then(|id| id.split_once('-'));
        let numbers = numbers.filter(|_| message.plain_attr("type") == Some("chat"));
        let number = numbers.and_then(|(number, _)| number.parse::<u64>().ok());
        let in_order = number == Some(self.heard);
        self.heard = number.map_or(self.heard, |number| number + 1);
        Heard {
            in_order,
            sent_at: numbers.and_then(|(_, at)| at.parse().ok()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(talk: &mut Talk, message: &str) -> Heard {
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
            let heard = talk.hear(&element);
            assert_eq!((heard.in_order, heard.sent_at), (true, Some(at)));
        }
    }

    #[test]
    fn gaps_and_doubles_are_noticed() {
        let mut talk = Talk::new("u1@localhost/load", 1);
        let order: Vec<bool> = ["0-1", "1-1", "1-1", "3-1", "4-1"]
            .iter()
            .map(|id| heard(&mut talk, &format!("<message type='chat' id='{id}'/>")).in_order)
            .collect();
        assert_eq!(order, [true, true, false, false, true]);
    }

    #[test]
    fn errors_are_no_chat() {
        let mut talk = Talk::new("u1@localhost/load", 1);
        let bounced = heard(&mut talk, "<message type='error' id='0-1'/>");
        assert_eq!((bounced.in_order, bounced.sent_at), (false, None));
    }
}
