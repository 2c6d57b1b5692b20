//! XML that is right most of the time, and ways to spoil it.
#![allow(dead_code)]

use proptest::prelude::*;

const NAMES: &[&str] = &["a", "b", "body", "x:y", "p:z", "stream:s", "é", "a-1.b"];
const TEXTS: &[&str] = &[
    "hello",
    " ",
    "\r\n\t",
    "&amp;&lt;&gt;&apos;&quot;",
    "&#65;&#x1F600;",
    "]] >",
    "ä€😀",
    "a somewhat longer text that takes the road of sixteen bytes at a time > and on",
    "<![CDATA[<&]]]]>",
    "<![CDATA[]]>",
];
const VALUES: &[&str] = &[
    "",
    "v",
    ">",
    "a&amp;b",
    "\t\n",
    "é😀",
    "&#9;&#x41;",
    "1/2",
    "=",
];
const DECLS: &[&str] = &[
    "xmlns='urn:d'",
    "xmlns=''",
    "xmlns:p='urn:p'",
    "xmlns:p='urn:x'",
    "xmlns:x='urn:own'",
    "xmlns:p='urn:&amp;'",
    "xmlns:xml='http://www.w3.org/XML/1998/namespace'",
];
/// What gets put where it does not belong.
const POISON: &[&str] = &[
    "<",
    ">",
    "&",
    "'",
    "\"",
    "/",
    "=",
    ":",
    " ",
    "]]>",
    "<!--",
    "-->",
    "<?",
    "?>",
    "<!DOCTYPE a>",
    "&nbsp;",
    "&#0;",
    "&#xFFFF;",
    "\0",
    "\u{1}",
    "\u{FFFE}",
    "\u{7F}",
    "\u{FEFF}",
    "<a>",
    "</a>",
    "<a/>",
    "xmlns:q=''",
    " x:a='' p:a=''",
    " a='1' a='2'",
    "xmlns:xmlns='u'",
    "é",
    "-",
    "1",
    "<![CDATA[",
    "<p:q/>",
    ";",
    "#",
    "\r",
    "\u{D7}",
    "\u{2FF0}",
];

fn pick(from: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(from)
}

/// One element, well-formed unless names clash or a prefix is missing.
pub(crate) fn element() -> impl Strategy<Value = String> {
    let content = prop_oneof![4 => pick(TEXTS).prop_map(str::to_owned), 1 => Just(String::new())];
    content
        .prop_recursive(4, 24, 5, |inner| {
            let attrs = prop::collection::vec(
                (
                    prop_oneof![3 => pick(NAMES), 1 => Just("xml:lang")],
                    pick(VALUES),
                    any::<bool>(),
                ),
                0..4,
            );
            (
                pick(NAMES),
                attrs,
                prop::collection::vec(pick(DECLS), 0..3),
                prop::collection::vec(inner, 0..4),
                any::<bool>(),
            )
                .prop_map(|(name, attrs, decls, content, short)| {
                    write(name, &attrs, &decls, &content.concat(), short)
                })
        })
        .prop_map(
            |content| match content.starts_with('<') && !content.starts_with("<!") {
                // Often an element already; text gets one around it.
                true => content,
                false => format!("<message>{content}</message>"),
            },
        )
}

fn write(
    name: &str,
    attrs: &[(&str, &str, bool)],
    decls: &[&str],
    content: &str,
    short: bool,
) -> String {
    let mut out = format!("<{name}");
    for decl in decls {
        out += &format!(" {decl}");
    }
    for (name, value, double) in attrs {
        let quote = if *double { '"' } else { '\'' };
        out += &format!("  {name} = {quote}{value}{quote}");
    }
    if content.is_empty() && short {
        out + "/>"
    } else {
        format!("{out} >{content}</{name} >")
    }
}

/// The same with something put in or taken out at up to two places.
pub(crate) fn spoiled(xml: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let change = (any::<prop::sample::Index>(), prop::option::of(pick(POISON)));
    (xml, prop::collection::vec(change, 0..3)).prop_map(|(mut xml, changes)| {
        for (at, poison) in changes {
            let places: Vec<_> = xml.char_indices().map(|(i, c)| (i, c.len_utf8())).collect();
            if places.is_empty() {
                break;
            }
            let (at, len) = *at.get(&places);
            match poison {
                Some(poison) => xml.insert_str(at, poison),
                None => xml.replace_range(at..at + len, ""),
            }
        }
        xml
    })
}

/// A whole stream.
pub(crate) fn stream() -> impl Strategy<Value = String> {
    (
        pick(&["", "\u{FEFF}", " \n"]),
        pick(&[
            "",
            "<?xml version='1.0'?>",
            "<?xml version=\"1.0\" encoding='utf-8' ?>\n",
        ]),
        prop::collection::vec((element(), pick(&["", " ", "\r\n"])), 0..4),
        pick(&[
            "",
            "</stream:stream>",
            "</stream:stream >\n",
            "</stream:stream><a/>",
        ]),
    )
        .prop_map(|(bom, decl, elements, end)| {
            let elements: String = elements.iter().map(|(e, s)| format!("{e}{s}")).collect();
            format!("{bom}{decl}{}{elements}{end}", super::reading::HEAD)
        })
}
