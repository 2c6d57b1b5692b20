//! A node of sessions alone, and clients that speak to it over pipes or sockets.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use actors::InboxLimits;
use actors::connection::serve;
use actors::io::Io;
use actors::limits::Door;
use actors::module::ModuleArgs;
use actors::pipe::{Pipe, pipe};
use actors::seat::Seat;
use actors::service::{ClientPort, ClientService, Shards, Stopping};
use actors::turns::Turns;
use actors::visit::visitor;
use actors::vitals::Roll;
use actors::wire::WireLimits;
use auth::{Auth, AuthSettings, ImportedAccount, ImportedSecret};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ractor::ActorCell;
use router::{Clock, Host, HostType, PlanError, Planned, Router, RouterSettings};
use store::MemAccounts;
use stream::{C2sSettings, TlsMode};
use supervisors::snapshot::{ActorView, Extent};
use supervisors::supervisor::ChildSpec;
use supervisors::tree::{HostPart, Tree, TreeParts};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use xmpp::{BareJid, StreamCondition, StreamError};

pub(crate) const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
pub(crate) const HEADER: &str = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>";
pub(crate) const CLOSING: Duration = Duration::from_secs(5);
pub(crate) const LOGIN: Duration = Duration::from_secs(60);

pub(crate) struct Node {
    pub(crate) tree: Tree,
    pub(crate) router: Router,
    pub(crate) service: Arc<ClientService>,
    pub(crate) stopping: Stopping,
}

/// What a test wants otherwise than usual.
pub(crate) struct Wishes {
    pub(crate) shards: usize,
    pub(crate) high_water: usize,
    pub(crate) inbox: InboxLimits,
    pub(crate) unauthenticated_per_address: u32,
    pub(crate) listeners: Vec<ChildSpec>,
    pub(crate) modules: Vec<MakeModule>,
    /// Accounts `u0`, `u1`, … beside those with names.
    pub(crate) crowd: usize,
}

/// Makes a module's plan for a node.
pub(crate) type MakeModule = fn(&Router) -> Result<Arc<Planned>, PlanError>;

impl Default for Wishes {
    fn default() -> Self {
        Self {
            shards: 1,
            high_water: 64 * 1024,
            inbox: InboxLimits {
                bytes: 64 * 1024,
                stanzas: 200,
            },
            unauthenticated_per_address: 100,
            listeners: Vec::new(),
            modules: Vec::new(),
            crowd: 0,
        }
    }
}

/// Nodes are told by their service what to do with connections, so it exists before the tree.
pub(crate) async fn service(wishes: &Wishes) -> (Router, Arc<ClientService>, Stopping) {
    let router = Router::new(RouterSettings::default(), Clock::system());
    let domain: BareJid = "localhost".parse().expect("a domain");
    router.serve(Host::new(domain, HostType::new("default")));
    let settings = AuthSettings {
        iterations: 1,
        ..AuthSettings::default()
    };
    let auth = Auth::new(Arc::new(MemAccounts::default()), settings);
    let named = ["romeo", "juliet", "nurse"].map(str::to_owned);
    let crowd = (0..wishes.crowd).map(|number| format!("u{number}"));
    let accounts = named.into_iter().chain(crowd).map(|name| ImportedAccount {
        account: format!("{name}@localhost").parse().expect("an account"),
        secret: ImportedSecret::Password("secret".into()),
    });
    auth.import(accounts.collect())
        .await
        .expect("the store is in memory")
        .into_iter()
        .for_each(|imported| imported.expect("a good account"));
    let stopping = Stopping::default();
    let service = Arc::new(ClientService {
        router: router.clone(),
        auth,
        roll: Roll::default(),
        shards: Shards::new(wishes.shards),
        door: Door::new(wishes.unauthenticated_per_address, 1_000),
        wire: WireLimits {
            high_water: wishes.high_water,
            stall: Duration::from_secs(60),
            close: CLOSING,
        },
        inbox: wishes.inbox,
        turns: Turns::default(),
        login_timeout: LOGIN,
        stopping: stopping.clone(),
        guests: Arc::default(),
        figures: Arc::default(),
    });
    (router, service, stopping)
}

/// How streams of the tests' ports are negotiated.
pub(crate) fn c2s(tls: TlsMode) -> Arc<C2sSettings> {
    let limits = xml::Limits {
        stanza: 16 * 1024,
        header: 4096,
        depth: 16,
        attributes: 16,
        namespaces: 16,
    };
    let random = Arc::new(|bytes: &mut [u8]| bytes.fill(7));
    let mut c2s = C2sSettings::new("localhost", limits, random, [7; 32]);
    c2s.tls = tls;
    c2s.plain_without_tls = true;
    Arc::new(c2s)
}

pub(crate) fn plain_port() -> Arc<ClientPort> {
    Arc::new(ClientPort {
        c2s: c2s(TlsMode::Off),
        certificates: None,
        max_connections: usize::MAX,
        open: Arc::default(),
    })
}

fn module(
    order: usize,
    make: MakeModule,
    router: &Router,
    roll: &Roll,
) -> (&'static str, ModuleArgs) {
    let host = router.host("localhost").expect("it is served");
    let name = make(router).expect("a good plan").name();
    let planning = router.clone();
    let args = ModuleArgs {
        router: router.clone(),
        host_type: host.host_type().clone(),
        order,
        plan: Arc::new(move || make(&planning)),
        roll: roll.clone(),
    };
    (name, args)
}

impl Node {
    pub(crate) async fn start() -> Self {
        Self::with(Wishes::default()).await
    }

