//! Reads XML as far as plays need it, by quick-xml and on purpose not by our own `xml` crate: a test
//! must not ask the code under test what came.

use std::fmt::Write as _;

use quick_xml::escape::{escape, unescape};
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::pattern::Value;

pub(crate) const CLIENT: &str = "jabber:client";
const STREAMS: &str = "http://etherx.jabber.org/streams";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// One thing on the wire, or one that is expected there.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    /// `<stream:stream …>`; its own default namespace counts when it is declared.
    Open {
        tag: Element,
        default_ns: Option<String>,
    },
    /// `</stream:stream>`
    Close,
    Whole(Element),
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) ns: String,
    /// Name (with the namespace in braces when it has a prefix) and value, sorted by name.
    pub(crate) attributes: Vec<(String, Value)>,
    /// A bare `*` stood among the attributes.
    pub(crate) more_attributes: bool,
    pub(crate) text: Value,
    pub(crate) children: Vec<Element>,
}

impl Item {
    /// Who it is from, as far as it says so.
    pub(crate) fn from(&self) -> Option<&Value> {
        let Self::Whole(element) = self else {
            return None;
        };
        let mut attributes = element.attributes.iter();
        let (_, from) = attributes.find(|(name, _)| name == "from")?;
        Some(from)
    }
}

/// Expected XML: stars and `{names}` have their meaning.
pub(crate) fn pattern(text: &str, default_ns: &str) -> Result<Vec<Item>, String> {
    read(text, default_ns, true)
}

/// XML that came: everything is literal.
pub(crate) fn literal(text: &str, default_ns: &str) -> Result<Vec<Item>, String> {
    read(text, default_ns, false)
}

/// What the text of an element is gathered in: raw until the element ends, so that an escaped star
/// can be told from a bare one.
struct Growing {
    element: Element,
    raw_text: String,
    scope: usize,
}

struct Parser {
    is_pattern: bool,
    /// Prefix ("" for the default) and namespace, innermost last.
    scopes: Vec<(String, String)>,
    stack: Vec<Growing>,
    items: Vec<Item>,
}

fn read(text: &str, default_ns: &str, is_pattern: bool) -> Result<Vec<Item>, String> {
    let known = [("", default_ns), ("stream", STREAMS), ("xml", XML)];
    let mut parser = Parser {
        is_pattern,
        scopes: known.map(|(p, ns)| (p.to_owned(), ns.to_owned())).to_vec(),
        stack: Vec::new(),
        items: Vec::new(),
    };
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    loop {
        match reader.read_event().map_err(|e| format!("not XML: {e}"))? {
            Event::Start(tag) => parser.open(&tag)?,
            Event::Empty(tag) => {
                parser.open(&tag)?;
                parser.close(tag.name().as_ref())?;
            }
            Event::End(tag) => parser.close(tag.name().as_ref())?,
            Event::Text(text) => parser.text(&text)?,
            Event::CData(text) => parser.text(&escape(&*text))?,
            Event::GeneralRef(name) => parser.text(&format!("&{};", &*name))?,
            Event::Decl(_) => {}
            Event::Eof => break,
            other => return Err(format!("no place here for {other:?}")),
        }
    }
    match parser.stack.pop() {
        Some(open) => Err(format!("<{}> is not closed", open.element.name)),
        None => Ok(parser.items),
    }
}

impl Parser {
    fn open(&mut self, tag: &BytesStart<'_>) -> Result<(), String> {
        let scope = self.scopes.len();
        let mut attributes = Vec::new();
        let mut declared = None;
        let mut more_attributes = false;
        let iterator = if self.is_pattern {
            tag.html_attributes()
        } else {
            tag.attributes()
        };
        for attribute in iterator {
            let attribute = attribute.map_err(|e| format!("an attribute: {e}"))?;
            let (key, raw): (&str, &str) = (attribute.key.as_ref(), attribute.value.as_ref());
            if key == "*" && raw.is_empty() {
                more_attributes = true;
            } else if key == "xmlns" {
                declared = Some(plain(raw)?);
                self.scopes.push((String::new(), plain(raw)?));
            } else if let Some(prefix) = key.strip_prefix("xmlns:") {
                self.scopes.push((prefix.to_owned(), plain(raw)?));
            } else {
                attributes.push((key.to_owned(), raw.to_owned()));
            }
        }
        let attributes = attributes
            .into_iter()
            .map(|(key, raw)| Ok((self.attribute_name(&key)?, self.value(&raw)?)))
            .collect::<Result<Vec<_>, String>>()?;
        let (ns, name) = self.resolve(tag.name().as_ref())?;
        let mut element = Element {
            name,
            ns,
            attributes,
            more_attributes,
            ..Element::default()
        };
        element.attributes.sort_by(|a, b| a.0.cmp(&b.0));
        if self.stack.is_empty() && element.name == "stream" && element.ns == STREAMS {
            self.items.push(Item::Open {
                tag: element,
                default_ns: declared,
            });
            return Ok(());
        }
        self.stack.push(Growing {
            element,
            raw_text: String::new(),
            scope,
        });
        Ok(())
    }

