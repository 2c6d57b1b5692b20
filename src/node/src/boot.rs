//! A node is put together, stage by stage: data, accounts, router, certificates, ports, tree.

use std::collections::HashMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actors::background::{Background, BackgroundArgs};
use actors::idle::{IdleArgs, IdleWatch};
use actors::limits::Door;
use actors::listener::{Bound, Listener, ListenerArgs, serve_clients};
use actors::module::ModuleArgs;
use actors::pool::PoolArgs;
use actors::seat::Seat;
use actors::service::{ClientPort, ClientService, Shards, Stopping};
use actors::tls::{CertificateFiles, CertificatePlan, Certificates, self_signed};
use actors::turns::Turns;
use actors::visit::visitor;
use actors::vitals::Roll;
use admin::{AdminSecret, Api};
use anyhow::{Context, anyhow};
use auth::Auth;
use config::{Config, ListenerKind, TlsMode};
use ractor::Actor;
use router::{Clock, Host, HostType, Router};
use store::{Pool, PoolSettings, SqlAccounts};
use stream::Serves;
use supervisors::snapshot::Snapshot;
use supervisors::supervisor::ChildSpec;
use supervisors::tree::{HostPart, Tree, TreeParts};
use supervisors::watchdog::Watchdog;
use xmpp::BareJid;

use crate::accounts;
use crate::check::spoken;
use crate::cluster::join;
use crate::console::{
    ConsoleAccounts, Control, InUse, Listening, NodeActors, NodeAnnouncements, NodeCluster,
    NodeHealth, NodeSessions,
};
use crate::data::DataFolder;
use crate::registry::{self, Modules};
use crate::settings;

/// The name of the one host type there is.
const HOST_TYPE: &str = "default";

/// A node that runs.
pub(crate) struct Node {
    pub(crate) router: Router,
    pub(crate) tree: Tree,
    pub(crate) certificates: InUse,
    ports: Vec<Arc<Bound>>,
    stopping: Stopping,
    pool: Pool,
    deadline: Duration,
    told: String,
    /// Where clients of this process come in.
    #[cfg(any(test, feature = "crowd"))]
    pub(crate) entrance: crowd::Entrance,
    _watchdog: Watchdog,
    // Unlocked last, when nothing writes any more.
    _data: DataFolder,
}

/// A port that is bound, and what it is for.
struct Port {
    listener: config::Listener,
    bound: Arc<Bound>,
}

