//! The node as a whole.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use actors::tls::{Certificates, NodeCertificates, TlsError};
use admin::AdminError;
use admin::api::{Answer, Certificate, Listener, NodeControl, NodeStatus, TlsMode};
use admin::scalar::{Bytes, Count, Seconds, Time};
use router::Router;

use super::process;

/// What the node says of itself, and what it is told as a whole.
pub(crate) struct Control {
    /// The sessions and the uptime.
    pub(crate) router: Router,
    /// Where the data are.
    pub(crate) data: PathBuf,
    /// Where the node listens.
    pub(crate) listening: Arc<[Listening]>,
    /// Every certificate in use, to be read again.
    pub(crate) certificates: InUse,
}

/// A place where the node listens.
pub(crate) struct Listening {
    /// `c2s` or `admin`.
    pub(crate) kind: &'static str,
    /// Where.
    pub(crate) address: SocketAddr,
    /// How TLS comes about there.
    pub(crate) tls: config::TlsMode,
    /// How many connections there are.
    pub(crate) connections: Box<dyn Fn() -> u64 + Send + Sync>,
}

impl NodeControl for Control {
    fn status(&self) -> Answer<'_, NodeStatus> {
        Box::pin(async move {
            let uptime = self.router.clock().uptime();
            let mut domains: Vec<String> = self
                .router
                .hosts()
                .iter()
                .map(|host| host.domain().to_string())
                .collect();
            domains.sort();
            Ok(NodeStatus {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                process: std::process::id(),
                started: Time::from(SystemTime::now() - uptime),
                uptime: Seconds::from(uptime),
                data_folder: self.data.display().to_string(),
                domains,
                sessions: Count(self.router.directory().len().try_into().unwrap_or(u64::MAX)),
                memory: process::resident().map(Bytes),
                listeners: self.listening.iter().map(Listening::shown).collect(),
            })
        })
    }

    fn reload_tls(&self) -> Answer<'_, Vec<Certificate>> {
        Box::pin(async move {
            self.certificates
                .reload()
                .map_err(|error| AdminError::refused(error.to_string()))?;
            let facts = self
                .certificates
                .clients
                .iter()
                .flat_map(|certificates| certificates.facts());
            let shown = facts.map(|facts| Certificate {
                domain: facts.domain,
                names: facts.names,
                expires: facts.expires.map(Time::from),
                self_signed: facts.self_signed,
                file: Some(facts.file.display().to_string()),
            });
            Ok(shown.collect())
        })
    }
}

/// Every certificate in use.
#[derive(Clone)]
pub(crate) struct InUse {
    /// What clients are shown.
    pub(crate) clients: Vec<Arc<Certificates>>,
    /// What other nodes are.
    pub(crate) nodes: Option<Arc<NodeCertificates>>,
}

impl InUse {
    /// Reads every certificate again. Those that are good are taken, the first that is not is told.
    ///
    /// # Errors
    /// What is wrong with a file; connections go on with the certificate that was there.
    pub(crate) fn reload(&self) -> Result<(), TlsError> {
        let clients = self.clients.iter().map(|it| it.reload());
        let nodes = self.nodes.iter().map(|it| it.reload());
        let mut wrong = None;
        for reloaded in clients.chain(nodes) {
            match reloaded {
                Ok(()) => tracing::info!(what = "certificates_reloaded"),
                Err(error) => {
                    tracing::error!(what = "certificates_not_reloaded", error = %error);
                    wrong.get_or_insert(error);
                }
            }
        }
        wrong.map_or(Ok(()), Err)
    }
}

impl Listening {
    fn shown(&self) -> Listener {
        Listener {
            kind: self.kind.to_owned(),
            address: self.address.to_string(),
            tls: match self.tls {
                config::TlsMode::Off => TlsMode::Off,
                config::TlsMode::StartTls => TlsMode::StartTls,
                config::TlsMode::Required => TlsMode::Required,
                config::TlsMode::Direct => TlsMode::Direct,
            },
            connections: Count((self.connections)()),
        }
    }
}
