//! The supervisor of a fixed list of children, each of which is started again alone.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actors::vitals::{Child, Children, Roll, RollEntry, Status};
use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use ractor_cluster_derive::RactorMessage;
use tokio::time::Instant;

use crate::policy::{Backoff, Intensity, Policy, Restarts};
use crate::stop::{in_order, stop};

/// Why a child could not be started.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

/// Starts a child under the supervisor whose cell it is given.
pub type Start = Arc<
    dyn Fn(ActorCell) -> Pin<Box<dyn Future<Output = Result<ActorCell, StartError>> + Send>>
        + Send
        + Sync,
>;

/// A child of a [`Supervisor`]: everything that is needed to start it, again and again.
#[derive(Clone)]
pub struct ChildSpec {
    /// Its name, one segment of a path.
    pub name: Arc<str>,
    /// Whether it is started again.
    pub policy: Policy,
    /// How long it may take to stop in order before it is killed.
    pub shutdown: Duration,
    /// Starts it.
    pub start: Start,
}

impl ChildSpec {
    /// A permanent child that has 5 s to stop; `start` is called with the supervisor's cell.
    pub fn new<F, S>(name: impl Into<Arc<str>>, start: F) -> Self
    where
        F: Fn(ActorCell) -> S + Send + Sync + 'static,
        S: Future<Output = Result<ActorCell, StartError>> + Send + 'static,
    {
        Self {
            name: name.into(),
            policy: Policy::Permanent,
            shutdown: Duration::from_secs(5),
            start: Arc::new(move |supervisor| Box::pin(start(supervisor))),
        }
    }

    /// The same with another policy.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The same with another time to stop.
    #[must_use]
    pub fn shutdown(mut self, shutdown: Duration) -> Self {
        self.shutdown = shutdown;
        self
    }
}

/// What a [`Supervisor`] is made of.
pub struct SupervisorArgs {
    /// Its name, one segment of a path.
    pub name: Arc<str>,
    /// Its children in the order of their start; they stop in the opposite order.
    pub children: Vec<ChildSpec>,
    /// When it gives up.
    pub intensity: Intensity,
    /// How long children wait for their restart.
    pub backoff: Backoff,
    /// Where it is entered.
    pub roll: Roll,
}

impl SupervisorArgs {
    /// A supervisor with the usual intensity and backoff.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, roll: Roll, children: Vec<ChildSpec>) -> Self {
        Self {
            name: name.into(),
            children,
            intensity: Intensity::default(),
            backoff: Backoff::default(),
            roll,
        }
    }

    /// The specification of this supervisor as a child of another one.
    #[must_use]
    pub fn into_spec(self) -> ChildSpec {
        let name = self.name.clone();
        // Time for the children, one after the other.
        let shutdown: Duration = self.children.iter().map(|child| child.shutdown).sum();
        let args = Arc::new(self);
        ChildSpec::new(name, move |parent| {
            let args = SupervisorArgs {
                name: args.name.clone(),
                children: args.children.clone(),
                intensity: args.intensity,
                backoff: args.backoff,
                roll: args.roll.clone(),
            };
            async move {
                let (supervisor, _) = Actor::spawn_linked(None, Supervisor, args, parent).await?;
                Ok(supervisor.get_cell())
            }
        })
        .shutdown(shutdown + Duration::from_secs(1))
    }
}

/// Starts its children in order, starts each of them again by its policy when it falls, and
/// fails itself when that happens too often. See [`SupervisorArgs`].
pub struct Supervisor;

/// What a [`Supervisor`] tells itself.
#[derive(RactorMessage)]
pub enum SupervisorMsg {
    /// The wait of the child at this place is over; the number tells an outdated message.
    Restart(usize, u64),
}

/// A supervisor at work.
pub struct Supervising {
    args: SupervisorArgs,
    table: Arc<Table>,
    restarts: Restarts,
    places: Vec<Place>,
    _on_the_roll: RollEntry,
}

/// What a supervisor remembers of one child beside what it shows.
struct Place {
    id: Option<ActorId>,
    started: Instant,
    falls: u32,
    /// Counts starts and waits.
    turn: u64,
}

/// What a supervisor shows.
struct Table {
    name: Arc<str>,
    begun: AtomicU64,
    handled: AtomicU64,
    children: Mutex<Vec<Child>>,
}

/// What is being handled, for the time that it takes.
struct Turn(Arc<Table>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.handled.fetch_add(1, Ordering::Relaxed);
    }
}

impl Table {
    fn turn(self: &Arc<Self>) -> Turn {
        self.begun.fetch_add(1, Ordering::Relaxed);
        Turn(self.clone())
    }

    fn children(&self) -> MutexGuard<'_, Vec<Child>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Status for Table {
    fn kind(&self) -> &'static str {
        "supervisor"
    }

    fn name(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.name)
    }

    fn handled(&self) -> u64 {
        self.handled.load(Ordering::Relaxed)
    }

    fn depth(&self) -> u64 {
        0
    }

    fn in_hand(&self) -> u64 {
        let begun = self.begun.load(Ordering::Relaxed);
        begun.saturating_sub(self.handled())
    }

    fn children(&self) -> Children {
        Children::Named(self.children().clone())
    }
}

