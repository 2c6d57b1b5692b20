//! Modules that keep something: their tasks, what outlives their actors, and what was stored for
//! a session that comes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use router::{
    AccountAway, Flow, Module, OnFault, Phase, Plan, PlanError, Planned, PresenceChanged, Router,
};
use tokio::time::sleep;
use xmpp::Stanza;

use crate::modules::NoSettings;
use crate::stage::{Node, Wishes};

/// Tasks that ended because they were told to.
static ENDED: AtomicUsize = AtomicUsize::new(0);

/// Keeps messages for one who is away, and has a task.
struct Keeper(Arc<Kept>);

#[derive(Default)]
struct Kept(Mutex<Vec<Stanza>>);

impl Module for Keeper {
    const NAME: &'static str = "keeper";
    type Config = NoSettings;

    fn plan(_: Arc<NoSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.task("writer", |_, stop| async move {
            // The sender may be gone as well: its actor was killed.
            if stop.await.is_ok() {
                ENDED.fetch_add(1, Ordering::SeqCst);
            }
        });
        plan.on::<AccountAway>(Phase::Act, OnFault::Refuse, |keeper, fold| {
            keeper
                .0
                .0
                .lock()
                .expect("nobody panics")
                .push(fold.stanza.clone());
            Flow::Stop
        });
        plan.on::<PresenceChanged>(Phase::Act, OnFault::Skip, |keeper, fold| {
            if fold.before.is_none() && fold.is_available() {
                let (hold, kept) = (fold.hold(), keeper.0.clone());
                tokio::spawn(async move {
                    let kept = std::mem::take(&mut *kept.0.lock().expect("nobody panics"));
                    sleep(Duration::from_secs(1)).await;
                    // Who is gone meanwhile gets nothing.
                    let _ = hold.deliver(kept).await;
                });
            }
            Flow::Continue
        });
        Ok(Self(plan.lasting(Kept::default)))
    }
}

fn plan(router: &Router) -> Result<Arc<Planned>, PlanError> {
    Planned::new::<Keeper>(Arc::default(), router)
}

async fn node() -> Node {
    let wishes = Wishes {
        modules: vec![plan],
        ..Wishes::default()
    };
    Node::with(wishes).await
}

#[tokio::test(start_paused = true)]
async fn what_was_stored_reaches_the_client_before_what_comes_now() {
    let node = node().await;
    let mut romeo = node.login("romeo").await;
    let long = "x".repeat(5_000);
    for n in 0..5 {
        romeo
            .message("juliet@localhost", &format!("stored {n} {long}"))
            .await;
    }
    let mut juliet = node.login("juliet").await;
    juliet.send("<presence/>").await;
    juliet.until("<presence").await;
    romeo.message("juliet@localhost", "new").await;
    for n in 0..5 {
        let got = juliet.until("</message>").await;
        assert!(got.contains(&format!("stored {n} ")), "{got}");
    }
    let got = juliet.until("</message>").await;
    assert!(got.contains("new"), "{got}");
}

#[tokio::test(start_paused = true)]
async fn what_was_kept_back_for_a_session_that_ends_is_not_lost() {
    let node = node().await;
    let mut romeo = node.login("romeo").await;
    let mut juliet = node.login("juliet").await;
    juliet.send("<presence/>").await;
    juliet.until("<presence").await;
    romeo.message("juliet@localhost", "kept back").await;
    romeo.message("romeo@localhost/here", "so far").await;
    romeo.until("so far").await;
    drop(juliet);
    node.until(|node| node.router.directory().len() == 1).await;
    let mut juliet = node.login("juliet").await;
    juliet.send("<presence/>").await;
    juliet.until("kept back").await;
}

#[tokio::test(start_paused = true)]
async fn a_module_whose_task_is_killed_starts_anew_and_has_what_it_kept() {
    const MODULE: &str = "node/hosts/default/keeper";
    const TASK: &str = "node/hosts/default/keeper/writer";
    let node = node().await;
    let mut romeo = node.login("romeo").await;
    romeo.message("juliet@localhost", "kept").await;
    let task = node.cell(TASK);
    task.kill();
    task.wait(None).await.expect("it dies");
    node.until(|node| {
        let module = node.look(MODULE);
        module.restarts == 1 && module.state == "running" && module.child_count == 1
    })
    .await;
    assert_eq!(node.look(TASK).kind, "task");
    let mut juliet = node.login("juliet").await;
    juliet.send("<presence/>").await;
    juliet.until("kept").await;

    assert_eq!(ENDED.load(Ordering::SeqCst), 0);
    node.stop().await;
    assert_eq!(
        ENDED.load(Ordering::SeqCst),
        1,
        "at shutdown it is asked to end"
    );
}

#[tokio::test(start_paused = true)]
async fn an_account_without_a_session_has_an_actor_for_a_while() {
    let node = node().await;
    let mut romeo = node.login("romeo").await;
    romeo.message("nurse@localhost", "kept").await;
    node.until(|node| node.look("node/accounts").child_count == 1)
        .await;
    assert_eq!(node.look("node/accounts/nurse@localhost").kind, "account");
    // It leaves by itself when nothing comes any more.
    node.until(|node| node.look("node/accounts").child_count == 0)
        .await;
    assert!(node.router.directory().account("nurse@localhost").is_none());
}
