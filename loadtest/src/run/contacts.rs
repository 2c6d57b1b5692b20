//! Who is whose contact, and how they become it: through the server, as people do.
//!
//! Everybody puts all of theirs into their roster and asks to see their presence, and says yes to
//! whoever asks (RFC 6121 §2.3, §3.1), until both see each other. Whose contacts are there already
//! does nothing, so that it may be done again.

use std::collections::BTreeSet;

use bytes::BytesMut;
use xml::Element;

use super::world::World;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::scenario::{Contacts, Shape};

const ROSTER: &str = "jabber:iq:roster";
/// Contacts that somebody asks at a time, the next when the server has kept one: all at once would be
/// a flood, and this is no test of one.
const AT_ONCE: usize = 2;
/// What the `id` of a set begins with behind which the next is due.
const IN_TURN: &str = "turn-";

/// The contacts of one in a ring of `count`: so many on either side.
fn in_ring(count: u32, beside: u32, number: u32) -> BTreeSet<u32> {
    let count = u64::from(count);
    let at = |distance: u64| ((u64::from(number) + distance) % count) as u32;
    let both = (1..=u64::from(beside)).flat_map(|d| [at(d), at(count - d % count)]);
    both.filter(|&contact| contact != number).collect()
}

/// The contacts of one in groups of `size`, the last of which may be smaller: the whole group.
fn in_group(count: u32, size: u32, number: u32) -> BTreeSet<u32> {
    let first = number - number % size;
    let group = first..count.min(first.saturating_add(size));
    group.filter(|&contact| contact != number).collect()
}

/// The contacts of one, of so many.
pub(crate) fn of(contacts: Contacts, count: u32, number: u32) -> BTreeSet<u32> {
    match contacts.shape {
        Shape::Nobody => BTreeSet::new(),
        Shape::Ring => in_ring(count, contacts.size, number),
        Shape::Group => in_group(count, contacts.size, number),
    }
}

/// One user's part: until all of theirs are contacts; then they are settled and say yes to those who
/// ask, until the phase begins.
pub(crate) async fn befriend(
    connection: &mut Connection,
    number: u32,
    until: usize,
    world: &World,
) -> Result<(), Failure> {
    let contacts = world.contacts_of(number);
    let mut circle = Circle::new(contacts.iter().map(|&contact| world.bare_jid(contact)));
    let begun = world.stage.at(until);
    tokio::pin!(begun);
    connection.send(ASK.as_bytes()).await?;
    let mut settled = false;
    loop {
        if circle.is_complete() && !settled {
            settled = true;
            if !world.stage.settle(until) {
                return Ok(());
            }
        }
        let turned = tokio::select! {
            turned = connection.turn(|stanza, out| circle.hear(stanza, out)) => turned,
            () = &mut begun => break,
        };
        let refused = circle.refused.take().map(Failure::NoContact);
        if let Some(failure) = turned.err().or(refused) {
            if settled {
                world.stage.lose(until);
            }
            return Err(failure);
        }
    }
    let missing = circle.missing.len() as u64;
    world
        .ledger
        .problem("somebody did not become a contact in time", missing);
    Ok(())
}

/// Asks for the roster (RFC 6121 §2.2).
const ASK: &str = "<iq type='get' id='before'><query xmlns='jabber:iq:roster'/></iq>";

/// Those who are to be somebody's contacts.
#[derive(Debug)]
struct Circle {
    /// Who is not yet.
    missing: BTreeSet<String>,
    /// Who of them was not asked yet, since the roster came.
    unasked: BTreeSet<String>,
    /// Whether the roster has come.
    known: bool,
    /// Why a contact was not taken.
    refused: Option<String>,
}

impl Circle {
    fn new(contacts: impl Iterator<Item = String>) -> Circle {
        Circle {
            missing: contacts.collect(),
            unasked: BTreeSet::new(),
            known: false,
            refused: None,
        }
    }

    fn is_complete(&self) -> bool {
        self.known && self.missing.is_empty()
    }

    /// Takes note of a stanza and says what is to be said.
    fn hear(&mut self, stanza: &Element, out: &mut BytesMut) {
        let kind = stanza.plain_attr("type");
        match (stanza.name(), kind) {
            ("presence", Some("subscribe")) => {
                let from = stanza.attr("from").unwrap_or_default();
                let yes = format!(
                    "<presence to='{}' type='subscribed'/>",
                    xml::escape_attr(&from)
                );
                out.extend_from_slice(yes.as_bytes());
                // They wait for our question, whoever else is before them.
                if self.unasked.remove(&*from) {
                    ask("asked-", &from, out);
                }
            }
            ("iq", Some("error")) => self.refused = Some(crate::client::condition(stanza)),
            ("iq", Some("result" | "set")) => {
                self.read(stanza);
                let id = stanza.plain_attr("id").unwrap_or_default();
                let mut room = usize::from(id.starts_with(IN_TURN));
                if id == "before" && !self.known {
                    self.known = true;
                    self.unasked.clone_from(&self.missing);
                    room = AT_ONCE;
                }
                for _ in 0..room {
                    if let Some(next) = self.unasked.pop_first() {
                        ask(IN_TURN, &next, out);
                    }
                }
            }
            _ => {}
        }
    }

