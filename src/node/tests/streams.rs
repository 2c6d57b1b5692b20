//! Streams from the first byte on: RFC 6120 §4 to §7, against the real node.

mod stage;

use stage::NodeStage;

#[tokio::test]
async fn a_stream_is_opened_encrypted_and_closed() {
    NodeStage::perform(
        "
        Romeo connects
        Romeo: <?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>
        Romeo gets: <stream:stream from='localhost' id='*' version='1.0' xml:lang='en' *>
        Romeo gets:
          <stream:features>
            <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>
          </stream:features>
        Romeo: <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>
        Romeo gets: <proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>
        Romeo starts TLS
        Romeo: <stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>
        Romeo gets: <stream:stream from='localhost' id='*' version='1.0' *>
        Romeo gets:
          <stream:features>
            <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><**/></mechanisms>
            <**/>
          </stream:features>
        Romeo: </stream:stream>
        Romeo gets: </stream:stream>
        Romeo gets the end
        ",
    )
    .await;
}

/// XEP-0115 §6.3, RFC 6121 §2.6.1 and §3.4.
#[tokio::test]
async fn after_login_the_stream_shows_what_the_server_can_do() {
    NodeStage::perform(
        "
        Phone is romeo@localhost/phone
        Phone logs in
        Romeo connects with TLS
        Romeo: <stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>
        Romeo gets: <stream:stream *>
        Romeo gets: <stream:features><**/></stream:features>
        Romeo: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AHJvbWVvAHdoZXJlZm9yZSBhcnQgdGhvdQ==</auth>
        Romeo gets: <success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>
        Romeo: <stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>
        Romeo gets: <stream:stream *>
        Romeo gets:
          <stream:features>
            <bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>
            <session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session>
            <c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:x-mungo' ver='*'/>
            <sub xmlns='urn:xmpp:features:pre-approval'/>
            <ver xmlns='urn:xmpp:features:rosterver'/>
          </stream:features>
        ",
    )
    .await;
}

#[tokio::test]
async fn what_is_sent_before_the_handshake_is_not_used_after_it() {
    NodeStage::perform(
        "
        Mallory connects
        Mallory: <stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>
        Mallory gets: <stream:stream *>
        Mallory gets: <stream:features><**/></stream:features>
        Mallory: <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYQ==</auth>
        Mallory gets: <proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>
        Mallory gets the end
        ",
    )
    .await;
}

#[tokio::test]
async fn wrong_stream_headers_get_the_error_that_says_so() {
    for (header, error) in [
        (
            "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='verona.lit' version='1.0'>",
            "host-unknown",
        ),
        (
            "<stream:stream xmlns='jabber:client' xmlns:stream='http://wrong.example/' to='localhost' version='1.0'>",
            "invalid-namespace",
        ),
        (
            "<stream:stream xmlns='jabber:wrong' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>",
            "invalid-namespace",
        ),
        (
            "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost'>",
            "unsupported-version",
        ),
        (
            "<?xml version='1.0' encoding='ISO-8859-1'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>",
            "unsupported-encoding",
        ),
        (
            "<!DOCTYPE x><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>",
            "restricted-xml",
        ),
        ("GET / HTTP/1.1", "not-well-formed"),
    ] {
        NodeStage::perform(&format!(
            "
            Mallory connects
            Mallory: {header}
            Mallory gets: <stream:stream *>
            Mallory gets: <stream:error><{error} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><**/></stream:error>
            Mallory gets: </stream:stream>
            Mallory gets the end
            "
        ))
        .await;
    }
}

#[tokio::test]
async fn nobody_sends_a_stanza_before_login() {
    NodeStage::perform(
        "
        Mallory connects with TLS
        Mallory: <stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>
        Mallory gets: <stream:stream *>
        Mallory gets: <stream:features><**/></stream:features>
        Mallory: <message to='romeo@localhost'><body>x</body></message>
        Mallory gets: <stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><**/></stream:error>
        Mallory gets: </stream:stream>
        Mallory gets the end
        ",
    )
    .await;
}

#[tokio::test]
async fn a_wrong_password_may_be_tried_again_but_not_for_ever() {
    NodeStage::perform(
        "
        Mallory connects with TLS
        Mallory: <stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>
        Mallory gets: <stream:stream *>
        Mallory gets: <stream:features><**/></stream:features>
        Mallory: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AHJvbWVvAHdyb25n</auth>
        Mallory gets: <failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>
        Mallory: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='NONESUCH'/>
        Mallory gets: <failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><invalid-mechanism/></failure>
        Mallory: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>not base64!</auth>
        Mallory gets: <failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><incorrect-encoding/></failure>
        Mallory: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AHJvbWVvAHdyb25n</auth>
        Mallory gets: <failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>
        Mallory gets: <stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><**/></stream:error>
        Mallory gets: </stream:stream>
        Mallory gets the end
        ",
    )
    .await;
}

#[tokio::test]
async fn broken_xml_after_login_ends_the_stream_and_nobody_elses() {
    NodeStage::perform(
        "
        Juliet logs in
        Romeo logs in
        Romeo: <message to='juliet@localhost/play'><body></message>
        Romeo gets: <stream:error><not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><**/></stream:error>
        Romeo gets: </stream:stream>
        Romeo gets the end
        Juliet gets nothing
        ",
    )
    .await;
}
