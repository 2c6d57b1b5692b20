//! The write half of a connection and its TLS state, behind one short lock.
//!
//! The session's actor appends whole frames and flushes when its mailbox is drained; the reader
//! shares the TLS state; and when the actor is gone, whoever holds the wire can still finish
//! the frame under way, send a stream error and close. Since nothing but whole frames ever
//! enters the outbox, in one step each, no byte is ever spliced into a frame.
//!
//! An idle wire holds no buffer and no task: the outbox is lent by the thread while it holds
//! bytes, a flush task lives while the socket takes nothing, a closing task from the close tag
//! to the end of the connection.

use std::cell::RefCell;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use rustls::{ServerConfig, ServerConnection};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout, timeout_at};

use crate::io::{Sink, Source};
use crate::vitals::lock;

/// How many bytes one read takes from a socket at most: a dozen messages, which their session
/// then handles in one go while others wait. More saves little, and costs those others.
const READ: usize = 4 * 1024;
/// A buffer that grew beyond this isn't kept for the next user.
const KEPT: usize = 64 * 1024;
/// `</stream:stream>`, which ends a stream (RFC 6120 §4.4).
const CLOSE_TAG: &[u8] = b"</stream:stream>";

/// What a wire bears with.
#[derive(Debug, Clone, Copy)]
pub struct WireLimits {
    /// Bytes that may wait for the socket; beyond them the wire reports itself full.
    pub high_water: usize,
    /// How long the socket may take nothing at all before the connection is cut.
    pub stall: Duration,
    /// How long the closing handshake may take (RFC 6120 §4.4).
    pub close: Duration,
}

impl Default for WireLimits {
    fn default() -> Self {
        Self {
            high_water: 1024 * 1024,
            stall: Duration::from_secs(60),
            close: Duration::from_secs(5),
        }
    }
}

/// What became of bytes handed to [`Wire::push`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// They are in the outbox.
    Taken,
    /// They are, and the outbox is over its mark: the connection is to be closed.
    Full,
    /// The stream is closed for writing; they are dropped.
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// The close tag is in the outbox or sent.
    Closing,
    /// The socket is shut.
    Closed,
}

struct Out {
    outbox: BytesMut,
    tls: Option<Box<ServerConnection>>,
    phase: Phase,
    flushing: bool,
}

/// See the [module](self).
pub struct Wire {
    sink: Sink,
    limits: WireLimits,
    out: Mutex<Out>,
    /// Told when the reader is done with the socket.
    read_out: Notify,
    /// Told when the session's actor is done with a batch.
    pub(crate) batch_done: Notify,
}

impl Wire {
    /// A wire over the writing half of a socket.
    #[must_use]
    pub fn new(sink: Sink, limits: WireLimits) -> Arc<Self> {
        let out = Out {
            outbox: BytesMut::new(),
            tls: None,
            phase: Phase::Open,
            flushing: false,
        };
        Arc::new(Self {
            sink,
            limits,
            out: Mutex::new(out),
            read_out: Notify::new(),
            batch_done: Notify::new(),
        })
    }

    /// Whether frames are still taken.
    #[must_use]
    pub fn is_open(&self) -> bool {
        lock(&self.out).phase == Phase::Open
    }

    /// Bytes that wait for the socket.
    #[must_use]
    pub fn waiting(&self) -> usize {
        lock(&self.out).outbox.len()
    }

