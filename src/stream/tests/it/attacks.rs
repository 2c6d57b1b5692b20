//! Nothing that a peer sends makes us panic, talk on after the end, or hold more than the limits.

use proptest::prelude::*;
use stream::{Input, TlsMode};
use xmpp::{Condition, StanzaError, StreamCondition};

use crate::peer::{LIMITS, OPEN, Peer, plain, response, settings, tls, wrong_keys};

/// Pieces that make sense at some place, to be put together without sense.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let right = plain("", "romeo", "r0m30");
    let known = [
        OPEN,
        &right,
        &right[..40],
        "</stream:stream>",
        "<stream:error/>",
        "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>",
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>",
        "</auth>",
        "=",
        "<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
        &response("c=biws,r=x,p=biws"),
        "<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>x</resource></bind></iq>",
        "<iq><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
        "<message to='@@'/>",
        "<a><b><c>",
        "</",
        "<?",
        "&#0;",
        " ",
        "\u{FEFF}",
    ];
    let known: Vec<Vec<u8>> = known.iter().map(|text| text.as_bytes().to_vec()).collect();
    prop_oneof![
        8 => prop::sample::select(known),
        1 => prop::collection::vec(any::<u8>(), 0..200),
    ]
}

fn input() -> impl Strategy<Value = u8> {
    0u8..9
}

fn make(kind: u8) -> Input {
    match kind {
        0 => Input::TlsDone(tls()),
        1 => Input::Keys(None),
        2 => Input::Keys(Some(wrong_keys())),
        3 => Input::PasswordChecked(true),
        4 => Input::PasswordChecked(false),
        5 => Input::AuthUnavailable,
        6 => Input::Bound(Ok("romeo@localhost/x".parse().unwrap())),
        7 => Input::Bound(Err(StanzaError::new(Condition::Conflict))),
        _ => Input::Close(StreamCondition::SystemShutdown.into()),
    }
}

fn mode() -> impl Strategy<Value = TlsMode> {
    prop::sample::select(vec![
        TlsMode::Off,
        TlsMode::StartTls,
        TlsMode::Required,
        TlsMode::Direct,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_panic_or_pile_up(mode in mode(), pieces in prop::collection::vec(piece(), 0..24)) {
        let mut settings = settings(mode);
        settings.plain_without_tls = true;
        let mut peer = Peer::new(settings);
        for piece in pieces {
            peer.receive(&piece);
            if peer.closed || peer.established {
                break;
            }
            let bound = match peer.machine.account() {
                None => LIMITS.stanza.max(LIMITS.header),
                Some(_) => 8192,
            };
            prop_assert!(peer.unread.len() <= bound, "{} bytes held", peer.unread.len());
        }
    }

    #[test]
    fn no_answer_of_the_driver_panics(mode in mode(), kinds in prop::collection::vec(input(), 0..8), open in any::<bool>()) {
        let mut peer = Peer::new(settings(mode));
        if open {
            peer.receive(OPEN.as_bytes());
        }
        for kind in kinds {
            if peer.closed {
                break;
            }
            peer.input(make(kind));
            prop_assert!(peer.machine.account().is_none(), "nobody logs in by that");
        }
    }
}

#[test]
fn an_endless_header_or_element_is_cut_off_at_the_limit() {
    for start in ["<stream:stream a='", "<?xml "] {
        let mut peer = Peer::new(settings(TlsMode::Off));
        let mut most = 0;
        peer.receive(start.as_bytes());
        while !peer.closed {
            peer.receive(&[b'x'; 64]);
            most = most.max(peer.unread.len());
            assert!(most <= LIMITS.header + 64, "{most} bytes held");
        }
    }
    let mut peer = Peer::opened_with(settings(TlsMode::Off));
    peer.receive(b"<a>");
    while !peer.closed {
        peer.receive(&[b'x'; 64]);
        assert!(peer.unread.len() <= LIMITS.stanza + 64);
    }
    assert!(peer.say("").contains("<policy-violation "));
}

#[test]
fn depth_and_attributes_are_bounded_before_login() {
    let attributes: String = (0..17).map(|n| format!(" a{n}=''")).collect();
    let declarations: String = (0..9).map(|n| format!(" xmlns:a{n}='x'")).collect();
    for bomb in [
        "<a>".repeat(9),
        format!("<a{attributes}/>"),
        format!("<a{declarations}/>"),
    ] {
        let mut peer = Peer::opened_with(settings(TlsMode::Off));
        assert!(peer.say(&bomb).contains("<policy-violation "), "{bomb}");
    }
}
