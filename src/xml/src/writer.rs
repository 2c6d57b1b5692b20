//! Writing XML: names come from us, everything else is escaped.

use bytes::{BufMut, Bytes, BytesMut};
use smallvec::SmallVec;

use crate::escape::{escape_attr, escape_text};
use crate::scope::CLIENT_NS;

/// Writes elements into a buffer. A namespace is declared only where it changes.
///
/// ```
/// let mut w = xml::Writer::new();
/// w.start("query", "urn:x").attr("node", "a<b");
/// w.empty("feature").attr("var", "y");
/// w.end();
/// assert_eq!(&w.finish()[..], b"<query xmlns='urn:x' node='a&lt;b'><feature var='y'/></query>");
/// ```
#[derive(Debug)]
pub struct Writer {
    out: BytesMut,
    open: SmallVec<[Open; 6]>,
    /// Default namespace around the outermost element.
    around: Around,
    tag: Tag,
}

/// The opening tag under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    None,
    /// Of an element that will have content.
    Open,
    /// Of an element that ends with its tag.
    Empty,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    /// Where its name stands in the output.
    name: (usize, usize),
    /// Where its default namespace stands; `None`: that of the surroundings.
    ns: Option<(usize, usize)>,
}

#[derive(Debug)]
enum Around {
    Client,
    Other(Box<str>),
}

impl Writer {
    /// A writer for what will stand within `jabber:client`.
    pub fn new() -> Self {
        Self::with(BytesMut::new(), Around::Client)
    }

    /// A writer for what will stand within another default namespace.
    pub fn within(ns: &str) -> Self {
        Self::with(BytesMut::new(), Around::Other(ns.into()))
    }

    fn with(out: BytesMut, around: Around) -> Self {
        Self {
            out,
            open: SmallVec::new(),
            around,
            tag: Tag::None,
        }
    }

    /// Begins an element. An empty `ns` is that of the surrounding element.
    pub fn start(&mut self, name: &str, ns: &str) -> &mut Self {
        self.begin(name, Some(ns).filter(|ns| !ns.is_empty()))
    }

    /// Begins an element of exactly this namespace; empty means none.
    pub(crate) fn start_exact(&mut self, name: &str, ns: &str) -> &mut Self {
        self.begin(name, Some(ns))
    }

    fn begin(&mut self, name: &str, ns: Option<&str>) -> &mut Self {
        self.close_tag();
        let inherited = self.open.last().and_then(|open| open.ns);
        self.out.put_u8(b'<');
        let at = (self.out.len(), self.out.len() + name.len());
        self.out.put_slice(name.as_bytes());
        self.tag = Tag::Open;
        let escaped = ns.map(escape_attr);
        let ns = match escaped.filter(|ns| !self.is_default(inherited, ns)) {
            None => inherited,
            Some(ns) => {
                self.out.put_slice(b" xmlns='");
                let start = self.out.len();
                self.out.put_slice(ns.as_bytes());
                let end = self.out.len();
                self.out.put_u8(b'\'');
                Some((start, end))
            }
        };
        self.open.push(Open { name: at, ns });
        self
    }

    fn is_default(&self, inherited: Option<(usize, usize)>, ns: &str) -> bool {
        match (inherited, &self.around) {
            (Some((start, end)), _) => self.out[start..end] == *ns.as_bytes(),
            (None, Around::Client) => ns == CLIENT_NS,
            (None, Around::Other(around)) => ns == &**around,
        }
    }

    /// Begins and ends an element of the surrounding namespace; attributes may still follow.
    pub fn empty(&mut self, name: &str) -> &mut Self {
        self.empty_in(name, "")
    }

    /// As [`Writer::empty`] in another namespace.
    pub fn empty_in(&mut self, name: &str, ns: &str) -> &mut Self {
        self.start(name, ns);
        self.open.pop();
        self.tag = Tag::Empty;
        self
    }

    /// An element of the surrounding namespace that holds text alone.
    pub fn leaf(&mut self, name: &str, text: &str) -> &mut Self {
        self.start(name, "").text(text).end()
    }

    /// An attribute of the element just begun. Nothing happens when its tag is already closed.
    pub fn attr(&mut self, name: &str, value: &str) -> &mut Self {
        debug_assert!(self.tag != Tag::None, "attribute {name} behind its tag");
        if self.tag != Tag::None {
            self.out.put_u8(b' ');
            self.out.put_slice(name.as_bytes());
            self.out.put_slice(b"='");
            self.out.put_slice(escape_attr(value).as_bytes());
            self.out.put_u8(b'\'');
        }
        self
    }

    /// An attribute if there is a value.
    pub fn opt_attr(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.attr(name, value),
            None => self,
        }
    }

    /// Character data.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.close_tag();
        self.out.put_slice(escape_text(text).as_bytes());
        self
    }

    /// Bytes that are XML already.
    pub fn raw(&mut self, xml: &[u8]) -> &mut Self {
        self.close_tag();
        self.out.put_slice(xml);
        self
    }

    /// Ends the element begun last.
    pub fn end(&mut self) -> &mut Self {
        if self.tag == Tag::Empty {
            self.close_tag();
        }
        let Some(open) = self.open.pop() else {
            debug_assert!(false, "end() without start()");
            return self;
        };
        if self.tag == Tag::Open {
            self.tag = Tag::Empty;
            self.close_tag();
            return self;
        }
        self.out.put_slice(b"</");
        self.out.extend_from_within(open.name.0..open.name.1);
        self.out.put_u8(b'>');
        self
    }

    fn close_tag(&mut self) {
        match self.tag {
            Tag::None => {}
            Tag::Open => self.out.put_u8(b'>'),
            Tag::Empty => self.out.put_slice(b"/>"),
        }
        self.tag = Tag::None;
    }

    /// All that was written; elements still open are ended.
    pub fn finish(mut self) -> Bytes {
        while !self.open.is_empty() {
            self.end();
        }
        self.close_tag();
        self.out.freeze()
    }
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}
