//! Stopping an actor in order, with a deadline.

use std::time::Duration;

use ractor::{ActorCell, Signal};

/// How long a killed actor may take to be gone. It goes at its next await; one that never
/// comes to it can't be waited for.
const KILL: Duration = Duration::from_secs(1);

/// Stops `actor` in order, kills it when it takes longer than `patience`, and returns when it
/// is gone (or stuck beyond help).
pub(crate) async fn stop(actor: &ActorCell, why: &str, patience: Duration) {
    actor.stop(Some(why.to_owned()));
    if actor.wait(Some(patience)).await.is_ok() {
        return;
    }
    tracing::warn!(what = "actor_killed", actor = ?actor, "it did not stop in time");
    actor.kill();
    if actor.wait(Some(KILL)).await.is_err() {
        tracing::error!(what = "actor_stuck", actor = ?actor, "it does not even come to be killed");
    }
}

/// Whether an actor has stopped in order, by what its end says of it. One that was killed while it
/// handled something hands over no state; one that was killed while it waited does, and only
/// the reason tells.
pub(crate) fn in_order(hands_over: bool, why: Option<&str>) -> bool {
    hands_over && why != Some(&Signal::Kill.to_string())
}
