//! A bounded pipe within the process that behaves like a TCP connection.
//!
//! Tests on a paused clock need a socket whose bytes arrive without the kernel, and crowds
//! larger than the open files of a process need sessions without sockets.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::vitals::lock;

/// One end of a pipe. Clones are the same end; the other end sees the close when the last of
/// them is dropped.
#[derive(Clone)]
pub struct Pipe(Arc<End>);

struct End {
    incoming: Arc<Lane>,
    outgoing: Arc<Lane>,
}

/// The bytes of one direction.
struct Lane {
    capacity: usize,
    state: Mutex<LaneState>,
}

#[derive(Default)]
struct LaneState {
    bytes: VecDeque<u8>,
    /// Nothing more will be written.
    finished: bool,
    /// Nobody will read any more.
    abandoned: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl LaneState {
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.bytes.is_empty() && !self.finished && !self.abandoned {
            self.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(())
    }
}

/// Makes a pipe that holds up to `capacity` bytes in each direction.
#[must_use]
pub fn pipe(capacity: usize) -> (Pipe, Pipe) {
    let lane = || {
        Arc::new(Lane {
            capacity,
            state: Mutex::default(),
        })
    };
    let (there, back) = (lane(), lane());
    (
        Pipe(Arc::new(End {
            incoming: back.clone(),
            outgoing: there.clone(),
        })),
        Pipe(Arc::new(End {
            incoming: there,
            outgoing: back,
        })),
    )
}

impl Pipe {
    /// Waits until there is something to read, the end among it.
    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        lock(&self.0.incoming.state).poll_readable(cx)
    }

    /// Reads what is there into `buf`; 0 bytes are the end. Else `cx` is woken when something is.
    ///
    /// # Errors
    /// None: a pipe that is cut has ended.
    pub fn poll_read_into(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut lane = lock(&self.0.incoming.state);
        std::task::ready!(lane.poll_readable(cx));
        let read = lane.bytes.read(buf);
        if lane.bytes.is_empty() {
            lane.bytes = VecDeque::new();
        }
        wake(lane.writer.take());
        Poll::Ready(read)
    }

    /// Writes as much of `buf` as the pipe takes now.
    ///
    /// # Errors
    /// `WouldBlock` when it takes nothing, `BrokenPipe` when nobody reads any more.
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        let mut lane = lock(&self.0.outgoing.state);
        if lane.finished || lane.abandoned {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let room = self
            .0
            .outgoing
            .capacity
            .saturating_sub(lane.bytes.len())
            .min(buf.len());
        if room == 0 && !buf.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        lane.bytes.extend(&buf[..room]);
        wake(lane.reader.take());
        Ok(room)
    }

    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut lane = lock(&self.0.outgoing.state);
        if lane.finished || lane.abandoned || lane.bytes.len() < self.0.outgoing.capacity {
            return Poll::Ready(Ok(()));
        }
        lane.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    pub(crate) fn shutdown(&self, how: Shutdown) {
        self.0.shutdown(how);
    }
}

impl End {
    fn shutdown(&self, how: Shutdown) {
        if how != Shutdown::Read {
            let mut lane = lock(&self.outgoing.state);
            lane.finished = true;
            wake(lane.reader.take());
            wake(lane.writer.take());
        }
        if how != Shutdown::Write {
            let mut lane = lock(&self.incoming.state);
            lane.abandoned = true;
            wake(lane.reader.take());
            wake(lane.writer.take());
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.shutdown(Shutdown::Both);
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = std::task::ready!(self.poll_read_into(cx, buf.initialize_unfilled()))?;
        buf.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        std::task::ready!(self.poll_writable(cx))?;
        Poll::Ready(self.try_write(buf))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shutdown(Shutdown::Write);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn bytes_come_out_in_order_and_the_end_is_seen() {
        let (mut one, mut other) = pipe(4);
        let writer = tokio::spawn(async move {
            one.write_all(b"more than four")
                .await
                .expect("the other end reads");
            one.shutdown(Shutdown::Write);
            one
        });
        let mut got = String::new();
        other.read_to_string(&mut got).await.expect("ends well");
        assert_eq!(got, "more than four");
        let one = writer.await.expect("no panic");
        drop(one);
        assert_eq!(
            other.try_write(b"x").expect_err("closed").kind(),
            ErrorKind::BrokenPipe
        );
    }

    #[test]
    fn a_full_pipe_takes_nothing_more() {
        let (one, _other) = pipe(3);
        assert_eq!(one.try_write(b"abcd").expect("room"), 3);
        assert_eq!(
            one.try_write(b"d").expect_err("full").kind(),
            ErrorKind::WouldBlock
        );
    }
}
