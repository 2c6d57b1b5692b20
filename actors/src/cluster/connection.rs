//! A connection between two nodes: TCP, and TLS if it is configured.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::tls::NodeCertificates;

/// The half from which bytes come.
pub(super) type Reader = Box<dyn AsyncRead + Send + Unpin>;
/// The half into which bytes go.
pub(super) type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// A connection on which nothing was said yet.
pub(super) struct Connection {
    pub(super) reader: Reader,
    pub(super) writer: Writer,
    /// The other end.
    pub(super) remote: SocketAddr,
    /// What binds a proof to this very connection, if it is encrypted.
    pub(super) binding: Option<[u8; 32]>,
}

/// Who shakes hands how.
pub(super) type Tls = Option<Arc<NodeCertificates>>;

impl Connection {
    /// Connects to a node.
    ///
    /// # Errors
    /// The system's, or what is wrong with its certificate.
    pub(super) async fn dial(address: SocketAddr, tls: &Tls) -> io::Result<Self> {
        let tcp = TcpStream::connect(address).await?;
        prepare(&tcp)?;
        match tls {
            None => Ok(Self::plain(tcp, address)),
            Some(tls) => {
                let (stream, binding) = tls.connect(tcp).await?;
                Ok(Self::encrypted(stream, address, binding))
            }
        }
    }

    /// Takes in a node that has connected.
    ///
    /// # Errors
    /// As [`dial`](Self::dial).
    pub(super) async fn accept(tcp: TcpStream, remote: SocketAddr, tls: &Tls) -> io::Result<Self> {
        prepare(&tcp)?;
        match tls {
            None => Ok(Self::plain(tcp, remote)),
            Some(tls) => {
                let (stream, binding) = tls.accept(tcp).await?;
                Ok(Self::encrypted(stream, remote, binding))
            }
        }
    }

    fn plain(tcp: TcpStream, remote: SocketAddr) -> Self {
        let (reader, writer) = tcp.into_split();
        Self {
            reader: Box::new(reader),
            writer: Box::new(writer),
            remote,
            binding: None,
        }
    }

    fn encrypted<S>(stream: S, remote: SocketAddr, binding: [u8; 32]) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (reader, writer) = tokio::io::split(stream);
        Self {
            reader: Box::new(reader),
            writer: Box::new(writer),
            remote,
            binding: Some(binding),
        }
    }
}

fn prepare(tcp: &TcpStream) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    // Heartbeats notice a silent node long before; this ends sockets that nobody holds any more.
    let keepalive = TcpKeepalive::new().with_time(Duration::from_secs(60));
    SockRef::from(tcp).set_tcp_keepalive(&keepalive)
}
