//! Actors that are stuck are named, those that work are not.

mod stall;

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use actors::vitals::{RollEntry, Status, Vitals};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use ractor_cluster_derive::RactorMessage;

use super::*;
use crate::supervisor::{ChildSpec, Supervisor, SupervisorArgs};

const SETTINGS: WatchdogSettings = WatchdogSettings {
    every: Duration::from_secs(1),
    stuck: 5,
    kill: None,
    grows: 3,
    long: 4,
    abort: None,
};

/// What is written into the log while it is the subscriber of this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn during(&self, run: impl FnOnce()) -> String {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || log.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, run);
        let bytes = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        String::from_utf8(bytes).expect("text")
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Holds a thread until it is let go.
#[derive(Default)]
struct Gate(Mutex<bool>, Condvar);

impl Gate {
    fn pass(&self) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while !*open {
            open = self.1.wait(open).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn open(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.1.notify_all();
    }
}

/// An actor of the tests.
struct Worker;

#[derive(RactorMessage)]
enum Work {
    /// Waits for something that never comes.
    AwaitForEver,
    /// Blocks its thread until the gate is opened.
    Block(Arc<Gate>),
    /// Is done at once.
    Nothing,
}

struct Working {
    vitals: Arc<Vitals>,
    _on_the_roll: RollEntry,
}

impl Actor for Worker {
    type Msg = Work;
    type State = Working;
    type Arguments = (Roll, Arc<Vitals>);

    async fn pre_start(
        &self,
        myself: ActorRef<Work>,
        (roll, vitals): (Roll, Arc<Vitals>),
    ) -> Result<Working, ActorProcessingErr> {
        Ok(Working {
            _on_the_roll: roll.enter(myself.get_id(), vitals.clone()),
            vitals,
        })
    }

