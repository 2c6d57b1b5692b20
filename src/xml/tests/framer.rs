//! What the framer takes and what it refuses.

mod reading;

use bytes::BytesMut;
use reading::{HEAD, events};
use xml::{Event, Framer, Limits, XmlError};

/// What a stanza inside a proper stream gives.
fn inside(stanza: &str) -> Result<String, XmlError> {
    let mut buf = BytesMut::from(format!("{HEAD}{stanza}").as_bytes());
    let mut framer = Framer::new(Limits::default());
    framer.next(&mut buf)?;
    Ok(framer
        .next(&mut buf)?
        .map_or_else(|| "more".into(), |e| format!("{e:?}")))
}

#[test]
fn a_stream_comes_apart() {
    let message = "<message to='a>b'><body>hi &amp; <![CDATA[<x>]]></body><x xmlns='urn:y' a=\"'\"/></message>";
    let stream = format!("<?xml version='1.0'?>\n{HEAD} \n{message}\n<presence/></stream:stream >");
    let expected = [
        format!("header stream http://etherx.jabber.org/streams jabber:client Some(\"de\") {HEAD}"),
        format!(
            "message jabber:client [\"to|to|=a>b\"] \"\" [] \
             [body jabber:client [] \"hi & <x>\" 18..55, x urn:y [(\"a\", \"'\")] \"\" 55..79] {message}"
        ),
        "presence jabber:client [] \"\" [] [] <presence/>".into(),
        "close".into(),
    ];
    for step in [1, 2, 3, 7, 64, 1000] {
        let got = events(stream.as_bytes().chunks(step), Limits::default());
        assert_eq!(got, expected, "in steps of {step}");
    }
}

#[test]
fn what_is_refused() {
    use XmlError::*;
    for (stanza, kind) in [
        ("<a>&#0;</a>", "NotWellFormed"),
        ("<a>\0</a>", "NotWellFormed"),
        ("<a b='\u{1}'/>", "NotWellFormed"),
        ("<a b='<'/>", "NotWellFormed"),
        ("<a b='1' b='2'/>", "NotWellFormed"),
        (
            "<a xmlns:p='u' xmlns:q='u' p:b='' q:b=''/>",
            "NotWellFormed",
        ),
        ("<a b=1/>", "NotWellFormed"),
        ("<a b/>", "NotWellFormed"),
        ("<a b='1'c='2'/>", "NotWellFormed"),
        ("<a></b>", "NotWellFormed"),
        ("<a>]]></a>", "NotWellFormed"),
        ("<a>&</a>", "NotWellFormed"),
        ("<a>& b;</a>", "NotWellFormed"),
        ("<a>&#xD800;</a>", "NotWellFormed"),
        ("<a>&#xFFFE;</a>", "NotWellFormed"),
        ("<a>\u{FFFF}</a>", "NotWellFormed"),
        ("<1/>", "NotWellFormed"),
        ("<a:b:c/>", "NotWellFormed"),
        ("<:a/>", "NotWellFormed"),
        ("<a/ >", "NotWellFormed"),
        ("< a/>", "NotWellFormed"),
        ("text<a/>", "NotWellFormed"),
        ("<![CDATA[x]]>", "NotWellFormed"),
        ("</stream>", "NotWellFormed"),
        ("<a>&nbsp;</a>", "Restricted"),
        ("<a><!-- --></a>", "Restricted"),
        ("<!-- -->", "Restricted"),
        ("<?pi?>", "Restricted"),
        ("<!DOCTYPE a>", "Restricted"),
        ("<?xml version='1.0'?>", "Restricted"),
        ("<q:a/>", "BadPrefix"),
        ("<a><q:b/></a>", "BadPrefix"),
        ("<a q:b=''/>", "BadPrefix"),
        ("<a><b><c q:d=''/></b></a>", "BadPrefix"),
        ("<a xmlns:q=''/>", "BadPrefix"),
        ("<a xmlns:xmlns='u'/>", "BadPrefix"),
        ("<a xmlns:xml='u'/>", "BadPrefix"),
        (
            "<a xmlns:b='http://www.w3.org/XML/1998/namespace'/>",
            "BadPrefix",
        ),
        ("<a xmlns='http://www.w3.org/2000/xmlns/'/>", "BadPrefix"),
    ] {
        let got = match inside(stanza) {
            Err(NotWellFormed(_)) => "NotWellFormed",
            Err(Restricted(_)) => "Restricted",
            Err(BadPrefix(_)) => "BadPrefix",
            other => panic!("{stanza}: {other:?}"),
        };
        assert_eq!(got, kind, "{stanza}");
    }
}

/// The header of `stream` and whatever follows it, in one read.
fn run(stream: &str) -> Vec<String> {
    events([stream.as_bytes()], Limits::default())
}

