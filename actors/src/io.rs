//! The socket beneath a connection, in two halves.
//!
//! The reader owns the [`Source`] and polls it; whoever writes tries the [`Sink`], which never
//! waits. Plain TCP and the in-process [`pipe`](crate::pipe) look the same from above; TLS is a
//! layer of [`Wire`](crate::wire::Wire) over either, so that both halves share its state under
//! one short lock.

use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use crate::pipe::Pipe;

/// A socket that hasn't been split yet.
pub enum Io {
    /// A TCP connection.
    Tcp(TcpStream),
    /// One end of an in-process pipe.
    Pipe(Pipe),
}

impl Io {
    /// Splits it into its reading and its writing half.
    #[must_use]
    pub fn split(self) -> (Source, Sink) {
        match self {
            Self::Tcp(tcp) => {
                let (read, write) = tcp.into_split();
                (Source(Reading::Tcp(read)), Sink(Writing::Tcp(write)))
            }
            Self::Pipe(pipe) => (
                Source(Reading::Pipe(pipe.clone())),
                Sink(Writing::Pipe(pipe)),
            ),
        }
    }
}

enum Reading {
    Tcp(OwnedReadHalf),
    Pipe(Pipe),
}

enum Writing {
    Tcp(OwnedWriteHalf),
    Pipe(Pipe),
}

/// The half of a socket that is read from.
pub struct Source(Reading);

impl Source {
    /// Waits until there is something to read, the end or an error among it.
    ///
    /// # Errors
    /// The socket's own.
    pub fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Reading::Tcp(tcp) => tcp.as_ref().poll_read_ready(cx),
            Reading::Pipe(pipe) => pipe.poll_readable(cx).map(Ok),
        }
    }

    /// Reads what is there into `buf`; 0 bytes are the end. A short read forgets readiness, so
    /// the next poll costs no system call until the kernel reports more.
    ///
    /// # Errors
    /// The socket's own, a reset for example.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Reading::Tcp(tcp) => {
                let mut buf = ReadBuf::new(buf);
                match Pin::new(tcp).poll_read(cx, &mut buf) {
                    Poll::Ready(Ok(())) => Poll::Ready(Ok(buf.filled().len())),
                    Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                    Poll::Pending => Poll::Pending,
                }
            }
            Reading::Pipe(pipe) => pipe.poll_read_into(cx, buf),
        }
    }
}

/// The half of a socket that is written to.
pub struct Sink(Writing);

impl Sink {
    /// Writes as much of `buf` as the socket takes now.
    ///
    /// # Errors
    /// `WouldBlock` when it takes nothing, else the socket's own.
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        match &self.0 {
            Writing::Tcp(tcp) => tcp.try_write(buf),
            Writing::Pipe(pipe) => pipe.try_write(buf),
        }
    }

    /// Like [`try_write`](Self::try_write), from several buffers with one system call.
    ///
    /// # Errors
    /// The same.
    pub fn try_write_vectored(&self, bufs: &[io::IoSlice<'_>]) -> io::Result<usize> {
        match &self.0 {
            Writing::Tcp(tcp) => tcp.try_write_vectored(bufs),
            Writing::Pipe(pipe) => bufs
                .iter()
                .find(|b| !b.is_empty())
                .map_or(Ok(0), |first| pipe.try_write(first)),
        }
    }

    /// Waits until the socket takes bytes again.
    ///
    /// # Errors
    /// The socket's own.
    pub async fn writable(&self) -> io::Result<()> {
        match &self.0 {
            Writing::Tcp(tcp) => tcp.writable().await,
            Writing::Pipe(pipe) => std::future::poll_fn(|cx| pipe.poll_writable(cx)).await,
        }
    }

    /// Closes the socket: for writing, or altogether, which also ends the reader.
    pub fn shutdown(&self, how: Shutdown) {
        match &self.0 {
            // An error here means that the socket is closed already.
            Writing::Tcp(tcp) => drop(SockRef::from(tcp.as_ref()).shutdown(how)),
            Writing::Pipe(pipe) => pipe.shutdown(how),
        }
    }
}
