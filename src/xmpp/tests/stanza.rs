//! Stanzas: what is forwarded is what was received.

use bytes::BytesMut;
use xml::{Element, Event, Framer, Limits, Tree};
use xmpp::{
    BareJid, Condition, FullJid, IqType, Jid, Kind, MessageType, PresenceType, Rejected, Stanza,
    StanzaError, StreamCondition, ns,
};

fn romeo() -> FullJid {
    FullJid::new("romeo@montague.lit/orchard").unwrap()
}

/// A stanza of Romeo's session, received on a stream whose header declares more than it must.
fn received(stanza: &str) -> Result<Stanza, Rejected> {
    received_on(
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' \
         xmlns:out='urn:out' xmlns:unused='urn:unused' version='1.0'>",
        stanza,
    )
}

fn received_on(header: &str, stanza: &str) -> Result<Stanza, Rejected> {
    let mut framer = Framer::new(Limits::default());
    let mut buf = BytesMut::from(format!("{header}{stanza}").as_bytes());
    let header = framer.next(&mut buf).unwrap();
    assert!(matches!(header, Some(Event::Header(_))));
    match framer.next(&mut buf).unwrap() {
        Some(Event::Element(element)) => Stanza::read(element, Some(&romeo())),
        other => panic!("{stanza}: {other:?}"),
    }
}

fn wire(stanza: &Stanza) -> String {
    String::from_utf8(stanza.to_bytes().to_vec()).unwrap()
}

fn same(stanza: &Stanza, expected: &str) {
    let got = wire(stanza);
    let tree: Tree = got.parse().unwrap_or_else(|e| panic!("{got}: {e}"));
    assert_eq!(tree, expected.parse().unwrap(), "{got}");
}

#[test]
fn payload_bytes_travel_untouched() {
    let payload = "<body >a &#x26; b</body ><!x".replace("<!x", "<![CDATA[<&>]]>")
        + " \n<x xmlns=\"urn:x\" a = \"'\"/>";
    let stanza = received(&format!(
        "<message to='Juliet@capulet.lit' id='1'>{payload}</message>"
    ));
    assert_eq!(
        wire(&stanza.unwrap()),
        format!(
            "<message from='romeo@montague.lit/orchard' to='juliet@capulet.lit' id='1'>{payload}</message>"
        )
    );
}

#[test]
fn declarations_and_foreign_attributes_of_the_tag_are_kept() {
    let stanza = received(
        "<message xmlns:p='urn:p' p:a='1' to='b@c' b=\"'\"><p:x/><p:y xmlns:p='urn:q'/></message>",
    )
    .unwrap();
    assert_eq!(
        wire(&stanza),
        "<message from='romeo@montague.lit/orchard' to='b@c' xmlns:p='urn:p' p:a='1' b=\"'\">\
         <p:x/><p:y xmlns:p='urn:q'/></message>"
    );
}

#[test]
fn prefixes_of_the_stream_header_are_declared_anew() {
    for stanza in [
        "<message to='b@c'><out:x/></message>",
        "<message to='b@c'><y xmlns='urn:y'><z out:a=''/></y></message>",
        "<message to='b@c' out:a=''/>",
    ] {
        let wire = wire(&received(stanza).unwrap());
        assert!(wire.contains(" xmlns:out='urn:out'"), "{wire}");
        assert!(!wire.contains("unused"), "{wire}");
        wire.parse::<Tree>().unwrap();
    }
    let shadowed = received("<message to='b@c' xmlns:out='urn:own'><out:x/></message>").unwrap();
    assert!(!wire(&shadowed).contains("urn:out"), "{}", wire(&shadowed));
}

#[test]
fn another_default_namespace_of_the_stream_is_declared_anew() {
    let stanza = received_on(
        "<stream xmlns='http://etherx.jabber.org/streams' xmlns:c='jabber:client'>",
        "<c:message to='b@c'><c:body>x</c:body><odd/></c:message>",
    )
    .unwrap();
    same(
        &stanza,
        "<message from='romeo@montague.lit/orchard' to='b@c'><body>x</body>\
         <odd xmlns='http://etherx.jabber.org/streams'/></message>",
    );
    let appended = stanza.edit().append("<thread>1</thread>".into()).done();
    same(
        &appended,
        "<message from='romeo@montague.lit/orchard' to='b@c'><body>x</body>\
         <odd xmlns='http://etherx.jabber.org/streams'/><thread>1</thread></message>",
    );
    let error = stanza.error(Condition::ServiceUnavailable).unwrap();
    assert_eq!(
        error.stanza_error().unwrap().condition,
        Condition::ServiceUnavailable
    );
}

