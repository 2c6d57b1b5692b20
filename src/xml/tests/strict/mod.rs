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
    let ncname = |name: &str| {
        let start = |c: char| match c {
            ':' => false,
            c if c.is_ascii() => c.is_ascii_alphabetic() || c == '_',
            // Of the rest only what the generator makes use of.
            '\u{D7}' | '\u{F7}' | '\u{37E}' | '\u{300}'..='\u{36F}' => false,
            c => {
                matches!(c, '\u{C0}'..='\u{1FFF}' | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
            }
        };
        let mut chars = name.chars();
        chars.next().is_some_and(start)
            && chars.all(|c| start(c) || c.is_ascii_digit() || "-.\u{B7}".contains(c))
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
