//! The supervisor of any number of children without names, none of which is started again.
//!
//! Whoever has its cell spawns children under it with [`Actor::spawn_linked`], with no trip
//! through its mailbox; the cell is in a [`Seat`] that each new incarnation takes.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actors::seat::Seat;
use actors::vitals::{Children, Figure, Roll, RollEntry, Status};
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SupervisionEvent};
use ractor_cluster_derive::RactorMessage;
use tokio::time::sleep;

use crate::stop::in_order;
use crate::supervisor::ChildSpec;

/// So many children are stopped in one go at shutdown: 5 000 a second.
const AT_A_TIME: usize = 50;
const PAUSE: Duration = Duration::from_millis(10);

/// What a [`Template`] is made of.
#[derive(Clone)]
pub struct TemplateArgs {
    /// Its name, one segment of a path.
    pub name: Arc<str>,
    /// Where it leaves its cell for those who spawn under it.
    pub seat: Seat,
    /// How long its children together may take to stop.
    pub patience: Duration,
    /// Where it is entered.
    pub roll: Roll,
}

impl TemplateArgs {
    /// The specification of this supervisor as a child of another one.
    #[must_use]
    pub fn into_spec(self) -> ChildSpec {
        let shutdown = self.patience + Duration::from_secs(1);
        ChildSpec::new(self.name.clone(), move |parent| {
            let args = self.clone();
            async move {
                let (template, _) = Actor::spawn_linked(None, Template, args, parent).await?;
                Ok(template.get_cell())
            }
        })
        .shutdown(shutdown)
    }
}

/// See the [module](self).
pub struct Template;

/// A template is told nothing.
#[derive(RactorMessage)]
pub enum TemplateMsg {}

/// A template at work.
pub struct Templating {
    counts: Arc<Counts>,
    seat: Seat,
    patience: Duration,
    _on_the_roll: RollEntry,
}

/// What a template shows.
struct Counts {
    name: Arc<str>,
    started: AtomicU64,
    ended: AtomicU64,
    failed: AtomicU64,
    roll: Roll,
    last_error: std::sync::Mutex<Option<Arc<str>>>,
}

impl Status for Counts {
    fn kind(&self) -> &'static str {
        "template"
    }

    fn name(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.name)
    }

    fn handled(&self) -> u64 {
        self.started.load(Ordering::Relaxed) + self.ended.load(Ordering::Relaxed)
    }

    fn depth(&self) -> u64 {
        0
    }

    fn last_error(&self) -> Option<Arc<str>> {
        self.last_error
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }

    fn figures(&self) -> Vec<Figure> {
        let started = self.started.load(Ordering::Relaxed);
        let ended = self.ended.load(Ordering::Relaxed);
        vec![
            ("children", started.saturating_sub(ended)),
            ("started", started),
            ("failed", self.failed.load(Ordering::Relaxed)),
        ]
    }

    fn children(&self) -> Children {
        Children::Template
    }
}

impl Actor for Template {
    type Msg = TemplateMsg;
    type State = Templating;
    type Arguments = TemplateArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<TemplateMsg>,
        args: TemplateArgs,
    ) -> Result<Templating, ActorProcessingErr> {
        let counts = Arc::new(Counts {
            name: args.name,
            started: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            roll: args.roll.clone(),
            last_error: std::sync::Mutex::new(None),
        });
        Ok(Templating {
            _on_the_roll: args.roll.enter(myself.get_id(), counts.clone()),
            counts,
            seat: args.seat,
            patience: args.patience,
        })
    }

    async fn post_start(
        &self,
        myself: ActorRef<TemplateMsg>,
        state: &mut Templating,
    ) -> Result<(), ActorProcessingErr> {
        state.seat.take(myself.get_cell());
        Ok(())
    }

    async fn post_stop(
        &self,
        myself: ActorRef<TemplateMsg>,
        state: &mut Templating,
    ) -> Result<(), ActorProcessingErr> {
        let gone = async {
            let children = myself.get_children();
            for (n, child) in children.iter().enumerate() {
                // The clients of all sessions must not come back in the same moment.
                if n > 0 && n % AT_A_TIME == 0 {
                    sleep(PAUSE).await;
                }
                child.stop(Some("shutdown".to_owned()));
            }
            for child in children {
                // Only fails when it takes too long, and the limit is around this loop.
                let _ = child.wait(None).await;
            }
        };
        if tokio::time::timeout(state.patience, gone).await.is_err() {
            let left = myself.get_children();
            tracing::warn!(
                what = "children_killed", supervisor = %state.counts.name, count = left.len(),
                "they did not stop in time"
            );
            // ractor kills no child that is stopping already.
            left.iter().for_each(ActorCell::kill);
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<TemplateMsg>,
        event: SupervisionEvent,
        state: &mut Templating,
    ) -> Result<(), ActorProcessingErr> {
        let counts = &state.counts;
        match event {
            SupervisionEvent::ActorStarted(_) => {
                counts.started.fetch_add(1, Ordering::Relaxed);
            }
            SupervisionEvent::ActorTerminated(_, last, why) => {
                counts.ended.fetch_add(1, Ordering::Relaxed);
                if !in_order(last.is_some(), why.as_deref()) {
                    counts.fallen(&why.unwrap_or_else(|| "killed".to_owned()));
                }
            }
            SupervisionEvent::ActorFailed(_, error) => {
                counts.ended.fetch_add(1, Ordering::Relaxed);
                tracing::error!(what = "actor_failed", supervisor = %counts.name, %error);
                counts.fallen(&error.to_string());
            }
            _ => {}
        }
        Ok(())
    }
}

impl Counts {
    fn fallen(&self, why: &str) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        self.roll.count_failed();
        *self
            .last_error
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(why.into());
    }
}

#[cfg(test)]
mod tests;
