//! The scanner: one pass over a frame that finds its end, checks it and indexes it.
//!
//! It is a state machine over bytes that may stop anywhere and go on later without looking at
//! a byte twice. Everything is an offset from the frame's `<`.

mod tag;

use smallvec::SmallVec;

use crate::XmlError::{self, NotWellFormed, Restricted};
use crate::class::{self, ILLEGAL, NAME, SPACE, START};
use crate::escape::decode;
use crate::index::{AttrAt, Index, Name, NsAt, same};
use crate::limits::Limits;
use crate::scope::Scope;

/// What stays the same during a scan.
pub(crate) struct Around<'a> {
    pub(crate) limits: &'a Limits,
    /// Declarations outside the frame.
    pub(crate) scope: &'a Scope,
    /// The name of the stream's opening tag; empty if no stream surrounds the frame.
    pub(crate) stream: &'a [u8],
}

/// What ended at the scanner's position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// An opening tag, in a scan for a stream header.
    Header,
    /// An element.
    Element,
    /// The closing tag of the stream.
    Close,
}

/// What the next byte belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The frame's first byte.
    First,
    /// Behind a `<`.
    Less,
    /// Within `<![CDATA[`.
    Bang,
    Cdata,
    Text,
    TextRef,
    Name,
    /// In an opening tag, behind white space.
    Gap,
    AttrName,
    Equals,
    Quote,
    Value,
    ValueRef,
    /// Behind a value's closing quote.
    AfterValue,
    /// Behind the `/` of `<a/>`.
    Slash,
    EndName,
    /// Behind the name of a closing tag.
    EndGap,
}

/// An element whose closing tag has not come.
#[derive(Debug, Clone, Copy)]
struct Open {
    name: Name,
    /// Declarations that were in force outside of it.
    decls: u32,
}

#[derive(Debug, Clone, Copy)]
struct Decl {
    /// Offset and length of the prefix; length 0 is the default namespace.
    start: u32,
    len: u16,
    ns: NsAt,
}

#[derive(Debug)]
pub(crate) struct Scanner {
    state: State,
    /// Only the first opening tag is wanted.
    header: bool,
    quote: u8,
    plain: bool,
    /// Next byte to look at; behind the frame when something is found.
    pub(crate) pos: usize,
    /// Where the name, value or reference under way began.
    mark: usize,
    /// The `<` of the tag under way.
    tag: usize,
    /// Where the value under way began.
    value: usize,
    name: Name,
    attr: Name,
    declared: u16,
    /// An attribute of this tag has a prefix.
    prefixed: bool,
    attrs: SmallVec<[AttrAt; 6]>,
    open: SmallVec<[Open; 6]>,
    decls: SmallVec<[Decl; 4]>,
    pub(crate) index: Index,
}

impl Scanner {
    /// Scans for a whole element.
    pub(crate) fn element() -> Self {
        Self {
            state: State::First,
            header: false,
            quote: 0,
            plain: true,
            pos: 0,
            mark: 0,
            tag: 0,
            value: 0,
            name: Name::default(),
            attr: Name::default(),
            declared: 0,
            prefixed: false,
            attrs: SmallVec::new(),
            open: SmallVec::new(),
            decls: SmallVec::new(),
            index: Index::new(),
        }
    }

    /// Scans for an opening tag alone.
    pub(crate) fn header() -> Self {
        Self {
            header: true,
            ..Self::element()
        }
    }

    /// Goes on in `buf`, which begins with the frame's `<` and has grown at its end since the last
    /// call. `None`: more bytes are needed. After an error the scanner is of no more use.
    pub(crate) fn run(
        &mut self,
        buf: &[u8],
        around: &Around<'_>,
    ) -> Result<Option<Found>, XmlError> {
        let limit = if self.header {
            around.limits.header
        } else {
            around.limits.stanza
        }
        .min(1 << 30);
        let bytes = &buf[..buf.len().min(limit)];
        match self.advance(bytes, around)? {
            Some(found) => {
                check_chars(&bytes[..self.pos])?;
                Ok(Some(found))
            }
            None if bytes.len() == limit => Err(XmlError::TooBig(limit)),
            None => Ok(None),
        }
    }