    pub(crate) async fn with(wishes: Wishes) -> Self {
        let (router, service, stopping) = service(&wishes).await;
        let modules = wishes.modules.iter().enumerate();
        let modules = modules.map(|(order, make)| module(order, *make, &router, &service.roll));
        let hosts = vec![HostPart {
            name: "default".into(),
            modules: modules.collect(),
        }];
        Self::over(router, service, stopping, hosts, wishes.listeners).await
    }

    pub(crate) async fn over(
        router: Router,
        service: Arc<ClientService>,
        stopping: Stopping,
        hosts: Vec<HostPart>,
        listeners: Vec<ChildSpec>,
    ) -> Self {
        let accounts = Seat::default();
        let visits = visitor(router.clone(), accounts.clone(), service.roll.clone());
        router.services().offer(Arc::new(visits));
        let tree = Tree::start(TreeParts {
            pools: Vec::new(),
            hosts,
            cluster: None,
            accounts,
            sessions: service.shards.seats().to_vec(),
            patience: Duration::from_secs(10),
            listeners,
            roll: service.roll.clone(),
        })
        .await
        .expect("the tree starts");
        let node = Self {
            tree,
            router,
            service,
            stopping,
        };
        node.until(|node| node.service.shards.next().is_some())
            .await;
        node
    }

    /// Stops it in order.
    pub(crate) async fn stop(self) {
        self.stopping.stop();
        self.tree.shutdown().await;
    }

    /// A client on a pipe that holds `room` bytes each way.
    pub(crate) fn connect_with(&self, room: usize) -> Client<Pipe> {
        let (client, server) = pipe(room);
        let serving = serve(
            self.service.clone(),
            plain_port(),
            Io::Pipe(server),
            PEER,
            self.service.door.enter(PEER),
        );
        tokio::spawn(serving);
        Client::over(client)
    }

    pub(crate) fn connect(&self) -> Client<Pipe> {
        self.connect_with(64 * 1024)
    }

    pub(crate) async fn login(&self, name: &str) -> Client<Pipe> {
        let mut client = self.connect();
        client.login(name).await;
        client
    }

    pub(crate) fn look(&self, path: &str) -> ActorView {
        let extent = Extent {
            levels: 1,
            page: 100,
            after: None,
        };
        self.tree
            .snapshot()
            .view(path, extent)
            .unwrap_or_else(|| panic!("nothing at {path}"))
    }

    /// The actor of a client's session.
    pub(crate) fn session(&self, jid: &str) -> ActorCell {
        self.cell(&format!("node/sessions/0/{jid}"))
    }

    pub(crate) fn cell(&self, path: &str) -> ActorCell {
        self.tree
            .snapshot()
            .cell(path)
            .unwrap_or_else(|| panic!("nothing runs at {path}"))
    }

    /// Lets the others run until something holds.
    pub(crate) async fn until(&self, holds: impl Fn(&Self) -> bool) {
        while !holds(self) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// A client that speaks what the tests say.
pub(crate) struct Client<S> {
    pub(crate) io: S,
    got: String,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub(crate) fn over(io: S) -> Self {
        Self {
            io,
            got: String::new(),
        }
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.io
            .write_all(text.as_bytes())
            .await
            .unwrap_or_else(|error| panic!("{text}: {error}"));
    }

    /// Reads until `end` has come; gives all up to there.
    pub(crate) async fn until(&mut self, end: &str) -> String {
        loop {
            if let Some(at) = self.got.find(end) {
                let rest = self.got.split_off(at + end.len());
                return std::mem::replace(&mut self.got, rest);
            }
            let mut bytes = [0; 4096];
            let read = self.io.read(&mut bytes).await.unwrap_or(0);
            assert_ne!(read, 0, "the end came before {end}, after: {}", self.got);
            self.got
                .push_str(std::str::from_utf8(&bytes[..read]).expect("UTF-8"));
        }
    }

    /// Reads to the end.
    pub(crate) async fn rest(&mut self) -> String {
        let mut rest = String::new();
        // A connection that was cut has an end too.
        let _ = self.io.read_to_string(&mut rest).await;
        std::mem::take(&mut self.got) + &rest
    }

    pub(crate) async fn open(&mut self) {
        self.send(HEADER).await;
        self.until("</stream:features>").await;
    }

    pub(crate) async fn authenticate(&mut self, name: &str, password: &str) {
        let plain = STANDARD.encode(format!("\0{name}\0{password}"));
        self.send(&format!(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>"
        ))
        .await;
    }

    /// Binds the resource `here`.
    pub(crate) async fn bind(&mut self) {
        self.bind_to("here").await;
    }

    async fn bind_to(&mut self, resource: &str) {
        self.send(&format!("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{resource}</resource></bind></iq>")).await;
    }

    pub(crate) async fn login(&mut self, name: &str) {
        self.login_as(name, "here").await;
    }

    pub(crate) async fn login_as(&mut self, name: &str, resource: &str) {
        self.open().await;
        self.authenticate(name, "secret").await;
        self.until("<success").await;
        self.open().await;
        self.bind_to(resource).await;
        let bound = self.until("</iq>").await;
        let jid = format!("{name}@localhost/{resource}");
        assert!(bound.contains(&jid), "{bound}");
    }

    pub(crate) async fn message(&mut self, to: &str, body: &str) {
        self.send(&format!(
            "<message to='{to}' type='chat'><body>{body}</body></message>"
        ))
        .await;
    }
}

pub(crate) fn stream_error(condition: StreamCondition) -> String {
    let bytes = StreamError::new(condition).to_bytes();
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}
