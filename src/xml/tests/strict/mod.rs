//! quick-xml with the rules it leaves open: an independent judge of what an element is.

use quick_xml::NsReader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{NamespaceResolver, ResolveResult};
use xml::{Node, Tree};

/// Reads one element within `jabber:client`, white space around it allowed.
pub(crate) fn read(xml: &str) -> Result<Tree, String> {
    // Left open: characters that XML forbids.
    if let Some(c) = xml.chars().find(|&c| !is_char(c)) {
        return Err(format!("forbidden {c:?}"));
    }
    let wrapped = format!("<around xmlns='jabber:client'>{xml}</around>");
    let mut reader = NsReader::from_str(&wrapped);
    let config = reader.config_mut();
    config.enable_all_checks(true);
    config.expand_empty_elements = true;
    let mut open: Vec<Tree> = Vec::new();
    loop {
        let event = reader.read_event().map_err(|e| e.to_string())?;
        match event {
            Event::Start(tag) => open.push(begin(&tag, reader.resolver())?),
            Event::End(_) => {
                let tree = open.pop().ok_or("an end too many")?;
                match open.last_mut() {
                    Some(parent) => parent.nodes.push(Node::Element(tree)),
                    None => {
                        // Nothing may follow the surrounding element either.
                        return match reader.read_event() {
                            Ok(Event::Eof) => only(tree),
                            other => Err(format!("behind the end: {other:?}")),
                        };
                    }
                }
            }
            Event::Text(raw) => {
                // Left open: the end of a CDATA section in text.
                if raw.contains("]]>") {
                    return Err("]]> in text".into());
                }
                push(&mut open, &raw.xml10_content());
            }
            Event::CData(data) => {
                if open.len() == 1 {
                    return Err("CDATA outside".into());
                }
                push(&mut open, &data.xml10_content());
            }
            Event::GeneralRef(reference) => {
                if open.len() == 1 {
                    return Err("a reference outside".into());
                }
                let c = match reference.resolve_char_ref() {
                    Ok(Some(c)) if is_char(c) => c,
                    Ok(None) => predefined(&reference)?,
                    _ => return Err("a reference to nothing legal".into()),
                };
                push(&mut open, c.encode_utf8(&mut [0; 4]));
            }
            // Left open: what RFC 6120 §11.1 forbids.
            Event::Comment(_) | Event::PI(_) | Event::DocType(_) | Event::Decl(_) => {
                return Err("restricted".into());
            }
            Event::Empty(_) | Event::Eof => return Err("an end too few".into()),
        }
    }
}

/// The one element within the surrounding one.
fn only(around: Tree) -> Result<Tree, String> {
    let mut found = None;
    for node in around.nodes {
        match node {
            Node::Text(text) if text.trim_ascii().is_empty() => {}
            Node::Element(tree) if found.is_none() => found = Some(tree),
            _ => return Err("more than one element".into()),
        }
    }
    found.ok_or_else(|| "no element".into())
}

fn begin(tag: &BytesStart<'_>, resolver: &NamespaceResolver) -> Result<Tree, String> {
    spaces(tag.attributes_raw())?;
    name(tag.name().as_ref())?;
    // Left open: Namespaces in XML §3, elements do not have this prefix.
    if tag.name().as_ref().starts_with("xmlns:") {
        return Err("an element of xmlns".into());
    }
    let (ns, local) = resolver.resolve_element(tag.name());
    let mut tree = Tree {
        name: local.as_ref().to_owned(),
        ns: bound(ns)?,
        ..Tree::default()
    };
    for attr in tag.attributes() {
        let attr = attr.map_err(|e| e.to_string())?;
        name(attr.key.as_ref())?;
        // Left open: '<' in values, references to forbidden characters.
        if attr.value.contains('<') {
            return Err("< in a value".into());
        }
        let value = attr
            .normalized_value(XmlVersion::Explicit1_0)
            .map_err(|e| e.to_string())?;
        if let Some(c) = value.chars().find(|&c| !is_char(c)) {
            return Err(format!("a reference to {c:?}"));
        }
        if let Some(prefix) = attr.key.as_namespace_binding() {
            // Left open: a prefix declared as nothing.
            if value.is_empty() && attr.key.as_ref() != "xmlns" {
                return Err(format!("{prefix:?} declared as nothing"));
            }
            // Left open: Namespaces in XML §3, who may be bound to the two reserved names.
            let (xml, xmlns) = (
                value == "http://www.w3.org/XML/1998/namespace",
                value == "http://www.w3.org/2000/xmlns/",
            );
            if xmlns || xml != (attr.key.as_ref() == "xmlns:xml") {
                return Err("a reserved name".into());
            }
            // Compared before decoding there; ours compare what it says.
            continue;
        }
        let (ns, local) = resolver.resolve_attribute(attr.key);
        tree.attrs
            .push((bound(ns)?, local.as_ref().to_owned(), value.into_owned()));
    }
    tree.attrs.sort();
    // Left open: the same attribute by two prefixes.
    if tree
        .attrs
        .windows(2)
        .any(|w| w[0].0 == w[1].0 && w[0].1 == w[1].1)
    {
        return Err("an attribute twice".into());
    }
    Ok(tree)
}