    fn advance(&mut self, buf: &[u8], around: &Around<'_>) -> Result<Option<Found>, XmlError> {
        let mut pos = self.pos;
        // Leaves the loop for more bytes; nothing before `pos` is looked at again.
        macro_rules! more {
            () => {{
                self.pos = buf.len();
                return Ok(None);
            }};
        }
        loop {
            let Some(&byte) = buf.get(pos) else { more!() };
            match self.state {
                State::First => {
                    if byte != b'<' {
                        return Err(NotWellFormed("an element must begin with '<'"));
                    }
                    self.tag = pos;
                    pos += 1;
                    self.state = State::Less;
                }
                State::Text => {
                    pos += class::text_run(&buf[pos..]);
                    let Some(&stop) = buf.get(pos) else { more!() };
                    pos += 1;
                    match stop {
                        b'<' => {
                            self.tag = pos - 1;
                            self.state = State::Less;
                            if let Some(end) = self.plain_end(buf, pos) {
                                pos = end;
                                if let Some(found) = self.ended(pos) {
                                    self.pos = pos;
                                    return Ok(Some(found));
                                }
                                self.state = State::Text;
                            }
                        }
                        b'&' => {
                            self.mark = pos;
                            self.state = State::TextRef;
                        }
                        b'>' => {
                            if buf[..pos].ends_with(b"]]>") {
                                return Err(NotWellFormed("']]>' in text"));
                            }
                        }
                        control => legal(control)?,
                    }
                }
                State::Less => {
                    pos += 1;
                    self.mark = pos;
                    match byte {
                        b if class::is(b, START) => {
                            pos -= 1;
                            self.mark = pos;
                            self.state = State::Name;
                        }
                        b'/' => self.state = State::EndName,
                        b'!' => self.state = State::Bang,
                        b'?' => return Err(Restricted("a processing instruction")),
                        _ => return Err(NotWellFormed("'<' without a name")),
                    }
                }
                State::Name => {
                    let (run, odd) = class::name_run(&buf[pos..]);
                    let usual = pos == self.mark && !odd;
                    pos += run;
                    if pos == buf.len() {
                        more!();
                    }
                    self.name = name(buf, self.mark, pos, usual)?;
                    self.prefixed = false;
                    self.declared = 0;
                    self.attrs.clear();
                    self.state = State::AfterValue;
                }
                State::AfterValue | State::Gap => match byte {
                    b'>' => {
                        pos += 1;
                        if self.opened(buf, pos, false, around)? {
                            self.pos = pos;
                            return Ok(Some(self.found()));
                        }
                        self.state = State::Text;
                    }
                    b'/' => {
                        pos += 1;
                        self.state = State::Slash;
                    }
                    b if class::is(b, SPACE) => {
                        pos += 1;
                        self.state = State::Gap;
                        // What follows nearly always.
                        if buf.get(pos).is_some_and(|&b| class::is(b, START)) {
                            self.mark = pos;
                            self.state = State::AttrName;
                        }
                    }
                    b if self.state == State::Gap && class::is(b, START) => {
                        self.mark = pos;
                        self.state = State::AttrName;
                    }
                    _ => return Err(NotWellFormed("something else than an attribute in a tag")),
                },
                State::AttrName => {
                    let (run, odd) = class::name_run(&buf[pos..]);
                    let usual = pos == self.mark && !odd;
                    pos += run;
                    if pos == buf.len() {
                        more!();
                    }
                    self.attr = name(buf, self.mark, pos, usual)?;
                    self.state = State::Equals;
                    // What follows nearly always.
                    if let [b'=', quote @ (b'\'' | b'"'), ..] = buf[pos..] {
                        pos += 2;
                        self.begin_value(quote, pos);
                    }
                }
                State::Equals => {
                    pos += 1;
                    match byte {
                        b'=' => self.state = State::Quote,
                        b if class::is(b, SPACE) => {}
                        _ => return Err(NotWellFormed("an attribute without a value")),
                    }
                }
                State::Quote => {
                    pos += 1;
                    match byte {
                        b'\'' | b'"' => self.begin_value(byte, pos),
                        b if class::is(b, SPACE) => {}
                        _ => return Err(NotWellFormed("an attribute value without quotes")),
                    }
                }
                State::Value => {
                    pos += class::run_to(&buf[pos..], [self.quote, b'<', b'&']);
                    let Some(&stop) = buf.get(pos) else { more!() };
                    pos += 1;
                    match stop {
                        b'\'' | b'"' => {
                            self.valued(buf, pos - 1, around)?;
                            self.state = State::AfterValue;
                        }
                        b'<' => return Err(NotWellFormed("'<' in an attribute value")),
                        b'&' => {
                            self.mark = pos;
                            self.plain = false;
                            self.state = State::ValueRef;
                        }
                        control => {
                            legal(control)?;
                            self.plain = false;
                        }
                    }
                }
                State::TextRef | State::ValueRef => {
                    pos += buf[pos..]
                        .iter()
                        .position(|&b| b != b'#' && !class::is(b, NAME))
                        .unwrap_or(buf.len() - pos);
                    let Some(&stop) = buf.get(pos) else { more!() };
                    reference(&buf[self.mark..pos], stop)?;
                    pos += 1;
                    self.state = match self.state {
                        State::TextRef => State::Text,
                        _ => State::Value,
                    };
                }
                State::Slash => {
                    if byte != b'>' {
                        return Err(NotWellFormed("'/' within a tag"));
                    }
                    pos += 1;
                    if self.opened(buf, pos, true, around)? {
                        self.pos = pos;
                        return Ok(Some(self.found()));
                    }
                    self.state = State::Text;
                }
                State::EndName => {
                    pos += class::run_of(&buf[pos..], NAME);
                    if pos == buf.len() {
                        more!();
                    }
                    let expected = match self.open.last() {
                        Some(open) => open.name.whole(buf),
                        None => around.stream,
                    };
                    if buf[self.mark..pos] != *expected || expected.is_empty() {
                        return Err(NotWellFormed("a closing tag of another name"));
                    }
                    self.state = State::EndGap;
                }
                State::EndGap => {
                    pos += 1;
                    match byte {
                        b'>' => {
                            if let Some(found) = self.ended(pos) {
                                self.pos = pos;
                                return Ok(Some(found));
                            }
                            self.state = State::Text;
                        }
                        b if class::is(b, SPACE) => {}
                        _ => return Err(NotWellFormed("something behind a closing tag's name")),
                    }
                }
                State::Bang => {
                    const CDATA_START: &[u8] = b"[CDATA[";
                    if byte != CDATA_START[pos - self.mark] {
                        return Err(match byte {
                            b'-' => Restricted("a comment"),
                            b'D' if pos == self.mark => Restricted("a document type"),
                            _ => NotWellFormed("'<!' that begins nothing"),
                        });
                    }
                    if self.open.is_empty() {
                        return Err(NotWellFormed("a CDATA section outside of an element"));
                    }
                    pos += 1;
                    if pos - self.mark == CDATA_START.len() {
                        self.mark = pos;
                        self.state = State::Cdata;
                    }
                }
                State::Cdata => {
                    pos += class::run_to(&buf[pos..], [b'>'; 3]);
                    let Some(&stop) = buf.get(pos) else { more!() };
                    pos += 1;
                    if stop != b'>' {
                        legal(stop)?;
                    } else if buf[self.mark..pos].ends_with(b"]]>") {
                        self.state = State::Text;
                    }
                }
            }
        }
    }

