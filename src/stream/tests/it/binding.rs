//! Resource binding: RFC 6120 §7.

use xmpp::{Condition, StanzaError};

use crate::peer::{Peer, plain, stream_error};

fn bind(inside: &str) -> String {
    format!(
        "<iq type='set' id='b&amp;1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>{inside}</bind></iq>"
    )
}

fn is_error(answer: &str, condition: &str, kind: &str) -> bool {
    let tree = xml::Element::parse(answer.as_bytes())
        .unwrap()
        .tree()
        .unwrap();
    let error = tree.child("error", "jabber:client").unwrap();
    tree.attr("type") == Some("error")
        && tree.attr("id") == Some("b&1")
        && error.attr("type") == Some(kind)
        && error
            .child(condition, "urn:ietf:params:xml:ns:xmpp-stanzas")
            .is_some()
}

#[test]
fn resources_made_and_chosen() {
    for (inside, jid) in [
        ("", "romeo@localhost/made"),
        ("<resource/>", "romeo@localhost/made"),
        ("<resource></resource>", "romeo@localhost/made"),
        ("<resource>orchard</resource>", "romeo@localhost/orchard"),
        (
            "<resource>a&lt;b&amp;&apos;c/d@e</resource>",
            "romeo@localhost/a<b&'c/d@e",
        ),
    ] {
        let mut peer = Peer::logged_in();
        let answer = peer.say(&bind(inside));
        let tree = xml::Element::parse(answer.as_bytes())
            .unwrap()
            .tree()
            .unwrap();
        let bound = tree
            .child("bind", "urn:ietf:params:xml:ns:xmpp-bind")
            .unwrap();
        assert_eq!(tree.attr("type"), Some("result"));
        assert_eq!(tree.attr("id"), Some("b&1"));
        let told = bound
            .child("jid", "urn:ietf:params:xml:ns:xmpp-bind")
            .unwrap()
            .text();
        assert_eq!(told, jid);
        assert_eq!(peer.shape().last(), Some(&"Established"));
    }
}

#[test]
fn a_resource_that_cannot_be_is_a_bad_request() {
    let long = format!("<resource>{}</resource>", "x".repeat(1024));
    let mut peer = Peer::logged_in();
    let answer = peer.say(&bind(&long));
    assert!(is_error(&answer, "bad-request", "modify"), "{answer}");
    assert!(!peer.shape().contains(&"Bind"));
    assert!(
        peer.say(&bind("<resource>short</resource>"))
            .contains("romeo@localhost/short")
    );
}

#[test]
fn refusals_of_the_house_reach_the_client_who_may_try_again() {
    let mut peer = Peer::logged_in();
    peer.bind_errors
        .push_back(StanzaError::new(Condition::Conflict));
    let answer = peer.say(&bind("<resource>x</resource>"));
    assert!(is_error(&answer, "conflict", "cancel"), "{answer}");
    assert!(peer.say(&bind("")).contains("romeo@localhost/made"));
}

#[test]
fn not_for_ever() {
    let mut peer = Peer::logged_in();
    peer.bind_errors
        .extend((0..10).map(|_| StanzaError::new(Condition::ResourceConstraint)));
    for _ in 1..10 {
        let answer = peer.say(&bind(""));
        assert!(is_error(&answer, "resource-constraint", "wait"), "{answer}");
    }
    let last = peer.say(&bind(""));
    assert!(last.ends_with(&stream_error("policy-violation")), "{last}");
    assert!(peer.closed);
}

#[test]
fn nothing_else_goes_before_a_resource_is_bound() {
    for (text, condition) in [
        ("<presence/>", "not-authorized"),
        (
            "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
            "not-authorized",
        ),
        (
            "<iq type='get' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
            "not-authorized",
        ),
        ("<iq type='set' id='1'><bind/></iq>", "not-authorized"),
        ("<enable xmlns='urn:xmpp:sm:3'/>", "not-authorized"),
        (&plain("", "romeo", "r0m30"), "policy-violation"),
    ] {
        let mut peer = Peer::logged_in();
        assert_eq!(peer.say(text), stream_error(condition), "{text}");
        assert!(peer.closed);
    }
}

#[test]
fn a_request_without_id_is_refused_and_can_be_mended() {
    let mut peer = Peer::logged_in();
    let answer = peer.say("<iq type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
    assert!(answer.contains("<bad-request "), "{answer}");
    assert!(peer.say(&bind("")).contains("romeo@localhost/made"));
}
