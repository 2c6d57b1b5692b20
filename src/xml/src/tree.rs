//! An owned tree, for those who must look deep.

use std::fmt;
use std::str::FromStr;

use quick_xml::events::{BytesStart, Event};

use crate::XmlError::{self, NotWellFormed};
use crate::element::Element;
use crate::escape::{decode, unescape_attr, unescape_cdata, unescape_text};
use crate::scope::{Scope, XML_NS};
use crate::writer::Writer;

/// An element with all that is in it. Two trees are equal if they mean the same: the choice of
/// prefixes and the order of attributes do not count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// Local name.
    pub name: String,
    /// Namespace; empty if it has none.
    pub ns: String,
    /// Attributes as `(namespace, local name, value)`, sorted.
    pub attrs: Vec<(String, String, String)>,
    /// Children and text, in their order; no two texts side by side, no empty ones.
    pub nodes: Vec<Node>,
}

/// What a tree holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A child.
    Element(Tree),
    /// Character data, decoded.
    Text(String),
}

impl Tree {
    /// An attribute without a prefix, or `xml:lang`.
    pub fn attr(&self, name: &str) -> Option<&str> {
        let (ns, local) = match name.strip_prefix("xml:") {
            Some(local) => (XML_NS, local),
            None => ("", name),
        };
        self.attr_in(local, ns)
    }

    /// An attribute by local name and namespace.
    pub fn attr_in(&self, name: &str, ns: &str) -> Option<&str> {
        self.attrs
            .iter()
            .find(|(n, local, _)| n == ns && local == name)
            .map(|(_, _, value)| value.as_str())
    }