impl Node {
    /// Puts a node together. No port is open before everything else is known to be good.
    ///
    /// # Errors
    /// What is wrong, where, and how to mend it.
    pub(crate) async fn boot(config: Config<Modules>, data: DataFolder) -> anyhow::Result<Self> {
        let domains = domains(&config)?;
        let served: Arc<[BareJid]> = domains.clone().into();
        let serves: Serves = Arc::new(move |domain| served.iter().any(|d| d.domain() == domain));

        let pool = open_database(&config.store, &data).await?;
        let fake_keys = pool.secret("scram.fake-keys").await?;
        let auth = Auth::new(
            Arc::new(SqlAccounts::new(pool.clone())),
            settings::auth(&config.auth, serves.clone()),
        );

        let router = Router::new(settings::router(&config), Clock::system());
        let host_type = HostType::new(HOST_TYPE);
        for domain in &domains {
            router.serve(Host::new(domain.clone(), host_type.clone()));
        }
        router.services().offer(Arc::new(pool.clone()));
        let service = accounts::service(&auth, &router);
        router.services().offer(Arc::new(service));
        let modules = plan_modules(&config.modules, &router, &host_type)?;

        let certificates = certificates(&config, &domains, &data)?;
        let secret = data.admin_secret()?;
        let secret =
            AdminSecret::new(&secret).ok_or_else(|| anyhow!("the admin secret is empty"))?;
        let ports = bind(&config.listeners)?;

        let roll = Roll::default();
        let visiting = Seat::default();
        let visits = visitor(router.clone(), visiting.clone(), roll.clone());
        router.services().offer(Arc::new(visits));
        let joining = config
            .cluster
            .as_ref()
            .map(|cluster| join(cluster, &data, &pool, &router, &roll))
            .transpose()?;
        let stopping = Stopping::default();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let shards = Shards::new(cores);
        let clients = Arc::new(ClientService {
            router: router.clone(),
            auth: auth.clone(),
            roll: roll.clone(),
            shards: shards.clone(),
            door: Door::new(
                config.stream.unauthenticated_per_address,
                config.stream.unauthenticated,
            ),
            wire: settings::wire(&config.stream),
            inbox: settings::inbox(&config.stream),
            turns: Turns::default(),
            login_timeout: config.stream.login_timeout.get(),
            stopping: stopping.clone(),
            guests: Arc::default(),
            figures: Arc::default(),
        });
        if let Some(joining) = &joining {
            joining.open(&clients);
        }
        let snapshot = Arc::new(OnceLock::new());
        let client_port = |listener: &config::Listener| ClientPort {
            c2s: settings::c2s(
                &config,
                listener,
                serves.clone(),
                &router,
                domains[0].domain(),
                fake_keys,
            ),
            certificates: certificates.of(listener),
            max_connections: listener.max_connections.map_or(usize::MAX, |most| {
                usize::try_from(most).unwrap_or(usize::MAX)
            }),
            open: Arc::default(),
        };
        let mut listeners = Vec::new();
        let mut listening = Vec::new();
        for port in &ports {
            let shown = |connections| Listening {
                kind: match port.listener.kind {
                    ListenerKind::C2s => "c2s",
                    ListenerKind::Admin => "admin",
                },
                address: port.bound.address(),
                tls: port.listener.tls(),
                connections,
            };
            if port.listener.kind == ListenerKind::C2s {
                let c2s = client_port(&port.listener);
                let open = c2s.open.clone();
                listening.push(shown(Box::new(move || {
                    open.load(Ordering::Relaxed).try_into().unwrap_or(u64::MAX)
                })));
                let args = ListenerArgs {
                    name: format!("c2s-{}", port.bound.address()).into(),
                    bound: port.bound.clone(),
                    accept_rate: config.stream.accept_rate,
                    serve: serve_clients(clients.clone(), Arc::new(c2s)),
                    roll: roll.clone(),
                };
                listeners.push(child(args.name.clone(), move || (Listener, args.clone())));
            } else {
                listening.push(shown(Box::new(|| 0)));
            }
        }
        #[cfg(any(test, feature = "crowd"))]
        let entrance = crate::crowd_command::entrance(&clients, client_port);
        let listening: Arc<[Listening]> = listening.into();
        let reloaded = InUse {
            clients: certificates.all(),
            nodes: joining.as_ref().and_then(|it| it.certificates.clone()),
        };
        let api = Api {
            accounts: Arc::new(ConsoleAccounts {
                auth,
                router: router.clone(),
            }),
            sessions: Arc::new(NodeSessions {
                router: router.clone(),
            }),
            announcements: Arc::new(NodeAnnouncements {
                router: router.clone(),
            }),
            cluster: Arc::new(NodeCluster::new(joining.as_ref(), &router)),
            actors: Arc::new(NodeActors {
                snapshot: snapshot.clone(),
            }),
            node: Arc::new(Control {
                router: router.clone(),
                data: data.path().to_owned(),
                listening: listening.clone(),
                certificates: reloaded.clone(),
            }),
        };
        let served = admin::Served {
            schema: admin::schema(api),
            secret,
            health: Arc::new(NodeHealth {
                router: router.clone(),
                clients: clients.figures.clone(),
                door: clients.door.clone(),
                roll: roll.clone(),
                snapshot: snapshot.clone(),
                listening,
            }),
        };
        for port in ports
            .iter()
            .filter(|port| port.listener.kind == ListenerKind::Admin)
        {
            let args = administration(port, served.clone(), roll.clone());
            listeners.push(child(args.name.clone(), move || (Background, args.clone())));
        }
        if let Some(timeout) = config.stream.idle_timeout {
            let args = IdleArgs {
                router: router.clone(),
                timeout: timeout.get(),
                roll: roll.clone(),
            };
            listeners.insert(0, child("idle".into(), move || (IdleWatch, args.clone())));
        }

        let deadline = config.shutdown.deadline.get();
        let modules = modules
            .into_iter()
            .enumerate()
            .map(|(order, spec)| {
                let (router, plan) = (router.clone(), spec.plan);
                let args = ModuleArgs {
                    router: router.clone(),
                    host_type: host_type.clone(),
                    order,
                    plan: Arc::new(move || plan(&router)),
                    roll: roll.clone(),
                };
                (spec.name, args)
            })
            .collect();
        let (cluster_port, cluster_told, cluster_part) = match joining {
            Some(it) => (Some(it.bound), Some(it.told), Some(it.part)),
            None => (None, None, None),
        };
        let tree = Tree::start(TreeParts {
            pools: vec![PoolArgs {
                pool: pool.clone(),
                name: "sqlite".into(),
                roll: roll.clone(),
            }],
            hosts: vec![HostPart {
                name: HOST_TYPE.into(),
                modules,
            }],
            cluster: cluster_part,
            accounts: visiting,
            sessions: shards.seats().to_vec(),
            patience: deadline,
            listeners,
            roll: roll.clone(),
        })
        .await
        .map_err(|error| anyhow!("the node's parts do not start: {error}"))?;
        // Nobody can have asked for it yet.
        let _: Result<(), Snapshot> = snapshot.set(tree.snapshot().clone());

        let watchdog = Watchdog::start(
            roll,
            &tokio::runtime::Handle::current(),
            settings::watchdog(&config.watchdog),
        )
        .context("the watchdog has no thread")?;

        let told = told(&ports, cluster_told, &domains, &data)?;
        Ok(Self {
            router,
            tree,
            certificates: reloaded,
            ports: ports
                .into_iter()
                .map(|port| port.bound)
                .chain(cluster_port)
                .collect(),
            stopping,
            pool,
            deadline,
            told,
            #[cfg(any(test, feature = "crowd"))]
            entrance,
            _watchdog: watchdog,
            _data: data,
        })
    }

