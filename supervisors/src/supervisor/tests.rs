use std::sync::atomic::AtomicUsize;

use actors::vitals::Vitals;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::*;

/// A child that reports its starts and its orderly ends, and does as it is told.
struct Puppet;

#[derive(RactorMessage)]
enum PuppetMsg {
    Panic,
    Stop,
}

#[derive(Debug, PartialEq)]
enum Seen {
    Started(&'static str),
    Stopped(&'static str),
}

struct Strings {
    name: &'static str,
    seen: UnboundedSender<Seen>,
    _entry: RollEntry,
}

impl Actor for Puppet {
    type Msg = PuppetMsg;
    type State = Strings;
    type Arguments = (&'static str, UnboundedSender<Seen>, Roll);

    async fn pre_start(
        &self,
        myself: ActorRef<PuppetMsg>,
        (name, seen, roll): Self::Arguments,
    ) -> Result<Strings, ActorProcessingErr> {
        seen.send(Seen::Started(name))?;
        let entry = roll.enter(myself.get_id(), Arc::new(Vitals::new("puppet", name)));
        Ok(Strings {
            name,
            seen,
            _entry: entry,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<PuppetMsg>,
        message: PuppetMsg,
        _: &mut Strings,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            PuppetMsg::Panic => panic!("as told"),
            PuppetMsg::Stop => myself.stop(None),
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<PuppetMsg>,
        state: &mut Strings,
    ) -> Result<(), ActorProcessingErr> {
        state.seen.send(Seen::Stopped(state.name))?;
        Ok(())
    }
}

struct Stage {
    supervisor: ActorRef<SupervisorMsg>,
    seen: UnboundedReceiver<Seen>,
    roll: Roll,
}

fn puppet(
    name: &'static str,
    policy: Policy,
    seen: &UnboundedSender<Seen>,
    roll: &Roll,
) -> ChildSpec {
    let (seen, roll) = (seen.clone(), roll.clone());
    ChildSpec::new(name, move |parent| {
        let args = (name, seen.clone(), roll.clone());
        async move {
            Ok(Actor::spawn_linked(None, Puppet, args, parent)
                .await?
                .0
                .get_cell())
        }
    })
    .policy(policy)
}

async fn stage(children: &[(&'static str, Policy)]) -> Stage {
    let (tell, seen) = unbounded_channel();
    let roll = Roll::default();
    let specs = children
        .iter()
        .map(|(name, policy)| puppet(name, *policy, &tell, &roll))
        .collect();
    let mut args = SupervisorArgs::new("top", roll.clone(), specs);
    args.intensity = Intensity {
        restarts: 2,
        within: Duration::from_secs(60),
    };
    let (supervisor, _) = Actor::spawn(None, Supervisor, args).await.expect("starts");
    let mut stage = Stage {
        supervisor,
        seen,
        roll,
    };
    for (name, _) in children {
        assert_eq!(stage.next().await, Seen::Started(name));
    }
    stage
}

impl Stage {
    async fn next(&mut self) -> Seen {
        self.seen.recv().await.expect("somebody lives")
    }

    fn child(&self, at: usize) -> Child {
        let Some(status) = self.roll.get(self.supervisor.get_id()) else {
            panic!("not on the roll")
        };
        let Children::Named(children) = status.children() else {
            panic!("a list")
        };
        children[at].clone()
    }

    fn tell(&self, at: usize, message: PuppetMsg) {
        self.child(at)
            .cell
            .expect("it runs")
            .send_message(message)
            .expect("it listens");
    }

    /// Waits until the supervisor has seen to everything that happened until now.
    async fn until(&self, at: usize, state: &str) -> Child {
        while self.child(at).state != state {
            tokio::task::yield_now().await;
        }
        self.child(at)
    }
}

#[tokio::test(start_paused = true)]
async fn children_start_in_order_and_stop_in_the_opposite_order() {
    let mut stage = stage(&[("one", Policy::Permanent), ("two", Policy::Permanent)]).await;
    assert_eq!(stage.child(1).state, "running");
    stage.supervisor.stop(None);
    assert_eq!(stage.next().await, Seen::Stopped("two"));
    assert_eq!(stage.next().await, Seen::Stopped("one"));
    stage.supervisor.wait(None).await.expect("stops");
    assert!(stage.roll.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_permanent_child_comes_back_alone_after_a_wait() {
    let mut stage = stage(&[("one", Policy::Permanent), ("two", Policy::Permanent)]).await;
    let begin = Instant::now();
    stage.tell(0, PuppetMsg::Panic);
    assert_eq!(stage.next().await, Seen::Started("one"));
    assert!(
        begin.elapsed() >= Duration::from_millis(50),
        "after {:?}",
        begin.elapsed()
    );
    let child = stage.until(0, "running").await;
    assert_eq!(
        (child.restarts, child.last_error.as_deref()),
        (1, Some("as told"))
    );
    // One that ends in order does too, and one that is killed.
    stage.tell(1, PuppetMsg::Stop);
    assert_eq!(stage.next().await, Seen::Stopped("two"));
    assert_eq!(stage.next().await, Seen::Started("two"));
    assert_eq!(stage.child(0).restarts, 1);
}

#[tokio::test(start_paused = true)]
async fn a_transient_child_comes_back_only_after_a_failure() {
    let mut stage = stage(&[("one", Policy::Transient)]).await;
    stage.child(0).cell.expect("runs").kill();
    assert_eq!(stage.next().await, Seen::Started("one"));
    let child = stage.until(0, "running").await;
    assert_eq!(child.last_error.as_deref(), Some("killed"));
    stage.tell(0, PuppetMsg::Stop);
    assert_eq!(stage.next().await, Seen::Stopped("one"));
    let child = stage.until(0, "ended").await;
    assert_eq!((child.restarts, child.last_error), (1, None));
}

#[tokio::test(start_paused = true)]
async fn a_child_that_is_killed_while_it_waits_for_messages_has_failed() {
    let mut stage = stage(&[("one", Policy::Transient)]).await;
    // The clock is paused: time goes by when everybody waits.
    tokio::time::sleep(Duration::from_millis(1)).await;
    stage.child(0).cell.expect("runs").kill();
    assert_eq!(stage.next().await, Seen::Started("one"));
    assert_eq!(
        (stage.roll.falls().failed, stage.roll.falls().restarted),
        (1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_temporary_child_does_not_come_back() {
    let stage = stage(&[("one", Policy::Temporary)]).await;
    stage.tell(0, PuppetMsg::Panic);
    let child = stage.until(0, "ended").await;
    assert_eq!(child.last_error.as_deref(), Some("as told"));
}

#[tokio::test(start_paused = true)]
async fn too_many_restarts_take_the_whole_branch_up_to_the_next_supervisor() {
    let (tell, mut seen) = unbounded_channel();
    let roll = Roll::default();
    let specs = vec![
        puppet("one", Policy::Permanent, &tell, &roll),
        puppet("two", Policy::Permanent, &tell, &roll),
    ];
    let mut branch = SupervisorArgs::new("branch", roll.clone(), specs);
    branch.intensity = Intensity {
        restarts: 1,
        within: Duration::from_secs(60),
    };
    let top = SupervisorArgs::new("top", roll.clone(), vec![branch.into_spec()]);
    let (top, _) = Actor::spawn(None, Supervisor, top).await.expect("starts");
    let named = |id| match roll.get(id).map(|status| status.children()) {
        Some(Children::Named(children)) => children,
        _ => panic!("a list"),
    };
    let branch = || named(top.get_id())[0].clone();
    let mut expect = async |expected: &[Seen]| {
        for one in expected {
            assert_eq!(seen.recv().await.as_ref(), Some(one));
        }
    };
    expect(&[Seen::Started("one"), Seen::Started("two")]).await;
    let kill = |at: usize| {
        named(branch().cell.expect("runs").get_id())[at]
            .cell
            .clone()
            .expect("runs")
            .kill()
    };
    kill(0);
    expect(&[Seen::Started("one")]).await;
    while named(branch().cell.expect("runs").get_id())[0]
        .cell
        .is_none()
    {
        tokio::task::yield_now().await;
    }
    kill(0);
    // The second one is more than the branch bears: it stops what is left and starts anew.
    expect(&[
        Seen::Stopped("two"),
        Seen::Started("one"),
        Seen::Started("two"),
    ])
    .await;
    while branch().state != "running" {
        tokio::task::yield_now().await;
    }
    assert_eq!(branch().restarts, 1);
    assert!(
        branch()
            .last_error
            .is_some_and(|why| why.contains("too many restarts, the last of one: killed"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_child_that_cannot_start_again_is_tried_with_longer_waits() {
    let tries = Arc::new(AtomicUsize::new(0));
    let (tell, mut seen) = unbounded_channel();
    let roll = Roll::default();
    let good = puppet("one", Policy::Permanent, &tell, &roll);
    let counted = tries.clone();
    let spec = ChildSpec::new("one", move |parent| {
        let good = good.clone();
        let nth = counted.fetch_add(1, Ordering::SeqCst);
        async move {
            if (1..4).contains(&nth) {
                return Err("the port is taken".into());
            }
            (good.start)(parent).await
        }
    });
    let args = SupervisorArgs::new("top", roll.clone(), vec![spec]);
    let (top, _) = Actor::spawn(None, Supervisor, args).await.expect("starts");
    assert_eq!(seen.recv().await, Some(Seen::Started("one")));
    tokio::time::advance(Duration::from_secs(3600)).await;
    let Some(Children::Named(children)) = roll.get(top.get_id()).map(|status| status.children())
    else {
        panic!("a list")
    };
    let begin = Instant::now();
    children[0].cell.clone().expect("runs").kill();
    assert_eq!(seen.recv().await, Some(Seen::Started("one")));
    // At least half of 100 + 200 + 400 + 800 ms.
    assert!(
        begin.elapsed() >= Duration::from_millis(750),
        "after {:?}",
        begin.elapsed()
    );
    assert_eq!(tries.load(Ordering::SeqCst), 5);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_fails_at_first_stops_what_has_started() {
    let (tell, mut seen) = unbounded_channel();
    let roll = Roll::default();
    let bad = ChildSpec::new("two", |_| async { Err("no such folder".into()) });
    let args = SupervisorArgs::new(
        "top",
        roll.clone(),
        vec![puppet("one", Policy::Permanent, &tell, &roll), bad],
    );
    let error = match Actor::spawn(None, Supervisor, args).await {
        Ok(_) => panic!("it must not start"),
        Err(error) => error.to_string(),
    };
    assert!(error.contains("two: no such folder"), "{error}");
    assert_eq!(seen.recv().await, Some(Seen::Started("one")));
    assert_eq!(seen.recv().await, Some(Seen::Stopped("one")));
}
