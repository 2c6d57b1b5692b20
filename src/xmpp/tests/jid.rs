//! Addresses by RFC 7622.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;
use xmpp::jid::Part;
use xmpp::{BareJid, FullJid, Jid, JidError};

fn parts(jid: &Jid) -> (Option<&str>, &str, Option<&str>) {
    (jid.localpart(), jid.domain(), jid.resource())
}

#[test]
fn the_examples_of_the_rfc() {
    // §3.5, table 1.
    for (text, localpart, domain, resource) in [
        ("juliet@example.com", Some("juliet"), "example.com", None),
        (
            "juliet@example.com/foo",
            Some("juliet"),
            "example.com",
            Some("foo"),
        ),
        (
            "juliet@example.com/foo bar",
            Some("juliet"),
            "example.com",
            Some("foo bar"),
        ),
        (
            "juliet@example.com/foo@bar",
            Some("juliet"),
            "example.com",
            Some("foo@bar"),
        ),
        (
            "foo\\20bar@example.com",
            Some("foo\\20bar"),
            "example.com",
            None,
        ),
        (
            "fussball@example.com",
            Some("fussball"),
            "example.com",
            None,
        ),
        (
            "fu\u{DF}ball@example.com",
            Some("fu\u{DF}ball"),
            "example.com",
            None,
        ),
        ("\u{3C0}@example.com", Some("\u{3C0}"), "example.com", None),
        (
            "\u{3A3}@example.com/foo",
            Some("\u{3C3}"),
            "example.com",
            Some("foo"),
        ),
        (
            "\u{3C3}@example.com/foo",
            Some("\u{3C3}"),
            "example.com",
            Some("foo"),
        ),
        (
            "\u{3C2}@example.com/foo",
            Some("\u{3C2}"),
            "example.com",
            Some("foo"),
        ),
        (
            "king@example.com/\u{265A}",
            Some("king"),
            "example.com",
            Some("\u{265A}"),
        ),
        ("example.com", None, "example.com", None),
        ("example.com/foobar", None, "example.com", Some("foobar")),
        (
            "a.example.com/b@example.net",
            None,
            "a.example.com",
            Some("b@example.net"),
        ),
    ] {
        let jid = Jid::new(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(parts(&jid), (localpart, domain, resource), "{text}");
    }
    // §3.5, table 2.
    use JidError::*;
    for (text, error) in [
        ("\"juliet\"@example.com", Forbidden(Part::Localpart, '"')),
        ("foo bar@example.com", Forbidden(Part::Localpart, ' ')),
        ("juliet@example.com/", Empty(Part::Resource)),
        ("@example.com/foobar", Empty(Part::Localpart)),
        (
            "henry\u{2163}@example.com",
            Forbidden(Part::Localpart, '\u{2163}'),
        ),
        (
            "\u{265A}@example.com",
            Forbidden(Part::Localpart, '\u{265A}'),
        ),
        ("juliet@", Empty(Part::Domain)),
        ("/foobar", Empty(Part::Domain)),
    ] {
        assert_eq!(Jid::new(text).unwrap_err(), error, "{text}");
    }
}

#[test]
fn normalisation() {
    for (text, normal) in [
        ("Juliet@Example.COM/Balcony", "juliet@example.com/Balcony"),
        ("JÖRG@BÜCHER.example", "jörg@bücher.example"),
        ("jo\u{308}rg@example", "jörg@example"),
        ("ｊｕｌｉｅｔ@example", "juliet@example"),
        ("a@xn--bcher-kva.example", "a@bücher.example"),
        ("a@example.com.", "a@example.com"),
        ("a@[2001:DB8:0::1]", "a@[2001:db8::1]"),
        ("a@192.0.2.1/x", "a@192.0.2.1/x"),
        ("a@b/x\u{A0}y", "a@b/x y"),
        ("a@b/e\u{301}", "a@b/é"),
        ("a@my_host", "a@my_host"),
        // Found by the properties below: mapped to ASCII first, looked at then.
        ("a@ｂ．ｃ", "a@b.c"),
        ("localhost", "localhost"),
    ] {
        assert_eq!(
            Jid::new(text).map(|j| j.to_string()).as_deref(),
            Ok(normal),
            "{text}"
        );
    }
}

#[test]
fn what_is_no_address() {
    for text in [
        "",
        "@",
        "/",
        "@/",
        "a@",
        "a@/b",
        ".",
        "a@.",
        "a@b..c",
        "a@.b",
        "a@b..",
        "a@-b",
        "a@b-",
        "a@ab--c",
        "a@xn--",
        "a@xn--a",
        "a@b@c",
        "a b",
        "a@b c",
        "a@[::1",
        "a@[b]",
        "a@[]",
        "a@[::1].",
        "a@b:5222",
        "a&b@c",
        "a'b@c",
        "a:b@c",
        "a<b@c",
        "a>b@c",
        "a\"b@c",
        "\u{7F}@c",
        "a\0@c",
        "\t@b",
        "a@b/\n",
        "a@b/\u{7F}",
        "a@b/\u{200B}",
        "a@b/\u{E000}",
        "\u{AD}@b",
        "a\u{5D0}@b",
        "\u{301}a@b/",
        "a\u{FF20}b@c",
        "a@\u{FF0F}",
        "a@ｂ\u{FF40}",
        "a@b\u{3002}\u{3002}c",
        "a@b\u{301}\u{338}<",
    ] {
        assert!(Jid::new(text).is_err(), "{text:?}: {:?}", Jid::new(text));
    }
}

#[test]
fn the_limits_are_bytes() {
    let long = "a".repeat(1023);
    let label = "a".repeat(63);
    assert!(Jid::new(&format!("{long}@b/{long}")).is_ok());
    for (text, part) in [
        (format!("{long}a@b"), Part::Localpart),
        (format!("a@b/{long}a"), Part::Resource),
        (format!("{}@b", "é".repeat(512)), Part::Localpart),
        (format!("a@b/{}", "é".repeat(512)), Part::Resource),
        // Shorter before it is normalised than after.
        (format!("a@b/{}", "\u{1D15E}".repeat(255)), Part::Resource),
        (format!("a@{long}a"), Part::Domain),
    ] {
        match Jid::new(&text) {
            Err(JidError::TooLong(got)) => assert_eq!(got, part),
            other => panic!("{part}: {other:?}"),
        }
    }
    assert!(Jid::new(&format!("a@{label}.{label}.{label}")).is_ok());
    assert!(Jid::new(&format!("a@{label}a")).is_err());
    assert!(Jid::new(&format!("a@{label}.{label}.{label}.{label}")).is_err());
    assert!(Jid::new(&format!("a@{}", "ü".repeat(60))).is_err());
}

#[test]
fn bare_and_full() {
    let full = FullJid::new("Romeo@montague.lit/orchard").unwrap();
    assert_eq!(full.bare_str(), "romeo@montague.lit");
    assert_eq!(full.bare(), "romeo@montague.lit");
    assert_eq!(full.resource(), "orchard");
    let jid = Jid::from(full.clone());
    assert_eq!(jid.as_full().unwrap(), full);
    let bare = Jid::from(jid.to_bare());
    assert!(bare.is_bare() && !bare.is_domain());
    assert_eq!(bare.resource(), None);
    assert_eq!(bare.as_full(), None);
    assert_eq!(bare, Jid::new("romeo@montague.lit").unwrap());
    assert_ne!(bare, jid);
    assert_eq!(jid.to_bare().with_resource("orchard").unwrap(), full);
    assert_eq!(
        jid.to_bare().with_resource(""),
        Err(JidError::Empty(Part::Resource))
    );
    assert_eq!(BareJid::new("a@b/c"), Err(JidError::NotBare));
    assert_eq!(FullJid::new("a@b"), Err(JidError::NotFull));
    assert!(Jid::new("montague.lit").unwrap().is_domain());
    assert_eq!(
        BareJid::from_parts(Some("a/b"), "c"),
        Err(JidError::Forbidden(Part::Localpart, '/'))
    );
}

#[test]
fn a_map_is_asked_by_text() {
    let full = FullJid::new("romeo@montague.lit/orchard").unwrap();
    let map = HashMap::from([(full.bare(), 1)]);
    assert_eq!(map.get(full.bare_str()), Some(&1));
    assert_eq!(
        map.get(&BareJid::new("romeo@montague.lit").unwrap()),
        Some(&1)
    );
    let set = HashSet::from([full]);
    assert!(set.contains("romeo@montague.lit/orchard"));
    assert!(!set.contains("romeo@montague.lit"));
}

/// Near addresses: ASCII mostly, with what the profiles map, refuse or leave.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-zA-Z0-9._-]{1,4}",
        2 => Just("@".to_owned()),
        2 => Just("/".to_owned()),
        1 => "[ -~]",
        1 => "\\PC",
        1 => prop::sample::select(vec![
            "é", "e\u{301}", "Σ", "ς", "ß", "İ", "ｂ", "ﬁ", "א", "٣", "\u{200D}", "\u{3002}", "xn--",
            "xn--bcher-kva", "Ⅳ", "♚", "\u{A0}", "ǅ", "\u{345}", "[::1]", "𝔸", "가", "ᄀ\u{1161}",
        ]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 1..7).prop_map(|pieces| pieces.concat())
}