    /// What the person who started it is told.
    pub(crate) fn told(&self) -> String {
        self.told.clone()
    }

    /// Stops it in order: no more connections, streams closed, modules, database.
    pub(crate) async fn shutdown(self) {
        self.stopping.stop();
        self.ports.iter().for_each(|port| port.close());
        let stopped = async {
            self.tree.shutdown().await;
            // Clients still have to close their side of the streams.
            self.stopping.all_gone().await;
        };
        if tokio::time::timeout(self.deadline, stopped).await.is_err() {
            tracing::warn!(
                what = "shutdown_deadline",
                sessions = self.router.directory().len()
            );
        }
        if let Err(error) = self.pool.close().await {
            tracing::error!(what = "database_not_closed", error = %error);
        }
    }
}

async fn open_database(store: &config::Store, data: &DataFolder) -> anyhow::Result<Pool> {
    let settings = PoolSettings {
        shared: store.file().is_some(),
        ..PoolSettings::default()
    };
    let folder = || store.folder.as_deref().unwrap_or(data.path());
    let file = store
        .file()
        .map_or_else(|| folder().join(store::FILE_NAME), Path::to_owned);
    Ok(Pool::open(&file, settings).await?)
}

fn domains(config: &Config<Modules>) -> anyhow::Result<Vec<BareJid>> {
    let parse = |domain: &config::Domain| {
        let jid: BareJid = domain.name.parse().with_context(|| {
            format!(
                "error: the domain \"{}\" is no XMPP address; write one such as \"example.org\"",
                domain.name
            )
        })?;
        anyhow::ensure!(
            jid.localpart().is_none(),
            "error: \"{}\" is an account, not a domain; write \"{}\"",
            domain.name,
            jid.domain()
        );
        Ok(jid)
    };
    config.domains.iter().map(parse).collect()
}

/// Plans every module once, so that what contradicts itself is told before a port is open.
fn plan_modules(
    modules: &Modules,
    router: &Router,
    host_type: &Arc<HostType>,
) -> anyhow::Result<Vec<crate::module_list::ModuleSpec>> {
    let specs = registry::enabled(modules);
    let mut installed = Vec::new();
    for (order, spec) in specs.iter().enumerate() {
        let planned = (spec.plan)(router).and_then(|planned| host_type.install(planned, order));
        installed.push(planned.map_err(|error| anyhow!("error: {error}"))?);
    }
    installed.into_iter().for_each(router::Installed::withdraw);
    Ok(specs)
}

/// The certificates of a node: those of its domains, and of ports that have their own.
struct AllCertificates {
    usual: Option<Arc<Certificates>>,
    own: HashMap<(PathBuf, PathBuf), Arc<Certificates>>,
}

impl AllCertificates {
    fn of(&self, listener: &config::Listener) -> Option<Arc<Certificates>> {
        if listener.tls() == TlsMode::Off {
            return None;
        }
        match listener.tls_files() {
            Some((chain, key)) => self.own.get(&(chain.to_owned(), key.to_owned())).cloned(),
            None => self.usual.clone(),
        }
    }

    fn all(&self) -> Vec<Arc<Certificates>> {
        self.usual
            .iter()
            .chain(self.own.values())
            .cloned()
            .collect()
    }
}

