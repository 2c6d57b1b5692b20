//! What SASL needs to know of the TLS below: the types of channel binding (RFC 5056) and their data.

/// A type of channel binding that the server can offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChannelBinding {
    /// The hash of the server's certificate (RFC 5929 §4).
    TlsServerEndPoint,
    /// Keying material exported from this very connection (RFC 9266).
    TlsExporter,
}

impl ChannelBinding {
    /// All of them, the stronger last.
    pub const ALL: [Self; 2] = [Self::TlsServerEndPoint, Self::TlsExporter];

    /// The name that IANA's registry and XEP-0440 use.
    pub fn name(self) -> &'static str {
        match self {
            Self::TlsServerEndPoint => "tls-server-end-point",
            Self::TlsExporter => "tls-exporter",
        }
    }

    /// The type of that name, if it is one of ours.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What negotiation needs to know of a finished TLS handshake.
#[derive(Clone, PartialEq, Eq)]
pub struct TlsInfo {
    /// The data of `tls-exporter`; `None` where RFC 9266 §2 forbids it (TLS 1.2 without extended
    /// master secret, or with renegotiation).
    pub exporter: Option<[u8; 32]>,
    /// The hash of the certificate that the server showed; `None` when its signature algorithm
    /// has no single hash (RFC 5929 §4.1).
    pub server_end_point: Option<Vec<u8>>,
    /// The protocol version, for logs and the console: `TLSv1.3`.
    pub version: String,
}

impl TlsInfo {
    /// The channel-binding data of that type, if the connection has it.
    pub fn data(&self, kind: ChannelBinding) -> Option<&[u8]> {
        match kind {
            ChannelBinding::TlsServerEndPoint => self.server_end_point.as_deref(),
            ChannelBinding::TlsExporter => self.exporter.as_ref().map(|data| &data[..]),
        }
    }

    /// The types this connection has, in the order of [`ChannelBinding::ALL`].
    pub fn kinds(&self) -> impl Iterator<Item = ChannelBinding> + '_ {
        ChannelBinding::ALL
            .into_iter()
            .filter(|&kind| self.data(kind).is_some())
    }
}

impl std::fmt::Debug for TlsInfo {
    /// Shows which types there are, not their data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsInfo")
            .field("version", &self.version)
            .field("bindings", &self.kinds().collect::<Vec<_>>())
            .finish()
    }
}
