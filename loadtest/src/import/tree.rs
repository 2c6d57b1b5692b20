//! The elements of a Tsung file, with the lines that they stand in.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// More brackets in brackets than this are no scenario.
const DEEPEST: usize = 64;

/// An element. Text between elements says nothing in such a file.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Its name.
    pub(super) name: String,
    /// The line that its opening tag ends in, from 1.
    pub(super) line: usize,
    /// What is inside.
    pub(super) children: Vec<Node>,
    attributes: Vec<(String, String)>,
}

impl Node {
    /// The value of an attribute, if it is written.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.trim())
    }

    /// A number in an attribute.
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.get(name)?
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite() && *number >= 0.0)
    }

    /// Whether this or something inside is such an element.
    pub(super) fn any(&self, is: &impl Fn(&Node) -> bool) -> bool {
        is(self) || self.children.iter().any(|child| child.any(is))
    }

    /// The elements of this name inside.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The elements of this name inside the one of that name inside.
    pub(super) fn below<'a>(
        &'a self,
        outer: &'a str,
        name: &'a str,
    ) -> impl Iterator<Item = &'a Node> {
        self.all(outer).flat_map(move |outer| outer.all(name))
    }
}

/// Reads a whole file. Its DTD is not looked at.
///
/// # Errors
/// It is not well-formed, or no scenario of Tsung's: the line, and what is wrong.
pub(super) fn read(text: &str) -> Result<Node, String> {
    let mut reader = Reader::from_str(text);
    let mut open = vec![Node::default()];
    loop {
        let event = reader.read_event();
        let position = usize::try_from(reader.buffer_position()).unwrap_or(text.len());
        let line = 1 + text.as_bytes()[..position.min(text.len())]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        let wrong = |what: String| format!("line {line}: {what}");
        match event.map_err(|error| wrong(error.to_string()))? {
            Event::Start(start) => {
                if open.len() > DEEPEST {
                    return Err(wrong("this goes too deep".to_owned()));
                }
                open.push(node(&start, line).map_err(wrong)?);
            }
            Event::Empty(start) => {
                let node = node(&start, line).map_err(wrong)?;
                add(&mut open, node);
            }
            // That it closes what is open the reader sees to.
            Event::End(_) => {
                if let Some(node) = open.pop() {
                    add(&mut open, node);
                }
            }
            Event::Eof if open.len() > 1 => {
                return Err(wrong("the file ends too early".to_owned()));
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let top = open.pop().and_then(|mut file| file.children.pop());
    top.filter(|top| top.name == "tsung")
        .ok_or_else(|| "there is no element <tsung>".to_owned())
}

fn add(open: &mut [Node], node: Node) {
    if let Some(outer) = open.last_mut() {
        outer.children.push(node);
    }
}

fn node(start: &BytesStart<'_>, line: usize) -> Result<Node, String> {
    let mut node = Node {
        name: start.local_name().as_ref().to_owned(),
        line,
        ..Node::default()
    };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let value = attribute.normalized_value(XmlVersion::default());
        let value = value.map_err(|error| error.to_string())?.into_owned();
        let name = attribute.key.as_ref().to_owned();
        node.attributes.push((name, value));
    }
    Ok(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_have_lines_and_attributes() {
        let text = "<?xml version='1.0'?>\n<!DOCTYPE tsung SYSTEM 'x.dtd' []>\n<tsung>\n <load>\n  \
                    <user session='a&lt;b&#x3e;' start_time=' 2.5 '/>\n </load>text\n</tsung>\n";
        let top = read(text).expect("well-formed");
        let user = top.below("load", "user").next().expect("there is one");
        assert_eq!((user.line, user.get("session")), (5, Some("a<b>")));
        assert_eq!(user.number("start_time"), Some(2.5));
        assert_eq!(user.get("none"), None);
    }

    #[test]
    fn what_is_no_scenario_is_told() {
        for (text, told) in [
            ("", "no element <tsung>"),
            ("<xml/>", "no element <tsung>"),
            ("<tsung>\n<load>\n</tsung>", "line 3"),
            ("<tsung>\n<load>", "line 2"),
            ("<tsung a='1' a='2'/>", "line 1"),
            ("<tsung>&", "line 1"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(told), "{text}: {error}");
        }
        let deep = "<a>".repeat(100_000);
        assert!(read(&deep).expect_err("deep").contains("too deep"));
    }
}