    /// The children, text left out.
    pub fn children(&self) -> impl Iterator<Item = &Tree> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Element(tree) => Some(tree),
            Node::Text(_) => None,
        })
    }

    /// The first child of this name and namespace.
    pub fn child(&self, name: &str, ns: &str) -> Option<&Tree> {
        self.children().find(|child| child.is(name, ns))
    }

    /// All children of this name and namespace.
    pub fn children_named<'a>(
        &'a self,
        name: &'a str,
        ns: &'a str,
    ) -> impl Iterator<Item = &'a Tree> {
        self.children().filter(move |child| child.is(name, ns))
    }

    /// True if name and namespace are these.
    pub fn is(&self, name: &str, ns: &str) -> bool {
        self.name == name && self.ns == ns
    }

    /// The text directly in the element.
    pub fn text(&self) -> String {
        self.nodes
            .iter()
            .filter_map(|node| match node {
                Node::Text(text) => Some(text.as_str()),
                Node::Element(_) => None,
            })
            .collect()
    }

    /// Without texts of nothing but white space beside elements: what tests compare when they write
    /// XML over several lines.
    pub fn trimmed(mut self) -> Self {
        let has_children = self.children().next().is_some();
        self.nodes = self
            .nodes
            .into_iter()
            .filter_map(|node| match node {
                Node::Text(text) if has_children && text.trim_ascii().is_empty() => None,
                Node::Text(text) => Some(Node::Text(text)),
                Node::Element(tree) => Some(Node::Element(tree.trimmed())),
            })
            .collect();
        self
    }

    /// Reads checked XML, with the declarations around it.
    pub(crate) fn read(xml: &str, outside: &Scope) -> Result<Self, XmlError> {
        const BROKEN: XmlError = NotWellFormed("the reader disagrees with the scanner");
        let mut reader = quick_xml::Reader::from_str(xml);
        let mut decls: Vec<(String, String)> = outside
            .decls
            .iter()
            .map(|(prefix, ns)| (prefix.to_string(), ns.to_string()))
            .collect();
        let mut open: Vec<(Self, usize)> = Vec::new();
        loop {
            let ended = match reader.read_event().map_err(|_| BROKEN)? {
                Event::Start(tag) => {
                    let before = decls.len();
                    open.push((Self::begin(&tag, &mut decls)?, before));
                    None
                }
                Event::Empty(tag) => {
                    let before = decls.len();
                    let tree = Self::begin(&tag, &mut decls)?;
                    decls.truncate(before);
                    Some(tree)
                }
                Event::End(_) => {
                    let (tree, before) = open.pop().ok_or(BROKEN)?;
                    decls.truncate(before);
                    Some(tree)
                }
                Event::Text(text) => {
                    push_text(&mut open, &unescape_text(&text));
                    None
                }
                Event::CData(data) => {
                    push_text(&mut open, &unescape_cdata(&data));
                    None
                }
                Event::GeneralRef(name) => {
                    let c = decode(name.as_bytes()).ok_or(BROKEN)?;
                    push_text(&mut open, c.encode_utf8(&mut [0; 4]));
                    None
                }
                Event::Eof => return Err(BROKEN),
                _ => return Err(BROKEN),
            };
            if let Some(tree) = ended {
                match open.last_mut() {
                    Some((parent, _)) => parent.nodes.push(Node::Element(tree)),
                    None => return Ok(tree),
                }
            }
        }
    }

    fn begin(tag: &BytesStart<'_>, decls: &mut Vec<(String, String)>) -> Result<Self, XmlError> {
        const BROKEN: XmlError = NotWellFormed("the reader disagrees with the scanner");
        let mut plain = Vec::new();
        for attr in tag.attributes() {
            let attr = attr.map_err(|_| BROKEN)?;
            let name: &str = attr.key.as_ref();
            let value = unescape_attr(&attr.value).into_owned();
            match name.strip_prefix("xmlns:") {
                Some(prefix) => decls.push((prefix.to_owned(), value)),
                None if name == "xmlns" => decls.push((String::new(), value)),
                None => plain.push((name.to_owned(), value)),
            }
        }
        let resolve = |prefix: &str| match prefix {
            "xml" => Ok(XML_NS.to_owned()),
            _ => decls
                .iter()
                .rev()
                .find(|(p, _)| p == prefix)
                .map(|(_, ns)| ns.clone())
                .or_else(|| prefix.is_empty().then(String::new))
                .ok_or(BROKEN),
        };
        let name = tag.name();
        let name: &str = name.as_ref();
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        let mut attrs = Vec::with_capacity(plain.len());
        for (name, value) in plain {
            attrs.push(match name.split_once(':') {
                Some((prefix, local)) => (resolve(prefix)?, local.to_owned(), value),
                None => (String::new(), name, value),
            });
        }
        attrs.sort();
        Ok(Self {
            name: local.to_owned(),
            ns: resolve(prefix)?,
            attrs,
            nodes: Vec::new(),
        })
    }

    fn write(&self, w: &mut Writer) {
        match self.ns.as_str() {
            // It can't be a default namespace, and its prefix needs no declaration.
            XML_NS => w.start(&format!("xml:{}", self.name), ""),
            ns => w.start_exact(&self.name, ns),
        };
        for (i, (ns, name, value)) in self.attrs.iter().enumerate() {
            match ns.as_str() {
                "" => w.attr(name, value),
                XML_NS => w.attr(&format!("xml:{name}"), value),
                ns => w
                    .attr(&format!("xmlns:a{i}"), ns)
                    .attr(&format!("a{i}:{name}"), value),
            };
        }
        for node in &self.nodes {
            match node {
                Node::Element(tree) => tree.write(w),
                Node::Text(text) => {
                    w.text(text);
                }
            }
        }
        w.end();
    }
}

fn push_text(open: &mut [(Tree, usize)], text: &str) {
    let Some((tree, _)) = open.last_mut() else {
        return;
    };
    match tree.nodes.last_mut() {
        Some(Node::Text(before)) => before.push_str(text),
        _ if text.is_empty() => {}
        _ => tree.nodes.push(Node::Text(text.to_owned())),
    }
}

/// Reads a whole element within the default namespace `jabber:client`.
impl FromStr for Tree {
    type Err = XmlError;

    fn from_str(xml: &str) -> Result<Self, XmlError> {
        Element::parse(xml.as_bytes())?.tree()
    }
}

/// XML that means the same, within the default namespace `jabber:client`.
impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut w = Writer::new();
        self.write(&mut w);
        f.write_str(&String::from_utf8_lossy(&w.finish()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by fuzzing: its namespace can't be declared as a default.
    #[test]
    fn an_element_of_the_prefix_xml_is_written_with_it() {
        let xml = "<a xmlns='urn:a'><xml:b><c/></xml:b></a>";
        let tree: Tree = xml.parse().unwrap();
        assert_eq!(tree.to_string(), xml);
        assert_eq!(tree.to_string().parse::<Tree>().unwrap(), tree);
    }
}
