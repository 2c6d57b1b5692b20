//! The database behind an actor: it looks now and then whether the database answers, and says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use ractor_cluster_derive::RactorMessage;
use store::Pool;
use tokio::time::Instant;

use crate::vitals::{Roll, RollEntry, Vitals};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(15);

/// What a [`PoolActor`] is made of.
#[derive(Clone)]
pub struct PoolArgs {
    /// The database.
    pub pool: Pool,
    /// Its name, one segment of a path.
    pub name: Arc<str>,
    /// Where it is entered.
    pub roll: Roll,
}

/// Watches a database. An outage is told and counted, never a reason to fail: chat goes on.
pub struct PoolActor;

/// What it tells itself.
#[derive(RactorMessage)]
pub enum PoolMsg {
    /// It is time to look.
    Look,
}

/// A pool that is watched.
pub struct Watching {
    pool: Pool,
    vitals: Arc<Vitals>,
    counts: Arc<Counts>,
    _on_the_roll: RollEntry,
}

#[derive(Default)]
struct Counts {
    outages: AtomicU64,
    /// Whether it did not answer the last time.
    away: AtomicBool,
    answer_micros: AtomicU64,
}

impl Actor for PoolActor {
    type Msg = PoolMsg;
    type State = Watching;
    type Arguments = PoolArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<PoolMsg>,
        args: PoolArgs,
    ) -> Result<Watching, ActorProcessingErr> {
        let counts = Arc::new(Counts::default());
        let shown = counts.clone();
        let vitals = Vitals::new("pool", &*args.name).with_figures(move || {
            vec![
                ("away", shown.away.load(Ordering::Relaxed).into()),
                ("outages", shown.outages.load(Ordering::Relaxed)),
                ("answer_micros", shown.answer_micros.load(Ordering::Relaxed)),
            ]
        });
        let vitals = Arc::new(vitals);
        let on_the_roll = args.roll.enter(myself.get_id(), vitals.clone());
        myself.send_interval(EVERY, || PoolMsg::Look);
        Ok(Watching {
            pool: args.pool,
            vitals,
            counts,
            _on_the_roll: on_the_roll,
        })
    }

    async fn handle(
        &self,
        _myself: ActorRef<PoolMsg>,
        PoolMsg::Look: PoolMsg,
        state: &mut Watching,
    ) -> Result<(), ActorProcessingErr> {
        let asked = Instant::now();
        state.vitals.count_sent();
        match state.pool.ping().await {
            Ok(()) => {
                let micros = u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX);
                state.counts.away.store(false, Ordering::Relaxed);
                state.counts.answer_micros.store(micros, Ordering::Relaxed);
            }
            Err(error) => {
                state.counts.away.store(true, Ordering::Relaxed);
                state.counts.outages.fetch_add(1, Ordering::Relaxed);
                tracing::error!(what = "database_away", error = %error);
                state.vitals.note_error(error);
            }
        }
        state.vitals.count_handled();
        Ok(())
    }
}
