//! A client and its socket.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use xml::Element;

use crate::client::Client;
use crate::failure::Failure;
use crate::place::Place;
use crate::scenario::Tls;

/// What is read at once.
const READ: usize = 16 * 1024;

thread_local! {
    /// Where everybody reads into and writes from: an idle client holds no buffer.
    static BUFFERS: RefCell<Buffers> = RefCell::new(Buffers {
        room: vec![0; READ].into(),
        read: BytesMut::new(),
        write: BytesMut::new(),
    });
}

thread_local! {
    static TRAFFIC: Cell<Traffic> = const { Cell::new(Traffic { read: 0, written: 0, messages: 0, presences: 0 }) };
}

/// What went over all sockets of this thread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traffic {
    /// Bytes from servers, without TLS' own.
    pub(crate) read: u64,
    /// Bytes to servers, without TLS' own.
    pub(crate) written: u64,
    /// Messages from servers.
    pub(crate) messages: u64,
    /// Presences of others from servers.
    pub(crate) presences: u64,
}

impl Traffic {
    /// What went over them since `before`.
    pub(crate) fn since(self, before: Traffic) -> Traffic {
        Traffic {
            read: self.read - before.read,
            written: self.written - before.written,
            messages: self.messages - before.messages,
            presences: self.presences - before.presences,
        }
    }
}

/// What went over all sockets of this thread so far.
pub(crate) fn traffic() -> Traffic {
    TRAFFIC.get()
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
    /// Connects to a place, with TLS if it has that, and opens the stream of an account.
    ///
    /// # Errors
    /// Whatever kept it from getting the features of the stream.
    pub(crate) async fn open(place: &Rc<Place>, localpart: &str) -> Result<Connection, Failure> {
        let tcp = place.connect().await?;
        tcp.set_nodelay(true)?;
        let socket = match place.tls {
            Tls::Direct => secure(place, tcp).await?,
            Tls::Off | Tls::Starttls => Socket::Plain(tcp),
        };
        let mut out = BytesMut::new();
        let mut connection = Connection {
            client: Client::new(place, localpart, &mut out),
            socket,
            partial: BytesMut::new(),
        };
        connection.say(out).await?;
        if place.tls == Tls::Starttls {
            let mut out = BytesMut::new();
            connection.client.ask_for_tls(&mut out)?;
            connection.say(out).await?;
            // What came behind was not encrypted, and nobody knows who it is from.
            connection.partial = BytesMut::new();
            connection.socket = match connection.socket {
                Socket::Plain(tcp) => secure(place, tcp).await?,
                secured @ Socket::Tls(_) => secured,
            };
            let mut out = BytesMut::new();
            connection.client.is_secure(&mut out);
            connection.say(out).await?;
        }
        Ok(connection)
    }

    /// Makes the account.
    ///
    /// # Errors
    /// The server does not want it, or the session is over.
    pub(crate) async fn register(&mut self, password: &str) -> Result<(), Failure> {
        let mut out = BytesMut::new();
        self.client.register(password, &mut out)?;
        self.say(out).await
    }

    /// Logs in and binds a resource.
    ///
    /// # Errors
    /// The server does not want it, or the session is over.
    pub(crate) async fn authenticate(&mut self, password: &str) -> Result<(), Failure> {
        let mut out = BytesMut::new();
        self.client.authenticate(password, &mut out)?;
        self.say(out).await
    }

    /// Says something and waits until it was answered.
    async fn say(&mut self, out: BytesMut) -> Result<(), Failure> {
        self.send(&out).await?;
        drop(out);
        while self.client.is_waiting() {
            self.turn(|_, _| {}).await?;
        }
        Ok(())
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
            let mut traffic = TRAFFIC.get();
            traffic.read += room.filled().len() as u64;
            read.clear();
            read.extend_from_slice(&self.partial);
            read.extend_from_slice(room.filled());
            write.clear();
            let presences = self.client.presences();
            let received =
                self.client
                    .receive(read, write, &mut |stanza: &Element, out: &mut BytesMut| {
                        traffic.messages += u64::from(stanza.name() == "message");
                        on_stanza(stanza, out);
                    });
            traffic.presences += u64::from(self.client.presences() - presences);
            TRAFFIC.set(traffic);
            received?;
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
            if bytes.is_empty() {
                // What was written may wait in TLS.
                ready!(self.socket.poll_flush(cx))?;
                return Poll::Pending;
            }
            let written = ready!(self.socket.poll_write(cx, bytes))?;
            bytes.advance(written);
            wrote(written);
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// Sends bytes as they stand.
    ///
    /// # Errors
    /// The socket is gone.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        wrote(bytes.len());
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

fn wrote(bytes: usize) {
    let mut traffic = TRAFFIC.get();
    traffic.written += bytes as u64;
    TRAFFIC.set(traffic);
}

async fn secure(place: &Place, tcp: TcpStream) -> Result<Socket, Failure> {
    let name = ServerName::try_from(place.domain.to_string()).map_err(std::io::Error::other)?;
    let connector = place.connector.as_ref().ok_or(Failure::NotOffered("TLS"))?;
    Ok(Socket::Tls(Box::new(connector.connect(name, tcp).await?)))
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

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self {
            Socket::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Socket::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;
    use crate::scenario::Target;

    /// A server may read nothing before it is read from: both would wait for ever.
    #[tokio::test]
    async fn who_can_not_write_reads_meanwhile() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let target = Target {
            address: listener.local_addr().expect("it has one").to_string(),
            ..Target::default()
        };
        let place = Place::find(&target, false, &[]).expect("this machine");
        let greet = async {
            let (mut server, _) = listener.accept().await.expect("a client");
            let header = "<stream:stream xmlns='jabber:client' \
                          xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>\
                          <stream:features/>";
            server.write_all(header.as_bytes()).await.expect("written");
            server
        };
        let (opened, mut server) = tokio::join!(Connection::open(&place, "u0"), greet);
        let mut connection = opened.expect("greeted");
        // More than the system takes for a server that does not read.
        let mut bytes = BytesMut::from(&vec![b' '; 64 << 20][..]);
        let blocked = |polled: Poll<Result<(), Failure>>| match polled {
            Poll::Ready(written) => written.map(|()| false).expect("the session goes on"),
            Poll::Pending => true,
        };
        loop {
            // The budget of the task is none of the socket's.
            let turn =
                tokio::task::coop::unconstrained(connection.turn_or_write(&mut bytes, |_, _| {}));
            let mut cx = Context::from_waker(std::task::Waker::noop());
            if blocked(std::pin::pin!(turn).poll(&mut cx)) {
                break;
            }
        }
        let error = "<stream:error><policy-violation \
                     xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>";
        server.write_all(error.as_bytes()).await.expect("written");
        let failure = loop {
            match connection.turn_or_write(&mut bytes, |_, _| {}).await {
                Ok(()) => {}
                Err(failure) => break failure,
            }
        };
        assert!(matches!(failure, Failure::Stream(_)), "{failure}");
        // All that is left was not written.
        assert!(!bytes.is_empty());
        let _ = server.read_u8().await;
    }
}
