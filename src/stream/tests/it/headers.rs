//! RFC 6120 §4.7 to §4.9.

use stream::{Input, TlsMode};
use xmpp::StreamCondition;

use crate::peer::{OPEN, Peer, settings, stream_error};

const START: &str = "<?xml version='1.0'?><stream:stream from='localhost'";
const REST: &str = "version='1.0' xml:lang='en' xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams'>";

fn header(attributes: &str) -> String {
    format!("<stream:stream {attributes} xmlns:stream='http://etherx.jabber.org/streams'>")
}

/// Answers a header, and says which stream error follows ours, if any.
fn error_after(text: &str) -> Option<String> {
    let mut peer = Peer::new(settings(TlsMode::StartTls));
    let answer = peer.say(text);
    assert!(answer.starts_with(START), "{answer}");
    let (_, rest) = answer.split_once(REST).expect(&answer);
    assert_eq!(peer.closed, rest.ends_with("</stream:stream>"), "{answer}");
    let (_, error) = rest.split_once("<stream:error><")?;
    Some(error.split([' ', '/']).next().unwrap().to_owned())
}

#[test]
fn a_good_header_is_answered_in_full() {
    let mut peer = Peer::new(settings(TlsMode::StartTls));
    let answer = peer.say(&header(
        "from='Romeo@localhost/orchard' to='LOCALHOST' version='1.0' xml:lang='de' xmlns='jabber:client'",
    ));
    let wanted = format!(
        "{START} to='romeo@localhost' id='{}' {REST}<stream:features>",
        "A".repeat(20)
    );
    assert!(answer.starts_with(&wanted), "{answer}");
    assert_eq!(peer.machine.lang(), Some("de"));
    assert!(!peer.closed);
}

#[test]
fn headers_that_are_refused() {
    for (attributes, error) in [
        ("to='localhost' version='1.0' xmlns='jabber:client'", None),
        ("to='localhost' version='1.1' xmlns='jabber:client'", None),
        ("to='localhost' version='2.0' xmlns='jabber:client'", None),
        (
            "from='@@' to='localhost' version='1.0' xmlns='jabber:client'",
            None,
        ),
        (
            "to='localhost' version='1.0' xmlns='jabber:server'",
            Some("invalid-namespace"),
        ),
        ("to='localhost' version='1.0'", Some("invalid-namespace")),
        (
            "to='localhost' xmlns='jabber:client'",
            Some("unsupported-version"),
        ),
        (
            "to='localhost' version='0.9' xmlns='jabber:client'",
            Some("unsupported-version"),
        ),
        (
            "to='localhost' version='one' xmlns='jabber:client'",
            Some("unsupported-version"),
        ),
        (
            "version='1.0' xmlns='jabber:client'",
            Some("improper-addressing"),
        ),
        (
            "to='' version='1.0' xmlns='jabber:client'",
            Some("improper-addressing"),
        ),
        (
            "to='@@' version='1.0' xmlns='jabber:client'",
            Some("improper-addressing"),
        ),
        (
            "to='elsewhere' version='1.0' xmlns='jabber:client'",
            Some("host-unknown"),
        ),
        (
            "to='a@localhost' version='1.0' xmlns='jabber:client'",
            Some("host-unknown"),
        ),
        (
            "to='localhost/x' version='1.0' xmlns='jabber:client'",
            Some("host-unknown"),
        ),
    ] {
        assert_eq!(
            error_after(&header(attributes)).as_deref(),
            error,
            "{attributes}"
        );
    }
}

#[test]
fn what_is_no_header_is_answered_by_ours_and_an_error() {
    let streams = "xmlns:stream='http://etherx.jabber.org/streams'";
    let client = "to='localhost' version='1.0' xmlns='jabber:client'";
    for (text, error) in [
        (
            format!("<stream:stream {client} xmlns:stream='urn:x'>"),
            "invalid-namespace",
        ),
        (format!("<stream {client}>"), "invalid-namespace"),
        (format!("<stream:flow {client} {streams}>"), "bad-format"),
        (format!("<stream:stream {client}>"), "bad-namespace-prefix"),
        ("GET / HTTP/1.1\r\n".to_owned(), "not-well-formed"),
        (
            "<?xml version='1.0' encoding='latin1'?>".to_owned(),
            "unsupported-encoding",
        ),
        ("<!DOCTYPE x>".to_owned(), "restricted-xml"),
        (
            format!("<stream:stream a='{}", "x".repeat(1100)),
            "policy-violation",
        ),
    ] {
        assert_eq!(error_after(&text).as_deref(), Some(error), "{text}");
    }
}

#[test]
fn whatever_the_prefix() {
    let text = "<s:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams'>";
    assert_eq!(error_after(text), None);
}

#[test]
fn white_space_keeps_alive_and_a_closing_tag_is_answered() {
    let mut peer = Peer::opened();
    assert_eq!(peer.say(" \n \t "), "");
    assert!(!peer.closed);
    assert_eq!(peer.say("</stream:stream>"), "</stream:stream>");
    assert!(peer.closed);
}

#[test]
fn the_clients_stream_error_ends_the_stream() {
    let mut peer = Peer::opened();
    let error = "<stream:error><undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>";
    assert_eq!(peer.say(error), "</stream:stream>");
    assert!(peer.closed);
}

#[test]
fn a_deadline_before_the_header_still_sends_ours() {
    let mut peer = Peer::new(settings(TlsMode::StartTls));
    peer.input(Input::Close(StreamCondition::ConnectionTimeout.into()));
    let answer = peer.say("");
    assert!(answer.starts_with(START), "{answer}");
    assert!(
        answer.ends_with(&stream_error("connection-timeout")),
        "{answer}"
    );
    assert!(peer.closed);
    peer.input(Input::Close(StreamCondition::SystemShutdown.into()));
    assert_eq!(peer.say(OPEN), "", "silent after the end");
}

#[test]
fn after_login_the_header_must_fit_the_account() {
    for (attributes, error) in [
        ("to='localhost'", None),
        ("to='localhost' from='romeo@localhost'", None),
        ("to='localhost' from='ROMEO@localhost/orchard'", None),
        (
            "to='localhost' from='juliet@localhost'",
            Some("invalid-from"),
        ),
        ("to='localhost' from='@@'", Some("invalid-from")),
        ("to='capulet.lit'", Some("host-unknown")),
    ] {
        let mut settings = settings(TlsMode::Direct);
        settings.domains =
            std::sync::Arc::new(|domain| ["localhost", "capulet.lit"].contains(&domain));
        let mut peer = Peer::opened_with(settings);
        peer.say(&crate::peer::plain("", "romeo", "r0m30"));
        let answer = peer.say(&header(&format!(
            "{attributes} version='1.0' xmlns='jabber:client'"
        )));
        assert!(answer.starts_with(START), "{answer}");
        match error {
            None => assert!(answer.contains("<bind "), "{answer}"),
            Some(error) => assert!(answer.ends_with(&stream_error(error)), "{answer}"),
        }
    }
}