    fn close(&mut self, name: &str) -> Result<(), String> {
        let Some(grown) = self.stack.pop() else {
            let (ns, local) = self.resolve(name)?;
            if local == "stream" && ns == STREAMS {
                self.items.push(Item::Close);
                return Ok(());
            }
            return Err(format!("</{name}> closes nothing"));
        };
        let (ns, local) = self.resolve(name)?;
        let mut element = grown.element;
        if (&ns, &local) != (&element.ns, &element.name) {
            return Err(format!("<{}> is closed by </{name}>", element.name));
        }
        let raw = match element.children.is_empty() {
            true => grown.raw_text.as_str(),
            false => grown.raw_text.trim(),
        };
        element.text = self.value(raw)?;
        self.scopes.truncate(grown.scope);
        match self.stack.last_mut() {
            Some(parent) => parent.element.children.push(element),
            None => self.items.push(Item::Whole(element)),
        }
        Ok(())
    }

    fn text(&mut self, raw: &str) -> Result<(), String> {
        match self.stack.last_mut() {
            Some(open) => open.raw_text.push_str(raw),
            None if raw.trim().is_empty() => {}
            None => return Err(format!("text outside of any element: {raw:?}")),
        }
        Ok(())
    }

    fn value(&self, raw: &str) -> Result<Value, String> {
        match self.is_pattern {
            true => Value::pattern(raw),
            false => plain(raw).map(Value::literal),
        }
    }

    fn resolve(&self, name: &str) -> Result<(String, String), String> {
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        let ns = self.scopes.iter().rev().find(|(known, _)| known == prefix);
        let (_, ns) = ns.ok_or_else(|| format!("the prefix `{prefix}` is not declared"))?;
        Ok((ns.clone(), local.to_owned()))
    }

    fn attribute_name(&self, name: &str) -> Result<String, String> {
        if !name.contains(':') || name.starts_with("xml:") {
            return Ok(name.to_owned());
        }
        let (ns, local) = self.resolve(name)?;
        Ok(format!("{{{ns}}}{local}"))
    }
}

pub(crate) fn plain(raw: &str) -> Result<String, String> {
    Ok(unescape(raw)
        .map_err(|e| format!("{raw:?}: {e}"))?
        .into_owned())
}

impl Item {
    /// Indented lines for a person; attributes sorted, so that two texts can be compared.
    pub(crate) fn pretty(&self, outer_ns: &str) -> String {
        let mut out = String::new();
        match self {
            Item::Close => out.push_str("</stream:stream>\n"),
            Item::Open { tag, default_ns } => {
                let declared = default_ns.as_ref().map(|ns| format!(" xmlns='{ns}'"));
                let declared = declared.unwrap_or_default();
                let _ = writeln!(out, "<stream:stream{declared}{}>", tag.attributes_text());
            }
            Item::Whole(element) => element.pretty(outer_ns, 0, &mut out),
        }
        out
    }
}

impl Element {
    fn attributes_text(&self) -> String {
        let mut out = String::new();
        for (name, value) in &self.attributes {
            let _ = write!(out, " {name}='{value}'");
        }
        if self.more_attributes {
            out.push_str(" *");
        }
        out
    }

    fn pretty(&self, outer_ns: &str, depth: usize, out: &mut String) {
        let indent = "  ".repeat(depth);
        let declared = match self.ns == outer_ns || self.name.starts_with('*') {
            true => String::new(),
            false => format!(" xmlns='{}'", self.ns),
        };
        let head = format!("{indent}<{}{declared}{}", self.name, self.attributes_text());
        let text = self.text.to_string();
        if self.children.is_empty() {
            let _ = match text.is_empty() {
                true => writeln!(out, "{head}/>"),
                false => writeln!(out, "{head}>{text}</{}>", self.name),
            };
            return;
        }
        let _ = writeln!(out, "{head}>");
        if !text.is_empty() {
            let _ = writeln!(out, "{indent}  {text}");
        }
        for child in &self.children {
            child.pretty(&self.ns, depth + 1, out);
        }
        let _ = writeln!(out, "{indent}</{}>", self.name);
    }
}
