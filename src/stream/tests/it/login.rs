//! SASL on the wire: RFC 6120 §6, RFC 4616, RFC 5802.

use stream::{Action, Input, TlsInfo, TlsMode};
use xmpp::StreamCondition;

use crate::peer::{
    OPEN, Peer, ScramClient, auth, failure, message_in, plain, response, settings, stream_error,
    tls, wrong_keys,
};

const SUCCESS: &str = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
const EMPTY_CHALLENGE: &str = "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
const ABORT: &str = "<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";

fn raw_auth(attributes: &str, text: &str) -> String {
    format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'{attributes}>{text}</auth>")
}

/// Every way to send nonsense, and the failure it gets; none costs the stream.
#[test]
fn malformed_logins() {
    let p = " mechanism='PLAIN'";
    let s = " mechanism='SCRAM-SHA-1'";
    for (text, condition) in [
        // The element.
        (raw_auth("", "AHJvbWVvAHIwbTMw"), "invalid-mechanism"),
        (
            raw_auth(" mechanism=''", "AHJvbWVvAHIwbTMw"),
            "invalid-mechanism",
        ),
        (raw_auth(" mechanism='EXTERNAL'", "="), "invalid-mechanism"),
        (
            raw_auth(" mechanism='plain'", "AHJvbWVvAHIwbTMw"),
            "invalid-mechanism",
        ),
        (raw_auth(p, "<x/>"), "malformed-request"),
        (response("biws"), "malformed-request"),
        (ABORT.to_owned(), "aborted"),
        // Base 64.
        (raw_auth(p, "AHJvbWVvAHIwbTMw="), "incorrect-encoding"),
        (raw_auth(p, " AHJvbWVvAHIwbTMw"), "incorrect-encoding"),
        (raw_auth(p, "AHJvbWVv\nAHIwbTMw"), "incorrect-encoding"),
        (raw_auth(p, "AHJvbWVvAHIwbTM"), "incorrect-encoding"),
        (raw_auth(p, "AHJvbWVvAHIwbT-_"), "incorrect-encoding"),
        (raw_auth(p, "=="), "incorrect-encoding"),
        (raw_auth(s, "biwsbj1="), "incorrect-encoding"),
        // PLAIN.
        (raw_auth(p, "="), "malformed-request"),
        (auth("PLAIN", "romeo"), "malformed-request"),
        (auth("PLAIN", "\0romeo"), "malformed-request"),
        (auth("PLAIN", "\0romeo\0r0m30\0"), "malformed-request"),
        (plain("", "", "r0m30"), "malformed-request"),
        (plain("", "romeo", ""), "malformed-request"),
        (raw_auth(p, "AHJvbWVvAP8="), "malformed-request"),
        (plain("", "romeo", "wrong"), "not-authorized"),
        (plain("", "nobody", "r0m30"), "not-authorized"),
        (plain("", "romeo@localhost", "r0m30"), "not-authorized"),
        (plain("", "ro\u{7}meo", "r0m30"), "not-authorized"),
        (
            plain("juliet@localhost", "romeo", "r0m30"),
            "invalid-authzid",
        ),
        (plain("romeo", "romeo", "r0m30"), "invalid-authzid"),
        (
            plain("romeo@localhost/x", "romeo", "r0m30"),
            "invalid-authzid",
        ),
        (plain("@@", "romeo", "r0m30"), "invalid-authzid"),
        // SCRAM.
        (raw_auth(s, "="), "malformed-request"),
        (auth("SCRAM-SHA-1", "n,,n=romeo"), "malformed-request"),
        (auth("SCRAM-SHA-1", "n,,n=ro=meo,r=x"), "malformed-request"),
        (auth("SCRAM-SHA-1", "n,,m=x,n=romeo,r=x"), "not-authorized"),
        (
            auth("SCRAM-SHA-1", "n,a=juliet@localhost,n=romeo,r=x"),
            "invalid-authzid",
        ),
        (auth("SCRAM-SHA-1", "n,,n=a@b,r=x"), "not-authorized"),
        (auth("SCRAM-SHA-1", "y,,n=romeo,r=x"), "not-authorized"),
        (
            auth("SCRAM-SHA-1", "p=tls-exporter,,n=romeo,r=x"),
            "malformed-request",
        ),
        (
            auth("SCRAM-SHA-1-PLUS", "n,,n=romeo,r=x"),
            "malformed-request",
        ),
        (
            auth("SCRAM-SHA-1-PLUS", "p=tls-unique,,n=romeo,r=x"),
            "invalid-mechanism",
        ),
    ] {
        let mut peer = Peer::opened();
        assert_eq!(peer.say(&text), failure(condition), "{text}");
        let slowed = peer
            .trace
            .iter()
            .any(|action| action.starts_with("AuthFailed"));
        assert_eq!(slowed, condition == "not-authorized", "{text}");
        assert_eq!(
            peer.say(&plain("", "romeo", "r0m30")),
            SUCCESS,
            "after {text}"
        );
    }
}

