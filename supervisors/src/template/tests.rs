use tokio::time::Instant;

use super::*;
use crate::supervisor::{Supervisor, SupervisorArgs};

/// A child that takes its time to stop.
struct Slow(Duration);

#[derive(RactorMessage)]
enum SlowMsg {
    Panic,
}

impl Actor for Slow {
    type Msg = SlowMsg;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<SlowMsg>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<SlowMsg>,
        _: SlowMsg,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        panic!("as told")
    }

    async fn post_stop(&self, _: ActorRef<SlowMsg>, (): &mut ()) -> Result<(), ActorProcessingErr> {
        tokio::time::sleep(self.0).await;
        Ok(())
    }
}

async fn start() -> (ActorRef<crate::supervisor::SupervisorMsg>, Seat, Roll) {
    let (seat, roll) = (Seat::default(), Roll::default());
    let spec = TemplateArgs {
        name: "0".into(),
        seat: seat.clone(),
        patience: Duration::from_secs(5),
        roll: roll.clone(),
    }
    .into_spec();
    let top = SupervisorArgs::new("top", roll.clone(), vec![spec]);
    let (top, _) = Actor::spawn(None, Supervisor, top).await.expect("starts");
    seated(&seat).await;
    (top, seat, roll)
}

async fn seated(seat: &Seat) -> ActorCell {
    loop {
        if let Some(cell) = seat.current() {
            return cell;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn child(under: ActorCell, stops_in: u64) -> ActorCell {
    let slow = Slow(Duration::from_secs(stops_in));
    Actor::spawn_linked(None, slow, (), under)
        .await
        .expect("starts")
        .0
        .get_cell()
}

#[tokio::test(start_paused = true)]
async fn a_child_that_falls_is_counted_and_nobody_else_notices() {
    let (_top, seat, roll) = start().await;
    let template = seated(&seat).await;
    let (one, two) = (
        child(template.clone(), 0).await,
        child(template.clone(), 0).await,
    );
    one.send_message(SlowMsg::Panic).expect("it listens");
    one.wait(None).await.expect("it falls");
    let status = roll.get(template.get_id()).expect("on the roll");
    while status.last_error().is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        status.figures(),
        [("children", 1), ("started", 2), ("failed", 1)]
    );
    assert_eq!(status.last_error().as_deref(), Some("as told"));
    assert_eq!(two.get_status(), ractor::ActorStatus::Running);
    // The clock is paused: when this is over, the other one waits for messages.
    tokio::time::sleep(Duration::from_millis(1)).await;
    two.kill();
    two.wait(None).await.expect("it is killed");
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(
        status.figures(),
        [("children", 0), ("started", 2), ("failed", 2)]
    );
    assert_eq!(roll.falls().failed, 2);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_killed_takes_its_children_along_and_another_one_takes_the_seat() {
    let (_top, seat, _roll) = start().await;
    let template = seated(&seat).await;
    let one = child(template.clone(), 0).await;
    template.kill();
    one.wait(None).await.expect("it goes too");
    template.wait(None).await.expect("killed");
    assert!(seat.current().is_none(), "nobody is there meanwhile");
    let next = seated(&seat).await;
    assert_ne!(next.get_id(), template.get_id());
    child(next, 0).await;
}

#[tokio::test(start_paused = true)]
async fn stopping_waits_for_the_children_but_not_for_ever() {
    let (top, seat, _roll) = start().await;
    let template = seated(&seat).await;
    let (quick, endless) = (
        child(template.clone(), 2).await,
        child(template.clone(), 10_000).await,
    );
    let begin = Instant::now();
    top.stop(None);
    quick.wait(None).await.expect("stops");
    assert_eq!(begin.elapsed(), Duration::from_secs(2));
    endless.wait(None).await.expect("is killed");
    top.wait(None).await.expect("stops");
    assert_eq!(begin.elapsed(), Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn many_children_are_stopped_at_a_pace() {
    let (top, seat, _roll) = start().await;
    let template = seated(&seat).await;
    for _ in 0..500 {
        child(template.clone(), 0).await;
    }
    let begin = Instant::now();
    top.stop(None);
    top.wait(None).await.expect("stops");
    assert_eq!(begin.elapsed(), Duration::from_millis(90));
}
