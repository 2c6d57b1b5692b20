//! Stream headers to put elements behind.

use bytes::BytesMut;
use xml::{Element, Event, Framer, Limits};

/// As clients and servers write it, with prefixes and a language of its own, and with another
/// default namespace than that of stanzas.
pub const HEADERS: [&str; 3] = [
    "<stream:stream to='localhost' version='1.0' xmlns='jabber:client' \
     xmlns:stream='http://etherx.jabber.org/streams'>",
    "<s:stream xmlns:s='http://etherx.jabber.org/streams' xmlns='jabber:client' xml:lang='de' \
     xmlns:c='jabber:client' xmlns:p='urn:p' xmlns:q='urn:&lt;q&gt;&apos;'>",
    "<stream xmlns='http://etherx.jabber.org/streams' xmlns:c='jabber:client' \
     xmlns:p='urn:p' xmlns:stream='jabber:client'>",
];

/// The first element of `bytes` on a stream that began with `header`.
pub fn first_element(header: &str, bytes: &[u8]) -> Option<Element> {
    let mut framer = Framer::new(Limits::default());
    let mut buf = BytesMut::from(header.as_bytes());
    buf.extend_from_slice(bytes);
    match framer.next(&mut buf) {
        Ok(Some(Event::Header(_))) => {}
        other => panic!("{header}: {other:?}"),
    }
    match framer.next(&mut buf) {
        Ok(Some(Event::Element(element))) => Some(element),
        _ => None,
    }
}
