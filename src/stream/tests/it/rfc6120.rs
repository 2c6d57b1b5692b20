//! The client's half of RFC 6120 §9.1, with our mechanisms and features.

use stream::TlsMode;

use crate::peer::{OPEN, Peer, ScramClient, settings};

#[test]
fn from_the_first_byte_to_the_bound_resource() {
    let mut peer = Peer::new(settings(TlsMode::Required));

    // Steps 1 to 3: headers and features.
    let answer = peer.say(OPEN);
    let id = |letter: &str| letter.repeat(20);
    assert_eq!(
        answer,
        format!(
            "<?xml version='1.0'?><stream:stream from='localhost' id='{}' version='1.0' xml:lang='en' \
             xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>\
             <stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>",
            id("A")
        )
    );

    // Steps 4 to 8: STARTTLS, a new stream with another id, the mechanisms.
    let answer = peer.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    assert_eq!(answer, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    assert_eq!(peer.shape()[1..], ["Send", "StartTls", "RestartFramer"]);
    let answer = peer.say(&OPEN.replace(" to=", " from='romeo@localhost' to="));
    let (header, features) = answer.split_once("<stream:features>").unwrap();
    assert!(header.contains(" to='romeo@localhost'"), "{header}");
    assert!(!header.contains(&id("A")), "ids are not used twice");
    assert_eq!(
        features,
        "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
         <mechanism>SCRAM-SHA-512-PLUS</mechanism><mechanism>SCRAM-SHA-256-PLUS</mechanism>\
         <mechanism>SCRAM-SHA-1-PLUS</mechanism><mechanism>SCRAM-SHA-512</mechanism>\
         <mechanism>SCRAM-SHA-256</mechanism><mechanism>SCRAM-SHA-1</mechanism>\
         <mechanism>PLAIN</mechanism></mechanisms>\
         <sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-server-end-point'/>\
         <channel-binding type='tls-exporter'/></sasl-channel-binding></stream:features>"
    );

    // Steps 9 to 15: SASL, a new stream, binding.
    let client = ScramClient {
        binding: vec![7; 32],
        ..ScramClient::new("p=tls-exporter", "romeo", "r0m30")
    };
    let (answer, _) = client.run("SCRAM-SHA-256-PLUS", &mut peer);
    assert!(answer.starts_with("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"));
    let answer = peer.say(OPEN);
    assert!(
        answer.ends_with(
            "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>\
             <session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session></stream:features>"
        ),
        "{answer}"
    );

    // Steps 16 and 17.
    let answer = peer.say(
        "<iq id='yhc13a95' type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>balcony</resource></bind></iq>",
    );
    let wanted = "<iq id='yhc13a95' type='result'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>romeo@localhost/balcony</jid></bind></iq>";
    let tree = |text: &str| {
        xml::Element::parse(text.as_bytes())
            .unwrap()
            .tree()
            .unwrap()
    };
    assert_eq!(tree(&answer), tree(wanted));
    let last = peer.trace.last().unwrap();
    assert!(
        last.starts_with("Established(") && last.contains("romeo@localhost/balcony"),
        "{last}"
    );
}

#[test]
fn bytes_sent_before_the_handshake_are_never_used_after_it() {
    let start = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
    for smuggled in ["<presence/>", " ", "<", OPEN] {
        let mut peer = Peer::new(settings(TlsMode::Required));
        peer.say(OPEN);
        let answer = peer.say(&format!("{start}{smuggled}"));
        assert_eq!(answer, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
        assert!(peer.closed, "{smuggled:?}");
        assert_eq!(peer.shape()[1..], ["Send", "StartTls", "Close"]);
    }
}

#[test]
fn what_was_said_in_the_clear_is_forgotten() {
    let mut settings = settings(TlsMode::StartTls);
    settings.domains = std::sync::Arc::new(|domain| ["localhost", "capulet.lit"].contains(&domain));
    let mut peer = Peer::new(settings);
    peer.say(&OPEN.replace("localhost", "capulet.lit"));
    peer.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    let features = peer.say(OPEN);
    assert!(features.contains("from='localhost'"), "{features}");
    assert!(!features.contains("<starttls"), "{features}");
    peer.say(&crate::peer::plain("", "romeo", "r0m30"));
    assert_eq!(
        peer.machine.account().map(|a| a.as_str()),
        Some("romeo@localhost")
    );
}

/// RFC 6120 §4.3.2: what is shown after login depends on who logged in, and where.
#[test]
fn the_domain_adds_features_of_its_own_after_login() {
    let mut settings = settings(TlsMode::Direct);
    settings.features =
        std::sync::Arc::new(|domain| format!("<x xmlns='urn:of:{domain}'/>").into());
    let mut peer = Peer::opened_with(settings);
    peer.say(&crate::peer::plain("", "romeo", "r0m30"));
    let features = peer.say(OPEN);
    assert!(
        features.ends_with("<x xmlns='urn:of:localhost'/></stream:features>"),
        "{features}"
    );
}

#[test]
fn starttls_where_it_is_not_offered_ends_the_stream() {
    let start = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
    let refused = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>";
    for mode in [TlsMode::Off, TlsMode::Direct] {
        let mut peer = Peer::opened_with(settings(mode));
        assert_eq!(peer.say(start), refused);
        assert!(peer.closed);
    }
    let mut peer = Peer::logged_in();
    assert_eq!(peer.say(start), refused);
    // Not in the middle of a login either.
    let mut peer = Peer::opened_with(settings(TlsMode::StartTls));
    peer.say(&crate::peer::auth("SCRAM-SHA-256", "n,,n=romeo,r=x"));
    assert_eq!(peer.say(start), refused);
}