/// Left open: prefixes nobody declared; namespace names stay as written.
fn bound(ns: ResolveResult<'_>) -> Result<String, String> {
    match ns {
        ResolveResult::Unbound => Ok(String::new()),
        ResolveResult::Bound(ns) => {
            let spaced = ns.as_ref().replace("\r\n", " ");
            let spaced = spaced.replace(['\r', '\n', '\t'], " ");
            quick_xml::escape::unescape(&spaced)
                .map(|ns| ns.into_owned())
                .map_err(|e| e.to_string())
        }
        ResolveResult::Unknown(prefix) => Err(format!("unknown prefix {prefix:?}")),
    }
}

/// Left open: names that are none.
fn name(name: &str) -> Result<(), String> {
    // XML 1.0 §2.3, productions 4 and 4a, without the colon.
    const START: [(char, char); 15] = [
        ('A', 'Z'),
        ('_', '_'),
        ('a', 'z'),
        ('\u{C0}', '\u{D6}'),
        ('\u{D8}', '\u{F6}'),
        ('\u{F8}', '\u{2FF}'),
        ('\u{370}', '\u{37D}'),
        ('\u{37F}', '\u{1FFF}'),
        ('\u{200C}', '\u{200D}'),
        ('\u{2070}', '\u{218F}'),
        ('\u{2C00}', '\u{2FEF}'),
        ('\u{3001}', '\u{D7FF}'),
        ('\u{F900}', '\u{FDCF}'),
        ('\u{FDF0}', '\u{FFFD}'),
        ('\u{10000}', '\u{EFFFF}'),
    ];
    const FURTHER: [(char, char); 6] = [
        ('-', '-'),
        ('.', '.'),
        ('0', '9'),
        ('\u{B7}', '\u{B7}'),
        ('\u{300}', '\u{36F}'),
        ('\u{203F}', '\u{2040}'),
    ];
    let among =
        |table: &[(char, char)], c: char| table.iter().any(|(from, to)| (*from..=*to).contains(&c));
    let ncname = |name: &str| {
        let mut chars = name.chars();
        chars.next().is_some_and(|c| among(&START, c))
            && chars.all(|c| among(&START, c) || among(&FURTHER, c))
    };
    let fine = match name.split_once(':') {
        Some((prefix, local)) => ncname(prefix) && ncname(local),
        None => ncname(name),
    };
    fine.then_some(())
        .ok_or_else(|| format!("no name: {name:?}"))
}

/// Left open: attributes without white space between them.
fn spaces(raw: &str) -> Result<(), String> {
    let mut quote = None;
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        match quote {
            None if c == '\'' || c == '"' => quote = Some(c),
            Some(q) if q == c => {
                quote = None;
                if chars.peek().is_some_and(|c| !c.is_ascii_whitespace()) {
                    return Err("no space between attributes".into());
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn predefined(name: &str) -> Result<char, String> {
    Ok(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "apos" => '\'',
        "quot" => '"',
        _ => return Err(format!("entity {name}")),
    })
}

fn push(open: &mut [Tree], text: &str) {
    let Some(tree) = open.last_mut() else { return };
    match tree.nodes.last_mut() {
        Some(Node::Text(before)) => before.push_str(text),
        _ if text.is_empty() => {}
        _ => tree.nodes.push(Node::Text(text.to_owned())),
    }
}

fn is_char(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
}
