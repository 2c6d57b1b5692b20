//! Modules whose actors fall while clients talk.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use router::{IqAnswer, IqRequest, Module, Plan, PlanError, Planned, Router, To};
use tokio::time::sleep;

use crate::stage::{Client, Node, Wishes};

config::settings! {
    /// The tests' own modules have nothing to set.
    pub struct NoSettings {}
}

/// Answers one kind of question.
struct Echo;

impl Module for Echo {
    const NAME: &'static str = "echo";
    type Config = NoSettings;

    fn plan(_: Arc<NoSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.iq(To::Host, "test:echo", Self::answer);
        plan.feature(To::Host, "test:echo");
        Ok(Self)
    }
}

impl Echo {
    fn answer(&self, _: &IqRequest<'_>) -> IqAnswer {
        Ok(Some("<echo xmlns='test:echo'/>".into()))
    }
}

static TICKS: AtomicUsize = AtomicUsize::new(0);

/// Does something every ten seconds.
struct Ticker;

impl Module for Ticker {
    const NAME: &'static str = "ticker";
    type Config = NoSettings;

    fn plan(_: Arc<NoSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.every(Duration::from_secs(10), |_, _| {
            TICKS.fetch_add(1, Ordering::SeqCst);
        });
        Ok(Self)
    }
}

fn plan<M: Module<Config = NoSettings>>(router: &Router) -> Result<Arc<Planned>, PlanError> {
    Planned::new::<M>(Arc::default(), router)
}

async fn ask(client: &mut Client<actors::pipe::Pipe>) -> String {
    client
        .send("<iq type='get' id='e' to='localhost'><echo xmlns='test:echo'/></iq>")
        .await;
    client.until("</iq>").await
}

#[tokio::test(start_paused = true)]
async fn a_killed_module_answers_with_an_error_until_it_is_back_and_chat_goes_on() {
    let node = Node::with(Wishes {
        modules: vec![plan::<Echo>],
        ..Wishes::default()
    })
    .await;
    let mut romeo = node.login("romeo").await;
    // What service discovery shows.
    let shown = |node: &Node| {
        let host = node.router.host("localhost").expect("it is served");
        host.host_type().features(To::Host).contains(&"test:echo")
    };
    assert!(ask(&mut romeo).await.contains("type='result'"));
    assert!(shown(&node));
    let before = node.look("node/hosts/default/echo");
    assert_eq!(
        (before.kind, before.figures[0]),
        ("module", ("answered", 1))
    );
    let actor = node.cell("node/hosts/default/echo");
    actor.kill();
    actor.wait(None).await.expect("it dies");
    tokio::task::yield_now().await;
    let error = ask(&mut romeo).await;
    assert!(error.contains("<service-unavailable"), "{error}");
    assert!(!shown(&node));
    romeo.message("romeo@localhost/here", "chat goes on").await;
    romeo.until("chat goes on").await;
    node.until(|node| node.look("node/hosts/default/echo").state == "running")
        .await;
    let after = ask(&mut romeo).await;
    assert!(after.contains("type='result'"), "{after}");
    assert!(shown(&node));
    assert_eq!(node.look("node/hosts/default/echo").restarts, 1);
}

#[tokio::test(start_paused = true)]
async fn the_timers_of_a_module_run_once_whatever_happened_to_its_actor() {
    let node = Node::with(Wishes {
        modules: vec![plan::<Ticker>],
        ..Wishes::default()
    })
    .await;
    sleep(Duration::from_secs(31)).await;
    assert_eq!(TICKS.swap(0, Ordering::SeqCst), 3);
    node.cell("node/hosts/default/ticker").kill();
    sleep(Duration::from_secs(5)).await;
    node.until(|node| node.look("node/hosts/default/ticker").state == "running")
        .await;
    sleep(Duration::from_secs(30)).await;
    assert_eq!(TICKS.load(Ordering::SeqCst), 3);
}
