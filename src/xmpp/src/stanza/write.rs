//! A new opening tag in front of the same bytes.

use bytes::{BufMut, Bytes, BytesMut};
use xml::{Attr, escape_attr};

use super::Stanza;
use crate::ns;

impl Stanza {
    /// Appends the stanza as it goes on the wire, for a stream whose content namespace is
    /// `jabber:client`.
    ///
    /// The opening tag is new: type, addresses, id and language are those of the head; the frame's
    /// own namespace declarations and foreign attributes follow as received, then declarations of
    /// prefixes that the frame uses from the stream it came by. What is between the tags is copied,
    /// less the children that were cut, plus those that were appended.
    pub fn write_to(&self, out: &mut BytesMut) {
        let inner = &*self.0;
        let frame = &inner.frame;
        let bytes = frame.bytes();
        let name = frame.qualified_name();
        out.reserve(self.size() + 64);
        out.put_u8(b'<');
        out.put_slice(name.as_bytes());
        if let Some(from) = &inner.from {
            put_attr(out, "from", from.as_ref());
        }
        if let Some(to) = &inner.to {
            put_attr(out, "to", to.as_ref());
        }
        if let Some(id) = self.id() {
            put_attr(out, "id", id);
        }
        if let Some(kind) = inner.kind.type_attr() {
            put_plain(out, "type", kind);
        }
        if let Some(lang) = self.lang() {
            put_attr(out, "xml:lang", lang);
        }
        let mut default_declared = false;
        for attr in frame.tag().filter(|attr| !is_head(attr)) {
            default_declared |= attr.declares() == Some("");
            out.put_u8(b' ');
            out.put_slice(&bytes[attr.range()]);
        }
        for (prefix, namespace) in frame.outer_declarations() {
            out.put_slice(b" xmlns:");
            put_pair(out, prefix, &escape_attr(namespace));
        }
        let default = frame.outer_default_ns();
        if !default_declared && !matches!(default, ns::CLIENT | ns::SERVER) {
            put_attr(out, "xmlns", default);
        }
        self.write_content(out);
    }

    fn write_content(&self, out: &mut BytesMut) {
        let inner = &*self.0;
        let frame = &inner.frame;
        let bytes = frame.bytes();
        let content = frame.content();
        if inner.cuts.is_empty() && inner.added.is_empty() && !content.is_empty() {
            out.put_u8(b'>');
            out.put_slice(&bytes[content.start..]);
            return;
        }
        if content.is_empty() && inner.added.is_empty() {
            out.put_slice(b"/>");
            return;
        }
        out.put_u8(b'>');
        let mut from = content.start;
        for (place, child) in frame.children().enumerate() {
            if inner.cuts.contains(&(place as u16)) {
                let range = child.range();
                out.put_slice(&bytes[from..range.start]);
                from = range.end;
            }
        }
        out.put_slice(&bytes[from..content.end]);
        for added in &inner.added {
            out.put_slice(added.bytes());
        }
        out.put_slice(b"</");
        out.put_slice(frame.qualified_name().as_bytes());
        out.put_u8(b'>');
    }

    /// The stanza as it goes on the wire, see [`Stanza::write_to`].
    pub fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::new();
        self.write_to(&mut out);
        out.freeze()
    }
}

/// Attributes that the head stands for.
fn is_head(attr: &Attr<'_>) -> bool {
    matches!(attr.name(), "to" | "from" | "id" | "type" | "xml:lang")
}

fn put_attr(out: &mut BytesMut, name: &str, value: &str) {
    put_plain(out, name, &escape_attr(value));
}

fn put_plain(out: &mut BytesMut, name: &str, escaped: &str) {
    out.put_u8(b' ');
    put_pair(out, name, escaped);
}

fn put_pair(out: &mut BytesMut, name: &str, escaped: &str) {
    out.put_slice(name.as_bytes());
    out.put_slice(b"='");
    out.put_slice(escaped.as_bytes());
    out.put_u8(b'\'');
}