    /// Whether more waits for the socket than may.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.waiting() > self.limits.high_water
    }

    /// Appends a whole frame to the outbox without writing yet. Should `frame` panic, what it
    /// has written is taken back.
    pub fn push(&self, frame: impl FnOnce(&mut BytesMut)) -> Pushed {
        let mut out = lock(&self.out);
        if out.phase != Phase::Open {
            return Pushed::Closed;
        }
        out.append(frame);
        if out.outbox.len() > self.limits.high_water {
            Pushed::Full
        } else {
            Pushed::Taken
        }
    }

    /// Writes what waits: directly as far as the socket takes it, the rest by a task.
    pub fn flush(self: &Arc<Self>) {
        let mut out = lock(&self.out);
        if out.flushing || out.phase == Phase::Closed {
            return;
        }
        match self.write(&mut out) {
            Ok(true) => {}
            Ok(false) => self.flush_later(&mut out),
            Err(_) => self.cut_locked(&mut out),
        }
    }

    /// Ends the stream: what waits is still written, then `last` (a stream error) and the close
    /// tag; then the peer has a time to close its side before the socket is shut. Does nothing
    /// when the stream is ending already.
    pub fn finish(self: &Arc<Self>, last: &[u8]) {
        let mut out = lock(&self.out);
        if out.phase != Phase::Open {
            return;
        }
        out.append(|outbox| {
            outbox.extend_from_slice(last);
            outbox.extend_from_slice(CLOSE_TAG);
        });
        out.phase = Phase::Closing;
        self.close_later(&mut out);
    }

    /// Ends a connection on which no stream was opened, or whose stream has sent its close tag
    /// already: what waits is still written.
    pub fn hang_up(self: &Arc<Self>) {
        let mut out = lock(&self.out);
        if out.phase == Phase::Open {
            out.phase = Phase::Closing;
            self.close_later(&mut out);
        }
    }

    /// Shuts the socket at once.
    pub fn cut(&self) {
        self.cut_locked(&mut lock(&self.out));
    }

    /// Reads what is there and appends it to `into`: the number of bytes, 0 at the end of the
    /// stream. Waiting costs no buffer.
    ///
    /// # Errors
    /// The socket's own; `InvalidData` when the peer breaks TLS.
    pub fn poll_read(
        self: &Arc<Self>,
        source: &mut Source,
        cx: &mut Context<'_>,
        into: &mut BytesMut,
    ) -> Poll<io::Result<usize>> {
        thread_local! {
            static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into_boxed_slice());
        }
        SCRATCH.with_borrow_mut(|scratch| {
            let mut out = lock(&self.out);
            let read = match out.tls {
                Some(_) => self.poll_read_tls(&mut out, source, cx, scratch),
                None => {
                    drop(out);
                    source.poll_read(cx, scratch)
                }
            };
            if let Poll::Ready(Ok(read)) = read {
                into.extend_from_slice(&scratch[..read]);
            }
            read
        })
    }

    /// Waits until [`poll_read`](Self::poll_read) might have something to say, without reading.
    ///
    /// # Errors
    /// The socket's own.
    pub fn poll_readable(&self, source: &mut Source, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // What TLS has at hand already comes first.
        match &lock(&self.out).tls {
            Some(tls) if !tls.wants_read() => Poll::Ready(Ok(())),
            _ => source.poll_readable(cx),
        }
    }

    /// Waits for bytes; see [`poll_read`](Self::poll_read).
    ///
    /// # Errors
    /// The same.
    pub async fn read(
        self: &Arc<Self>,
        source: &mut Source,
        into: &mut BytesMut,
    ) -> io::Result<usize> {
        std::future::poll_fn(|cx| self.poll_read(source, cx, into)).await
    }

    /// Reads and forgets until the peer ends the connection, or the closing task does.
    pub async fn drain(self: &Arc<Self>, source: &mut Source) {
        let mut forgotten = BytesMut::new();
        while let Ok(1..) = self.read(source, &mut forgotten).await {
            forgotten.clear();
        }
    }

    /// Says that nobody reads the socket any more, so that closing needn't wait.
    pub fn read_out(&self) {
        self.read_out.notify_one();
    }

    /// Does the server's side of a TLS handshake; from then on all bytes go through TLS.
    ///
    /// # Errors
    /// `UnexpectedEof` when the peer goes away, `InvalidData` when it breaks the protocol (it
    /// has been sent the alert then), else the socket's own.
    pub async fn handshake(
        self: &Arc<Self>,
        source: &mut Source,
        config: Arc<ServerConfig>,
    ) -> io::Result<()> {
        let tls = ServerConnection::new(config).map_err(io::Error::other)?;
        lock(&self.out).tls = Some(Box::new(tls));
        std::future::poll_fn(|cx| self.poll_handshake(source, cx)).await
    }

    /// Looks at the TLS connection, if there is one.
    pub fn with_tls<T>(&self, look: impl FnOnce(&ServerConnection) -> T) -> Option<T> {
        lock(&self.out).tls.as_deref().map(look)
    }

    fn poll_handshake(
        self: &Arc<Self>,
        source: &mut Source,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let mut out = lock(&self.out);
        loop {
            if !self.write(&mut out)? {
                self.flush_later(&mut out);
            }
            let Some(tls) = &mut out.tls else {
                return Poll::Ready(Ok(()));
            };
            if !tls.is_handshaking() {
                return Poll::Ready(Ok(()));
            }
            match tls.read_tls(&mut PollRead { source, cx }) {
                Ok(0) => return Poll::Ready(Err(ErrorKind::UnexpectedEof.into())),
                Ok(_) => self.process(&mut out)?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn poll_read_tls(
        self: &Arc<Self>,
        out: &mut Out,
        source: &mut Source,
        cx: &mut Context<'_>,
        scratch: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let Some(tls) = &mut out.tls else {
                return Poll::Ready(Ok(0));
            };
            match tls.reader().read(scratch) {
                Ok(read) => return Poll::Ready(Ok(read)),
                // Cut off without a word: the end of the bytes all the same.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    return Poll::Ready(Ok(0));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
            match tls.read_tls(&mut PollRead { source, cx }) {
                Ok(_) => self.process(out)?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) => return Poll::Ready(Err(error)),
            }
            if out.tls.as_ref().is_some_and(|tls| tls.wants_write())
                && !out.flushing
                && !self.write(out)?
            {
                self.flush_later(out);
            }
        }
    }

    /// Lets TLS look at what was read; tells the peer what it did wrong, if it did.
    fn process(&self, out: &mut Out) -> io::Result<()> {
        let Some(tls) = &mut out.tls else {
            return Ok(());
        };
        match tls.process_new_packets() {
            Ok(_) => Ok(()),
            Err(error) => {
                // The alert is a courtesy: whether it gets through changes nothing.
                let _ = self.write(out);
                Err(io::Error::new(ErrorKind::InvalidData, error))
            }
        }
    }

    /// Writes until nothing waits (`true`) or the socket takes no more (`false`).
    fn write(&self, out: &mut Out) -> io::Result<bool> {
        loop {
            match &mut out.tls {
                Some(tls) => {
                    while tls.wants_write() {
                        match tls.write_tls(&mut TryWrite(&self.sink)) {
                            Ok(_) => {}
                            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                                return Ok(false);
                            }
                            Err(error) => return Err(error),
                        }
                    }
                    if out.outbox.is_empty() {
                        break;
                    }
                    let taken = tls.writer().write(&out.outbox)?;
                    out.outbox.advance(taken);
                }
                None if out.outbox.is_empty() => break,
                None => match self.sink.try_write(&out.outbox) {
                    Ok(0) => return Err(ErrorKind::WriteZero.into()),
                    Ok(written) => out.outbox.advance(written),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                },
            }
        }
        give_back(&mut out.outbox);
        Ok(true)
    }

    /// Lets a task write the rest; it lives as long as the socket takes it only in pieces.
    fn flush_later(self: &Arc<Self>, out: &mut Out) {
        let Ok(runtime) = Handle::try_current() else {
            return self.cut_locked(out);
        };
        if std::mem::replace(&mut out.flushing, true) {
            return;
        }
        let wire = self.clone();
        runtime.spawn(async move {
            loop {
                let ready = timeout(wire.limits.stall, wire.sink.writable()).await;
                let mut out = lock(&wire.out);
                let written = match ready {
                    Ok(Ok(())) => wire.write(&mut out),
                    Ok(Err(error)) => Err(error),
                    Err(_) => Err(ErrorKind::TimedOut.into()),
                };
                match written {
                    Ok(false) => continue,
                    Ok(true) => {}
                    Err(_) => wire.cut_locked(&mut out),
                }
                out.flushing = false;
                return;
            }
        });
    }

    /// Starts the task that sees the closing handshake through.
    fn close_later(self: &Arc<Self>, out: &mut Out) {
        // No runtime: the process is ending, and the kernel closes for us.
        let Ok(runtime) = Handle::try_current() else {
            return self.cut_locked(out);
        };
        let written = self.write(out);
        if written.is_err() {
            return self.cut_locked(out);
        }
        let wire = self.clone();
        let deadline = Instant::now() + self.limits.close;
        runtime.spawn(async move {
            let closed = timeout_at(deadline, async {
                wire.written().await?;
                if let Some(tls) = &mut lock(&wire.out).tls {
                    tls.send_close_notify();
                }
                wire.written().await?;
                wire.sink.shutdown(Shutdown::Write);
                wire.read_out.notified().await;
                io::Result::Ok(())
            });
            // Whether the peer kept to the handshake or not, the connection ends here.
            let _ = closed.await;
            wire.cut();
        });
    }

    /// Waits until the socket has taken all that waits.
    ///
    /// # Errors
    /// The socket's own; `BrokenPipe` when it was shut before.
    pub(crate) async fn written(&self) -> io::Result<()> {
        loop {
            {
                let mut out = lock(&self.out);
                if out.phase == Phase::Closed {
                    return Err(ErrorKind::BrokenPipe.into());
                }
                if self.write(&mut out)? {
                    return Ok(());
                }
            }
            self.sink.writable().await?;
        }
    }

    fn cut_locked(&self, out: &mut Out) {
        out.phase = Phase::Closed;
        out.outbox = BytesMut::new();
        self.sink.shutdown(Shutdown::Both);
    }
}

