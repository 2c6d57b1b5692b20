//! Ports: real sockets, TLS, listeners that fall.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::stage::{Client, HEADER, Node, Wishes, c2s, service, stream_error};
use actors::listener::{Bound, Listener, ListenerArgs, serve_clients};
use actors::service::ClientPort;
use actors::tls::{CertificatePlan, Certificates, self_signed};
use ractor::Actor;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use stream::TlsMode;
use supervisors::supervisor::ChildSpec;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use xmpp::StreamCondition;

/// A node that listens on a port of 127.0.0.1.
struct Listening {
    node: Node,
    address: SocketAddr,
    certificates: Option<Arc<Certificates>>,
    folder: TempDir,
    bound: Arc<Bound>,
}

async fn listen(tls: TlsMode) -> Listening {
    listen_with(tls, Wishes::default(), usize::MAX).await
}

async fn listen_with(tls: TlsMode, wishes: Wishes, max_connections: usize) -> Listening {
    let folder = tempfile::tempdir().expect("a folder");
    let certificates = (tls != TlsMode::Off).then(|| {
        let fallback = self_signed(folder.path(), &["localhost"]).expect("a certificate");
        let plan = CertificatePlan {
            fallback,
            domains: HashMap::new(),
        };
        Arc::new(Certificates::load(plan).expect("in order"))
    });
    let (router, service, stopping) = service(&wishes).await;
    let port = ClientPort {
        c2s: c2s(tls),
        certificates: certificates.clone(),
        max_connections,
        open: Arc::default(),
    };
    let bound = Bound::bind("127.0.0.1:0".parse().expect("an address")).expect("binds");
    let args = ListenerArgs {
        name: "c2s".into(),
        bound: bound.clone(),
        accept_rate: 1_000,
        serve: serve_clients(service.clone(), Arc::new(port)),
        roll: service.roll.clone(),
    };
    let listener = ChildSpec::new("c2s", move |supervisor| {
        let args = args.clone();
        async move {
            Ok(Actor::spawn_linked(None, Listener, args, supervisor)
                .await?
                .0
                .get_cell())
        }
    });
    let node = Node::over(router, service, stopping, Vec::new(), vec![listener]).await;
    let address = bound.address();
    Listening {
        node,
        address,
        certificates,
        folder,
        bound,
    }
}

impl Listening {
    async fn connect(&self) -> Client<TcpStream> {
        Client::over(
            TcpStream::connect(self.address)
                .await
                .expect("somebody listens"),
        )
    }

