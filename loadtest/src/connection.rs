//! A client and its socket.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use xml::Element;

use crate::arguments::Crowd;
use crate::client::Client;
use crate::failure::Failure;

/// What is read at once.
const READ: usize = 16 * 1024;
/// A login that takes longer than this many seconds has failed.
const LOGIN_SECONDS: u64 = 60;

thread_local! {
    /// Where everybody reads into and writes from: an idle client holds no buffer.
    static BUFFERS: RefCell<Buffers> = RefCell::new(Buffers {
        room: vec![0; READ].into(),
        read: BytesMut::new(),
        write: BytesMut::new(),
    });
}

struct Buffers {
    /// What the system writes to.
    room: Box<[u8]>,
    read: BytesMut,
    write: BytesMut,
}

/// A client on its connection.
#[derive(Debug)]
pub(crate) struct Connection {
    client: Client,
    socket: Socket,
    /// The beginning of an element whose end has not come.
    partial: BytesMut,
}

#[derive(Debug)]
enum Socket {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection {
    /// Connects, logs in, binds and sends presence.
    ///
    /// # Errors
    /// Whatever kept it from being online within a minute.
    pub(crate) async fn log_in(
        crowd: &Arc<Crowd>,
        number: u32,
        tls: Option<&TlsConnector>,
    ) -> Result<Connection, Failure> {
        let login = Self::log_in_whenever(crowd, number, tls);
        tokio::time::timeout(Duration::from_secs(LOGIN_SECONDS), login)
            .await
            .map_err(|_| Failure::TooSlow(LOGIN_SECONDS))?
    }

    async fn log_in_whenever(
        crowd: &Arc<Crowd>,
        number: u32,
        tls: Option<&TlsConnector>,
    ) -> Result<Connection, Failure> {
        let tcp = TcpStream::connect(crowd.server).await?;
        tcp.set_nodelay(true)?;
        let socket = match tls {
            None => Socket::Plain(tcp),
            Some(connector) => {
                let name =
                    ServerName::try_from(crowd.domain.clone()).map_err(std::io::Error::other)?;
                Socket::Tls(Box::new(connector.connect(name, tcp).await?))
            }
        };
        let mut out = BytesMut::new();
        let mut connection = Connection {
            client: Client::new(crowd, number, &mut out),
            socket,
            partial: BytesMut::new(),
        };
        connection.send(&out).await?;
        while !connection.client.is_online() {
            connection.turn(|_, _| {}).await?;
        }
        Ok(connection)
    }

    /// Waits until something comes, reads once, deals with it and writes once. `on_stanza` sees each
    /// stanza and says what to send.
    ///
    /// # Errors
    /// The session is over.
    pub(crate) async fn turn(
        &mut self,
        mut on_stanza: impl FnMut(&Element, &mut BytesMut),
    ) -> Result<(), Failure> {
        let out = std::future::poll_fn(|cx| self.poll_turn(cx, &mut on_stanza)).await?;
        if out.is_empty() {
            return Ok(());
        }
        self.send(&out).await
    }

    fn poll_turn(
        &mut self,
        cx: &mut Context<'_>,
        on_stanza: &mut impl FnMut(&Element, &mut BytesMut),
    ) -> Poll<Result<BytesMut, Failure>> {
        BUFFERS.with_borrow_mut(|buffers| {
            let Buffers { room, read, write } = buffers;
            let mut room = ReadBuf::new(room);
            ready!(self.socket.poll_read(cx, &mut room))?;
            if room.filled().is_empty() {
                return Poll::Ready(Err(Failure::Closed));
            }
            read.clear();
            read.extend_from_slice(&self.partial);
            read.extend_from_slice(room.filled());
            write.clear();
            self.client.receive(read, write, on_stanza)?;
            self.partial = if read.is_empty() {
                BytesMut::new()
            } else {
                BytesMut::from(&read[..])
            };
            Poll::Ready(Ok(write.split()))
        })
    }

    /// Does what [`turn`](Self::turn) does, or writes some of `bytes` as soon as the socket takes
    /// them; those are gone from its front then. Nothing is lost when it is dropped in between.
    ///
    /// # Errors
    /// The session is over.
    pub(crate) async fn turn_or_write(
        &mut self,
        bytes: &mut BytesMut,
        mut on_stanza: impl FnMut(&Element, &mut BytesMut),
    ) -> Result<(), Failure> {
        std::future::poll_fn(|cx| {
            // What a stanza is answered with goes the same way.
            if let Poll::Ready(answers) = self.poll_turn(cx, &mut on_stanza) {
                bytes.extend_from_slice(&answers?);
                return Poll::Ready(Ok(()));
            }
            let written = ready!(self.socket.poll_write(cx, bytes))?;
            bytes.advance(written);
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// Sends bytes as they stand.
    ///
    /// # Errors
    /// The socket is gone.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match &mut self.socket {
            Socket::Plain(tcp) => tcp.write_all(bytes).await?,
            Socket::Tls(tls) => {
                tls.write_all(bytes).await?;
                tls.flush().await?;
            }
        }
        Ok(())
    }

    /// How often others told this client that they are there.
    pub(crate) fn presences(&self) -> u32 {
        self.client.presences()
    }

    /// Ends the stream in order.
    pub(crate) async fn close(mut self) {
        // A server that is gone already has nothing to be told.
        let _ = self.send(b"</stream:stream>").await;
    }
}

impl Socket {
    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        match self {
            Socket::Plain(tcp) => Pin::new(tcp).poll_read(cx, room),
            Socket::Tls(tls) => Pin::new(tls).poll_read(cx, room),
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        match self {
            Socket::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Socket::Tls(tls) => Pin::new(tls).poll_write(cx, bytes),
        }
    }
}