impl Actor for Supervisor {
    type Msg = SupervisorMsg;
    type State = Supervising;
    type Arguments = SupervisorArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<SupervisorMsg>,
        args: SupervisorArgs,
    ) -> Result<Supervising, ActorProcessingErr> {
        let waiting = |spec: &ChildSpec| Child {
            name: spec.name.clone(),
            cell: None,
            state: "waiting",
            restarts: 0,
            last_error: None,
        };
        let table = Arc::new(Table {
            name: args.name.clone(),
            begun: AtomicU64::new(0),
            handled: AtomicU64::new(0),
            children: Mutex::new(args.children.iter().map(waiting).collect()),
        });
        let place = |_: &ChildSpec| Place {
            id: None,
            started: Instant::now(),
            falls: 0,
            turn: 0,
        };
        let mut state = Supervising {
            _on_the_roll: args.roll.enter(myself.get_id(), table.clone()),
            restarts: Restarts::default(),
            places: args.children.iter().map(place).collect(),
            table,
            args,
        };
        for at in 0..state.places.len() {
            if let Err(error) = state.start(at, &myself).await {
                state.stop_all("its supervisor could not start").await;
                return Err(format!("{}: {error}", state.args.children[at].name).into());
            }
        }
        Ok(state)
    }

    async fn post_stop(
        &self,
        _: ActorRef<SupervisorMsg>,
        state: &mut Supervising,
    ) -> Result<(), ActorProcessingErr> {
        state.stop_all("shutdown").await;
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<SupervisorMsg>,
        SupervisorMsg::Restart(at, turn): SupervisorMsg,
        state: &mut Supervising,
    ) -> Result<(), ActorProcessingErr> {
        let _turn = state.table.turn();
        if state.places[at].turn != turn {
            return Ok(());
        }
        state.table.children()[at].restarts += 1;
        state.args.roll.count_restarted();
        match state.start(at, &myself).await {
            Ok(()) => Ok(()),
            Err(error) => state.fallen(at, &error.to_string(), &myself).await,
        }
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<SupervisorMsg>,
        event: SupervisionEvent,
        state: &mut Supervising,
    ) -> Result<(), ActorProcessingErr> {
        let _turn = state.table.turn();
        let (who, in_order, why) = match event {
            SupervisionEvent::ActorFailed(who, error) => (who, false, error.to_string()),
            SupervisionEvent::ActorTerminated(who, last, why) => {
                let in_order = in_order(last.is_some(), why.as_deref());
                (
                    who,
                    in_order,
                    why.unwrap_or_else(|| "it stopped".to_owned()),
                )
            }
            _ => return Ok(()),
        };
        let Some(at) = state
            .places
            .iter()
            .position(|place| place.id == Some(who.get_id()))
        else {
            return Ok(());
        };
        if !in_order {
            state.args.roll.count_failed();
        }
        if state.args.children[at].policy.restarts(in_order) {
            return state.fallen(at, &why, &myself).await;
        }
        state.places[at].id = None;
        let mut children = state.table.children();
        children[at].cell = None;
        children[at].state = "ended";
        children[at].last_error = (!in_order).then(|| why.into());
        Ok(())
    }
}

impl Supervising {
    async fn start(
        &mut self,
        at: usize,
        myself: &ActorRef<SupervisorMsg>,
    ) -> Result<(), StartError> {
        // An attempt that fails counts as a start too, else the waits would never grow.
        self.places[at].started = Instant::now();
        let cell = (self.args.children[at].start)(myself.get_cell()).await?;
        let place = &mut self.places[at];
        place.id = Some(cell.get_id());
        place.turn += 1;
        let mut children = self.table.children();
        children[at].cell = Some(cell);
        children[at].state = "running";
        Ok(())
    }

    /// Lets the child wait for its restart, or gives up.
    async fn fallen(
        &mut self,
        at: usize,
        why: &str,
        myself: &ActorRef<SupervisorMsg>,
    ) -> Result<(), ActorProcessingErr> {
        let name = &self.args.children[at].name;
        {
            let mut children = self.table.children();
            children[at].cell = None;
            children[at].state = "waiting";
            children[at].last_error = Some(why.into());
        }
        let place = &mut self.places[at];
        place.id = None;
        place.turn += 1;
        if !self.restarts.count(self.args.intensity) {
            self.args.roll.count_gave_up();
            tracing::error!(what = "supervisor_gives_up", supervisor = %self.args.name, child = %name, why);
            let error = format!("too many restarts, the last of {name}: {why}");
            self.stop_all("its supervisor gives up").await;
            return Err(error.into());
        }
        if place.started.elapsed() >= self.args.backoff.most {
            place.falls = 0;
        }
        let wait = self.args.backoff.wait(place.falls);
        place.falls += 1;
        tracing::warn!(
            what = "actor_fell", supervisor = %self.args.name, child = %name, why,
            again_in_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
        );
        let turn = place.turn;
        myself.send_after(wait, move || SupervisorMsg::Restart(at, turn));
        Ok(())
    }

    /// Stops the children that run, the last one first.
    async fn stop_all(&mut self, why: &str) {
        for at in (0..self.places.len()).rev() {
            self.places[at].turn += 1;
            if self.places[at].id.take().is_none() {
                continue;
            }
            let cell = {
                let mut children = self.table.children();
                children[at].state = "ended";
                children[at].cell.take()
            };
            if let Some(cell) = cell {
                stop(&cell, why, self.args.children[at].shutdown).await;
            }
        }
    }
}

#[cfg(test)]
mod tests;