    /// Who sees whom now, of a roster or a push.
    fn read(&mut self, stanza: &Element) {
        let Some(Ok(query)) = stanza.child("query", ROSTER).map(|query| query.tree()) else {
            return;
        };
        for item in query.children_named("item", ROSTER) {
            if item.attr("subscription") == Some("both") {
                let contact = item.attr("jid").unwrap_or_default();
                self.missing.remove(contact);
                self.unasked.remove(contact);
            }
        }
    }
}

/// Puts somebody into the roster and asks to see their presence.
fn ask(id: &str, contact: &str, out: &mut BytesMut) {
    let (name, _) = contact.split_once('@').unwrap_or((contact, ""));
    let (name, to) = (xml::escape_attr(name), xml::escape_attr(contact));
    let ask = format!(
        "<iq type='set' id='{id}{name}'><query xmlns='{ROSTER}'><item jid='{to}' \
         name='Contact {name}'><group>Friends</group></item></query></iq>\
         <presence to='{to}' type='subscribe'/>"
    );
    out.extend_from_slice(ask.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_the_contact_of_their_contacts() {
        for count in [1, 2, 3, 4, 7, 60] {
            for of in [&|n| in_ring(count, 3, n) as BTreeSet<u32>, &|n| {
                in_group(count, 3, n)
            }] as [&dyn Fn(u32) -> BTreeSet<u32>; 2]
            {
                for number in 0..count {
                    let contacts = of(number);
                    assert!(!contacts.contains(&number));
                    for contact in contacts {
                        assert!(contact < count);
                        assert!(of(contact).contains(&number), "{number} {contact}/{count}");
                    }
                }
            }
        }
        assert_eq!(in_ring(60, 25, 0).len(), 50);
        assert_eq!(in_ring(60, 1, 0), BTreeSet::from([1, 59]));
        assert_eq!(in_group(25, 10, 12).len(), 9);
        assert_eq!(in_group(25, 10, 24), BTreeSet::from([20, 21, 22, 23]));
    }

    fn hear(circle: &mut Circle, stanza: &str) -> String {
        let mut out = BytesMut::new();
        circle.hear(
            &Element::parse_in(stanza.as_bytes(), crate::client::CLIENT).expect("well-formed"),
            &mut out,
        );
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn only_those_who_are_missing_are_asked() {
        let mut circle = Circle::new(["a@x", "b@x"].map(str::to_owned).into_iter());
        assert!(!circle.is_complete());
        let said = hear(
            &mut circle,
            "<iq type='result' id='before'><query xmlns='jabber:iq:roster'>\
             <item jid='a@x' subscription='both'/><item jid='b@x' subscription='to'/></query></iq>",
        );
        assert!(!said.contains("a@x"), "{said}");
        assert!(said.contains("<item jid='b@x' name='Contact b'>"), "{said}");
        assert!(
            said.contains("<presence to='b@x' type='subscribe'/>"),
            "{said}"
        );
        assert!(!circle.is_complete());

        let yes = hear(&mut circle, "<presence from='b@x' type='subscribe'/>");
        assert_eq!(yes, "<presence to='b@x' type='subscribed'/>");
        let push = "<iq type='set' id='p'><query xmlns='jabber:iq:roster'>\
                    <item jid='b@x' subscription='both'/></query></iq>";
        assert_eq!(hear(&mut circle, push), "");
        assert!(circle.is_complete());
        assert!(circle.refused.is_none());
    }

    #[test]
    fn few_are_asked_at_a_time_and_those_who_ask_at_once() {
        let mut circle = Circle::new((0..9).map(|n| format!("c{n}@x")));
        let asked = |said: &str| said.matches("<item ").count();
        // Nobody is asked before it is known who is a contact already.
        let said = hear(&mut circle, "<presence from='c8@x' type='subscribe'/>");
        assert_eq!(asked(&said), 0);
        let roster = "<iq type='result' id='before'><query xmlns='jabber:iq:roster'/></iq>";
        assert_eq!(asked(&hear(&mut circle, roster)), AT_ONCE);
        for (contact, count) in [("c8@x", 1), ("c8@x", 0), ("c0@x", 0)] {
            let asks = format!("<presence from='{contact}' type='subscribe'/>");
            assert_eq!(asked(&hear(&mut circle, &asks)), count, "{contact}");
        }
        // Those are outside of turns.
        let kept = "<iq type='result' id='asked-c8'/>";
        assert_eq!(asked(&hear(&mut circle, kept)), 0);
        let kept = "<iq type='result' id='turn-c0'/>";
        assert_eq!(asked(&hear(&mut circle, kept)), 1);
    }

    #[test]
    fn a_refusal_is_told_by_its_condition() {
        let mut circle = Circle::new(["a@x".to_owned()].into_iter());
        hear(
            &mut circle,
            "<iq type='error' id='a'><error type='wait'>\
             <resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
        );
        assert_eq!(circle.refused.as_deref(), Some("resource-constraint"));
    }
}
