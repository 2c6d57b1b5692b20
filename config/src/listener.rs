//! Where the node listens.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use crate::domain::{check_tls_files, resolve};
use crate::{choices, settings};

choices! {
    /// What is spoken on a listener.
    pub enum ListenerKind {
        /// XMPP with clients.
        C2s = c2s,
        /// Administration: GraphQL over HTTP.
        Admin = admin,
    }
}

choices! {
    /// How a listener uses TLS.
    pub enum TlsMode {
        /// Not at all.
        Off = off,
        /// STARTTLS is offered, clients may go without.
        StartTls = starttls,
        /// STARTTLS is offered and must be taken before login.
        Required = required,
        /// From the first byte (XEP-0368).
        Direct = direct,
    }
}

settings! {
    /// One address where the node listens.
    pub struct Listener {
        /// What is spoken there: c2s (clients) or admin (`mungoctl` and the console).
        kind: ListenerKind = ListenerKind::C2s,
        /// The IP address: "127.0.0.1" takes connections of this machine only, "0.0.0.0" of
        /// everybody by IPv4, "::" of everybody by IPv6 and, where the system allows, IPv4.
        address: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST),
        /// The port. Left out: 5222 for clients, 5223 for clients with `tls: direct`, 5551 for
        /// administration.
        port: Option<u16>,
        /// required (STARTTLS before login), starttls (offered, not asked for), direct (TLS from
        /// the first byte, XEP-0368) or off. Left out: required for clients, off for
        /// administration, which speaks plain HTTP.
        tls: Option<TlsMode>,
        /// PEM file with a certificate and its chain for every domain that has none of its own,
        /// on this listener only.
        certificate: Option<PathBuf>,
        /// PEM file with the private key of the certificate.
        key: Option<PathBuf>,
        /// No more connections than this at a time, logged in or not. None: as many as the
        /// system allows.
        max_connections: Option<u32>,
    }
    check |listener, problems| {
        if listener.port == Some(0) {
            problems.error("port", "port 0 means any free port, which nobody would find",
                format!("write a port from 1 to 65535, such as {}", listener.usual_port()));
        }
        if listener.kind == ListenerKind::Admin {
            if listener.tls.is_some_and(|tls| tls != TlsMode::Off) {
                problems.error("tls", "administration speaks plain HTTP",
                    "write `tls: off`, and put a TLS proxy in front if it has to be reached from elsewhere");
            }
            if !listener.address.is_loopback() {
                problems.warn("address", format!("administration can be reached from other machines at {}, unencrypted", listener.address),
                    "write \"127.0.0.1\" unless the network between is trusted");
            }
        }
        if listener.max_connections == Some(0) {
            problems.error("max_connections", "nobody could connect", "write 1 or more, or None");
        }
        check_tls_files(listener.certificate.as_deref(), listener.key.as_deref(), problems);
    }
}

impl Listener {
    /// The listeners of a node that was told nothing. They are on loopback.
    pub fn defaults() -> Vec<Self> {
        let client = |port, tls| Self {
            port: Some(port),
            tls: Some(tls),
            ..Self::default()
        };
        let admin = Self {
            kind: ListenerKind::Admin,
            ..client(5551, TlsMode::Off)
        };
        vec![
            client(5222, TlsMode::Required),
            client(5223, TlsMode::Direct),
            admin,
        ]
    }

    /// The port, the usual one if none is written.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or_else(|| self.usual_port())
    }

    fn usual_port(&self) -> u16 {
        match (self.kind, self.tls()) {
            (ListenerKind::Admin, _) => 5551,
            (ListenerKind::C2s, TlsMode::Direct) => 5223,
            (ListenerKind::C2s, _) => 5222,
        }
    }

    /// How TLS is used, as usual for the kind if nothing is written.
    pub fn tls(&self) -> TlsMode {
        self.tls.unwrap_or(match self.kind {
            ListenerKind::C2s => TlsMode::Required,
            ListenerKind::Admin => TlsMode::Off,
        })
    }

    /// Address and port.
    pub fn socket_addr(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.port())
    }

    /// The listener's own certificate and key, if it has them.
    pub fn tls_files(&self) -> Option<(&Path, &Path)> {
        self.certificate.as_deref().zip(self.key.as_deref())
    }

    pub(crate) fn resolve(&mut self, folder: &Path) {
        resolve(&mut self.certificate, folder);
        resolve(&mut self.key, folder);
    }
}
