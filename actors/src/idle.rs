//! Ends sessions from which nothing was heard for too long: one clock for all of them.

use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use ractor_cluster_derive::RactorMessage;
use router::{Control, Router};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use xmpp::{StreamCondition, StreamError};

use crate::vitals::{Roll, RollEntry, Vitals};

/// What an [`IdleWatch`] is made of.
#[derive(Clone)]
pub struct IdleArgs {
    /// Whose sessions.
    pub router: Router,
    /// A session that was quiet for so long is closed with `connection-timeout`.
    pub timeout: Duration,
    /// Where it is entered.
    pub roll: Roll,
}

/// See the [module](self).
pub struct IdleWatch;

/// What an idle watch is told.
#[derive(RactorMessage)]
pub enum IdleMsg {
    /// Look at all sessions.
    Look,
}

/// An idle watch at work.
pub struct Watching {
    args: IdleArgs,
    clock: JoinHandle<()>,
    vitals: Arc<Vitals>,
    _on_the_roll: RollEntry,
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.clock.abort();
    }
}

impl Actor for IdleWatch {
    type Msg = IdleMsg;
    type State = Watching;
    type Arguments = IdleArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<IdleMsg>,
        args: IdleArgs,
    ) -> Result<Watching, ActorProcessingErr> {
        let vitals = Arc::new(Vitals::new("idle", "idle"));
        // A session goes at most an eighth of the time too late.
        let mut ticks = interval((args.timeout / 8).max(Duration::from_millis(100)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let entry = args.roll.enter(myself.get_id(), vitals.clone());
        let clock = tokio::spawn(async move {
            loop {
                ticks.tick().await;
                if myself.send_message(IdleMsg::Look).is_err() {
                    return;
                }
            }
        });
        Ok(Watching {
            args,
            clock,
            vitals,
            _on_the_roll: entry,
        })
    }

    async fn handle(
        &self,
        _: ActorRef<IdleMsg>,
        _: IdleMsg,
        state: &mut Watching,
    ) -> Result<(), ActorProcessingErr> {
        state.vitals.count_sent();
        let now = state.args.router.clock().millis();
        let most = u64::try_from(state.args.timeout.as_millis()).unwrap_or(u64::MAX);
        state.args.router.directory().for_each(|session| {
            if now.saturating_sub(session.heard()) >= most {
                let error = StreamError::new(StreamCondition::ConnectionTimeout)
                    .with_text("nothing was heard of the client");
                session.inbox.control(Control::Close(error));
            }
        });
        state.vitals.count_handled();
        Ok(())
    }
}
