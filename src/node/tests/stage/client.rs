//! A client of the plays: bytes over a socket, framed as the node's peers would.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::BytesMut;
use play::Received;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use xml::{Event, Framer, Limits};

use super::node::{Node, PASSWORD};

/// How long a client waits for what must come. Nothing is timed by it: it ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(20);

trait Socket: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Socket for S {}

/// A client over TCP or TLS.
pub(crate) struct Client {
    socket: Option<Box<dyn Socket>>,
    tcp: Option<TcpStream>,
    framer: Framer,
    buffer: BytesMut,
    waiting: VecDeque<String>,
    ended: bool,
    settled: u32,
    /// Whether it has bound a resource.
    pub(crate) bound: bool,
}

impl Client {
    fn new(socket: Option<Box<dyn Socket>>, tcp: Option<TcpStream>) -> Client {
        let limits = Limits {
            stanza: 1 << 20,
            header: 1 << 16,
            depth: 64,
            attributes: 64,
            namespaces: 64,
        };
        Client {
            socket,
            tcp,
            framer: Framer::new(limits),
            buffer: BytesMut::new(),
            waiting: VecDeque::new(),
            ended: false,
            settled: 0,
            bound: false,
        }
    }

    /// Opens a connection to the STARTTLS port.
    pub(crate) async fn connect(node: &Node) -> Result<Client, String> {
        let tcp = TcpStream::connect(node.c2s)
            .await
            .map_err(|error| error.to_string())?;
        Ok(Client::new(None, Some(tcp)))
    }

    /// A client over a connection that somebody else has opened.
    pub(crate) fn over(tcp: TcpStream) -> Client {
        Client::new(None, Some(tcp))
    }

    /// Opens a connection to the direct TLS port (XEP-0368).
    pub(crate) async fn connect_tls(node: &Node) -> Result<Client, String> {
        let tcp = TcpStream::connect(node.c2s_tls)
            .await
            .map_err(|error| error.to_string())?;
        Ok(Client::new(
            Some(handshake(node, tcp, &[b"xmpp-client"]).await?),
            None,
        ))
    }

    /// Encrypts a connection to the direct TLS port.
    pub(crate) async fn with_tls(mut self, node: &Node) -> Result<Client, String> {
        let tcp = self
            .tcp
            .take()
            .ok_or("the connection is encrypted already")?;
        let socket = handshake(node, tcp, &[b"xmpp-client"]).await?;
        Ok(Client::new(Some(socket), None))
    }

    /// Encrypts the connection, after the node said `<proceed/>`.
    pub(crate) async fn start_tls(mut self, node: &Node) -> Result<Client, String> {
        let tcp = self
            .tcp
            .take()
            .ok_or("the connection is encrypted already")?;
        Ok(Client::new(Some(handshake(node, tcp, &[]).await?), None))
    }

    /// Logs in by direct TLS with PLAIN and binds the resource of `jid`.
    pub(crate) async fn log_in(node: &Node, jid: &str) -> Result<Client, String> {
        let (bare, resource) = jid.split_once('/').ok_or("a full JID is needed")?;
        let (localpart, domain) = bare.split_once('@').ok_or("an account is needed")?;
        let mut client = Client::connect_tls(node).await?;
        let header = format!(
            "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' \
             to='{domain}' version='1.0'>"
        );
        let plain = BASE64_STANDARD.encode(format!("\0{localpart}\0{PASSWORD}"));
        let auth = format!(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>"
        );
        let bind = format!(
            "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
             <resource>{resource}</resource></bind></iq>"
        );
        client.exchange(&header, "<stream:features").await?;
        client.exchange(&auth, "<success").await?;
        client.framer.restart();
        client.exchange(&header, "<stream:features").await?;
        let bound = client.exchange(&bind, "<iq").await?;
        if !bound.contains("<jid>") {
            return Err(format!("not bound: {bound}"));
        }
        client.bound = true;
        Ok(client)
    }

    async fn exchange(&mut self, text: &str, wanted: &str) -> Result<String, String> {
        self.send(text).await.map_err(|error| error.to_string())?;
        loop {
            match self.receive().await? {
                Received::Text(text) if text.starts_with(wanted) => return Ok(text),
                Received::Text(text)
                    if text.starts_with("<stream:stream") || text.starts_with("<?xml") => {}
                other => return Err(format!("wanted {wanted}, got {other:?}")),
            }
        }
    }