#[test]
fn plain_with_and_without_an_initial_response() {
    for authzid in ["", "romeo@localhost", "ROMEO@LOCALHOST"] {
        assert_eq!(
            Peer::opened().say(&plain(authzid, "Romeo", "r0m30")),
            SUCCESS
        );
    }
    let mut peer = Peer::opened();
    assert_eq!(
        peer.say(&raw_auth(" mechanism='PLAIN'", "")),
        EMPTY_CHALLENGE
    );
    assert_eq!(peer.say(&response("\0romeo\0r0m30")), SUCCESS);
    assert_eq!(
        peer.machine.account().map(|a| a.as_str()),
        Some("romeo@localhost")
    );
}

#[test]
fn success_restarts_the_stream_under_other_limits() {
    let mut peer = Peer::opened();
    peer.say(&plain("", "romeo", "r0m30"));
    assert_eq!(
        peer.shape()[1..],
        [
            "CheckPassword",
            "Authenticated",
            "Send",
            "RestartFramer",
            "SetLimits"
        ]
    );
    assert!(
        !format!("{:?}", peer.trace).contains("r0m30"),
        "no password in any log"
    );
}

#[test]
fn scram_with_and_without_channel_binding() {
    let romeo = |flag: &str| ScramClient::new(flag, "romeo", "r0m30");
    let bound = |kind: &str, binding: &[u8]| ScramClient {
        binding: binding.to_vec(),
        ..romeo(&format!("p={kind}"))
    };
    for (mechanism, client) in [
        ("SCRAM-SHA-256", romeo("n")),
        ("SCRAM-SHA-256-PLUS", bound("tls-exporter", &[7; 32])),
        (
            "SCRAM-SHA-256-PLUS",
            bound("tls-server-end-point", &[9; 32]),
        ),
        (
            "SCRAM-SHA-256",
            ScramClient {
                header: "n,a=romeo@localhost,".to_owned(),
                ..romeo("n")
            },
        ),
    ] {
        let (answer, wanted) = client.run(mechanism, &mut Peer::opened());
        assert!(answer.starts_with("<success"), "{mechanism}: {answer}");
        assert_eq!(message_in(&answer), wanted);
    }
    for (mechanism, client) in [
        ("SCRAM-SHA-256", ScramClient::new("n", "romeo", "wrong")),
        ("SCRAM-SHA-256", ScramClient::new("n", "nobody", "r0m30")),
        ("SCRAM-SHA-256-PLUS", bound("tls-exporter", &[9; 32])),
        ("SCRAM-SHA-256-PLUS", bound("tls-exporter", &[])),
        (
            "SCRAM-SHA-256-PLUS",
            bound("tls-server-end-point", &[7; 32]),
        ),
    ] {
        let (answer, _) = client.run(mechanism, &mut Peer::opened());
        assert_eq!(answer, failure("not-authorized"));
    }
}

#[test]
fn a_client_that_sees_no_plus_may_say_so_where_none_was_offered() {
    let peer = || Peer::opened_with(settings(TlsMode::StartTls));
    let (answer, _) = ScramClient::new("y", "romeo", "r0m30").run("SCRAM-SHA-256", &mut peer());
    assert!(answer.starts_with("<success"), "{answer}");
    assert_eq!(
        peer().say(&auth("SCRAM-SHA-256-PLUS", "p=tls-exporter,,n=romeo,r=x")),
        failure("encryption-required")
    );
}

#[test]
fn the_challenge_carries_the_downgrade_hash() {
    let mut peer = Peer::opened();
    let challenge = peer.say(&auth("SCRAM-SHA-256", "n,,n=romeo,r=x"));
    let challenge = message_in(&challenge);
    // SHA-256 of the seven mechanisms, sorted, then the two types (XEP-0474 §5.1).
    assert!(
        challenge.ends_with(",h=cmRT/9v5sjTgX+ft+hYhsOha8IkhRW2KxNFPJvcbHUA="),
        "{challenge}"
    );
}