#[test]
fn the_head() {
    let stanza = received(
        "<iq type='get' id='a&amp;b' to='juliet@capulet.lit/balcony' xml:lang='it'>\
         <ping xmlns='urn:xmpp:ping'/></iq>",
    )
    .unwrap();
    assert_eq!(stanza.kind(), Kind::Iq(IqType::Get));
    assert_eq!(stanza.id(), Some("a&b"));
    assert_eq!(stanza.lang(), Some("it"));
    assert_eq!(stanza.to().unwrap(), &"juliet@capulet.lit/balcony");
    assert_eq!(stanza.from().unwrap(), &"romeo@montague.lit/orchard");
    assert_eq!(stanza.payload().unwrap().ns(), ns::PING);
    same(
        &stanza,
        "<iq type='get' id='a&amp;b' from='romeo@montague.lit/orchard' xml:lang='it' \
         to='juliet@capulet.lit/balcony'><ping xmlns='urn:xmpp:ping'/></iq>",
    );
}

#[test]
fn the_language_of_the_stream_goes_along() {
    let header = "<stream:stream xmlns='jabber:client' xml:lang='de' \
                  xmlns:stream='http://etherx.jabber.org/streams'>";
    let plain = received_on(header, "<message to='a@b'><body>x</body></message>").unwrap();
    assert_eq!(plain.lang(), Some("de"));
    assert!(wire(&plain).contains("xml:lang='de'"));
    let own = received_on(header, "<message to='a@b' xml:lang='en'/>").unwrap();
    assert_eq!(own.lang(), Some("en"));
    assert!(!wire(&own).contains("'de'"));
}

#[test]
fn a_forged_from_ends_the_stream() {
    for from in [
        "juliet@capulet.lit",
        "romeo@montague.lit/other",
        "montague.lit",
        "@",
        "",
    ] {
        match received(&format!("<message from='{from}' to='a@b'/>")) {
            Err(Rejected::Stream(error)) => {
                assert_eq!(error.condition, StreamCondition::InvalidFrom, "{from}");
            }
            other => panic!("{from}: {other:?}"),
        }
    }
    for from in [
        "romeo@montague.lit",
        "romeo@montague.lit/orchard",
        "Romeo@Montague.lit",
    ] {
        let stanza = received(&format!("<message from='{from}' to='a@b'/>")).unwrap();
        assert_eq!(stanza.from().unwrap(), &"romeo@montague.lit/orchard");
    }
}

#[test]
fn subscriptions_come_from_the_bare_jid() {
    for kind in ["subscribe", "subscribed", "unsubscribe", "unsubscribed"] {
        let stanza = received(&format!("<presence type='{kind}' to='a@b'/>")).unwrap();
        assert_eq!(stanza.from().unwrap(), &"romeo@montague.lit");
    }
    let probe = received("<presence type='probe' to='a@b'/>").unwrap();
    assert_eq!(probe.from().unwrap(), &"romeo@montague.lit/orchard");
}

fn reply(stanza: &str) -> Stanza {
    match received(stanza) {
        Err(Rejected::Reply(reply)) => reply,
        other => panic!("{stanza}: {other:?}"),
    }
}

#[test]
fn a_malformed_to_is_answered() {
    let answer = reply("<message to='a@b@c' id='7'><body>x</body></message>");
    assert_eq!(answer.kind(), Kind::Message(MessageType::Error));
    assert_eq!(answer.to().unwrap(), &"romeo@montague.lit/orchard");
    assert_eq!(answer.from().unwrap(), &"montague.lit");
    assert_eq!(answer.id(), Some("7"));
    let error = answer.stanza_error().unwrap();
    assert_eq!(error.condition, Condition::JidMalformed);
    assert!(answer.child("body", ns::CLIENT).is_some());
    assert!(matches!(
        received("<iq type='result' id='1' to='@'/>"),
        Err(Rejected::Drop(_))
    ));
    assert!(matches!(
        received("<presence type='error' to='@'/>"),
        Err(Rejected::Drop(_))
    ));
}

#[test]
fn malformed_stanzas_are_bad_requests() {
    for stanza in [
        "<iq id='1' to='a@b'><x xmlns='u'/></iq>",
        "<iq id='1' type='subscribe' to='a@b'><x xmlns='u'/></iq>",
        "<iq type='get' to='a@b'><x xmlns='u'/></iq>",
        "<iq type='set' id='1' to='a@b'/>",
        "<iq type='get' id='1' to='a@b'><x xmlns='u'/><y xmlns='u'/></iq>",
        "<presence type='invisible'/>",
        "<presence type='available'/>",
    ] {
        let answer = reply(stanza);
        let error = answer.stanza_error().unwrap();
        assert_eq!(error.condition, Condition::BadRequest, "{stanza}");
        assert!(answer.kind().is_error());
    }
    let odd = received("<message type='unheard-of' to='a@b'/>").unwrap();
    assert_eq!(odd.kind(), Kind::Message(MessageType::Normal));
}

#[test]
fn what_is_no_stanza_ends_the_stream() {
    for (element, condition) in [
        ("<foo/>", StreamCondition::UnsupportedStanzaType),
        (
            "<message xmlns='urn:x'/>",
            StreamCondition::InvalidNamespace,
        ),
    ] {
        match received(element) {
            Err(Rejected::Stream(error)) => assert_eq!(error.condition, condition),
            other => panic!("{element}: {other:?}"),
        }
    }
}

