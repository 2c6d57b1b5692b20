//! From the bytes of a connection to events.

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};

use crate::XmlError::{self, NotWellFormed};
use crate::class::{self, SPACE};
use crate::declaration;
use crate::element::Element;
use crate::header::Header;
use crate::limits::Limits;
use crate::scan::{Around, Found, Scanner};
use crate::scope::Scope;

/// What a stream consists of (RFC 6120 §4.2, §4.4).
#[derive(Debug, Clone)]
pub enum Event {
    /// The opening tag of the stream.
    Header(Header),
    /// A first-level element.
    Element(Element),
    /// The closing tag of the stream.
    Close,
}

/// Cuts a stream of bytes into its header, first-level elements and end, checking on the way that
/// they are the XML that RFC 6120 §11 allows. However the bytes are split into reads, the events
/// are the same, and no byte is looked at twice.
#[derive(Debug)]
pub struct Framer {
    limits: Limits,
    phase: Phase,
    /// The frame under way; `None` between frames, so that an idle stream holds nothing.
    partial: Option<Box<Scanner>>,
    scope: Arc<Scope>,
    /// The header's qualified name, which its closing tag must repeat.
    stream: Box<[u8]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Before a header. `bom`: the very start, where a byte order mark may stand. `searched`:
    /// bytes in which the end of an XML declaration was not found.
    Prolog {
        bom: bool,
        declared: bool,
        searched: usize,
    },
    Content,
    /// The header closed itself: `Close` comes next.
    Empty,
    Closed,
    Failed(XmlError),
}

impl Framer {
    /// A framer at the start of a connection: the next thing is a stream header.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            phase: Phase::Prolog {
                bom: true,
                declared: false,
                searched: 0,
            },
            partial: None,
            scope: Arc::default(),
            stream: Box::default(),
        }
    }

    /// Changes the limits, from the next byte on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// The next thing is a new stream header (RFC 6120 §4.3.3), perhaps with an XML declaration.
    pub fn restart(&mut self) {
        *self = Self::new(self.limits);
        self.phase = Phase::Prolog {
            bom: false,
            declared: false,
            searched: 0,
        };
    }

    /// True if a part of a header or element has arrived and its end has not.
    pub fn is_within(&self) -> bool {
        self.partial.is_some()
    }

    /// Takes one event off the front of `buf`, without copying it. White space between elements is
    /// consumed. `None`: more bytes are needed; between the calls `buf` may only grow at its end.
    ///
    /// # Errors
    /// What is wrong with the stream. It stays wrong: every later call says the same.
    pub fn next(&mut self, buf: &mut BytesMut) -> Result<Option<Event>, XmlError> {
        let result = self.step(buf);
        if let Err(error) = result {
            self.partial = None;
            self.phase = Phase::Failed(error);
        }
        result
    }

    #[inline(always)]
    fn step(&mut self, buf: &mut BytesMut) -> Result<Option<Event>, XmlError> {
        match self.phase {
            Phase::Failed(error) => return Err(error),
            Phase::Empty => {
                self.phase = Phase::Closed;
                return Ok(Some(Event::Close));
            }
            Phase::Content | Phase::Closed if self.partial.is_none() => {
                skip_space(buf);
                match buf.first() {
                    None => return Ok(None),
                    Some(_) if self.phase == Phase::Closed => {
                        return Err(NotWellFormed("something behind the end of the stream"));
                    }
                    Some(b'<') => {}
                    Some(_) => return Err(NotWellFormed("text between elements")),
                }
            }
            _ => {}
        }
        let header = matches!(self.phase, Phase::Prolog { .. });
        if header && self.partial.is_none() && !self.prolog(buf)? {
            return Ok(None);
        }
        self.frame(buf)
    }

    /// Goes on with the frame at the start of `buf`.
    #[inline(always)]
    fn frame(&mut self, buf: &mut BytesMut) -> Result<Option<Event>, XmlError> {
        let around = Around {
            limits: &self.limits,
            scope: &self.scope,
            stream: &self.stream,
        };
        if let Some(mut scanner) = self.partial.take() {
            return match scanner.run(buf, &around)? {
                Some(found) => Ok(Some(self.take(buf, *scanner, found))),
                None => {
                    self.partial = Some(scanner);
                    Ok(None)
                }
            };
        }
        let mut scanner = match self.phase {
            Phase::Prolog { .. } => Scanner::header(),
            _ => Scanner::element(),
        };
        match scanner.run(buf, &around)? {
            Some(found) => Ok(Some(self.take(buf, scanner, found))),
            None => {
                self.partial = Some(Box::new(scanner));
                Ok(None)
            }
        }
    }

    #[inline(always)]
    fn take(&mut self, buf: &mut BytesMut, scanner: Scanner, found: Found) -> Event {
        let frame: Bytes = buf.split_to(scanner.pos).freeze();
        match found {
            Found::Element => {
                Event::Element(Element::new(frame, scanner.index, self.scope.clone()))
            }
            Found::Close => {
                self.phase = Phase::Closed;
                Event::Close
            }
            Found::Header => {
                self.phase = match scanner.index.closed {
                    true => Phase::Empty,
                    false => Phase::Content,
                };
                self.stream = scanner.index.name.whole(&frame).into();
                let header = Header::new(frame, scanner.index);
                self.scope = header.scope();
                Event::Header(header)
            }
        }
    }

    /// Consumes what may stand before a header. True if the header's `<` and one more byte are
    /// there.
    fn prolog(&mut self, buf: &mut BytesMut) -> Result<bool, XmlError> {
        let Phase::Prolog {
            mut bom,
            mut declared,
            mut searched,
        } = self.phase
        else {
            return Ok(true);
        };
        let ready = loop {
            if bom && let Some(&first) = buf.first() {
                const MARK: &[u8] = b"\xEF\xBB\xBF";
                if MARK.starts_with(&buf[..buf.len().min(MARK.len())]) {
                    if buf.len() < MARK.len() {
                        break false;
                    }
                    buf.advance(MARK.len());
                } else if matches!(first, 0 | 0xFE | 0xFF) {
                    return Err(XmlError::UnsupportedEncoding);
                }
                bom = false;
            }
            if searched == 0 {
                skip_space(buf);
            }
            match (buf.first(), buf.get(1)) {
                (None, _) | (Some(b'<'), None) => break false,
                (Some(b'<'), Some(0)) => return Err(XmlError::UnsupportedEncoding),
                (Some(b'<'), Some(b'?')) if declared => {
                    return Err(XmlError::Restricted("a processing instruction"));
                }
                (Some(b'<'), Some(b'?')) => {
                    let window = &buf[..buf.len().min(self.limits.header)];
                    match memchr::memchr(b'>', &window[searched..]) {
                        Some(at) => {
                            declaration::check(&window[..searched + at + 1])?;
                            buf.advance(searched + at + 1);
                            (declared, searched) = (true, 0);
                        }
                        None if window.len() == self.limits.header => {
                            return Err(XmlError::TooBig(self.limits.header));
                        }
                        None => {
                            searched = window.len();
                            break false;
                        }
                    }
                }
                (Some(b'<'), Some(b'!')) => {
                    return Err(XmlError::Restricted("a comment or document type"));
                }
                (Some(b'<'), Some(_)) => break true,
                (Some(_), _) => return Err(NotWellFormed("something else than a stream header")),
            }
        };
        self.phase = Phase::Prolog {
            bom,
            declared,
            searched,
        };
        Ok(ready)
    }
}

fn skip_space(buf: &mut BytesMut) {
    let n = class::run_of(buf, SPACE);
    if n > 0 {
        buf.advance(n);
    }
}