/// Unknown accounts and wrong passwords: the same steps, the same words.
#[test]
fn nobody_learns_which_accounts_exist() {
    let shape = |username, password: &'static str| {
        let mut peer = Peer::opened();
        let client = ScramClient::new("n", username, password);
        let challenge = message_in(&peer.say(&auth("SCRAM-SHA-256", &client.first())));
        let (last, _) = client.last(&challenge);
        let answer = peer.say(&response(&last));
        let shape: Vec<_> = peer.shape().into_iter().map(str::to_owned).collect();
        (shape, challenge.len(), answer)
    };
    assert_eq!(shape("nobody", "r0m30"), shape("romeo", "wrong"));
    let salt = |username| {
        let first = format!("n,,n={username},r=x");
        let challenge = message_in(&Peer::opened().say(&auth("SCRAM-SHA-256", &first)));
        challenge.split(',').nth(1).unwrap().to_owned()
    };
    assert_eq!(salt("nobody"), salt("NOBODY"), "as steady as a real one");
    assert_ne!(salt("nobody"), salt("noone"));
}

#[test]
fn too_many_tries_end_the_stream() {
    let mut peer = Peer::opened();
    let wrong = plain("", "romeo", "wrong");
    assert_eq!(peer.say(&wrong), failure("not-authorized"));
    assert_eq!(peer.say(ABORT), failure("aborted"));
    let last = failure("not-authorized") + &stream_error("policy-violation");
    assert_eq!(peer.say(&wrong), last);
    assert!(peer.closed);
    let end = &peer.shape()[peer.trace.len() - 4..];
    assert_eq!(
        end,
        ["AuthFailed", "Send", "Send", "Close"],
        "slowed before it is told"
    );
}

/// Clients on TLS 1.2 that know no channel binding but `tls-unique` try every `-PLUS` before they take what
/// both sides have (slixmpp does).
#[test]
fn mechanisms_that_cannot_be_used_are_no_guesses_at_a_password() {
    let mut peer = Peer::opened();
    for mechanism in [
        "SCRAM-SHA-512-PLUS",
        "SCRAM-SHA-256-PLUS",
        "SCRAM-SHA-1-PLUS",
    ] {
        let unbound = auth(mechanism, "p=tls-unique,,n=romeo,r=x");
        assert_eq!(peer.say(&unbound), failure("invalid-mechanism"));
    }
    assert!(!peer.shape().contains(&"AuthFailed"));
    let (answer, _) = ScramClient::new("n", "romeo", "r0m30").run("SCRAM-SHA-256", &mut peer);
    assert!(answer.starts_with("<success"), "{answer}");

    let mut peer = Peer::opened();
    for _ in 0..7 {
        peer.say(&raw_auth(" mechanism='X-UNKNOWN'", "="));
    }
    assert!(
        peer.say(&raw_auth(" mechanism='X-UNKNOWN'", "="))
            .contains("<policy-violation "),
        "but not for ever"
    );
}

#[test]
fn an_attempt_can_be_broken_off_and_begun_again() {
    let mut peer = Peer::opened();
    peer.say(&auth("SCRAM-SHA-256", "n,,n=romeo,r=x"));
    assert_eq!(peer.say(ABORT), failure("aborted"));
    let (answer, _) = ScramClient::new("n", "romeo", "r0m30").run("SCRAM-SHA-256", &mut peer);
    assert!(answer.starts_with("<success"), "{answer}");

    let mut peer = Peer::opened();
    peer.say(&auth("SCRAM-SHA-256", "n,,n=romeo,r=x"));
    let second = peer.say(&plain("", "romeo", "r0m30"));
    assert_eq!(second, failure("malformed-request"), "one at a time");
    assert_eq!(
        peer.say(&response("biws")),
        failure("malformed-request"),
        "it is gone"
    );
}

#[test]
fn proofs_that_are_no_proofs() {
    for (last, condition) in [
        ("", "malformed-request"),
        ("c=biws,r=clientAAAA", "malformed-request"),
        ("c=biws,r=client,p=AAAA", "malformed-request"),
        ("c=biws,m=x,r=client,p=AAAA", "malformed-request"),
        ("c=biws,r=client,m=x,p=AAAA", "not-authorized"),
        (
            "c=biws,r=client,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "not-authorized",
        ),
    ] {
        let mut peer = Peer::opened();
        peer.say(&auth("SCRAM-SHA-256", "n,,n=romeo,r=client"));
        assert_eq!(peer.say(&response(last)), failure(condition), "{last}");
    }
}

