//! Background work behind an actor: a future that is to run as long as the node does.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use ractor_cluster_derive::RactorMessage;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::vitals::{Roll, RollEntry, Vitals};

/// Makes the future; it is to end soon after the receiver resolves.
pub type Run =
    Arc<dyn Fn(oneshot::Receiver<()>) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// What a [`Background`] is made of.
#[derive(Clone)]
pub struct BackgroundArgs {
    /// What sort of actor it is.
    pub kind: &'static str,
    /// Its name, one segment of a path.
    pub name: Arc<str>,
    /// What it runs.
    pub run: Run,
    /// How long the future may take to end in order.
    pub patience: Duration,
    /// Where it is entered.
    pub roll: Roll,
}

/// Runs a future beside itself and fails when that ends unasked, so that its supervisor starts
/// it again.
pub struct Background;

/// What it is told.
#[derive(RactorMessage)]
pub enum BackgroundMsg {
    /// Its future has ended.
    Ended,
}

/// Work under way.
pub struct Serving {
    task: JoinHandle<()>,
    shutdown: Option<oneshot::Sender<()>>,
    patience: Duration,
    _on_the_roll: RollEntry,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Actor for Background {
    type Msg = BackgroundMsg;
    type State = Serving;
    type Arguments = BackgroundArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<BackgroundMsg>,
        args: BackgroundArgs,
    ) -> Result<Serving, ActorProcessingErr> {
        let vitals = Arc::new(Vitals::new(args.kind, &*args.name));
        let on_the_roll = args.roll.enter(myself.get_id(), vitals);
        let (shutdown, told) = oneshot::channel();
        let run = (args.run)(told);
        let task = tokio::spawn(async move {
            /// Tells the actor even when the future panics.
            struct Tell(ActorRef<BackgroundMsg>);
            impl Drop for Tell {
                fn drop(&mut self) {
                    // An actor that is gone needn't know.
                    let _ = self.0.cast(BackgroundMsg::Ended);
                }
            }
            let _tell = Tell(myself);
            run.await;
        });
        Ok(Serving {
            task,
            shutdown: Some(shutdown),
            patience: args.patience,
            _on_the_roll: on_the_roll,
        })
    }

    async fn handle(
        &self,
        _myself: ActorRef<BackgroundMsg>,
        BackgroundMsg::Ended: BackgroundMsg,
        _state: &mut Serving,
    ) -> Result<(), ActorProcessingErr> {
        Err("what it runs has ended".into())
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<BackgroundMsg>,
        _event: SupervisionEvent,
        _state: &mut Serving,
    ) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn post_stop(
        &self,
        _myself: ActorRef<BackgroundMsg>,
        state: &mut Serving,
    ) -> Result<(), ActorProcessingErr> {
        if let Some(shutdown) = state.shutdown.take() {
            // It may have ended by itself.
            let _ = shutdown.send(());
        }
        // Out of time, it is aborted with the state.
        let _ = tokio::time::timeout(state.patience, &mut state.task).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn args(run: Run) -> BackgroundArgs {
        BackgroundArgs {
            kind: "background",
            name: "test".into(),
            run,
            patience: Duration::from_secs(1),
            roll: Roll::default(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_stops_when_told_and_waits_for_the_end() {
        let ended = Arc::new(AtomicU32::new(0));
        let count = ended.clone();
        let run: Run = Arc::new(move |told| {
            let count = count.clone();
            Box::pin(async move {
                let _ = told.await;
                tokio::time::sleep(Duration::from_millis(100)).await;
                count.fetch_add(1, Ordering::Relaxed);
            })
        });
        let (actor, handle) = Actor::spawn(None, Background, args(run)).await.unwrap();
        actor.stop(None);
        handle.await.unwrap();
        assert_eq!(ended.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_with_what_it_runs() {
        let (actor, handle) =
            Actor::spawn(None, Background, args(Arc::new(|_| Box::pin(async {}))))
                .await
                .unwrap();
        handle.await.unwrap();
        assert_eq!(actor.get_status(), ractor::ActorStatus::Stopped);
        let (_, handle) = Actor::spawn(
            None,
            Background,
            args(Arc::new(|_| Box::pin(async { panic!("told to") }))),
        )
        .await
        .unwrap();
        handle.await.unwrap();
    }
}
