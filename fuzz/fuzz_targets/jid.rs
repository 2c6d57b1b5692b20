//! Any text as an address: what was normalised stays, its parts make it up again, and the `jid`
//! crate agrees where it should.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xmpp::jid::Part;
use xmpp::{BareJid, FullJid, Jid, JidError};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    oracle(text);
    let Ok(jid) = Jid::new(text) else {
        return;
    };
    let again = Jid::new(&jid.to_string()).expect("what was normalised is an address");
    assert_eq!(again, jid);
    assert_eq!(again.localpart(), jid.localpart());
    assert_eq!(again.domain(), jid.domain());
    assert_eq!(again.resource(), jid.resource());
    for part in [jid.localpart(), Some(jid.domain()), jid.resource()] {
        assert!(part.is_none_or(|part| (1..=1023).contains(&part.len())));
    }
    let bare = BareJid::from_parts(jid.localpart(), jid.domain()).expect("made of its parts");
    assert_eq!(bare, jid.to_bare());
    assert_eq!(bare.as_str(), jid.bare_str());
    match jid.resource() {
        None => assert_eq!(Jid::from(bare), jid),
        Some(resource) => {
            let full: FullJid = bare.with_resource(resource).expect("made of its parts");
            assert_eq!(Some(full.clone()), jid.as_full());
            assert_eq!(full.bare(), bare);
        }
    }
    assert!(
        !jid.bare_str().contains(['"', '&', '\'', '<', '>']),
        "written in XML as it is"
    );
});

/// The `jid` crate follows RFC 6122, with stringprep where RFC 7622 has PRECIS: they are to agree
/// on ASCII.
fn oracle(text: &str) {
    if !text.is_ascii() {
        return;
    }
    match (Jid::new(text), jid::Jid::new(text)) {
        (Ok(ours), Ok(theirs)) => {
            // It leaves A-labels and IPv6 addresses as they are, and a final dot before a resource
            // (§3.2 strips it).
            let bare = text.split('/').next().unwrap_or_default();
            if !bare.ends_with('.') && !bare.contains('[') && !text.to_lowercase().contains("xn--")
            {
                assert_eq!(ours.as_ref(), theirs.as_str());
            }
        }
        (Err(_), Err(_)) => {}
        // Host names are letters, digits, hyphens and, because some are, underscores.
        (Err(JidError::Forbidden(Part::Domain, _)), Ok(_)) => {}
        (ours, theirs) => panic!("{text:?}: {ours:?}, {theirs:?}"),
    }
}
