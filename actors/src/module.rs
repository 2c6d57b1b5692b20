//! The actor of a module: one piece of code for all of them.
//!
//! It plans the module, puts it on the way of a stanza, runs its timers and, in actors below it, its
//! tasks, and takes everything
//! back when it stops in order. When it dies, the [`Installed`] in its state withdraws the
//! module's IQs and features until its next incarnation puts them there again.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SupervisionEvent};
use ractor_cluster_derive::RactorMessage;
use router::{HostType, Installed, PlanError, Planned, Router, Timer};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval_at};

use crate::background::{Background, BackgroundArgs};
use crate::vitals::{Figure, Roll, RollEntry, Status};

/// How long a task of a module may take to end in order.
const TASK_PATIENCE: Duration = Duration::from_secs(4);

/// Makes a module's plan: anew for each incarnation, so that what a crash left in a bad state
/// isn't used again.
pub type MakePlan = Arc<dyn Fn() -> Result<Arc<Planned>, PlanError> + Send + Sync>;

/// What a [`ModuleActor`] is made of.
#[derive(Clone)]
pub struct ModuleArgs {
    /// The node.
    pub router: Router,
    /// For which domains.
    pub host_type: Arc<HostType>,
    /// Its place among the modules of the host type.
    pub order: usize,
    /// Makes its plan.
    pub plan: MakePlan,
    /// Where it is entered.
    pub roll: Roll,
}

/// See the [module](self).
pub struct ModuleActor;

/// What a module's actor is told.
#[derive(RactorMessage)]
pub enum ModuleMsg {
    /// It is time for this one of its timers.
    Tick(usize),
}

/// A module at work.
pub struct Moduling {
    router: Router,
    installed: Option<Installed>,
    timers: Vec<Timer>,
    clocks: Vec<JoinHandle<()>>,
    tasks: Vec<(&'static str, ActorCell)>,
    vitals: Arc<ModuleVitals>,
    _on_the_roll: RollEntry,
}

struct ModuleVitals {
    planned: Arc<Planned>,
    begun: AtomicU64,
    ticks: AtomicU64,
}

impl Status for ModuleVitals {
    fn kind(&self) -> &'static str {
        "module"
    }

    fn name(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.planned.name())
    }

    fn handled(&self) -> u64 {
        self.ticks.load(Ordering::Relaxed)
    }

    fn depth(&self) -> u64 {
        self.planned.lanes().busy() as u64
    }

    fn in_hand(&self) -> u64 {
        let begun = self.begun.load(Ordering::Relaxed);
        begun.saturating_sub(self.handled())
    }

    fn last_error(&self) -> Option<Arc<str>> {
        self.planned.figures().last_fault().map(Into::into)
    }

    fn figures(&self) -> Vec<Figure> {
        let figures = self.planned.figures();
        vec![
            ("answered", figures.answered()),
            ("faults", figures.faults()),
        ]
    }
}

impl Drop for Moduling {
    fn drop(&mut self) {
        self.clocks.iter().for_each(JoinHandle::abort);
    }
}

impl Actor for ModuleActor {
    type Msg = ModuleMsg;
    type State = Moduling;
    type Arguments = ModuleArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<ModuleMsg>,
        args: ModuleArgs,
    ) -> Result<Moduling, ActorProcessingErr> {
        let planned = (args.plan)()?;
        let timers = planned.timers().to_vec();
        let vitals = Arc::new(ModuleVitals {
            planned: planned.clone(),
            begun: AtomicU64::new(0),
            ticks: AtomicU64::new(0),
        });
        let mut tasks = Vec::new();
        for task in planned.tasks() {
            let args = BackgroundArgs {
                kind: "task",
                name: task.name.into(),
                run: task.run.clone(),
                patience: TASK_PATIENCE,
                roll: args.roll.clone(),
            };
            let (actor, _) = Actor::spawn_linked(None, Background, args, myself.get_cell()).await?;
            tasks.push((task.name, actor.get_cell()));
        }
        let installed = args.host_type.install(planned, args.order)?;
        let clocks = timers
            .iter()
            .enumerate()
            .map(|(at, timer)| clock(&myself, at, timer))
            .collect();
        Ok(Moduling {
            router: args.router,
            installed: Some(installed),
            timers,
            clocks,
            tasks,
            _on_the_roll: args.roll.enter(myself.get_id(), vitals.clone()),
            vitals,
        })
    }

    async fn post_stop(
        &self,
        _: ActorRef<ModuleMsg>,
        state: &mut Moduling,
    ) -> Result<(), ActorProcessingErr> {
        if let Some(installed) = state.installed.take() {
            installed.withdraw();
        }
        // Nothing new comes from here on: what waits to be written is.
        for (name, task) in std::mem::take(&mut state.tasks) {
            let stopped =
                task.stop_and_wait(None, Some(TASK_PATIENCE + Duration::from_millis(500)));
            if stopped.await.is_err() {
                tracing::warn!(what = "task_killed", task = name, "it did not end in time");
                task.kill();
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<ModuleMsg>,
        event: SupervisionEvent,
        state: &mut Moduling,
    ) -> Result<(), ActorProcessingErr> {
        let (who, why) = match event {
            SupervisionEvent::ActorTerminated(who, _, why) => {
                (who, why.unwrap_or_else(|| "ended".to_owned()))
            }
            SupervisionEvent::ActorFailed(who, error) => (who, error.to_string()),
            _ => return Ok(()),
        };
        match state
            .tasks
            .iter()
            .find(|(_, task)| task.get_id() == who.get_id())
        {
            // The module starts anew with all its tasks.
            Some((name, _)) => Err(format!("its task `{name}`: {why}").into()),
            None => Ok(()),
        }
    }

    async fn handle(
        &self,
        _: ActorRef<ModuleMsg>,
        ModuleMsg::Tick(at): ModuleMsg,
        state: &mut Moduling,
    ) -> Result<(), ActorProcessingErr> {
        state.vitals.begun.fetch_add(1, Ordering::Relaxed);
        (state.timers[at].run)(&state.router);
        state.vitals.ticks.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// Ticks for one timer. A tick that is late is followed by the next one a whole time later.
fn clock(myself: &ActorRef<ModuleMsg>, at: usize, timer: &Timer) -> JoinHandle<()> {
    let (actor, every) = (myself.clone(), timer.every);
    tokio::spawn(async move {
        let mut ticks = interval_at(tokio::time::Instant::now() + every, every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if actor.send_message(ModuleMsg::Tick(at)).is_err() {
                return;
            }
        }
    })
}
