//! Line numbers of a file that somebody else takes apart.

use std::{
    collections::VecDeque,
    io::{self, Read},
};

/// Passes bytes on and remembers where the lines that are not empty begin.
///
/// The CSV reader tells where it began to look for a record, which is before
/// the empty lines in front of it and, after a CRLF, still in the line before.
#[derive(Debug)]
pub(crate) struct LineStarts<R> {
    inner: R,
    /// Byte offset and line number; grows with what the reader takes in advance.
    starts: VecDeque<(u64, u64)>,
    offset: u64,
    line: u64,
    /// Whether the present line has had no byte yet.
    empty: bool,
}

impl<R> LineStarts<R> {
    pub(crate) fn new(inner: R) -> Self {
        LineStarts {
            inner,
            starts: VecDeque::new(),
            offset: 0,
            line: 1,
            empty: true,
        }
    }

    /// The number of the first line with something in it that begins at or
    /// after `offset`; what is before is forgotten.
    pub(crate) fn line_from(&mut self, offset: u64) -> u64 {
        while self.starts.pop_front_if(|(at, _)| *at < offset).is_some() {}
        self.starts.front().map_or(self.line, |(_, line)| *line)
    }

    fn pass(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\n' => {
                    self.line += 1;
                    self.empty = true;
                }
                b'\r' => {}
                _ if self.empty => {
                    self.starts.push_back((self.offset, self.line));
                    self.empty = false;
                }
                _ => {}
            }
            self.offset += 1;
        }
    }
}

impl<R: Read> Read for LineStarts<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.pass(&buf[..n]);
        Ok(n)
    }
}