    /// Sends bytes as they stand, whatever they may be: what comes is still read as the stream
    /// that it was.
    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match (&mut self.socket, &mut self.tcp) {
            (Some(socket), _) => {
                socket.write_all(bytes).await?;
                socket.flush().await
            }
            (None, Some(tcp)) => tcp.write_all(bytes).await,
            (None, None) => Err(std::io::ErrorKind::NotConnected.into()),
        }
    }

    /// All that comes until the node closes the connection, unread as XML; the errors of a
    /// connection that was reset are its end.
    pub(crate) async fn rest(&mut self) -> Result<Vec<u8>, String> {
        let mut bytes = self.buffer.split();
        let reading = async {
            loop {
                let read = match (&mut self.socket, &mut self.tcp) {
                    (Some(socket), _) => socket.read_buf(&mut bytes).await,
                    (None, Some(tcp)) => tcp.read_buf(&mut bytes).await,
                    (None, None) => Ok(0),
                };
                if matches!(read, Ok(0) | Err(_)) {
                    break;
                }
            }
        };
        tokio::time::timeout(PATIENCE, reading)
            .await
            .map_err(|_| "the node does not close the connection")?;
        Ok(bytes.to_vec())
    }

    /// Sends text as it stands.
    pub(crate) async fn send(&mut self, text: &str) -> std::io::Result<()> {
        // A new stream header after login starts a new document.
        if text.trim_start().starts_with("<stream:stream") || text.trim_start().starts_with("<?xml")
        {
            self.framer.restart();
        }
        self.send_bytes(text.as_bytes()).await
    }

    /// The next thing that comes.
    pub(crate) async fn receive(&mut self) -> Result<Received, String> {
        loop {
            if let Some(text) = self.waiting.pop_front() {
                return Ok(Received::Text(text));
            }
            if self.ended {
                return Ok(Received::End);
            }
            match tokio::time::timeout(PATIENCE, self.read()).await {
                Err(_) => return Ok(Received::Nothing),
                Ok(Err(error)) => return Err(error),
                Ok(Ok(())) => {}
            }
        }
    }

    /// What comes next is a new stream header.
    pub(crate) fn begin_anew(&mut self) {
        self.framer.restart();
    }

    /// Whether the node has closed the connection.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// What has come and was not received yet.
    pub(crate) fn next_waiting(&mut self) -> Received {
        match self.waiting.pop_front() {
            Some(text) => Received::Text(text),
            None if self.ended => Received::End,
            None => Received::Nothing,
        }
    }

    /// Waits until the node has dealt with all that was sent: it answers in order.
    pub(crate) async fn settle(&mut self) -> Result<(), String> {
        self.settled += 1;
        let id = format!("settle-{}", self.settled);
        let ping =
            format!("<iq type='get' id='{id}' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>");
        if self.send(&ping).await.is_err() {
            return Ok(());
        }
        let mut others = VecDeque::new();
        loop {
            match self.receive().await? {
                Received::Text(text) if text.starts_with("<iq") && text.contains(&id) => break,
                Received::Text(text) => others.push_back(text),
                Received::End => break,
                Received::Nothing => return Err("the node does not answer a ping".into()),
            }
        }
        others.append(&mut self.waiting);
        self.waiting = others;
        Ok(())
    }

    async fn read(&mut self) -> Result<(), String> {
        let read = match (&mut self.socket, &mut self.tcp) {
            (Some(socket), _) => socket.read_buf(&mut self.buffer).await,
            (None, Some(tcp)) => tcp.read_buf(&mut self.buffer).await,
            (None, None) => Ok(0),
        };
        if matches!(read, Ok(0) | Err(_)) {
            self.ended = true;
            return Ok(());
        }
        loop {
            let before = self.buffer.clone();
            match self
                .framer
                .next(&mut self.buffer)
                .map_err(|error| error.to_string())?
            {
                None => return Ok(()),
                Some(event) => {
                    let consumed = before.len() - self.buffer.len();
                    let text = String::from_utf8_lossy(&before[..consumed])
                        .trim()
                        .to_owned();
                    let text = match event {
                        Event::Element(element) => {
                            String::from_utf8_lossy(element.bytes()).into_owned()
                        }
                        Event::Header(_) | Event::Close => text,
                    };
                    self.waiting.push_back(text);
                }
            }
        }
    }
}

async fn handshake(node: &Node, tcp: TcpStream, alpn: &[&[u8]]) -> Result<Box<dyn Socket>, String> {
    let mut config = rustls::ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .map_err(|error| error.to_string())?
    .with_root_certificates(node.roots()?)
    .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let name = ServerName::try_from("localhost").map_err(|error| error.to_string())?;
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let socket = connector
        .connect(name, tcp)
        .await
        .map_err(|error| format!("TLS: {error}"))?;
    Ok(Box::new(socket))
}