impl Out {
    fn append(&mut self, frame: impl FnOnce(&mut BytesMut)) {
        /// Takes a frame back that a panic left half written.
        struct Rewind<'a>(&'a mut BytesMut, usize, bool);
        impl Drop for Rewind<'_> {
            fn drop(&mut self) {
                if !self.2 {
                    self.0.truncate(self.1);
                }
            }
        }
        if self.outbox.capacity() == 0 {
            self.outbox = borrow();
        }
        let before = self.outbox.len();
        let mut rewind = Rewind(&mut self.outbox, before, false);
        frame(rewind.0);
        rewind.2 = true;
    }
}

thread_local! {
    static SPARE: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
}

/// A buffer of this thread for an outbox.
fn borrow() -> BytesMut {
    SPARE
        .with_borrow_mut(|spare| spare.pop())
        .unwrap_or_else(|| BytesMut::with_capacity(4096))
}

/// Returns an emptied outbox to this thread.
fn give_back(outbox: &mut BytesMut) {
    let mut buffer = std::mem::take(outbox);
    buffer.clear();
    // What was advanced over comes back: the buffer is ours alone.
    if buffer.try_reclaim(4096) && buffer.capacity() <= KEPT {
        SPARE.with_borrow_mut(|spare| {
            if spare.len() < 16 {
                spare.push(buffer);
            }
        });
    }
}

/// A source as rustls wants it: what isn't there yet would block.
struct PollRead<'a, 'b, 'c> {
    source: &'a mut Source,
    cx: &'b mut Context<'c>,
}

impl Read for PollRead<'_, '_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.source.poll_read(self.cx, buf) {
            Poll::Ready(read) => read,
            Poll::Pending => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

/// A sink as rustls wants it.
struct TryWrite<'a>(&'a Sink);

impl Write for TryWrite<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.try_write(buf)
    }

    fn write_vectored(&mut self, bufs: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(bufs)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
