//! What may come after negotiation.

use stream::{Inbound, established};

fn sort(text: &str) -> String {
    let element = xml::Element::parse(text.as_bytes()).unwrap();
    match established(element, &["urn:xmpp:csi:0"]) {
        Ok(Inbound::Stanza(_)) => "stanza".to_owned(),
        Ok(Inbound::Nonza(_)) => "nonza".to_owned(),
        Ok(Inbound::PeerError(_)) => "their error".to_owned(),
        Ok(Inbound::Answer(bytes)) => String::from_utf8(bytes.to_vec()).unwrap(),
        Err(error) => error.condition.to_string(),
    }
}

#[test]
fn every_element_has_its_place() {
    for (text, wanted) in [
        ("<message/>", "stanza"),
        ("<presence type='unavailable'/>", "stanza"),
        (
            "<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>",
            "stanza",
        ),
        (
            "<iq type='set' id='1'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>",
            "stanza",
        ),
        ("<active xmlns='urn:xmpp:csi:0'/>", "nonza"),
        ("<enable xmlns='urn:xmpp:sm:3'/>", "unsupported-stanza-type"),
        ("<massage/>", "unsupported-stanza-type"),
        ("<message xmlns='urn:x'/>", "unsupported-stanza-type"),
        ("<message xmlns='jabber:server'/>", "invalid-namespace"),
        ("<iq xmlns=''/>", "invalid-namespace"),
        (
            "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
            "policy-violation",
        ),
        (
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>",
            "policy-violation",
        ),
        (
            "<error xmlns='http://etherx.jabber.org/streams'/>",
            "their error",
        ),
    ] {
        assert_eq!(sort(text), wanted, "{text}");
    }
}

#[test]
fn one_resource_a_stream() {
    let answer =
        sort("<iq type='set' id='2'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
    assert!(
        answer.contains("type='error'") && answer.contains("<not-allowed "),
        "{answer}"
    );
}