    fn begin_value(&mut self, quote: u8, pos: usize) {
        self.quote = quote;
        self.value = pos;
        self.plain = true;
        self.state = State::Value;
    }

    /// Where the closing tag of the innermost element ends, if it begins at the `/` at `pos`, is
    /// there as a whole and has no white space in it, as nearly all have.
    fn plain_end(&self, buf: &[u8], pos: usize) -> Option<usize> {
        let name = self.open.last()?.name.whole(buf);
        let end = pos + name.len() + 2;
        match buf.get(pos..end)? {
            [b'/', written @ .., b'>'] if same(written, name) => Some(end),
            _ => None,
        }
    }

    fn found(&self) -> Found {
        if self.header {
            Found::Header
        } else {
            Found::Element
        }
    }
}

/// The name at `start..end`. `usual`: it has no colon and is ASCII, and its first byte may begin a
/// name.
fn name(buf: &[u8], start: usize, end: usize, usual: bool) -> Result<Name, XmlError> {
    let (len, prefix) = match u16::try_from(end - start) {
        Ok(len) if usual => (len, 0),
        _ => crate::names::qualified(&buf[start..end])?,
    };
    Ok(Name {
        start: start as u32,
        len,
        prefix,
    })
}

/// Refuses the control characters that XML forbids.
fn legal(byte: u8) -> Result<(), XmlError> {
    if class::is(byte, ILLEGAL) {
        return Err(NotWellFormed("a character that XML forbids"));
    }
    Ok(())
}

/// Checks a reference, given without its `&`, and the byte that ended it.
fn reference(bytes: &[u8], stop: u8) -> Result<(), XmlError> {
    if stop != b';' {
        return Err(NotWellFormed("'&' without a reference"));
    }
    if decode(bytes).is_some() {
        return Ok(());
    }
    match bytes {
        [] => Err(NotWellFormed("'&' without a reference")),
        [b'#', ..] => Err(NotWellFormed("a reference to no legal character")),
        [first, ..] if class::is(*first, START) && !bytes.contains(&b'#') => {
            Err(Restricted("an entity that is not predefined"))
        }
        _ => Err(NotWellFormed("'&' without a reference")),
    }
}

/// The frame is UTF-8 without U+FFFE and U+FFFF; other forbidden characters were refused in place.
fn check_chars(frame: &[u8]) -> Result<(), XmlError> {
    if frame.is_ascii() {
        return Ok(());
    }
    if std::str::from_utf8(frame).is_err() {
        return Err(NotWellFormed("not UTF-8"));
    }
    let forbidden = memchr::memchr_iter(0xEF, frame)
        .any(|i| matches!(frame.get(i + 1..i + 3), Some([0xBF, 0xBE | 0xBF])));
    if forbidden {
        return Err(NotWellFormed("a character that XML forbids"));
    }
    Ok(())
}
