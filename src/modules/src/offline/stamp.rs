//! Stamps of delayed delivery (XEP-0203).

use bytes::Bytes;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use xml::{Child, Element, Writer};
use xmpp::{Kind, Stanza, ns};

use super::store::Waiting;

/// A waiting message as it is delivered: as it came, with the time when it came. What others have
/// noted about delays stays beside it, each note names who made it.
///
/// `None` for bytes that are no message: the store is damaged.
pub(crate) fn restore(waiting: &Waiting, domain: &str) -> Option<Stanza> {
    let element = Element::parse_bytes(waiting.stanza.clone()).ok()?;
    let stanza = Stanza::read(element, None).ok()?;
    if !matches!(stanza.kind(), Kind::Message(_)) {
        return None;
    }
    let stamp = delay(waiting.stored_at, domain)?;
    Some(stanza.edit().append(stamp).done())
}

/// The message without notes that say they were made by `domain`, which is where it has just
/// arrived (XEP-0203 §5); `None` if there are none.
pub(crate) fn without_forged(message: &Stanza, domain: &str) -> Option<Stanza> {
    let forged = |child: &Child<'_>| {
        child.is("delay", ns::DELAY) && child.attr("from").is_some_and(|from| from == domain)
    };
    message
        .children()
        .any(|child| forged(&child))
        .then(|| message.edit().cut_where(forged).done())
}

fn delay(millis: i64, domain: &str) -> Option<Bytes> {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000).ok()?;
    let mut w = Writer::new();
    w.start("delay", ns::DELAY)
        .attr("from", domain)
        .attr("stamp", &time.format(&Rfc3339).ok()?)
        .end();
    Some(w.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(stanza: &str) -> Waiting {
        Waiting {
            id: 1,
            stored_at: 1_031_699_305_000,
            expires_at: None,
            sender: String::new(),
            stanza: Bytes::copy_from_slice(stanza.as_bytes()),
        }
    }

    fn delivered(stanza: &str) -> String {
        let stanza = restore(&waiting(stanza), "capulet.lit").unwrap();
        String::from_utf8(stanza.to_bytes().to_vec()).unwrap()
    }

    const STAMP: &str =
        "<delay xmlns='urn:xmpp:delay' from='capulet.lit' stamp='2002-09-10T23:08:25Z'/>";

    /// XEP-0160 §2, example 3.
    #[test]
    fn a_message_is_stamped_with_its_time_and_stays_as_it_was() {
        let head = "<message from='romeo@montague.lit/orchard' to='juliet@capulet.lit' id='a&amp;b' type='chat' xml:lang='it' xmlns:x='urn:x' x:y='z'>";
        let content = "<body>I am afeard &#x1F339;</body><x:z/>";
        let was = format!("{head}{content}</message>");
        assert_eq!(delivered(&was), format!("{head}{content}{STAMP}</message>"));
    }

    #[test]
    fn a_part_of_a_second_is_kept() {
        let mut waiting = waiting("<message/>");
        waiting.stored_at += 250;
        let stanza = restore(&waiting, "capulet.lit").unwrap();
        let delay = stanza.child("delay", ns::DELAY).unwrap();
        assert_eq!(delay.attr("stamp").unwrap(), "2002-09-10T23:08:25.25Z");
    }

    #[test]
    fn notes_of_others_stay_beside_ours() {
        let room = "<delay xmlns='urn:xmpp:delay' from='coven@chat.shakespeare.lit' stamp='2002-09-10T23:05:37Z'/>";
        assert_eq!(
            delivered(&format!("<message>{room}</message>")),
            format!("<message>{room}{STAMP}</message>")
        );
    }

    #[test]
    fn damaged_rows_are_no_messages() {
        for stanza in [
            "",
            "<message>",
            "<iq type='get' id='1'><x xmlns='y'/></iq>",
            "\u{0}",
        ] {
            assert!(
                restore(&waiting(stanza), "capulet.lit").is_none(),
                "{stanza}"
            );
        }
        let mut never = waiting("<message/>");
        never.stored_at = i64::MAX;
        assert!(restore(&never, "capulet.lit").is_none());
    }

    /// XEP-0203 §5: a note that the originator made in the name of the recipient's server.
    #[test]
    fn a_forged_note_is_cut() {
        let read = |text: &str| {
            let element = Element::parse(text.as_bytes()).unwrap();
            Stanza::read(element, None).unwrap()
        };
        let honest =
            "<delay xmlns='urn:xmpp:delay' from='montague.lit' stamp='2002-09-10T23:05:37Z'/>";
        let body = "<body>Yesterday</body>";
        let forged = read(&format!("<message>{STAMP}{body}{honest}{STAMP}</message>"));
        let cut = without_forged(&forged, "capulet.lit").unwrap();
        assert_eq!(
            &cut.to_bytes()[..],
            format!("<message>{body}{honest}</message>").as_bytes()
        );
        let clean = read(&format!("<message>{body}{honest}</message>"));
        assert!(without_forged(&clean, "capulet.lit").is_none());
    }
}
