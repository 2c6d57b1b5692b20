//! This node as one of several: from the configuration to what runs.

use std::sync::Arc;
use std::time::Duration;

use actors::background::{Background, BackgroundArgs};
use actors::cluster::discovery::{OwnRow, Way};
use actors::cluster::{Cluster, ClusterSettings, Crossing, Identity};
use actors::guests::Guests;
use actors::listener::{Bound, Listener, ListenerArgs};
use actors::seat::Seat;
use actors::service::ClientService;
use actors::tls::{CertificateFiles, NodeCertificatePlan, NodeCertificates};
use actors::vitals::Roll;
use anyhow::{Context, anyhow};
use cluster::{Boot, Cookie, LinkLimits, Millis, NodeId, NodeName};
use config::Span;
use router::Router;
use store::{Nodes, Pool};
use supervisors::supervisor::ChildSpec;
use supervisors::tree::ClusterPart;

use crate::boot::{cannot_listen, child};
use crate::data::DataFolder;

/// Connections of other nodes that are accepted in a second.
const ACCEPT_RATE: u32 = 100;
/// Letters that one node may not have confirmed; their bytes are configured.
const LETTERS: usize = 65_536;

/// What the cluster is made of, before anything of it runs.
pub(crate) struct Joining {
    /// The other nodes.
    pub(crate) cluster: Cluster,
    /// The way between them and the router.
    pub(crate) crossing: Arc<Crossing>,
    /// Its name, and that of this node.
    pub(crate) names: (String, String),
    /// Whether logins are refused without a quorum.
    pub(crate) needs_quorum: bool,
    /// Where this node is reached.
    pub(crate) bound: Arc<Bound>,
    /// What nodes show each other.
    pub(crate) certificates: Option<Arc<NodeCertificates>>,
    /// What the person who started the node has to know.
    pub(crate) told: String,
    /// What runs.
    pub(crate) part: ClusterPart,
}

impl Joining {
    /// From now on the router and the clients' sessions know of the other nodes.
    pub(crate) fn open(&self, clients: &ClientService) {
        let guests = Guests::new(
            clients.router.clone(),
            self.crossing.clone(),
            clients.shards.clone(),
            clients.roll.clone(),
            clients.inbox,
            clients.figures.clone(),
        );
        // A node is put together once.
        let _ = clients.guests.set(guests.clone());
        self.crossing.open(self.cluster.clone(), guests);
    }
}

/// Prepares this node to be one of several. Its port is open from now on.
///
/// # Errors
/// What is wrong, where, and how to mend it.
pub(crate) fn join(
    config: &config::Cluster,
    data: &DataFolder,
    pool: &Pool,
    router: &Router,
    roll: &Roll,
) -> anyhow::Result<Joining> {
    let name = match &config.node {
        Some(name) => name.clone(),
        None => data.cluster_node()?,
    };
    let node = NodeName::new(&name).map_err(|error| anyhow!("error: \"{name}\": {error}"))?;
    let (cookie, made) = cookie(config, data)?;
    let tls = certificates(config)?;
    let address = config.listen;
    let bound =
        Bound::bind(address).map_err(|error| cannot_listen("other nodes", address, &error))?;
    let mut boot = [0; 8];
    getrandom::fill(&mut boot).context("error: the system gives no random bytes")?;
    let links = Seat::default();
    let settings = ClusterSettings {
        identity: Identity {
            cluster: config.name.as_str().into(),
            node: NodeId {
                name: node,
                boot: Boot(u64::from_be_bytes(boot)),
            },
            cookie: Cookie::new(&cookie),
        },
        limits: LinkLimits {
            bytes: config.queue.bytes(),
            letters: LETTERS,
            dead_after: Millis(millis(config.dead_after)),
        },
        forget_after: config.forget_after.get(),
        handshake: config.handshake_timeout.get(),
        tls: tls.clone(),
    };
    let crossing = Crossing::new(router.clone(), &settings.identity.node.name, config.quorum);
    let cluster = Cluster::new(settings, crossing.clone(), links.clone(), roll.clone());
    let mut children: Vec<ChildSpec> = vec![
        background(cluster.members(roll.clone())),
        background(cluster.caller(roll.clone())),
    ];
    for (way, every) in ways(config, &name, pool) {
        children.push(background(way.search(every, cluster.candidates(), roll)));
    }
    let listener = ListenerArgs {
        name: format!("cluster-{address}").into(),
        bound: bound.clone(),
        accept_rate: ACCEPT_RATE,
        serve: cluster.serve(),
        roll: roll.clone(),
    };
    children.push(child(listener.name.clone(), move || {
        (Listener, listener.clone())
    }));
    let told = match made {
        Some(file) => format!(
            "node {name} of the cluster {}: the cookie was made, copy {} to the other nodes\n",
            config.name,
            file.display()
        ),
        None => format!("node {name} of the cluster {}\n", config.name),
    };
    Ok(Joining {
        cluster,
        crossing,
        names: (config.name.clone(), name),
        needs_quorum: config.quorum,
        bound,
        certificates: tls,
        told: format!("listening on {address}: other nodes\n{told}"),
        part: ClusterPart { children, links },
    })
}

/// The cookie, and its file if it was made just now.
fn cookie(
    config: &config::Cluster,
    data: &DataFolder,
) -> anyhow::Result<(String, Option<std::path::PathBuf>)> {
    match &config.cookie {
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("error: cannot read the cookie {}", file.display()))?;
            Ok((text.trim().to_owned(), None))
        }
        None => {
            let kept = data.cluster_cookie()?;
            Ok((kept.text, kept.fresh.then_some(kept.path)))
        }
    }
}

fn certificates(config: &config::Cluster) -> anyhow::Result<Option<Arc<NodeCertificates>>> {
    let Some(tls) = &config.tls else {
        return Ok(None);
    };
    // The check of the configuration has seen that all of them are there.
    let (Some(authority), Some(chain), Some(key)) = (&tls.ca, &tls.certificate, &tls.key) else {
        return Ok(None);
    };
    let plan = NodeCertificatePlan {
        authority: authority.clone(),
        own: CertificateFiles {
            chain: chain.clone(),
            key: key.clone(),
        },
    };
    Ok(Some(Arc::new(NodeCertificates::load(plan)?)))
}

/// The ways to find other nodes, and how often each is looked at.
fn ways(config: &config::Cluster, name: &str, pool: &Pool) -> Vec<(Way, Duration)> {
    /// Addresses of seeds change when somebody moves a machine.
    const SEEDS_EVERY: Duration = Duration::from_secs(30);
    let mut ways = Vec::new();
    if !config.seeds.is_empty() {
        let seeds = config.seeds.iter().map(ToString::to_string);
        ways.push((Way::Seeds(seeds.collect()), SEEDS_EVERY));
    }
    if let Some(dns) = &config.dns {
        ways.push((Way::Dns(dns.name.to_string()), dns.every.get()));
    }
    if let Some(file) = &config.file {
        ways.push((Way::File(file.path.clone()), file.every.get()));
    }
    if let Some(database) = &config.database {
        let own = OwnRow {
            name: name.to_owned(),
            address: config.advertised().to_string(),
            forget_after: database.forget_after.get(),
        };
        let nodes = Nodes::new(pool.clone(), config.name.clone());
        ways.push((Way::Database(nodes, own), database.every.get()));
    }
    ways
}

fn background(args: BackgroundArgs) -> ChildSpec {
    child(args.name.clone(), move || (Background, args.clone()))
}

fn millis(span: Span) -> u64 {
    u64::try_from(span.get().as_millis()).unwrap_or(u64::MAX)
}
