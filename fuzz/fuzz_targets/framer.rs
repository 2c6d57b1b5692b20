//! Any bytes in any reads: no panic, the same events, and never more held back than the limits say.
#![no_main]

use bytes::BytesMut;
use fuzz::splits::Split;
use libfuzzer_sys::fuzz_target;
use xml::{Element, Event, Framer, Limits};

const LIMITS: Limits = Limits {
    stanza: 400,
    header: 200,
    depth: 5,
    attributes: 4,
    namespaces: 3,
};

const WIDER: Limits = Limits {
    stanza: 800,
    depth: 9,
    ..LIMITS
};

fuzz_target!(|bytes: &[u8]| {
    let whole = events(bytes, Split::Whole);
    for split in Split::ALL {
        let events = events(bytes, split);
        assert_eq!(events, whole, "{split:?}");
    }
});

/// What a framer makes of the bytes, as text.
fn events(bytes: &[u8], split: Split) -> Vec<String> {
    let mut framer = Framer::new(LIMITS);
    let mut buf = BytesMut::new();
    let mut events = Vec::new();
    let mut most = LIMITS.stanza;
    for piece in split.pieces(bytes) {
        buf.extend_from_slice(piece);
        loop {
            match framer.next(&mut buf) {
                Ok(Some(event)) => {
                    events.push(describe(&event));
                    // As negotiation does: a new stream with other limits.
                    if let Event::Element(element) = event
                        && element.name() == "again"
                    {
                        framer.restart();
                        framer.set_limits(WIDER);
                        most = WIDER.stanza;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(framer.next(&mut buf).unwrap_err(), error, "it stays wrong");
                    events.push(error.to_string());
                    return events;
                }
            }
        }
        assert!(buf.len() <= most, "{} bytes are held back", buf.len());
    }
    events
}

fn describe(event: &Event) -> String {
    match event {
        Event::Header(header) => format!(
            "{:?} {} {} {} {:?} {:?}",
            header.bytes(),
            header.name(),
            header.ns(),
            header.default_ns(),
            header.lang(),
            header.declarations().collect::<Vec<_>>(),
        ),
        Event::Element(element) => describe_element(element),
        Event::Close => "close".to_owned(),
    }
}

fn describe_element(element: &Element) -> String {
    let attrs: Vec<_> = element
        .tag()
        .map(|attr| (attr.name(), attr.ns(), attr.value(), attr.range()))
        .collect();
    let children: Vec<_> = element
        .children()
        .map(|child| {
            assert!(child.element().is_ok(), "a child is an element");
            (child.range(), child.name(), child.ns(), child.text())
        })
        .collect();
    format!(
        "{:?} {} {} {:?} {:?} {attrs:?} {children:?} {:?} {:?}",
        element.bytes(),
        element.name(),
        element.ns(),
        element.lang(),
        element.text(),
        element.outer_declarations().collect::<Vec<_>>(),
        element.tree().expect("what was framed can be read"),
    )
}
