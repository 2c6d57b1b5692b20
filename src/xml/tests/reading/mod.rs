//! Reads bytes in pieces and writes down what came of it.
#![allow(dead_code)]

use bytes::BytesMut;
use xml::{Element, Event, Framer, Limits};

/// The opening tag of a proper client stream that declares one prefix more than it needs.
pub(crate) const HEAD: &str = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' \
                        xmlns:x='urn:x' xmlns:p='urn:head' to='localhost' version='1.0' xml:lang='de'>";

/// All events of the pieces, each written as a line, and the error that ended them.
pub(crate) fn events<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    limits: Limits,
) -> Vec<String> {
    let mut framer = Framer::new(limits);
    let mut buf = BytesMut::new();
    let mut out = Vec::new();
    for piece in pieces {
        buf.extend_from_slice(piece);
        loop {
            match framer.next(&mut buf) {
                Ok(Some(event)) => out.push(line(&event)),
                Ok(None) => break,
                Err(error) => {
                    out.push(format!("{error:?}"));
                    return out;
                }
            }
        }
    }
    out
}

fn line(event: &Event) -> String {
    match event {
        Event::Header(header) => format!(
            "header {} {} {} {:?} {}",
            header.name(),
            header.ns(),
            header.default_ns(),
            header.lang(),
            String::from_utf8_lossy(header.bytes()),
        ),
        Event::Close => "close".into(),
        Event::Element(element) => describe(element),
    }
}

/// Everything a view can say about an element.
pub(crate) fn describe(element: &Element) -> String {
    let children: Vec<_> = element
        .children()
        .map(|c| {
            let attrs: Vec<_> = c.attrs().collect();
            format!(
                "{} {} {attrs:?} {:?} {:?}",
                c.name(),
                c.ns(),
                c.text(),
                c.range()
            )
        })
        .collect();
    let attrs: Vec<_> = element
        .attrs()
        .map(|a| format!("{}|{}|{}={}", a.name(), a.local_name(), a.ns(), a.value()))
        .collect();
    format!(
        "{} {} {attrs:?} {:?} {:?} [{}] {}",
        element.name(),
        element.ns(),
        element.text(),
        element.outer_declarations().collect::<Vec<_>>(),
        children.join(", "),
        String::from_utf8_lossy(element.bytes())
    )
}
