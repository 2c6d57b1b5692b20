//! Whatever a stanza carries means the same where it arrives.

#[path = "../../xml/tests/generate/mod.rs"]
mod generate;
#[path = "../../xml/tests/reading/mod.rs"]
mod reading;

use bytes::BytesMut;
use proptest::prelude::*;
use xml::{Element, Event, Framer, Limits, Tree};
use xmpp::{Condition, FullJid, Rejected, Stanza};

fn received(stanza: &str) -> Option<Element> {
    let mut buf = BytesMut::from(format!("{}{stanza}", reading::HEAD).as_bytes());
    let mut framer = Framer::new(Limits::default());
    framer.next(&mut buf).unwrap();
    match framer.next(&mut buf) {
        Ok(Some(Event::Element(element))) => Some(element),
        _ => None,
    }
}

/// The element as `receiver` reads it on a stream of its own that declares nothing but the
/// content namespace; only what the head stands for left out.
fn arrived(stanza: &Stanza) -> Tree {
    without_head(Element::parse(&stanza.to_bytes()).unwrap().tree().unwrap())
}

fn without_head(mut tree: Tree) -> Tree {
    tree.attrs.retain(|(ns, name, _)| {
        let head = match ns.as_str() {
            "" => matches!(name.as_str(), "to" | "from" | "id" | "type"),
            ns => ns.ends_with("/namespace") && name == "lang",
        };
        !head
    });
    tree
}

fn tag() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select(vec![
            "xmlns:p='urn:own'",
            "xmlns='jabber:client'",
            "x:foreign='1'",
            "p:foreign=\"'\"",
            "xml:lang='fr'",
            "id=\"a&#10;'b'\"",
            "type='chat'",
            "odd='&lt;\t'",
            "xmlns:w='urn:&amp;'",
        ]),
        0..5,
    )
    .prop_map(|attrs| attrs.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 3000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_forwarded_stanza_means_the_same(
        tag in tag(),
        children in prop::collection::vec(generate::element(), 0..3),
        cut in any::<prop::sample::Index>(),
    ) {
        let content = children.concat();
        let Some(element) = received(&format!("<message to='A@b' {tag}>{content}</message>")) else {
            return Ok(());
        };
        let sender = FullJid::new("romeo@montague.lit/orchard").unwrap();
        let stanza = Stanza::read(element.clone(), Some(&sender)).unwrap();
        let sent = without_head(element.tree().unwrap());
        prop_assert_eq!(&arrived(&stanza), &sent);

        // The bytes between the tags are the very same.
        let wire = stanza.to_bytes();
        let inner = &element.bytes()[element.content()];
        prop_assert!(wire.windows(inner.len().max(1)).any(|w| w == inner) || inner.is_empty());

        // The receiver sees the same head.
        let again = Stanza::read(Element::parse(&wire).unwrap(), None).unwrap();
        prop_assert_eq!(again.kind(), stanza.kind());
        prop_assert_eq!(again.id(), stanza.id());
        prop_assert_eq!(again.lang(), stanza.lang());
        prop_assert_eq!(again.to(), stanza.to());
        prop_assert_eq!(again.from(), stanza.from());

        // Cutting one child leaves the others, appending adds behind them.
        if !children.is_empty() {
            let place = cut.index(stanza.children().count().max(1));
            if let Some(child) = stanza.children().nth(place) {
                let edited = stanza
                    .edit()
                    .cut(child.range())
                    .append("<new xmlns='urn:new'/>".into())
                    .done();
                let mut expected: Vec<Tree> = sent.children().cloned().collect();
                expected.remove(place);
                expected.push("<new xmlns='urn:new'/>".parse().unwrap());
                let got: Vec<Tree> = arrived(&edited).children().cloned().collect();
                prop_assert_eq!(got, expected);
            }
        }

        // An error carries the payload, or nothing of it, and a condition that can be read.
        if let Some(error) = stanza.error(Condition::ItemNotFound) {
            let back = Stanza::read(Element::parse(&error.to_bytes()).unwrap(), None).unwrap();
            prop_assert_eq!(back.stanza_error().unwrap().condition, Condition::ItemNotFound);
            prop_assert_eq!(back.to(), stanza.from());
        }
    }

    #[test]
    fn no_element_panics(xml in generate::spoiled(generate::element())) {
        let names = ["message", "presence", "iq"];
        for name in names {
            let xml = xml.replacen("<a", &format!("<{name}"), 1).replace("</a", &format!("</{name}"));
            if let Some(element) = received(&xml) {
                match Stanza::read(element, None) {
                    Ok(stanza) | Err(Rejected::Reply(stanza)) => {
                        Element::parse(&stanza.to_bytes()).unwrap();
                    }
                    Err(_) => {}
                }
            }
        }
    }
}
