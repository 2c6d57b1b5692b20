//! TLS between nodes: both sides show a certificate, and one authority of the operator's own has
//! signed all of them.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme, version,
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use super::files::read_chain;
use super::{CertificateFiles, EXPORTER, TlsError};

/// Where a node's certificate and the authority of all nodes are.
#[derive(Debug, Clone)]
pub struct NodeCertificatePlan {
    /// The certificate of the authority, PEM.
    pub authority: PathBuf,
    /// What this node shows.
    pub own: CertificateFiles,
}

/// What new connections between nodes use, reloaded on demand.
pub struct NodeCertificates {
    plan: NodeCertificatePlan,
    current: ArcSwap<Configs>,
}

struct Configs {
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
}

impl NodeCertificates {
    /// Reads and checks every file of `plan`.
    ///
    /// # Errors
    /// The first file that can't be used, and why.
    pub fn load(plan: NodeCertificatePlan) -> Result<Self, TlsError> {
        let current = ArcSwap::from_pointee(Configs::load(&plan)?);
        Ok(Self { plan, current })
    }

    /// Reads the files again. Connections that exist keep what they have; when one file is bad,
    /// everything stays as it was.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn reload(&self) -> Result<(), TlsError> {
        self.current.store(Arc::new(Configs::load(&self.plan)?));
        Ok(())
    }

    /// Shakes hands with a node that has connected. Also gives what binds a proof to this very
    /// connection (RFC 9266).
    ///
    /// # Errors
    /// What is wrong with it, for the log.
    pub async fn accept(
        &self,
        tcp: TcpStream,
    ) -> io::Result<(server::TlsStream<TcpStream>, [u8; 32])> {
        let acceptor = TlsAcceptor::from(self.current.load().server.clone());
        let stream = acceptor.accept(tcp).await?;
        let binding = stream
            .get_ref()
            .1
            .export_keying_material([0; 32], EXPORTER, Some(&[]));
        Ok((stream, binding.map_err(io::Error::other)?))
    }

    /// Shakes hands with a node that we have connected to.
    ///
    /// # Errors
    /// As [`accept`](Self::accept).
    pub async fn connect(
        &self,
        tcp: TcpStream,
    ) -> io::Result<(client::TlsStream<TcpStream>, [u8; 32])> {
        let name = ServerName::from(tcp.peer_addr()?.ip());
        let connector = TlsConnector::from(self.current.load().client.clone());
        let stream = connector.connect(name, tcp).await?;
        let binding = stream
            .get_ref()
            .1
            .export_keying_material([0; 32], EXPORTER, Some(&[]));
        Ok((stream, binding.map_err(io::Error::other)?))
    }
}

impl Configs {
    fn load(plan: &NodeCertificatePlan) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        for certificate in read_chain(&plan.authority)? {
            roots.add(certificate).map_err(|error| TlsError::Damaged {
                path: plan.authority.clone(),
                what: error.to_string(),
                mend: "Give the certificate of the authority that has signed those of all nodes",
            })?;
        }
        let roots = Arc::new(roots);
        let key = plan.own.load(&provider)?;
        let own = Arc::new(rustls::sign::SingleCertAndKey::from(key));
        let clients =
            WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone()).build();
        let clients = clients.map_err(|error| TlsError::Damaged {
            path: plan.authority.clone(),
            what: error.to_string(),
            mend: "Put the certificate of an authority there",
        })?;
        // Nobody but our nodes is there, and all of them know it.
        let versions = &[&version::TLS13];
        let server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(versions)
            .map_err(TlsError::Setup)?
            .with_client_cert_verifier(clients)
            .with_cert_resolver(own.clone());
        let client = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(versions)
            .map_err(TlsError::Setup)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(OfOurs { roots, provider }))
            .with_client_cert_resolver(own);
        Ok(Self {
            server: Arc::new(server),
            client: Arc::new(client),
        })
    }
}

