//! What holds for any bytes.

mod generate;
mod reading;

use bytes::BytesMut;
use proptest::prelude::*;
use reading::events;
use xml::{Element, Framer, Limits, Tree, Writer, XmlError};

const TIGHT: Limits = Limits {
    stanza: 90,
    header: 200,
    depth: 3,
    attributes: 2,
    namespaces: 3,
};

/// The bytes cut at the given places.
fn pieces<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.sort_unstable();
    let mut out = Vec::new();
    let mut from = 0;
    for cut in cuts {
        out.push(&bytes[from..cut]);
        from = cut;
    }
    out.push(&bytes[from..]);
    out
}

fn any_split_is_the_same(bytes: &[u8], cuts: &[prop::sample::Index], limits: Limits) {
    let whole = events([bytes], limits);
    assert_eq!(events(pieces(bytes, cuts), limits), whole, "cut at random");
    assert_eq!(events(bytes.chunks(1), limits), whole, "byte by byte");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_of_a_stream_gives_the_same_events(
        stream in generate::spoiled(generate::stream()),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        tight in any::<bool>(),
    ) {
        let limits = if tight { TIGHT } else { Limits::default() };
        any_split_is_the_same(stream.as_bytes(), &cuts, limits);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_split_alike_too(
        stream in generate::stream(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mut bytes = stream.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        any_split_is_the_same(&bytes, &cuts, Limits::default());
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        events([&bytes[..]], Limits::default());
        let mut inside = reading::HEAD.as_bytes().to_vec();
        inside.extend_from_slice(&bytes);
        events([&inside[..]], Limits::default());
        let _ = Element::parse(&bytes);
    }

    #[test]
    fn what_we_write_is_read_as_it_was(
        text in any::<String>(),
        value in any::<String>(),
        ns in "[a-z:&'<>\"]{1,9}",
    ) {
        let mut w = Writer::new();
        w.start("a", &ns).attr("b", &value).text(&text);
        w.empty_in("c", &ns).attr("d", &value);
        w.end();
        let tree: Tree = String::from_utf8(w.finish().to_vec()).unwrap().parse().unwrap();
        let legal = |s: &str| -> String {
            s.chars()
                .map(|c| match c {
                    '\t' | '\n' | '\r' => c,
                    '\0'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => '\u{FFFD}',
                    c => c,
                })
                .collect()
        };
        prop_assert_eq!(&tree.ns, &ns);
        prop_assert_eq!(tree.text(), legal(&text));
        let written = legal(&value);
        prop_assert_eq!(tree.attr("b"), Some(written.as_str()));
        prop_assert_eq!(tree.child("c", &ns).unwrap().attr("d"), Some(written.as_str()));
    }

    #[test]
    fn a_tree_is_written_as_it_was_read(xml in generate::element()) {
        if let Ok(tree) = xml.parse::<Tree>() {
            let again: Tree = tree.to_string().parse().unwrap();
            prop_assert_eq!(tree, again);
        }
    }

    #[test]
    fn a_child_is_an_element_of_its_own(xml in generate::element()) {
        let Ok(element) = Element::parse(xml.as_bytes()) else { return Ok(()) };
        let tree = element.tree().unwrap();
        prop_assert_eq!(element.text(), tree.text());
        prop_assert_eq!(element.children().len(), tree.children().count());
        for (child, expected) in element.children().zip(tree.children()) {
            prop_assert_eq!(child.name(), &expected.name);
            prop_assert_eq!(child.ns(), &expected.ns);
            prop_assert_eq!(child.text(), expected.text());
            let own = child.element().unwrap();
            prop_assert_eq!(own.bytes(), &child.bytes());
            prop_assert_eq!(&own.tree().unwrap(), expected);
            prop_assert_eq!(&child.tree().unwrap(), expected);
        }
    }
}

/// Feeds `piece` again and again after `start`; returns the error and the most bytes ever held.
fn flood(start: &str, piece: &str, limits: Limits) -> (XmlError, usize) {
    let mut framer = Framer::new(limits);
    let mut buf = BytesMut::from(start.as_bytes());
    let mut most = buf.len();
    loop {
        loop {
            match framer.next(&mut buf) {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => return (error, most),
            }
        }
        buf.extend_from_slice(piece.as_bytes());
        most = most.max(buf.len());
        assert!(most < 1 << 20, "{start}{piece}… is never refused");
    }
}

#[test]
fn limits_hold_before_anything_is_complete() {
    let limits = Limits {
        stanza: 1000,
        header: 500,
        ..Limits::default()
    };
    for (start, piece) in [
        ("<a>", "x"),
        ("<a>", "<b/>"),
        ("<a ", " "),
        ("<a b='", "x"),
        ("<a b='", "&amp;"),
        ("<a>&#", "0"),
        ("<", "a"),
        ("</stream:stream", " "),
        ("<a><![CDATA[", "]"),
        ("<a></a", " "),
    ] {
        let (error, most) = flood(&format!("{}{start}", reading::HEAD), piece, limits);
        assert_eq!(error, XmlError::TooBig(1000), "{start}");
        assert!(
            most <= 1000 + reading::HEAD.len() + piece.len(),
            "{start}: {most}"
        );
    }
    for (start, piece) in [
        ("<?xml ", " "),
        ("<a ", " "),
        ("<a b='", "x"),
        ("<", "a"),
        (" \n<?xml version='1.0'?> <a b='", "x"),
    ] {
        let (error, most) = flood(start, piece, limits);
        assert_eq!(error, XmlError::TooBig(500), "{start}");
        assert!(most <= 500 + start.len() + piece.len(), "{start}: {most}");
    }
    let deep = flood(reading::HEAD, "<a>", Limits::default()).0;
    assert_eq!(deep, XmlError::TooDeep(32));
    let many = format!("{}<a", reading::HEAD);
    let attrs: String = (0..65).map(|i| format!(" a{i}=''")).collect();
    let decls: String = (0..17).map(|i| format!(" xmlns:a{i}='u'")).collect();
    assert_eq!(
        flood(&(many.clone() + &attrs), "", Limits::default()).0,
        XmlError::TooManyAttributes(64)
    );
    assert_eq!(
        flood(&(many + &decls), "", Limits::default()).0,
        XmlError::TooManyNamespaces(16)
    );
}

#[test]
fn limits_are_exact() {
    let stanza = "<a b='c'><d><e/></d></a>";
    let limits = |stanza, depth, attributes| Limits {
        stanza,
        depth,
        attributes,
        ..Limits::default()
    };
    let stream = format!("<s xmlns='jabber:client'>{stanza}");
    let last = |limits| events([stream.as_bytes()], limits).pop().unwrap();
    assert!(last(limits(24, 3, 1)).starts_with("a jabber:client"));
    assert_eq!(last(limits(23, 3, 1)), "TooBig(23)");
    assert_eq!(last(limits(24, 2, 1)), "TooDeep(2)");
    assert_eq!(last(limits(24, 3, 0)), "TooManyAttributes(0)");
}

/// With rescanning this would look at 2^33 bytes and not end in time.
#[test]
fn a_stanza_in_many_reads_is_scanned_once() {
    for (start, piece, end) in [
        ("<a b='", "x", "'/>"),
        ("<a>", "x", "</a>"),
        ("<a><![CDATA[", "]", "]]></a>"),
        ("<a>", "<b/>", "</a>"),
        ("<a b='1'", " ", "/>"),
    ] {
        let count = (128 << 10) / piece.len();
        let head = format!("{}{start}", reading::HEAD);
        let pieces = std::iter::once(head.as_bytes())
            .chain(std::iter::repeat_n(piece.as_bytes(), count))
            .chain([end.as_bytes()]);
        let mut framer = Framer::new(Limits::default());
        let mut buf = BytesMut::new();
        let mut seen = 0;
        for piece in pieces {
            buf.extend_from_slice(piece);
            while framer.next(&mut buf).unwrap().is_some() {
                seen += 1;
            }
        }
        assert_eq!(seen, 2, "{start}");
        assert!(!framer.is_within());
    }
}
