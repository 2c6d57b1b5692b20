//! The whole tree of a node.
//!
//! ```text
//! node            one_for_one   stages start top-down and stop bottom-up; each restarts alone
//! ├─ pools        one_for_one   the database
//! ├─ hosts        one_for_one   per host type: one_for_one over its ModuleActors
//! ├─ cluster      one_for_one   if there are other nodes: discovery, members, the port, links
//! ├─ accounts     template      accounts loaded without a session (temporary)
//! ├─ sessions     template × n  session actors (temporary)
//! └─ listeners    one_for_one   last to start, first to stop
//! ```
//!
//! Sessions depend on maps, never on a stage: a database that is away or a module that is
//! restarted leaves them alone.

use std::sync::Arc;
use std::time::Duration;

use actors::module::{ModuleActor, ModuleArgs};
use actors::pool::{PoolActor, PoolArgs};
use actors::seat::Seat;
use actors::vitals::Roll;
use ractor::{Actor, ActorCell, ActorRef};
use tokio::task::JoinHandle;

use crate::snapshot::Snapshot;
use crate::stop::stop;
use crate::supervisor::{ChildSpec, StartError, Supervisor, SupervisorArgs, SupervisorMsg};
use crate::template::TemplateArgs;

/// What the tree of a node is made of.
pub struct TreeParts {
    /// Its databases.
    pub pools: Vec<PoolArgs>,
    /// Its host types.
    pub hosts: Vec<HostPart>,
    /// What ties the node to others, if there are any.
    pub cluster: Option<ClusterPart>,
    /// The seat of the supervisor of accounts without sessions.
    pub accounts: Seat,
    /// The seats of the supervisors of sessions, one for each.
    pub sessions: Vec<Seat>,
    /// How long all sessions together may take to close at shutdown.
    pub patience: Duration,
    /// What takes connections in.
    pub listeners: Vec<ChildSpec>,
    /// Where all actors are entered.
    pub roll: Roll,
}

/// A host type.
pub struct HostPart {
    /// Its name, one segment of a path.
    pub name: Arc<str>,
    /// Its modules, each behind its name.
    pub modules: Vec<(&'static str, ModuleArgs)>,
}

/// What ties a node to others.
pub struct ClusterPart {
    /// What finds them, keeps account of them and takes their connections in.
    pub children: Vec<ChildSpec>,
    /// The seat of the supervisor of links, one for each connection.
    pub links: Seat,
}

/// The tree of a node.
pub struct Tree {
    root: ActorRef<SupervisorMsg>,
    ended: JoinHandle<()>,
    snapshot: Snapshot,
    patience: Duration,
}

/// The root has borne more restarts than it may: nothing above it could act.
#[derive(Debug, thiserror::Error)]
#[error(
    "the node's supervision tree has given up: too much of it failed again and again; the log says what"
)]
pub struct GaveUp;

const ROOT: &str = "node";

impl Tree {
    /// Starts the tree, top-down.
    ///
    /// # Errors
    /// When a part does not start; what was started is stopped again.
    pub async fn start(parts: TreeParts) -> Result<Self, StartError> {
        let TreeParts {
            pools,
            hosts,
            cluster,
            accounts,
            sessions,
            patience,
            listeners,
            roll,
        } = parts;
        let stage =
            |name: &str, children| SupervisorArgs::new(name, roll.clone(), children).into_spec();
        let pools = pools.into_iter().map(pool).collect();
        let hosts = hosts
            .into_iter()
            .map(|host| stage(&host.name, host.modules.into_iter().map(module).collect()));
        let accounts = TemplateArgs {
            name: "accounts".into(),
            seat: accounts,
            patience: Duration::from_secs(1),
            roll: roll.clone(),
        };
        let cluster = cluster.map(|ClusterPart { links, children }| {
            let links = TemplateArgs {
                name: "links".into(),
                seat: links,
                patience: Duration::from_secs(1),
                roll: roll.clone(),
            };
            stage("cluster", [vec![links.into_spec()], children].concat())
        });
        let shards = sessions.into_iter().enumerate().map(|(n, seat)| {
            TemplateArgs {
                name: n.to_string().into(),
                seat,
                patience,
                roll: roll.clone(),
            }
            .into_spec()
        });
        let mut stages = vec![stage("pools", pools), stage("hosts", hosts.collect())];
        stages.extend(cluster);
        stages.extend([
            accounts.into_spec(),
            stage("sessions", shards.collect()),
            stage("listeners", listeners),
        ]);
        let root = SupervisorArgs::new(ROOT, roll.clone(), stages);
        let patience = root.children.iter().map(|stage| stage.shutdown).sum();
        let (root, ended) = Supervisor::spawn(None, Supervisor, root).await?;
        let snapshot = Snapshot::new(roll, ROOT, root.get_cell());
        Ok(Self {
            root,
            ended,
            snapshot,
            patience,
        })
    }

    /// Looks at it.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Waits for ever, but when the root gives up.
    pub async fn gave_up(&mut self) -> GaveUp {
        // However the root ended, it was not told to.
        let _ = (&mut self.ended).await;
        GaveUp
    }

    /// Stops it bottom-up: no more connections, streams closed, modules, databases.
    pub async fn shutdown(self) {
        stop(&self.root.get_cell(), "shutdown", self.patience).await;
    }
}

fn pool(args: PoolArgs) -> ChildSpec {
    ChildSpec::new(args.name.clone(), move |supervisor| {
        let args = args.clone();
        async move { spawned(Actor::spawn_linked(None, PoolActor, args, supervisor).await) }
    })
}

fn module((name, args): (&'static str, ModuleArgs)) -> ChildSpec {
    ChildSpec::new(name, move |supervisor| {
        let args = args.clone();
        async move { spawned(Actor::spawn_linked(None, ModuleActor, args, supervisor).await) }
    })
}

fn spawned<M>(
    spawned: Result<(ActorRef<M>, JoinHandle<()>), ractor::SpawnErr>,
) -> Result<ActorCell, StartError> {
    let (actor, _) = spawned?;
    Ok(actor.get_cell())
}
