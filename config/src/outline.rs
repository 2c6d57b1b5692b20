//! Where each key and value stands in the text of a configuration.
//!
//! RON tells where reading stopped, not where a value began, and forgets places once a value is
//! read. So the text is walked once more, forgivingly: what it does not understand it steps over,
//! since RON's own error is about to say so.

use std::ops::Range;

use crate::{Path, Step};

/// Deeper values get no entry of their own.
const MAX_DEPTH: usize = 64;

/// The places of a text, in the order in which they begin.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    entries: Vec<Entry>,
}

/// One value and the key before it, as byte ranges.
#[derive(Debug)]
struct Entry {
    path: Path,
    key: Option<Range<usize>>,
    value: Range<usize>,
}

impl Outline {
    /// Walks a text.
    pub(crate) fn of(text: &str) -> Self {
        let mut walk = Walk {
            text,
            at: 0,
            entries: Vec::new(),
        };
        walk.attributes();
        walk.value(Path::default(), None, 0);
        Self {
            entries: walk.entries,
        }
    }

    fn entry(&self, path: &Path) -> Option<&Entry> {
        // The last one: of a key written twice, the second is the one too many.
        self.entries.iter().rev().find(|entry| entry.path == *path)
    }

    /// Where the value of `path` stands, if it is written.
    pub(crate) fn value(&self, path: &Path) -> Option<Range<usize>> {
        self.entry(path).map(|entry| entry.value.clone())
    }

    /// Where the key of `path` stands, if it is written.
    pub(crate) fn key(&self, path: &Path) -> Option<Range<usize>> {
        self.entry(path).and_then(|entry| entry.key.clone())
    }

    /// Where to point for `path`: at its value, or at the key of the nearest thing around it
    /// that is written.
    pub(crate) fn nearest(&self, path: &Path) -> Option<Range<usize>> {
        if let Some(value) = self.value(path) {
            return Some(value);
        }
        let mut around = path.parent();
        while !around.0.is_empty() {
            if let Some(entry) = self.entry(&around) {
                let start = entry.value.start;
                return Some(match &entry.key {
                    Some(key) => key.clone(),
                    None if self.is_leaf(&around) => entry.value.clone(),
                    None => start..start + 1,
                });
            }
            around = around.parent();
        }
        None
    }

    fn is_leaf(&self, path: &Path) -> bool {
        !self
            .entries
            .iter()
            .any(|entry| entry.path.0.len() > path.0.len() && entry.path.parent() == *path)
    }

    /// The innermost value that spans `offset`.
    pub(crate) fn at(&self, offset: usize) -> Path {
        let spanning = self.entries.iter().filter(|entry| {
            let start = entry
                .key
                .as_ref()
                .map_or(entry.value.start, |key| key.start);
            (start..entry.value.end).contains(&offset)
        });
        spanning
            .max_by_key(|entry| entry.path.0.len())
            .map(|entry| entry.path.clone())
            .unwrap_or_default()
    }

    /// All values that have none inside.
    pub(crate) fn leaves(&self) -> impl Iterator<Item = (&Path, Range<usize>)> {
        let entries = self.entries.iter().enumerate();
        entries.filter_map(|(index, entry)| {
            // What is inside of a value comes behind it.
            let next = self.entries.get(index + 1);
            let leaf = next.is_none_or(|next| next.value.start >= entry.value.end);
            leaf.then(|| (&entry.path, entry.value.clone()))
        })
    }

    /// The values directly below the section `name` of the top: their keys and places.
    pub(crate) fn below(&self, name: &str) -> impl Iterator<Item = (&str, Range<usize>)> {
        self.entries
            .iter()
            .filter_map(move |entry| match &entry.path.0[..] {
                [Step::Key(section), Step::Key(key)] if section == name => {
                    Some((key.as_str(), entry.value.clone()))
                }
                _ => None,
            })
    }
}

struct Walk<'a> {
    text: &'a str,
    at: usize,
    entries: Vec<Entry>,
}

