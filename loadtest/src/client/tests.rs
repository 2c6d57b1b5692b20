//! A client and what servers tell it; whole logins are tested against the node.

use super::*;
use crate::scenario::Target;

const HEADER: &str = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";

/// A client of `u3@localhost`, and what it says first.
fn client() -> (Client, BytesMut) {
    let place = Place::find(&Target::default(), false, &[]).expect("this machine");
    let mut out = BytesMut::new();
    (Client::new(&place, "u3", &mut out), out)
}

/// Gives `came` to a new client in pieces, which logs in as soon as it may; what it says after its first
/// header.
fn told(came: &str) -> Result<String, Failure> {
    let (mut client, mut out) = client();
    let mut bytes = BytesMut::new();
    out.clear();
    for piece in format!("{HEADER}{came}").as_bytes().chunks(7) {
        bytes.extend_from_slice(piece);
        client.receive(&mut bytes, &mut out, |_, _| {})?;
        if matches!(client.step, Step::Greeted(_)) {
            client.authenticate("pw", &mut out)?;
        }
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
    let (mut client, _) = client();
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

#[test]
fn an_account_is_made_before_the_login_unless_it_is_there() {
    let answered = |answer: &str| {
        let (mut client, mut out) = client();
        let mut bytes = BytesMut::from(format!("{HEADER}{}", features("SCRAM-SHA-1")).as_bytes());
        client.receive(&mut bytes, &mut out, |_, _| {})?;
        client.register("p<w", &mut out)?;
        let said = String::from_utf8_lossy(&out).into_owned();
        assert!(
            said.contains("<username>u3</username><password>p&lt;w</password>"),
            "{said}"
        );
        assert!(client.is_waiting());
        bytes.extend_from_slice(answer.as_bytes());
        client.receive(&mut bytes, &mut out, |_, _| {})?;
        assert!(!client.is_waiting());
        client.authenticate("p<w", &mut out)
    };
    let refused = |condition: &str| {
        format!(
            "<iq type='error' id='register'><error type='cancel'>\
             <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        )
    };
    assert!(answered("<iq type='result' id='register'/>").is_ok());
    assert!(answered(&refused("conflict")).is_ok());
    let failure = answered(&refused("not-allowed")).expect_err("refused");
    assert_eq!(
        failure.to_string(),
        "the registration was refused: not-allowed"
    );
}

#[test]
fn tls_begins_when_it_is_offered_and_taken() {
    let (mut client, mut out) = client();
    let features =
        "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>";
    let mut bytes = BytesMut::from(format!("{HEADER}{features}").as_bytes());
    assert!(client.ask_for_tls(&mut out).is_err(), "too early");
    client
        .receive(&mut bytes, &mut out, |_, _| {})
        .expect("fine");
    client.ask_for_tls(&mut out).expect("offered");
    assert!(client.is_waiting());
    bytes.extend_from_slice(b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    client
        .receive(&mut bytes, &mut out, |_, _| {})
        .expect("fine");
    assert!(!client.is_waiting());
    out.clear();
    client.is_secure(&mut out);
    assert!(out.starts_with(b"<stream:stream"));
}

/// A client that was offered these features.
fn offered(features: &str) -> (Client, BytesMut, BytesMut) {
    let (mut client, mut out) = client();
    let mut bytes = BytesMut::from(format!("{HEADER}{features}").as_bytes());
    let received = client.receive(&mut bytes, &mut out, |_, _| {});
    received.expect("features");
    out.clear();
    (client, bytes, out)
}

#[test]
fn accounts_are_made_before_the_login() {
    let register = |answer: &str| {
        let (mut client, mut bytes, mut out) = offered(&features("SCRAM-SHA-1"));
        client.register("a<b", &mut out).expect("it is time");
        assert!(client.is_waiting());
        let said = String::from_utf8_lossy(&out).into_owned();
        let wanted = "<username>u3</username><password>a&lt;b</password>";
        assert!(said.contains(wanted), "{said}");
        bytes.extend_from_slice(answer.as_bytes());
        client.receive(&mut bytes, &mut out, |_, _| {})?;
        assert!(!client.is_waiting());
        client.authenticate("a<b", &mut out)
    };
    let error = |condition: &str| {
        format!(
            "<iq type='error' id='register'><error type='cancel'>\
             <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        )
    };
    assert!(register("<iq type='result' id='register'/>").is_ok());
    // Somebody made it before us: it is there.
    assert!(register(&error("conflict")).is_ok());
    assert!(matches!(
        register(&error("not-allowed")),
        Err(Failure::NotRegistered(_))
    ));
}

#[test]
fn tls_begins_when_it_is_offered_and_the_server_is_ready() {
    let (mut client, _, mut out) = offered("<stream:features/>");
    assert!(client.ask_for_tls(&mut out).is_err());
    let offer = format!("<stream:features><starttls xmlns='{TLS}'/></stream:features>");
    let (mut client, mut bytes, mut out) = offered(&offer);
    client.ask_for_tls(&mut out).expect("offered");
    assert!(client.is_waiting());
    bytes.extend_from_slice(format!("<proceed xmlns='{TLS}'/>").as_bytes());
    let received = client.receive(&mut bytes, &mut out, |_, _| {});
    received.expect("proceed");
    assert!(!client.is_waiting());
    out.clear();
    client.is_secure(&mut out);
    assert!(out.starts_with(b"<stream:stream "));
}