/// The short way for plain addresses and the long way through the parts.
#[test]
fn both_ways_agree() {
    let near = [
        "a", "A", "", "-", "a.", "é", "xn--a", "a_b", "b c", "a'b", "1", ".",
    ];
    for local in near {
        for host in near {
            for resource in near {
                let text = format!("{local}@{host}/{resource}");
                let parts = BareJid::from_parts(Some(local), host)
                    .and_then(|bare| bare.with_resource(resource));
                assert_eq!(FullJid::new(&text).ok(), parts.ok(), "{text}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_normalised_stays(text in text()) {
        if let Ok(jid) = Jid::new(&text) {
            let again = Jid::new(jid.as_ref()).unwrap();
            prop_assert_eq!(&again, &jid);
            prop_assert_eq!(parts(&again), parts(&jid));
            let mut joined = String::new();
            if let Some(localpart) = jid.localpart() {
                joined = format!("{localpart}@");
            }
            joined += jid.domain();
            prop_assert_eq!(jid.bare_str(), &joined);
            if let Some(resource) = jid.resource() {
                joined += &format!("/{resource}");
            }
            prop_assert_eq!(jid.as_ref(), joined);
        }
    }

    #[test]
    fn nothing_panics(text in any::<String>()) {
        let _ = Jid::new(&text);
        let _ = Jid::new(&format!("{text}@{text}/{text}"));
    }

    /// For ASCII the old profiles and ours agree, and the same rules hold for host names.
    #[test]
    fn the_oracle_agrees_on_ascii(text in "[a-zA-Z0-9@/._ \\-\\\\'&]{1,16}") {
        oracle(&text);
    }

    #[test]
    fn the_oracle_agrees_on_the_rest(text in text()) {
        oracle(&text);
    }
}

/// Compares with the `jid` crate, which follows RFC 6122: stringprep where we have PRECIS.
fn oracle(text: &str) {
    let ours = Jid::new(text);
    let theirs = jid::Jid::new(text);
    match (&ours, &theirs) {
        (Ok(ours), Ok(theirs)) if text.is_ascii() => {
            let theirs = theirs.as_str();
            // It leaves A-labels as they are, and a final dot before a resource (§3.2 strips it).
            let dot = text
                .split('/')
                .next()
                .is_some_and(|bare| bare.ends_with('.'));
            if !dot && !text.to_lowercase().contains("xn--") {
                assert_eq!(ours.as_ref(), theirs, "{text:?}");
            }
        }
        (Err(_), Err(_)) | (Ok(_), Ok(_)) => {}
        // PRECIS and stringprep differ beyond ASCII: compatibility characters, symbols, versions of
        // Unicode.
        _ if !text.is_ascii() => {}
        // Host names are letters, digits, hyphens and, because some are, underscores.
        (Err(JidError::Forbidden(Part::Domain, _)), Ok(_)) => {}
        _ => panic!("{text:?}: {ours:?}, {theirs:?}"),
    }
}
