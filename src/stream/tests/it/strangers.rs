//! What may be asked before login (XEP-0077), by whom and how often.

use std::sync::Arc;

use stream::TlsMode;

use crate::peer::{OPEN, Peer, settings};

const ASK: &str = "<iq type='get' id='q'><query xmlns='jabber:iq:register'/></iq>";

/// A stream inside TLS to a server that answers such questions.
fn peer() -> Peer {
    let mut settings = settings(TlsMode::Required);
    settings.login_features = Arc::new(|_| "<register/>".into());
    settings.strangers_may_ask =
        Arc::new(|domain, ns| domain == "localhost" && ns == "jabber:iq:register");
    let mut peer = Peer::new(settings);
    let before = peer.say(OPEN);
    assert!(!before.contains("<register/>"), "not outside TLS: {before}");
    peer.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    let inside = peer.say(OPEN);
    assert!(inside.contains("<register/></stream:features>"), "{inside}");
    peer
}

#[test]
fn questions_are_answered_and_login_goes_on() {
    let mut peer = peer();
    assert_eq!(peer.say(ASK), "<iq id='q' type='result'/>");
    let to = ASK.replace("id='q'", "id='r' to='localhost'");
    assert_eq!(peer.say(&to), "<iq from='localhost' id='r' type='result'/>");
    let answer = peer.say(&crate::peer::plain("", "romeo", "wrong"));
    assert!(answer.contains("<not-authorized/>"), "{answer}");
}

#[test]
fn what_may_not_be_asked_ends_the_stream() {
    let end = "<not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>";
    for stanza in [
        "<iq type='get' id='q'><query xmlns='jabber:iq:roster'/></iq>",
        "<iq type='result' id='q'><query xmlns='jabber:iq:register'/></iq>",
        "<iq type='get' id='q' to='elsewhere'><query xmlns='jabber:iq:register'/></iq>",
        "<iq type='get'><query xmlns='jabber:iq:register'/></iq>",
        "<iq type='get' id='q'/>",
        "<message><query xmlns='jabber:iq:register'/></message>",
    ] {
        let answer = peer().say(stanza);
        assert!(answer.contains(end), "{stanza}: {answer}");
    }
    // Outside TLS it is as if nobody could be asked.
    let mut outside = settings(TlsMode::Required);
    outside.strangers_may_ask = Arc::new(|_, _| true);
    let mut outside = Peer::new(outside);
    outside.say(OPEN);
    assert!(outside.say(ASK).contains(end));
}

#[test]
fn nobody_asks_without_end() {
    let mut peer = peer();
    for _ in 0..9 {
        assert_eq!(peer.say(ASK), "<iq id='q' type='result'/>");
    }
    let end = peer.say(ASK);
    assert!(end.contains("<policy-violation"), "{end}");
}