    /// Shakes hands as a client that trusts the server's certificate alone.
    async fn tls(
        &self,
        tcp: TcpStream,
        versions: &[&'static SupportedProtocolVersion],
        alpn: &[&str],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        let file = self.folder.path().join("self-signed.crt");
        roots
            .add(CertificateDer::from_pem_file(file).expect("PEM"))
            .expect("a certificate");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .expect("known versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = ServerName::try_from("localhost").expect("a name");
        TlsConnector::from(Arc::new(config))
            .connect(name, tcp)
            .await
    }

    async fn starttls(
        &self,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Client<TlsStream<TcpStream>> {
        let mut client = self.connect().await;
        client.open().await;
        client
            .send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
            .await;
        client
            .until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
            .await;
        Client::over(
            self.tls(client.io, versions, &[])
                .await
                .expect("a handshake"),
        )
    }
}

#[tokio::test]
async fn a_client_logs_in_after_starttls_with_either_version() {
    let here = listen(TlsMode::Required).await;
    let mut romeo = here.starttls(&[&rustls::version::TLS13]).await;
    let mut juliet = here.starttls(&[&rustls::version::TLS12]).await;
    romeo.login("romeo").await;
    juliet.login("juliet").await;
    let long = "x".repeat(12_000);
    for n in 0..20 {
        romeo
            .message("juliet@localhost/here", &format!("{long}{n}"))
            .await;
    }
    juliet.until(&format!("{long}19</body></message>")).await;
    juliet.send("</stream:stream>").await;
    // The end comes in order: close tag, close_notify, then the end of the connection.
    let mut rest = String::new();
    juliet
        .io
        .read_to_string(&mut rest)
        .await
        .expect("closed with a word");
    assert_eq!(rest, "</stream:stream>");
}

#[tokio::test]
async fn direct_tls_names_its_protocol_and_offers_channel_binding() {
    let here = listen(TlsMode::Direct).await;
    let tcp = TcpStream::connect(here.address).await.expect("connects");
    let tls = here
        .tls(tcp, rustls::ALL_VERSIONS, &["xmpp-client"])
        .await
        .expect("a handshake");
    assert_eq!(tls.get_ref().1.alpn_protocol(), Some(&b"xmpp-client"[..]));
    let mut romeo = Client::over(tls);
    romeo.send(HEADER).await;
    let features = romeo.until("</stream:features>").await;
    for offered in [
        "SCRAM-SHA-256-PLUS",
        "'tls-exporter'",
        "'tls-server-end-point'",
    ] {
        assert!(features.contains(offered), "{offered} in {features}");
    }
    assert!(!features.contains("starttls"), "{features}");
    let tcp = TcpStream::connect(here.address).await.expect("connects");
    here.tls(tcp, rustls::ALL_VERSIONS, &["http/1.1"])
        .await
        .expect_err("another protocol");
}

#[tokio::test]
async fn what_comes_before_the_handshake_is_not_used_after_it() {
    let here = listen(TlsMode::StartTls).await;
    let mut client = here.connect().await;
    client.open().await;
    client
        .send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AHJvbWVvAHNlY3JldA==</auth>")
        .await;
    let got = client.rest().await;
    assert!(!got.contains("success"), "{got}");
    // White space is nothing that could be used.
    let mut client = here.connect().await;
    client.open().await;
    client
        .send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\n")
        .await;
    client
        .until("proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        .await;
    here.tls(client.io, rustls::ALL_VERSIONS, &[])
        .await
        .expect("a handshake");
}

#[tokio::test]
async fn garbage_in_the_place_of_a_handshake_ends_the_connection() {
    let here = listen(TlsMode::StartTls).await;
    let mut client = here.connect().await;
    client.open().await;
    client
        .send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        .await;
    client
        .until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        .await;
    client.send("<stream:stream but='no handshake'>").await;
    let mut alert = Vec::new();
    // Whether the alert or the reset comes first, it is over.
    let _ = client.io.read_to_end(&mut alert).await;
    assert!(
        alert.is_empty() || alert[0] == 21,
        "an alert at most: {alert:?}"
    );
    here.node
        .until(|node| node.service.door.inside() == 0)
        .await;
}

#[tokio::test]
async fn a_killed_session_tells_its_client_through_tls() {
    let here = listen(TlsMode::Required).await;
    let mut romeo = here.starttls(rustls::ALL_VERSIONS).await;
    romeo.login("romeo").await;
    here.node.session("romeo@localhost/here").kill();
    let got = romeo.rest().await;
    assert!(
        got.ends_with(&(stream_error(StreamCondition::InternalServerError) + "</stream:stream>")),
        "{got}"
    );
}

#[tokio::test]
async fn a_reload_leaves_connections_alone_and_shows_the_new_certificate_to_the_next() {
    let here = listen(TlsMode::Required).await;
    let mut romeo = here.starttls(rustls::ALL_VERSIONS).await;
    romeo.login("romeo").await;
    std::fs::remove_file(here.folder.path().join("self-signed.crt")).expect("is there");
    std::fs::remove_file(here.folder.path().join("self-signed.key")).expect("is there");
    self_signed(here.folder.path(), &["localhost"]).expect("another one");
    here.certificates
        .as_ref()
        .expect("TLS")
        .reload()
        .expect("in order");
    // The client trusts what is in the file now.
    here.starttls(rustls::ALL_VERSIONS)
        .await
        .login("juliet")
        .await;
    romeo
        .message("juliet@localhost/here", "the old connection works")
        .await;
    romeo.message("romeo@localhost/here", "to the end").await;
    romeo.until("to the end").await;
}

#[tokio::test]
async fn a_killed_listener_listens_again_and_sessions_stay() {
    let here = listen(TlsMode::Off).await;
    let mut romeo = here.connect().await;
    romeo.login("romeo").await;
    let before = here.node.cell("node/listeners/c2s");
    before.kill();
    before.wait(None).await.expect("it dies");
    // Who knocks while nobody accepts waits and is served.
    let mut juliet = here.connect().await;
    juliet.login("juliet").await;
    romeo
        .message("juliet@localhost/here", "as if nothing was")
        .await;
    juliet.until("as if nothing was").await;
    let listener = &here.node.look("node/listeners").children[0];
    assert_eq!(
        (listener.restarts, listener.last_error.as_deref()),
        (1, Some("killed"))
    );
}

#[tokio::test]
async fn a_port_that_is_taken_is_said_and_one_that_is_given_back_refuses() {
    let here = listen(TlsMode::Off).await;
    let taken = Bound::bind(here.address).err().expect("it is taken");
    assert_eq!(taken.kind(), std::io::ErrorKind::AddrInUse);
    here.node.cell("node/listeners").stop(None);
    here.bound.close();
    here.node
        .until(|node| node.tree.snapshot().cell("node/listeners/c2s").is_none())
        .await;
    drop(here.bound.open().expect_err("it is closed"));
}

#[tokio::test]
async fn too_many_of_one_address_are_closed_at_once_and_those_who_logged_in_do_not_count() {
    let wishes = Wishes {
        unauthenticated_per_address: 2,
        ..Wishes::default()
    };
    let here = listen_with(TlsMode::Off, wishes, usize::MAX).await;
    let mut romeo = here.connect().await;
    romeo.login("romeo").await;
    here.node
        .until(|node| node.service.door.inside() == 0)
        .await;
    let mut waiting = [here.connect().await, here.connect().await];
    for client in &mut waiting {
        client.open().await;
    }
    let mut third = here.connect().await;
    assert_eq!(third.rest().await, "");
    drop(waiting);
    here.node
        .until(|node| node.service.door.inside() == 0)
        .await;
    here.connect().await.login("juliet").await;
    assert_eq!(here.node.service.door.refused(), 1);
}

#[tokio::test]
async fn a_port_has_its_own_bound_of_connections() {
    let here = listen_with(TlsMode::Off, Wishes::default(), 1).await;
    let mut romeo = here.connect().await;
    romeo.login("romeo").await;
    assert_eq!(here.connect().await.rest().await, "");
    drop(romeo);
    here.node
        .until(|node| node.router.directory().is_empty())
        .await;
    tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            // The old connection gives its place back a moment after its session ended.
            let mut next = here.connect().await;
            if next.io.write_all(HEADER.as_bytes()).await.is_ok()
                && next.io.read(&mut [0; 1]).await.is_ok_and(|read| read == 1)
            {
                break;
            }
        }
    })
    .await
    .expect("the place is free again");
}