/// Takes every certificate that our authority has signed, whatever the name in it: nodes are found
/// by addresses that come and go, and who a node is it proves afterwards, bound to the connection.
#[derive(Debug)]
struct OfOurs {
    roots: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for OfOurs {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        verify_server_cert_signed_by_trust_anchor(
            &ParsedCertificate::try_from(certificate)?,
            &self.roots,
            intermediates,
            now,
            self.provider.signature_verification_algorithms.all,
        )?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("nodes speak TLS 1.3".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use rcgen::{
        BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    };
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn authority() -> Issuer<'static, KeyPair> {
        let mut params = CertificateParams::new(Vec::new()).expect("params");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Issuer::new(params, KeyPair::generate().expect("a key"))
    }

    /// Certificates of a node that trusts `authority` and shows what `signer` has signed.
    fn node(
        folder: &Path,
        authority: &Issuer<'static, KeyPair>,
        signer: &Issuer<'static, KeyPair>,
    ) -> NodeCertificates {
        NodeCertificates::load(files(folder, authority, signer)).expect("good files")
    }

    fn files(
        folder: &Path,
        authority: &Issuer<'static, KeyPair>,
        signer: &Issuer<'static, KeyPair>,
    ) -> NodeCertificatePlan {
        let mut root = CertificateParams::new(Vec::new()).expect("params");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = root.self_signed(authority.key()).expect("a certificate");
        let key = KeyPair::generate().expect("a key");
        let mut own = CertificateParams::new(vec!["somebody.example".to_owned()]).expect("params");
        own.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let own = own.signed_by(&key, signer).expect("a certificate");
        let plan = NodeCertificatePlan {
            authority: folder.join("ca.pem"),
            own: CertificateFiles {
                chain: folder.join("node.pem"),
                key: folder.join("node.key"),
            },
        };
        fs::write(&plan.authority, root.pem()).expect("written");
        fs::write(&plan.own.chain, own.pem()).expect("written");
        fs::write(&plan.own.key, key.serialize_pem()).expect("written");
        plan
    }

    /// What each side gets of the other's first byte.
    async fn meet(
        server: &NodeCertificates,
        client: &NodeCertificates,
    ) -> [io::Result<(u8, [u8; 32])>; 2] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let serve = async {
            let (tcp, _) = listener.accept().await?;
            let (mut stream, binding) = server.accept(tcp).await?;
            stream.write_u8(1).await?;
            Ok((stream.read_u8().await?, binding))
        };
        let call = async {
            let (mut stream, binding) = client.connect(TcpStream::connect(address).await?).await?;
            stream.write_u8(2).await?;
            Ok((stream.read_u8().await?, binding))
        };
        let (one, other) = tokio::join!(serve, call);
        [one, other]
    }

    #[tokio::test]
    async fn nodes_of_one_authority_meet_and_see_the_same_binding() {
        let ours = authority();
        let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
        let [a, b] = [0, 1].map(|n: usize| node(folders[n].path(), &ours, &ours));
        let [server, client] = meet(&a, &b).await.map(|met| met.expect("they meet"));
        assert_eq!((server.0, client.0), (2, 1));
        assert_eq!(server.1, client.1);
        assert_ne!(server.1, [0; 32]);
    }

    #[tokio::test]
    async fn a_stranger_is_refused_on_either_side() {
        let (ours, theirs) = (authority(), authority());
        let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
        let a = node(folders[0].path(), &ours, &ours);
        // It would take us; its own certificate is another's.
        let stranger = node(folders[1].path(), &ours, &theirs);
        let [server, client] = meet(&a, &stranger).await;
        assert!(server.is_err() && client.is_err());
        let [server, client] = meet(&stranger, &a).await;
        assert!(server.is_err() && client.is_err());
    }

    #[tokio::test]
    async fn a_bad_file_leaves_what_was_there() {
        let ours = authority();
        let folder = tempfile::tempdir().expect("a folder");
        let plan = files(folder.path(), &ours, &ours);
        let a = NodeCertificates::load(plan.clone()).expect("good files");
        fs::write(&plan.authority, "nothing").expect("written");
        a.reload().expect_err("no certificate");
        let [server, client] = meet(&a, &a).await;
        assert!(server.is_ok() && client.is_ok());
    }
}