fn certificates(
    config: &Config<Modules>,
    domains: &[BareJid],
    data: &DataFolder,
) -> anyhow::Result<AllCertificates> {
    let encrypted = || {
        config
            .listeners
            .iter()
            .filter(|listener| listener.tls() != TlsMode::Off)
    };
    let mut own_of_domains = HashMap::new();
    let mut without = Vec::new();
    for (domain, configured) in domains.iter().zip(&config.domains) {
        match configured.tls_files() {
            Some((chain, key)) => {
                let files = CertificateFiles {
                    chain: chain.to_owned(),
                    key: key.to_owned(),
                };
                // Clients ask for the name as DNS has it.
                let name = idna::domain_to_ascii(domain.domain())
                    .unwrap_or_else(|_| domain.domain().to_owned());
                own_of_domains.insert(name, files);
            }
            None => without.push(domain.domain()),
        }
    }
    let usual = if encrypted().any(|listener| listener.tls_files().is_none()) {
        let fallback = match (without.is_empty(), own_of_domains.values().next()) {
            (true, Some(files)) => files.clone(),
            _ => self_signed(data.path(), &without)?,
        };
        let plan = CertificatePlan {
            fallback,
            domains: own_of_domains,
        };
        Some(Arc::new(Certificates::load(plan)?))
    } else {
        None
    };
    let mut own = HashMap::new();
    for (chain, key) in encrypted().filter_map(config::Listener::tls_files) {
        let fallback = CertificateFiles {
            chain: chain.to_owned(),
            key: key.to_owned(),
        };
        let plan = CertificatePlan {
            fallback,
            domains: HashMap::new(),
        };
        own.insert(
            (chain.to_owned(), key.to_owned()),
            Arc::new(Certificates::load(plan)?),
        );
    }
    Ok(AllCertificates { usual, own })
}

fn bind(listeners: &[config::Listener]) -> anyhow::Result<Vec<Port>> {
    let bind = |listener: &config::Listener| {
        let address = listener.socket_addr();
        let bound = Bound::bind(address)
            .map_err(|error| cannot_listen(spoken(listener), address, &error))?;
        Ok(Port {
            listener: listener.clone(),
            bound,
        })
    };
    listeners.iter().map(bind).collect()
}

/// Why a port can't be had, and what to do.
pub(crate) fn cannot_listen(
    spoken: &str,
    address: SocketAddr,
    error: &std::io::Error,
) -> anyhow::Error {
    use std::io::ErrorKind;
    let port = address.port();
    let (what, mend) = match error.kind() {
        ErrorKind::AddrInUse => (
            "the port is in use by another program".to_owned(),
            format!(
                "stop that program (`ss -ltnp 'sport = {port}'` names it), or give this listener another port"
            ),
        ),
        ErrorKind::AddrNotAvailable => (
            "this machine has no such address".to_owned(),
            "write an address of this machine".to_owned(),
        ),
        ErrorKind::PermissionDenied => (
            "this user may not listen there".to_owned(),
            "take a port from 1024 up, or allow this one to the program (CAP_NET_BIND_SERVICE)"
                .to_owned(),
        ),
        _ => (
            error.to_string(),
            "give this listener another address".to_owned(),
        ),
    };
    anyhow!("error: cannot listen on {address} ({spoken}): {what}\n = {mend}")
}

fn administration(port: &Port, served: admin::Served, roll: Roll) -> BackgroundArgs {
    let bound = port.bound.clone();
    BackgroundArgs {
        kind: "listener",
        name: format!("admin-{}", bound.address()).into(),
        run: Arc::new(move |told| {
            let (bound, served) = (bound.clone(), served.clone());
            Box::pin(async move {
                match bound.open() {
                    Ok(socket) => {
                        let shutdown = async { _ = told.await };
                        admin::serve(Arc::new(socket), served, shutdown).await;
                    }
                    Err(error) => tracing::error!(what = "admin_not_open", error = %error),
                }
            })
        }),
        patience: admin::GRACE + Duration::from_secs(1),
        roll,
    }
}

/// A child of a stage of the tree, started by `make` each time.
pub(crate) fn child<A: Actor>(
    name: Arc<str>,
    make: impl Fn() -> (A, A::Arguments) + Send + Sync + 'static,
) -> ChildSpec {
    ChildSpec::new(name, move |supervisor| {
        let (actor, args) = make();
        async move {
            let (actor, _) = Actor::spawn_linked(None, actor, args, supervisor).await?;
            Ok(actor.get_cell())
        }
    })
}

/// Publishes where the node is administered, and puts what it does into lines for a person.
fn told(
    ports: &[Port],
    cluster: Option<String>,
    domains: &[BareJid],
    data: &DataFolder,
) -> anyhow::Result<String> {
    let mut told = String::new();
    for port in ports {
        // Writing to a String does not fail.
        let _ = writeln!(
            told,
            "listening on {}: {}",
            port.bound.address(),
            spoken(&port.listener)
        );
    }
    told.extend(cluster);
    let _ = writeln!(told, "data in {}", data.path().display());
    let domain = domains[0].domain();
    match ports
        .iter()
        .find(|port| port.listener.kind == ListenerKind::Admin)
    {
        Some(admin) => {
            data.publish_admin_url(&format!("http://{}", reachable(admin.bound.address())))?;
            let _ = writeln!(told, "next: mungoctl account register alice@{domain}");
        }
        None => {
            let _ = writeln!(
                told,
                "next: nothing can be administered here, mungoctl needs a listener (kind: admin)"
            );
        }
    }
    Ok(told)
}

/// Where a program of this machine reaches what listens on `address`.
fn reachable(address: SocketAddr) -> SocketAddr {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