#[test]
fn before_the_header() {
    let header = &run(HEAD)[0];
    for before in [
        "",
        "\u{FEFF}",
        "\n ",
        "<?xml version='1.0'?>",
        "\u{FEFF}<?xml version=\"1.0\" encoding='UTF-8' standalone='no' ?>\r\n",
        "<?xml version='1.0' encoding='utf-8'?>",
        "<?xml version = '1.0' standalone = 'yes'?>",
    ] {
        assert_eq!(
            &run(&format!("{before}{HEAD}")),
            std::slice::from_ref(header),
            "{before}"
        );
    }
    for (before, error) in [
        (
            "<?xml version='1.0' encoding='ISO-8859-1'?>",
            "UnsupportedEncoding",
        ),
        (
            "<?xml version='1.0' encoding='UTF-16'?>",
            "UnsupportedEncoding",
        ),
        ("<?xml version='1.1'?>", "NotWellFormed"),
        ("<?xml encoding='UTF-8'?>", "NotWellFormed"),
        ("<?xml version='1.0' standalone='maybe'?>", "NotWellFormed"),
        (
            "<?xml version='1.0' standalone='no' encoding='UTF-8'?>",
            "NotWellFormed",
        ),
        ("<?xml version='1.0'>", "NotWellFormed"),
        ("<?xml?>", "NotWellFormed"),
        ("<?xml-stylesheet href='x'?>", "Restricted"),
        ("<?xml version='1.0'?><?xml version='1.0'?>", "Restricted"),
        ("<?xml version='1.0'?><!-- x -->", "Restricted"),
        ("<!DOCTYPE x>", "Restricted"),
        ("<!-- x -->", "Restricted"),
        ("\u{FEFF}\u{FEFF}", "NotWellFormed"),
        ("GET / HTTP/1.1", "NotWellFormed"),
        ("</stream:stream>", "NotWellFormed"),
    ] {
        let got = run(&format!("{before}{HEAD}"));
        assert!(got[0].starts_with(error), "{before}: {got:?}");
    }
    for utf16 in [&b"\xFF\xFE<\0"[..], b"\xFE\xFF\0<", b"<\0?\0", b"\0<\0?"] {
        assert_eq!(events([utf16], Limits::default()), ["UnsupportedEncoding"]);
    }
}

#[test]
fn a_header_that_closes_itself_is_followed_by_the_end() {
    let got = run("<stream xmlns='urn:s'/> \n");
    assert_eq!(got.len(), 2, "{got:?}");
    assert_eq!(got[1], "close");
}

#[test]
fn nothing_follows_the_end() {
    for (after, error) in [
        (" \r\n", false),
        ("<a/>", true),
        ("x", true),
        ("</stream:stream>", true),
    ] {
        let got = run(&format!("{HEAD}</stream:stream>{after}"));
        assert_eq!(got[1], "close");
        assert_eq!(got.len() == 3, error, "{after}: {got:?}");
    }
}

#[test]
fn an_error_stays() {
    let mut framer = Framer::new(Limits::default());
    let mut buf = BytesMut::from(format!("{HEAD}<a><!-- --></a><b/>").as_bytes());
    framer.next(&mut buf).unwrap();
    let error = framer.next(&mut buf).unwrap_err();
    assert_eq!(framer.next(&mut buf).unwrap_err(), error);
    assert_eq!(framer.next(&mut BytesMut::from("<b/>")).unwrap_err(), error);
}

#[test]
fn a_restart_begins_anew() {
    let mut framer = Framer::new(Limits::default());
    let mut buf = BytesMut::from(format!("{HEAD}<auth/>\n").as_bytes());
    framer.next(&mut buf).unwrap();
    framer.next(&mut buf).unwrap();
    framer.restart();
    buf.extend_from_slice(
        b"<?xml version='1.0'?><s:stream xmlns:s='urn:s' xmlns='urn:d'><s:a/><x:b/>",
    );
    match framer.next(&mut buf).unwrap() {
        Some(Event::Header(header)) => {
            assert_eq!((header.name(), header.ns()), ("stream", "urn:s"));
            assert_eq!(header.default_ns(), "urn:d");
            assert_eq!(header.lang(), None);
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(framer.next(&mut buf), Ok(Some(Event::Element(el))) if el.is("a", "urn:s")));
    // Declared by the old header, not by the new one.
    assert!(matches!(framer.next(&mut buf), Err(XmlError::BadPrefix(_))));
}

#[test]
fn nothing_is_copied() {
    let mut framer = Framer::new(Limits::default());
    let mut buf = BytesMut::from(format!("{HEAD}<a><b/></a>").as_bytes());
    framer.next(&mut buf).unwrap();
    let at = buf.as_ptr();
    let Some(Event::Element(element)) = framer.next(&mut buf).unwrap() else {
        panic!("no element");
    };
    assert_eq!(element.bytes().as_ptr(), at);
    let child = element.children().next().unwrap().bytes();
    assert_eq!(child.as_ptr() as usize, at as usize + 3);
}
