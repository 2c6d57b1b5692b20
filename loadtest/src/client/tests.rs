//! A client and what servers tell it; whole logins are tested against the node.

use clap::Parser;

use super::*;
use crate::arguments::Arguments;

const HEADER: &str = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";

/// Gives `came` to a new client, in pieces; what it says after its first header.
fn told(came: &str) -> Result<String, Failure> {
    let arguments = Arguments::parse_from(["mungo-loadtest", "idle", "--server", "127.0.0.1:5222"]);
    let crowd = Arc::new(arguments.scenario.crowd().clone());
    let (mut bytes, mut out) = (BytesMut::new(), BytesMut::new());
    let mut client = Client::new(&crowd, 3, &mut out);
    out.clear();
    for piece in format!("{HEADER}{came}").as_bytes().chunks(7) {
        bytes.extend_from_slice(piece);
        client.receive(&mut bytes, &mut out, |_, _| {})?;
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn features(mechanism: &str) -> String {
    format!(
        "<stream:features><mechanisms xmlns='{SASL}'><mechanism>PLAIN</mechanism>\
         <mechanism>{mechanism}</mechanism></mechanisms></stream:features>"
    )
}

#[test]
fn it_logs_in_with_what_is_offered() {
    let said = told(&features("SCRAM-SHA-1")).expect("fine");
    // `n,,n=u3,` in Base64.
    assert!(
        said.contains("mechanism='SCRAM-SHA-1'>biwsbj11My"),
        "{said}"
    );
    assert!(matches!(
        told(&features("SCRAM-SHA-512")),
        Err(Failure::NotOffered("SCRAM-SHA-1"))
    ));
}

#[test]
fn refusals_are_told_by_their_condition() {
    let refused = format!(
        "{}<failure xmlns='{SASL}'><not-authorized/></failure>",
        features("SCRAM-SHA-1")
    );
    let failure = told(&refused).expect_err("refused");
    assert_eq!(failure.to_string(), "the login was refused: not-authorized");

    let error =
        "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>";
    let failure = told(error).expect_err("an error");
    assert_eq!(
        failure.to_string(),
        "the server ended the stream: host-unknown"
    );
}

#[test]
fn nonsense_is_no_login() {
    for came in [
        "<presence/>".to_owned(),
        "</stream:stream>".to_owned(),
        "<features>".to_owned() + "&nbsp;",
        format!("{}<success xmlns='{SASL}'/>", features("SCRAM-SHA-1")),
        format!(
            "{}<challenge xmlns='{SASL}'>*</challenge>",
            features("SCRAM-SHA-1")
        ),
    ] {
        assert!(told(&came).is_err(), "{came}");
    }
}

#[test]
fn an_error_of_a_stanza_names_its_condition() {
    let element = Element::parse(
        b"<iq type='error' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>\
          <error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
    )
    .expect("an element");
    assert_eq!(condition(&element), "conflict");
}

#[test]
fn pings_are_answered() {
    let ping = Element::parse(
        b"<iq type='get' id='a&amp;b' from='localhost'><ping xmlns='urn:xmpp:ping'/></iq>",
    );
    let mut out = BytesMut::new();
    assert!(answer_ping(&ping.expect("an element"), &mut out));
    assert_eq!(&out[..], b"<iq type='result' id='a&amp;b' to='localhost'/>");
}

#[test]
fn others_who_are_there_are_counted() {
    let arguments = Arguments::parse_from(["mungo-loadtest", "idle", "--server", "127.0.0.1:5222"]);
    let crowd = Arc::new(arguments.scenario.crowd().clone());
    let mut client = Client::new(&crowd, 3, &mut BytesMut::new());
    for (presence, counts) in [
        ("<presence from='u3@localhost/load'/>", false),
        ("<presence from='u33@localhost/load'/>", true),
        (
            "<presence from='u4@localhost/load' type='unavailable'/>",
            false,
        ),
        ("<presence from='u4@localhost' type='subscribe'/>", false),
        ("<message from='u4@localhost/load'/>", false),
    ] {
        let before = client.presences();
        client.hear_presence(&Element::parse(presence.as_bytes()).expect("an element"));
        assert_eq!(client.presences() > before, counts, "{presence}");
    }
}
