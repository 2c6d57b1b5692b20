//! Certificates and what TLS tells SASL about a connection.
//!
//! A [`TlsSet`] is what was loaded at one moment: it never changes, so the certificate that a
//! connection was shown and the one its channel binding is computed from are the same even
//! while a reload goes on. [`Certificates`] holds the set that new connections get.

mod between_nodes;
mod binding;
mod facts;
mod files;
mod self_signed;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{ClientHello, ResolvesServerCert, ServerConnection};
use rustls::sign::CertifiedKey;
use rustls::{ProtocolVersion, ServerConfig};
use stream::TlsInfo;

pub use between_nodes::{NodeCertificatePlan, NodeCertificates};
pub use facts::CertificateFacts;
pub use files::{CertificateFiles, TlsError};
pub use self_signed::self_signed;

/// The protocol name of client streams over direct TLS (XEP-0368 §3).
const ALPN: &[u8] = b"xmpp-client";
/// The label of `tls-exporter` channel bindings (RFC 9266 §2).
const EXPORTER: &[u8] = b"EXPORTER-Channel-Binding";

/// Where the certificates of a node are.
#[derive(Debug, Clone)]
pub struct CertificatePlan {
    /// Shown when the client names no domain, or one without files of its own.
    pub fallback: CertificateFiles,
    /// The certificate of each domain that has its own; domains in lower case.
    pub domains: HashMap<String, CertificateFiles>,
}

/// The certificates that new connections get, reloaded on demand.
pub struct Certificates {
    plan: CertificatePlan,
    current: ArcSwap<TlsSet>,
}

impl Certificates {
    /// Reads and checks every file of `plan`.
    ///
    /// # Errors
    /// The first file that can't be used, and why.
    pub fn load(plan: CertificatePlan) -> Result<Self, TlsError> {
        let current = ArcSwap::from_pointee(TlsSet::load(&plan)?);
        Ok(Self { plan, current })
    }

    /// Reads the files again. Connections that exist keep what they have; when one file is bad,
    /// everything stays as it was.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn reload(&self) -> Result<(), TlsError> {
        self.current.store(Arc::new(TlsSet::load(&self.plan)?));
        Ok(())
    }

    /// What a new connection is to use.
    #[must_use]
    pub fn current(&self) -> Arc<TlsSet> {
        self.current.load_full()
    }

    /// Every file it reads, for those who name or watch them.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        std::iter::once(&self.plan.fallback)
            .chain(self.plan.domains.values())
            .flat_map(|files| [files.chain.clone(), files.key.clone()])
            .collect()
    }
}

/// Certificates and settings as they were loaded at one moment.
pub struct TlsSet {
    starttls: Arc<ServerConfig>,
    direct: Arc<ServerConfig>,
    keys: Arc<Keys>,
}

impl TlsSet {
    fn load(plan: &CertificatePlan) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let fallback = Arc::new(Identity::load(&plan.fallback, &provider)?);
        let mut domains = HashMap::new();
        for (domain, files) in &plan.domains {
            domains.insert(domain.clone(), Arc::new(Identity::load(files, &provider)?));
        }
        let keys = Arc::new(Keys { fallback, domains });
        let config = |alpn: &[&[u8]]| -> Result<_, TlsError> {
            let mut config = ServerConfig::builder_with_provider(provider.clone())
                .with_safe_default_protocol_versions()
                .map_err(TlsError::Setup)?
                .with_no_client_auth()
                .with_cert_resolver(keys.clone());
            config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
            // Without the extended master secret (RFC 7627) an exporter of TLS 1.2 is no safe
            // channel binding (RFC 9266 §4.2), and rustls doesn't say whether a peer had it.
            // Whoever speaks TLS 1.2 today has it.
            config.require_ems = true;
            Ok(Arc::new(config))
        };
        Ok(Self {
            starttls: config(&[])?,
            direct: config(&[ALPN])?,
            keys,
        })
    }

    /// The settings for STARTTLS.
    #[must_use]
    pub fn starttls(&self) -> Arc<ServerConfig> {
        self.starttls.clone()
    }

    /// The settings for direct TLS, with ALPN `xmpp-client` (XEP-0368).
    #[must_use]
    pub fn direct(&self) -> Arc<ServerConfig> {
        self.direct.clone()
    }

    /// What SASL may know of a connection that shook hands with this set: the channel bindings
    /// `tls-exporter` and `tls-server-end-point`, and the version.
    #[must_use]
    pub fn info(&self, connection: &ServerConnection) -> TlsInfo {
        let exporter = connection
            .export_keying_material([0u8; 32], EXPORTER, Some(&[]))
            .ok();
        TlsInfo {
            exporter,
            server_end_point: self
                .keys
                .identity(connection.server_name())
                .end_point
                .clone(),
            version: match connection.protocol_version() {
                Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
                _ => "TLSv1.2",
            }
            .to_owned(),
        }
    }
}

/// A certificate with its key, ready for use.
struct Identity {
    key: Arc<CertifiedKey>,
    /// The value of `tls-server-end-point` (RFC 5929 §4).
    end_point: Option<Vec<u8>>,
}

impl Identity {
    fn load(files: &CertificateFiles, provider: &CryptoProvider) -> Result<Self, TlsError> {
        let key = files.load(provider)?;
        let end_point = key
            .cert
            .first()
            .and_then(|leaf| binding::server_end_point(leaf));
        Ok(Self {
            key: Arc::new(key),
            end_point,
        })
    }
}

/// Chooses the certificate by the name that the client asks for.
struct Keys {
    fallback: Arc<Identity>,
    domains: HashMap<String, Arc<Identity>>,
}

impl Keys {
    fn identity(&self, name: Option<&str>) -> &Arc<Identity> {
        name.and_then(|name| self.domains.get(&name.to_ascii_lowercase()))
            .unwrap_or(&self.fallback)
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("domains", &self.domains.keys())
            .finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Keys {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.identity(hello.server_name()).key.clone())
    }
}

#[cfg(test)]
mod tests;