    async fn handle(
        &self,
        _: ActorRef<Work>,
        work: Work,
        state: &mut Working,
    ) -> Result<(), ActorProcessingErr> {
        match work {
            Work::AwaitForEver => std::future::pending().await,
            Work::Block(gate) => gate.pass(),
            Work::Nothing => {}
        }
        state.vitals.count_handled();
        Ok(())
    }
}

async fn worker(roll: &Roll, name: &str) -> (ActorRef<Work>, Arc<Vitals>) {
    let vitals = Arc::new(Vitals::new("worker", name));
    let (actor, _) = Actor::spawn(None, Worker, (roll.clone(), vitals.clone()))
        .await
        .expect("it starts");
    (actor, vitals)
}

fn tell((actor, vitals): &(ActorRef<Work>, Arc<Vitals>), work: Work) {
    vitals.count_sent();
    actor.cast(work).expect("it lives");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn actors_that_wait_for_ever_or_block_are_both_named() {
    let roll = Roll::default();
    let waits = worker(&roll, "waits").await;
    let blocks = worker(&roll, "blocks").await;
    let works = worker(&roll, "works").await;
    let gate = Arc::new(Gate::default());
    tell(&waits, Work::AwaitForEver);
    tell(&blocks, Work::Block(gate.clone()));

    let (log, mut watch) = (Log::default(), Watch::new(roll.clone(), SETTINGS));
    let mut said = String::new();
    for _ in 0..SETTINGS.stuck {
        said += &log.during(|| watch.look());
        // One that works is in the middle of something at each look, and gets on with it.
        works.1.count_sent();
        let handled = works.1.handled();
        works.0.cast(Work::Nothing).expect("it lives");
        while works.1.handled() == handled {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(said, "");
    assert!(roll.troubles().is_empty());

    said = log.during(|| watch.look());
    for name in ["waits", "blocks"] {
        assert!(
            said.lines()
                .any(|line| line.contains("actor_stuck") && line.contains(&format!("actor={name}"))),
            "{name}: {said}"
        );
    }
    assert_eq!(said.lines().count(), 2, "{said}");
    let stuck = Some(Trouble::Stuck(Duration::from_secs(5)));
    assert_eq!(roll.trouble(waits.0.get_id()), stuck);
    assert_eq!(roll.trouble(blocks.0.get_id()), stuck);
    assert_eq!(roll.trouble(works.0.get_id()), None);

    // Once is enough, however long it lasts.
    assert_eq!(log.during(|| watch.look()), "");
    assert_eq!(
        roll.trouble(waits.0.get_id()),
        Some(Trouble::Stuck(Duration::from_secs(6)))
    );

    // Who goes on is out of trouble, and so is who is killed: at an await that can be done.
    gate.open();
    waits.0.kill();
    while blocks.1.handled() == 0 || roll.get(waits.0.get_id()).is_some() {
        tokio::task::yield_now().await;
    }
    said = log.during(|| watch.look());
    assert_eq!(said.matches("actor_out_of_trouble").count(), 2, "{said}");
    assert!(roll.troubles().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stays_stuck_is_killed_and_started_again_if_that_is_wanted() {
    let roll = Roll::default();
    let (started, mut starts) = tokio::sync::mpsc::unbounded_channel();
    let on = roll.clone();
    let child = ChildSpec::new("worker", move |supervisor| {
        let (roll, started) = (on.clone(), started.clone());
        async move {
            let vitals = Arc::new(Vitals::new("worker", "worker"));
            let args = (roll, vitals.clone());
            let (actor, _) = Actor::spawn_linked(None, Worker, args, supervisor).await?;
            let cell = actor.get_cell();
            // The test has ended.
            let _ = started.send((actor, vitals));
            Ok(cell)
        }
    });
    let args = SupervisorArgs::new("boss", roll.clone(), vec![child]);
    let (boss, _) = Actor::spawn(None, Supervisor, args)
        .await
        .expect("it starts");
    let first = starts.recv().await.expect("a worker");
    tell(&first, Work::AwaitForEver);

    let settings = WatchdogSettings {
        kill: Some(7),
        ..SETTINGS
    };
    let (log, mut watch) = (Log::default(), Watch::new(roll.clone(), settings));
    let mut said = String::new();
    // The first look only sees that it has something in hand.
    for _ in 0..7 {
        said += &log.during(|| watch.look());
    }
    assert!(
        said.contains("actor_stuck") && !said.contains("actor_killed"),
        "{said}"
    );
    assert!(roll.get(first.0.get_id()).is_some(), "it lives");
    said = log.during(|| watch.look());
    assert!(
        said.contains("actor_killed") && said.contains("actor=worker"),
        "{said}"
    );

    let second = starts.recv().await.expect("it is started again");
    assert_ne!(first.0.get_id(), second.0.get_id());
    while roll.get(first.0.get_id()).is_some() {
        tokio::task::yield_now().await;
    }
    assert_eq!((roll.falls().failed, roll.falls().restarted), (1, 1));
    // The new one works, and nobody blames it.
    tell(&second, Work::Nothing);
    while second.1.handled() == 0 {
        tokio::task::yield_now().await;
    }
    said = log.during(|| watch.look());
    assert!(said.contains("actor_out_of_trouble"), "{said}");
    assert!(roll.troubles().is_empty());
    boss.stop(None);
}

#[tokio::test]
async fn a_supervisor_that_is_stuck_is_named_and_its_children_live() {
    let roll = Roll::default();
    // A child whose start takes for ever holds its supervisor up.
    let (first, second) = (roll.clone(), Arc::new(AtomicBool::new(false)));
    let (held, works) = (second.clone(), Arc::new(Vitals::new("worker", "works")));
    let (vitals, (told, mut hangs)) = (works.clone(), tokio::sync::mpsc::unbounded_channel());
    let good = ChildSpec::new("works", move |supervisor| {
        let args = (first.clone(), vitals.clone());
        async move {
            let (actor, _) = Actor::spawn_linked(None, Worker, args, supervisor).await?;
            Ok(actor.get_cell())
        }
    });
    let again = roll.clone();
    let bad = ChildSpec::new("hangs", move |supervisor| {
        let vitals = Arc::new(Vitals::new("worker", "hangs"));
        let (args, told) = ((again.clone(), vitals), told.clone());
        let later = held.swap(true, Ordering::Relaxed);
        async move {
            if later {
                // The test has ended.
                let _ = told.send(None);
                std::future::pending::<()>().await;
            }
            let (actor, _) = Actor::spawn_linked(None, Worker, args, supervisor).await?;
            let cell = actor.get_cell();
            let _ = told.send(Some(actor));
            Ok(cell)
        }
    });
    let args = SupervisorArgs::new("boss", roll.clone(), vec![good, bad]);
    let (boss, _) = Actor::spawn(None, Supervisor, args)
        .await
        .expect("it starts");
    let hung = hangs.recv().await.flatten().expect("it starts once");
    hung.kill();
    assert!(hangs.recv().await.is_some_and(|actor| actor.is_none()));

    let settings = WatchdogSettings {
        kill: Some(5),
        ..SETTINGS
    };
    let (log, mut watch) = (Log::default(), Watch::new(roll.clone(), settings));
    let mut said = String::new();
    for _ in 0..8 {
        said += &log.during(|| watch.look());
    }
    assert!(
        said.contains("actor_stuck") && said.contains("actor=boss"),
        "{said}"
    );
    assert!(!said.contains("actor_killed"), "{said}");
    assert_eq!(boss.get_status(), ractor::ActorStatus::Running);
    assert!(
        roll.entered().contains_key("worker") && roll.len() == 2,
        "the other child lives"
    );
    boss.kill();
}

#[test]
fn a_mailbox_that_only_grows_is_named() {
    let roll = Roll::default();
    let (behind, bursts) = (ActorId::Local(1), ActorId::Local(2));
    let vitals = [behind, bursts].map(|id| {
        let vitals = Arc::new(Vitals::new("worker", id.to_string()));
        (roll.enter(id, vitals.clone()), vitals)
    });
    let (log, mut watch) = (Log::default(), Watch::new(roll.clone(), SETTINGS));
    let mut said = String::new();
    for look in 0..=SETTINGS.grows {
        assert_eq!(said, "");
        for (_, vitals) in &vitals {
            (0..3).for_each(|_| vitals.count_sent());
            vitals.count_handled();
        }
        // The other one catches up now and then.
        if look % 2 == 1 {
            (0..2).for_each(|_| vitals[1].1.count_handled());
        }
        said = log.during(|| watch.look());
    }
    assert!(said.contains("actor_behind"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    let grows = Some(Trouble::Grows(Duration::from_secs(3)));
    assert_eq!(roll.trouble(behind), grows);
    assert_eq!(roll.trouble(bursts), None);
    // It handles as much as it gets.
    vitals[0].1.count_sent();
    vitals[0].1.count_handled();
    said = log.during(|| watch.look());
    assert!(said.contains("actor_out_of_trouble"), "{said}");
    assert_eq!(roll.trouble(behind), None);
}

#[test]
fn a_process_that_stood_still_blames_nobody() {
    let roll = Roll::default();
    let vitals = Arc::new(Vitals::new("worker", "busy"));
    let _entry = roll.enter(ActorId::Local(1), vitals.clone());
    vitals.count_sent();
    let mut watch = Watch::new(roll.clone(), SETTINGS);
    watch.look();
    // However long the time between two looks was.
    watch.look();
    assert!(roll.troubles().is_empty());
}

#[test]
fn the_thread_names_blocked_actors_when_no_thread_is_left_to_run_them() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .expect("a runtime");
    let roll = Roll::default();
    let blocks = runtime.block_on(worker(&roll, "blocks"));
    let gate = Arc::new(Gate::default());
    let settings = WatchdogSettings {
        every: Duration::from_millis(5),
        ..SETTINGS
    };
    let watchdog = Watchdog::start(roll.clone(), runtime.handle(), settings).expect("a thread");
    tell(&blocks, Work::Block(gate.clone()));
    let begun = std::time::Instant::now();
    while roll.troubles().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(30), "nobody is named");
        std::thread::yield_now();
    }
    gate.open();
    // It ends in no time.
    drop(watchdog);
}