#[test]
fn errors_and_results_are_never_answered() {
    for stanza in [
        "<message type='error' to='a@b'/>",
        "<presence type='error' to='a@b'/>",
        "<iq type='error' id='1' to='a@b'/>",
        "<iq type='result' id='1' to='a@b'/>",
    ] {
        let stanza = received(stanza).unwrap();
        assert!(stanza.error(Condition::ServiceUnavailable).is_none());
    }
}

#[test]
fn an_error_carries_a_short_payload_back() {
    let stanza = received("<iq type='set' id='1' to='a@b'><x xmlns='u' out:b=''/></iq>").unwrap();
    let error = stanza
        .error(StanzaError::new(Condition::NotAllowed).with_text("no <way>"))
        .unwrap();
    same(
        &error,
        "<iq type='error' id='1' from='a@b' to='romeo@montague.lit/orchard'>\
         <x xmlns='u' xmlns:o='urn:out' o:b=''/>\
         <error type='cancel'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
         <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>no &lt;way></text></error></iq>",
    );
    let long = "x".repeat(2000);
    let stanza = received(&format!(
        "<message id='1' to='a@b'><body>{long}</body></message>"
    ));
    let error = stanza.unwrap().error(Condition::Gone).unwrap();
    assert!(error.child("body", ns::CLIENT).is_none());
    assert_eq!(error.id(), Some("1"));
}

#[test]
fn a_stray_error_in_the_payload_is_not_taken_for_ours() {
    let stray = "<error type='auth'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
    let stanza = received(&format!(
        "<message id='1' to='a@b'>{stray}<body>x</body></message>"
    ));
    let error = stanza.unwrap().error(Condition::NotAllowed).unwrap();
    assert_eq!(
        error.stanza_error().unwrap().condition,
        Condition::NotAllowed
    );
    assert_eq!(error.children().count(), 2);
}

#[test]
fn results() {
    let stanza = received("<iq type='get' id='1' to='b'><x xmlns='u'/></iq>").unwrap();
    same(
        &stanza.iq_result("<x xmlns='u' a='1'/>".into()),
        "<iq type='result' id='1' from='b' to='romeo@montague.lit/orchard'><x xmlns='u' a='1'/></iq>",
    );
    let to_account = received("<iq type='get' id='1'><x xmlns='u'/></iq>").unwrap();
    assert_eq!(
        wire(&to_account.iq_result("".into())),
        "<iq to='romeo@montague.lit/orchard' id='1' type='result'/>"
    );
}

#[test]
fn cuts_and_additions() {
    let stanza = received(
        "<message to='a@b'>\n<stanza-id xmlns='urn:xmpp:sid:0' id='forged'/>\n<body>x</body>\
         <stanza-id xmlns='urn:xmpp:sid:0' id='again'/></message>",
    )
    .unwrap();
    let edited = stanza
        .edit()
        .cut_where(|child| child.is("stanza-id", ns::SID))
        .append("<stanza-id xmlns='urn:xmpp:sid:0' id='ours'/>".into())
        .to(BareJid::new("c@d").unwrap())
        .done();
    assert_eq!(
        wire(&edited),
        "<message from='romeo@montague.lit/orchard' to='c@d'>\n\n<body>x</body>\
         <stanza-id xmlns='urn:xmpp:sid:0' id='ours'/></message>"
    );
    assert_eq!(edited.children().count(), 2);
    assert_eq!(
        edited
            .child("stanza-id", ns::SID)
            .unwrap()
            .attr("id")
            .unwrap(),
        "ours"
    );
    let range = stanza.child("body", ns::CLIENT).unwrap().range();
    let twice = edited
        .edit()
        .cut(range)
        .cut_where(|c| c.ns() == ns::SID)
        .done();
    assert_eq!(twice.children().count(), 0);
    assert!(stanza.edit().try_append("<a/><b/>".into()).is_err());
}

#[test]
fn stanzas_of_our_own() {
    let to = Jid::new("juliet@capulet.lit").unwrap();
    let message = Stanza::message(MessageType::Chat)
        .to(to.clone())
        .from(romeo())
        .id("<1>")
        .leaf("body", "a < b")
        .build();
    same(
        &message,
        "<message type='chat' id='&lt;1&gt;' from='romeo@montague.lit/orchard' to='juliet@capulet.lit'>\
         <body>a &lt; b</body></message>",
    );
    let presence = Stanza::presence(PresenceType::Unavailable).to(to).build();
    assert_eq!(
        wire(&presence),
        "<presence to='juliet@capulet.lit' type='unavailable'/>"
    );
    assert_eq!(
        wire(&presence.with_from(romeo())),
        "<presence from='romeo@montague.lit/orchard' to='juliet@capulet.lit' type='unavailable'/>"
    );
}

#[test]
fn every_condition_survives_the_wire() {
    for &condition in Condition::ALL {
        let error = StanzaError::new(condition)
            .with_text("why")
            .with_uri("xmpp:a@b")
            .with_app("<x xmlns='urn:app'/>".into());
        let element = Element::parse(&error.to_bytes()).unwrap();
        assert_eq!(StanzaError::read(element.as_child()), error);
    }
}
