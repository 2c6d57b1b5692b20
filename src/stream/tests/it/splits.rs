//! However the network cuts the bytes, the same happens.

use proptest::prelude::*;
use stream::TlsMode;

use crate::peer::{OPEN, Peer, ScramClient, auth, message_in, plain, response, settings};

const START_TLS: &str = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const BIND: &str = "<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
    <resource>r\u{E9}sidence</resource></bind></iq>";

/// A conversation: the mode, and what is sent. Nothing of one part may be sent with the part before it.
type Script = (TlsMode, Vec<String>);

fn scripts() -> Vec<Script> {
    let all = |parts: &[&str]| vec![parts.concat()];
    let right = plain("", "romeo", "r0m30");
    let wrong = plain("", "romeo", "wrong");
    let direct = TlsMode::Direct;
    vec![
        (
            direct,
            all(&[OPEN, &right, OPEN, " \n", BIND, "<presence/>"]),
        ),
        (
            TlsMode::Required,
            vec![
                [OPEN, START_TLS].concat(),
                [OPEN, &right, OPEN, BIND].concat(),
            ],
        ),
        (
            direct,
            all(&[OPEN, &scram(), OPEN, BIND, "</stream:stream>"]),
        ),
        (
            direct,
            all(&[OPEN, &wrong, &right, OPEN, "</stream:stream>"]),
        ),
        (direct, all(&[OPEN, &wrong, &wrong, &wrong, &right])),
        (direct, all(&[OPEN, &right, OPEN, "<presence/>", BIND])),
        (direct, all(&[OPEN, "<!-- no -->", &right])),
        (
            direct,
            all(&[OPEN, &right, OPEN, "</stream:stream> and more"]),
        ),
        (
            direct,
            all(&[&OPEN.replace("localhost", "elsewhere"), &right]),
        ),
        (
            direct,
            all(&[OPEN, &format!("<a>{}</a>", "x".repeat(5000))]),
        ),
        (
            direct,
            all(&[OPEN, &right, OPEN, &format!("<a>{}</a>", "x".repeat(9000))]),
        ),
        (
            direct,
            all(&[
                OPEN,
                "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>\u{E9}</auth>",
                "\u{FFFF}",
            ]),
        ),
    ]
}

/// A login by SCRAM as one piece: the same counter makes the same nonce each time.
fn scram() -> String {
    let client = ScramClient::new("n", "romeo", "r0m30");
    let first = auth("SCRAM-SHA-256", &client.first());
    let challenge = message_in(&Peer::opened().say(&first));
    first + &response(&client.last(&challenge).0)
}

/// Runs a script with its parts cut at `cuts` (taken around and around), and gives all that was done.
fn run(script: &Script, cuts: &[usize]) -> Vec<String> {
    let mut peer = Peer::new(settings(script.0));
    let mut cuts = cuts.iter().cycle();
    for part in &script.1 {
        let mut rest = part.as_bytes();
        while !rest.is_empty() {
            let (now, later) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
            peer.receive(now);
            rest = later;
        }
    }
    peer.trace
}

#[test]
fn one_byte_at_a_time() {
    for script in &scripts() {
        let whole = run(script, &[usize::MAX]);
        assert!(!whole.is_empty());
        for step in [1, 2, 3, 7] {
            assert_eq!(
                run(script, &[step]),
                whole,
                "{step} at a time: {:?}",
                script.1
            );
        }
    }
}

/// The scripts reach what they are meant to reach.
#[test]
fn scripts_end_where_they_should() {
    let ends: Vec<_> = scripts()
        .iter()
        .map(|script| {
            let trace = run(script, &[usize::MAX]).join(" ");
            [
                "Established",
                "policy-violation",
                "not-authorized xmlns",
                "restricted-xml",
                "host-unknown",
                "incorrect-encoding",
                "Close",
            ]
            .into_iter()
            .find(|word| trace.contains(word))
            .unwrap_or("nothing")
        })
        .collect();
    assert_eq!(
        ends,
        [
            "Established",
            "Established",
            "Established",
            "Close",
            "policy-violation",
            "not-authorized xmlns",
            "restricted-xml",
            "Close",
            "host-unknown",
            "policy-violation",
            "policy-violation",
            "incorrect-encoding",
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_split(cuts in prop::collection::vec(1usize..80, 1..40), which in 0usize..12) {
        let scripts = scripts();
        let script = &scripts[which];
        prop_assert_eq!(run(script, &cuts), run(script, &[usize::MAX]));
    }
}
