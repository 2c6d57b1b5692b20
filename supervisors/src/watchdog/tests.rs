//! Actors that are stuck are named, those that work are not.

use std::io::Write;
use std::sync::{Condvar, Mutex, PoisonError};

use actors::vitals::{RollEntry, Status, Vitals};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use ractor_cluster_derive::RactorMessage;

use super::*;

const SETTINGS: WatchdogSettings = WatchdogSettings {
    every: Duration::from_secs(1),
    stuck: 5,
    grows: 3,
    long: 4,
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
