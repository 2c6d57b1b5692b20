//! Reading bytes that the scanner has already checked.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use crate::XmlError;
use crate::element::Element;
use crate::escape::{unescape_cdata, unescape_text};
use crate::limits::Limits;
use crate::scope::Scope;

const CDATA: &str = "<![CDATA[";

/// The character data of checked content, that of elements within left out.
pub(crate) fn text(content: &str) -> Cow<'_, str> {
    if memchr::memchr(b'<', content.as_bytes()).is_none() {
        return unescape_text(content);
    }
    let mut out = String::new();
    let mut rest = content;
    let mut depth = 0usize;
    while let Some(at) = rest.find('<') {
        if depth == 0 {
            out.push_str(&unescape_text(&rest[..at]));
        }
        rest = &rest[at..];
        if let Some(data) = rest.strip_prefix(CDATA) {
            let end = data.find("]]>").unwrap_or(data.len());
            if depth == 0 {
                out.push_str(&unescape_cdata(&data[..end]));
            }
            rest = data.get(end + 3..).unwrap_or_default();
            continue;
        }
        let (tag, after) = rest.split_at(tag_len(rest));
        if tag.starts_with("</") {
            depth = depth.saturating_sub(1);
        } else if !tag.ends_with("/>") {
            depth += 1;
        }
        rest = after;
    }
    if depth == 0 {
        out.push_str(&unescape_text(rest));
    }
    Cow::Owned(out)
}

/// Length of the tag at the start of `bytes`: `>` may stand in quoted values.
fn tag_len(bytes: &str) -> usize {
    let mut quote = None;
    for (i, &b) in bytes.as_bytes().iter().enumerate() {
        match (quote, b) {
            (None, b'>') => return i + 1,
            (None, b'\'' | b'"') => quote = Some(b),
            (Some(q), b) if q == b => quote = None,
            _ => {}
        }
    }
    bytes.len()
}

/// The attributes of a checked opening tag, as written, declarations among them.
pub(crate) struct RawAttrs<'a>(&'a str);

impl<'a> RawAttrs<'a> {
    /// `tag` begins with `<`.
    pub(crate) fn new(tag: &'a str) -> Self {
        let name = tag
            .find(|c: char| c.is_ascii_whitespace() || c == '/' || c == '>')
            .unwrap_or(tag.len());
        Self(&tag[name..])
    }
}

impl<'a> Iterator for RawAttrs<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let equals = self.0.find('=')?;
        let name = self.0[..equals].trim_ascii();
        let value = self.0[equals + 1..].trim_ascii_start();
        let quote = value.chars().next()?;
        let value = &value[1..];
        let end = value.find(quote)?;
        self.0 = &value[end + 1..];
        Some((name, &value[..end]))
    }
}

/// What surrounds the children of `element`: its own declarations before those outside of it.
pub(crate) fn scope_within(element: &Element) -> Arc<Scope> {
    let outside = element.scope();
    if element.declarations().next().is_none() {
        return outside.clone();
    }
    let mut decls: Vec<(Box<str>, Box<str>)> = element
        .declarations()
        .map(|(prefix, ns)| (prefix.into(), ns.as_ref().into()))
        .collect();
    for (prefix, ns) in &outside.decls {
        if !decls.iter().any(|(p, _)| p == prefix) {
            decls.push((prefix.clone(), ns.clone()));
        }
    }
    Arc::new(Scope {
        decls,
        lang: element.lang().map(|lang| lang.as_ref().into()),
    })
}

/// What surrounds `element` itself.
pub(crate) fn scope_around(element: &Element) -> Arc<Scope> {
    element.scope().clone()
}

/// A child of `element` as an element of its own.
pub(crate) fn enter(element: &Element, range: Range<usize>) -> Result<Element, XmlError> {
    if range == (0..element.bytes().len()) {
        return Ok(element.clone());
    }
    let mut scope = scope_within(element);
    if scope.decls.len() > Scope::MAX {
        return Err(XmlError::TooManyNamespaces(Scope::MAX as u16));
    }
    if let Some(lang) = element.attr("xml:lang") {
        Arc::make_mut(&mut scope).lang = Some(lang.as_ref().into());
    }
    Element::from_bytes(element.bytes().slice(range), scope, &Limits::OWN)
}