#[test]
fn without_tls() {
    // Required: nothing but STARTTLS.
    let mut peer = Peer::new(settings(TlsMode::Required));
    let features = peer.say(OPEN);
    assert!(
        features.ends_with(
            "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"
        ),
        "{features}"
    );
    assert_eq!(
        peer.say(&plain("", "romeo", "r0m30")),
        failure("encryption-required")
    );
    assert_eq!(
        peer.say(&auth("SCRAM-SHA-1", "n,,n=romeo,r=x")),
        failure("encryption-required")
    );
    // Optional: SCRAM goes, the password itself does not.
    let mut peer = Peer::new(settings(TlsMode::StartTls));
    let features = peer.say(OPEN);
    assert!(
        !features.contains("PLAIN") && !features.contains("PLUS"),
        "{features}"
    );
    assert_eq!(
        peer.say(&plain("", "romeo", "r0m30")),
        failure("encryption-required")
    );
    // Unless the configuration says so.
    let mut settings = settings(TlsMode::Off);
    settings.plain_without_tls = true;
    let mut peer = Peer::new(settings);
    assert!(peer.say(OPEN).contains("<mechanism>PLAIN</mechanism>"));
    assert_eq!(peer.say(&plain("", "romeo", "r0m30")), SUCCESS);
}

#[test]
fn only_what_the_connection_has_is_offered() {
    let mut peer = Peer::new(settings(TlsMode::Required));
    peer.say(OPEN);
    let mut actions = Vec::new();
    let start = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
    let element = xml::Element::parse(start.as_bytes()).unwrap();
    peer.machine
        .handle(Input::Event(xml::Event::Element(element)), &mut actions);
    assert!(matches!(actions[..], [Action::Send(_), Action::StartTls]));
    peer.input(Input::TlsDone(TlsInfo {
        exporter: None,
        ..tls()
    }));
    let features = peer.say(OPEN);
    assert!(
        features.contains(
            "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-server-end-point'/></sasl-channel-binding>"
        ),
        "{features}"
    );
    assert_eq!(
        peer.say(&auth("SCRAM-SHA-256-PLUS", "p=tls-exporter,,n=romeo,r=x")),
        failure("invalid-mechanism")
    );
}

#[test]
fn nothing_else_goes_before_login() {
    for text in [
        "<message to='juliet@localhost'><body>hi</body></message>",
        "<presence/>",
        "<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
        "<enable xmlns='urn:xmpp:sm:3'/>",
        "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
        "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
        "<auth mechanism='PLAIN'/>",
    ] {
        let mut peer = Peer::opened();
        assert_eq!(peer.say(text), stream_error("not-authorized"), "{text}");
        assert!(peer.closed);
    }
}

#[test]
fn a_store_that_is_down_is_not_a_wrong_password() {
    let settings = settings(TlsMode::Direct);
    let mut peer = Peer::opened_with(settings);
    let mut actions = Vec::new();
    let element = xml::Element::parse(plain("", "romeo", "r0m30").as_bytes()).unwrap();
    peer.machine
        .handle(Input::Event(xml::Event::Element(element)), &mut actions);
    peer.input(Input::AuthUnavailable);
    assert_eq!(peer.say(""), failure("temporary-auth-failure"));
    assert!(!peer.shape().contains(&"AuthFailed"));
}

#[test]
fn keys_of_another_hash_count_as_none() {
    let mut peer = Peer::opened();
    let mut actions = Vec::new();
    let client = ScramClient::new("n", "romeo", "x");
    let element = xml::Element::parse(auth("SCRAM-SHA-256", &client.first()).as_bytes()).unwrap();
    peer.machine
        .handle(Input::Event(xml::Event::Element(element)), &mut actions);
    peer.input(Input::Keys(Some(wrong_keys())));
    let (last, _) = client.last(&message_in(&peer.say("")));
    assert_eq!(peer.say(&response(&last)), failure("not-authorized"));
}

#[test]
fn answers_to_no_question_are_our_own_fault() {
    for input in [
        Input::Keys(None),
        Input::PasswordChecked(true),
        Input::AuthUnavailable,
        Input::Bound(Ok("romeo@localhost/x".parse().unwrap())),
        Input::TlsDone(tls()),
    ] {
        let mut peer = Peer::opened();
        peer.input(input);
        assert_eq!(peer.say(""), stream_error("internal-server-error"));
        assert!(peer.machine.account().is_none());
    }
    // A client that talks on while the driver is still at its question.
    let mut peer = Peer::opened();
    let mut actions = Vec::new();
    let element = xml::Element::parse(plain("", "romeo", "r0m30").as_bytes()).unwrap();
    peer.machine
        .handle(Input::Event(xml::Event::Element(element)), &mut actions);
    assert_eq!(peer.say("<a/>"), stream_error("internal-server-error"));
    let mut peer = Peer::opened();
    peer.input(Input::Close(StreamCondition::SystemShutdown.into()));
    assert_eq!(peer.say(""), stream_error("system-shutdown"));
}
