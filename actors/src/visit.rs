//! The actor of an account without a session: it loads the account for stanzas that wait for it
//! ([`router::Visit`]), and ends a little later.

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use ractor_cluster_derive::RactorMessage;
use router::{AccountHold, Router, Visit, Visitor};

use crate::seat::Seat;
use crate::vitals::{Roll, RollEntry, Vitals};

/// Runs visits as actors under the supervisor in `seat`.
#[must_use]
pub fn visitor(router: Router, seat: Seat, roll: Roll) -> Visitor {
    Visitor(Box::new(move |visit| {
        let Some(supervisor) = seat.current() else {
            tracing::error!(
                what = "no_account_supervisor",
                "accounts without a session cannot be loaded at the moment"
            );
            return;
        };
        let args = VisitArgs {
            visit,
            router: router.clone(),
            roll: roll.clone(),
        };
        tokio::spawn(async move {
            if let Err(error) = Actor::spawn_linked(None, VisitActor, args, supervisor).await {
                tracing::error!(what = "account_not_loaded", %error);
            }
        });
    }))
}

struct VisitArgs {
    visit: Visit,
    router: Router,
    roll: Roll,
}

/// What the actor tells itself.
#[derive(RactorMessage)]
enum VisitMsg {
    Load(Box<Visit>),
    Leave,
}

struct VisitActor;

struct Visiting {
    router: Router,
    hold: Option<AccountHold>,
    vitals: Arc<Vitals>,
    _on_the_roll: RollEntry,
}

impl Actor for VisitActor {
    type Msg = VisitMsg;
    type State = Visiting;
    type Arguments = VisitArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<VisitMsg>,
        args: VisitArgs,
    ) -> Result<Visiting, ActorProcessingErr> {
        let vitals = Arc::new(Vitals::new("account", args.visit.jid().as_str()));
        let on_the_roll = args.roll.enter(myself.get_id(), vitals.clone());
        vitals.count_sent();
        myself.send_message(VisitMsg::Load(Box::new(args.visit)))?;
        Ok(Visiting {
            router: args.router,
            hold: None,
            vitals,
            _on_the_roll: on_the_roll,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<VisitMsg>,
        message: VisitMsg,
        state: &mut Visiting,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            VisitMsg::Load(visit) => {
                state.hold = visit.load().await;
                state.vitals.count_handled();
                let stays = Visit::stays(&state.router);
                myself.send_after(stays, || VisitMsg::Leave);
            }
            VisitMsg::Leave => myself.stop(None),
        }
        Ok(())
    }
}