impl<'a> Walk<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn step(&mut self) {
        self.at += self.peek().map_or(0, char::len_utf8);
    }

    /// Over white space and comments.
    fn blank(&mut self) {
        loop {
            let rest = self.rest();
            if rest.starts_with(char::is_whitespace) {
                self.step();
            } else if rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                self.block_comment();
            } else {
                return;
            }
        }
    }

    /// Block comments nest.
    fn block_comment(&mut self) {
        let mut depth = 0usize;
        while !self.rest().is_empty() {
            if self.rest().starts_with("/*") {
                depth += 1;
                self.at += 2;
            } else if self.rest().starts_with("*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return;
                }
            } else {
                self.step();
            }
        }
    }

    /// Over `#![enable(…)]` at the top of the file.
    fn attributes(&mut self) {
        self.blank();
        while self.rest().starts_with("#!") {
            self.at += self
                .rest()
                .find(']')
                .map_or(self.rest().len(), |end| end + 1);
            self.blank();
        }
    }

    fn identifier(&mut self) -> Option<Range<usize>> {
        let rest = self.rest();
        if !rest.starts_with(|c: char| c.is_alphabetic() || c == '_') || is_raw_string(rest) {
            return None;
        }
        let length = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
            .unwrap_or(rest.len());
        let start = self.at;
        self.at += length;
        Some(start..self.at)
    }

    fn value(&mut self, path: Path, key: Option<Range<usize>>, depth: usize) {
        self.blank();
        let start = self.at;
        let position = self.entries.len();
        self.entries.push(Entry {
            path: path.clone(),
            key,
            value: start..start,
        });
        let word = self.identifier().map(|word| &self.text[word]);
        let mut end = self.at;
        if word.is_some() {
            self.blank();
        }
        match self.peek() {
            Some('(') if word == Some("Some") => {
                self.step();
                self.entries.pop();
                let key = None;
                self.value(path, key, depth + 1);
                self.blank();
                if self.peek() == Some(')') {
                    self.step();
                }
                return;
            }
            Some('(' | '[' | '{') if depth < MAX_DEPTH => {
                self.group(&path, depth);
                end = self.at;
            }
            _ if word.is_some() => self.at = end,
            Some('"' | '\'') => {
                self.quoted();
                end = self.at;
            }
            Some('r' | 'b') if is_raw_string(self.rest()) => {
                self.raw_string();
                end = self.at;
            }
            Some(c) if !is_separator(c) => {
                let rest = self.rest();
                let length = rest.find(|c: char| is_separator(c) || c.is_whitespace() || c == '/');
                self.at += length.unwrap_or(rest.len()).max(1);
                end = self.at;
            }
            _ => {}
        }
        self.entries[position].value = start..end;
    }

    /// A group in brackets of any kind, from the opening one to behind the closing one.
    fn group(&mut self, path: &Path, depth: usize) {
        self.step();
        let mut index = 0;
        loop {
            self.blank();
            match self.peek() {
                None => return,
                Some(')' | ']' | '}') => return self.step(),
                Some(',' | ':') => self.step(),
                Some(_) => {
                    let before = self.at;
                    match self.key() {
                        Some(key) => {
                            let name = self.text[key.clone()].trim_matches('"').to_owned();
                            self.value(path.key(&name), Some(key), depth + 1);
                        }
                        None => {
                            self.value(path.item(index), None, depth + 1);
                            index += 1;
                        }
                    }
                    if self.at == before {
                        self.step();
                    }
                }
            }
        }
    }

    /// A key with the colon behind it; nothing is consumed if there is none.
    fn key(&mut self) -> Option<Range<usize>> {
        let before = self.at;
        let key = if self.peek() == Some('"') {
            self.quoted();
            Some(before..self.at)
        } else {
            self.identifier()
        };
        self.blank();
        if key.is_some() && self.peek() == Some(':') {
            self.step();
            return key;
        }
        self.at = before;
        None
    }

    fn quoted(&mut self) {
        let quote = self.peek();
        self.step();
        while let Some(c) = self.peek() {
            self.step();
            if c == '\\' {
                self.step();
            } else if Some(c) == quote {
                return;
            }
        }
    }

    fn raw_string(&mut self) {
        let rest = self.rest().trim_start_matches('b').trim_start_matches('r');
        let hashes = rest.len() - rest.trim_start_matches('#').len();
        let close = format!("\"{}", "#".repeat(hashes));
        let body = self.text.len() - rest.len() + hashes + 1;
        let found = self.text.get(body..).and_then(|inside| inside.find(&close));
        self.at = found.map_or(self.text.len(), |end| body + end + close.len());
    }
}

fn is_separator(c: char) -> bool {
    matches!(c, ',' | ':' | ')' | ']' | '}')
}

fn is_raw_string(rest: &str) -> bool {
    let behind = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'));
    behind.is_some_and(|behind| behind.trim_start_matches('#').starts_with('"'))
        || rest.starts_with("b\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r##"#![enable(implicit_some)]
( // a comment with ( and "
    domains: ["a.example", (name: "b.example")],
    /* and /* nested */ ) */
    log: ( level: debug, targets: { "x::y": warn } ),
    raw: r#"a " ) b"#,
    some: Some(5),
    modules: (ping: (), version: off),
)"##;

    fn value(path: &str) -> &'static str {
        let range = Outline::of(TEXT).value(&Path::default().join(path));
        range.map_or("-", |range| &TEXT[range])
    }

    #[test]
    fn finds_every_value() {
        assert_eq!(value("domains[0]"), "\"a.example\"");
        assert_eq!(value("domains[1].name"), "\"b.example\"");
        assert_eq!(value("domains"), "[\"a.example\", (name: \"b.example\")]");
        assert_eq!(value("log.level"), "debug");
        assert_eq!(value("raw"), "r#\"a \" ) b\"#");
        assert_eq!(value("some"), "5");
        assert_eq!(value("modules.ping"), "()");
        assert_eq!(value("modules.version"), "off");
        assert_eq!(value("modules.time"), "-");
        let outline = Outline::of(TEXT);
        let targets = Path::default().key("log").key("targets").key("x::y");
        assert_eq!(
            outline.value(&targets).map(|range| &TEXT[range]),
            Some("warn")
        );
        assert_eq!(
            outline
                .below("modules")
                .map(|(name, _)| name)
                .collect::<Vec<_>>(),
            ["ping", "version"]
        );
    }

    #[test]
    fn tells_what_spans_an_offset() {
        let offset = TEXT.find("debug").unwrap();
        assert_eq!(Outline::of(TEXT).at(offset).to_string(), "log.level");
    }

    #[test]
    fn points_around_what_is_not_written() {
        let place = Outline::of(TEXT).nearest(&Path::default().join("log.format"));
        assert_eq!(place.map(|range| &TEXT[range]), Some("log"));
    }

    #[test]
    fn broken_text_ends_the_walk_and_nothing_else() {
        for end in 0..TEXT.len() {
            Outline::of(&TEXT[..end]);
        }
        for text in [
            "", ")", "((((", "(a:", "(a: \"", "{]", "(é: 'ß", "r#\"", "(,,::)", "/*", "(a = 5)",
        ] {
            Outline::of(text);
        }
        Outline::of(&"(".repeat(100_000));
    }
}
