//! Any element on any stream: no panic, what is forwarded is what came, and means what it meant.
#![no_main]

use bytes::Bytes;
use fuzz::streams::{HEADERS, first_element};
use libfuzzer_sys::fuzz_target;
use xml::{Element, Tree};
use xmpp::{Condition, FullJid, Rejected, Stanza, StanzaError};

fuzz_target!(|bytes: &[u8]| {
    let sender = FullJid::new("romeo@localhost/orchard").expect("an address");
    let elements = HEADERS
        .iter()
        .filter_map(|header| first_element(header, bytes))
        .chain(Element::parse(bytes).ok());
    for element in elements {
        for sender in [Some(&sender), None] {
            read(&element, sender);
        }
        let _ = stream::established(element, &["urn:p"]);
    }
});

fn read(element: &Element, sender: Option<&FullJid>) {
    let stanza = match Stanza::read(element.clone(), sender) {
        Ok(stanza) => stanza,
        Err(Rejected::Reply(reply)) => return drop(whole(&reply)),
        Err(Rejected::Stream(error)) => {
            let _ = error.to_bytes();
            return;
        }
        Err(Rejected::Drop(_)) => return,
    };
    if let Some(sender) = sender {
        let from = stanza.from().expect("stamped");
        assert_eq!(from.bare_str(), sender.bare_str());
    }
    let forwarded = whole(&stanza);
    assert_eq!(content(&forwarded), content(element), "not a byte changed");
    assert!(
        trees(&forwarded).eq(trees(element)),
        "{element:?} became {forwarded:?}"
    );
    same_head(&stanza, &forwarded);
    changed(&stanza, element);
    for answer in [
        stanza.error(StanzaError::new(Condition::BadRequest)),
        Some(stanza.iq_result(Bytes::from_static(b"<x xmlns='urn:x'/>"))),
    ] {
        answer.iter().for_each(|answer| drop(whole(answer)));
    }
    let _ = stanza.stanza_error();
}

/// The stanza as it goes on the wire, read by somebody else.
fn whole(stanza: &Stanza) -> Element {
    let bytes = stanza.to_bytes();
    let element = Element::parse(&bytes).unwrap_or_else(|error| panic!("{error}: {bytes:?}"));
    assert!(element.tree().is_ok());
    element
}

fn content(element: &Element) -> Bytes {
    element.bytes().slice(element.content())
}

fn trees(element: &Element) -> impl Iterator<Item = Tree> {
    element
        .children()
        .map(|child| child.tree().expect("framed"))
}

/// Who reads what was forwarded sees the same head.
fn same_head(stanza: &Stanza, forwarded: &Element) {
    let again = Stanza::read(forwarded.clone(), None)
        .unwrap_or_else(|rejected| panic!("{forwarded:?}: {rejected:?}"));
    assert_eq!(again.kind(), stanza.kind());
    assert_eq!(again.to(), stanza.to());
    assert_eq!(again.from(), stanza.from());
    assert_eq!(again.id(), stanza.id());
    assert_eq!(again.lang(), stanza.lang());
    assert_eq!(
        again.to_bytes(),
        stanza.to_bytes(),
        "written as it was written"
    );
}

/// A child is cut out and another appended: the others stay as they are.
fn changed(stanza: &Stanza, element: &Element) {
    let mut edit = stanza.edit();
    if let Some(first) = element.children().next() {
        edit = edit.cut(first.range());
    }
    let added = "<added xmlns='urn:added'/>";
    let edited = whole(&edit.append(Bytes::from_static(added.as_bytes())).done());
    let wanted = trees(element).skip(1).chain(added.parse::<Tree>().ok());
    assert!(trees(&edited).eq(wanted), "{element:?} became {edited:?}");
}
