//! What the framer takes and what it refuses.

use bytes::BytesMut;
use xml::{Event, Framer, Limits, XmlError};

const HEAD: &str = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' \
                    xmlns:x='urn:x' to='localhost' version='1.0' xml:lang='de'>";

/// All events of `bytes`, written short, and the error that ended them.
fn events(bytes: &[u8]) -> Vec<String> {
    events_by(bytes, usize::MAX, Limits::default())
}

fn events_by(bytes: &[u8], step: usize, limits: Limits) -> Vec<String> {
    let mut framer = Framer::new(limits);
    let mut buf = BytesMut::new();
    let mut out = Vec::new();
    for chunk in bytes.chunks(step.max(1)) {
        buf.extend_from_slice(chunk);
        loop {
            match framer.next(&mut buf) {
                Ok(Some(event)) => out.push(short(&event)),
                Ok(None) => break,
                Err(error) => {
                    out.push(format!("{error:?}"));
                    return out;
                }
            }
        }
    }
    out
}

fn short(event: &Event) -> String {
    match event {
        Event::Header(header) => format!("header {} {}", header.name(), header.ns()),
        Event::Close => "close".into(),
        Event::Element(el) => {
            let children: Vec<_> = el
                .children()
                .map(|c| format!("{} {} {:?}", c.name(), c.ns(), c.range()))
                .collect();
            format!(
                "{} {} [{}] {}",
                el.name(),
                el.ns(),
                children.join(", "),
                String::from_utf8_lossy(el.bytes())
            )
        }
    }
}

/// What a stanza inside a proper stream gives.
fn inside(stanza: &str) -> Result<String, XmlError> {
    let mut buf = BytesMut::from(format!("{HEAD}{stanza}").as_bytes());
    let mut framer = Framer::new(Limits::default());
    framer.next(&mut buf)?;
    Ok(framer
        .next(&mut buf)?
        .map_or_else(|| "more".into(), |e| short(&e)))
}

#[test]
fn a_stream_comes_apart() {
    let stream = format!(
        "<?xml version='1.0'?>\n{HEAD} \n<message to='a>b'><body>hi &amp; <![CDATA[<x>]]></body>\
         <x xmlns='urn:y' a=\"'\"/></message>\n<presence/></stream:stream >"
    );
    let expected = [
        "header stream http://etherx.jabber.org/streams",
        "message jabber:client [body jabber:client 18..55, x urn:y 55..79] \
         <message to='a>b'><body>hi &amp; <![CDATA[<x>]]></body><x xmlns='urn:y' a=\"'\"/></message>",
        "presence jabber:client [] <presence/>",
        "close",
    ];
    assert_eq!(events(stream.as_bytes()), expected);
    for step in 1..40 {
        assert_eq!(
            events_by(stream.as_bytes(), step, Limits::default()),
            expected,
            "in steps of {step}"
        );
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
        ("<p:a/>", "BadPrefix"),
        ("<a><p:b/></a>", "BadPrefix"),
        ("<a p:b=''/>", "BadPrefix"),
        ("<a><b><c p:d=''/></b></a>", "BadPrefix"),
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
