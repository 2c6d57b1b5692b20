//! Group commit: order, batches, kills, a store that is away.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use store::{Apply, Pending, StoreError, StoreErrorKind, Writer};
use tokio::sync::{oneshot, watch};

/// A store that keeps what it is given and does as it is told.
#[derive(Default)]
struct Shelf {
    batches: Mutex<Vec<Vec<u32>>>,
    /// What the next calls answer; `Ok` when there is nothing left.
    answers: Mutex<Vec<StoreErrorKind>>,
    /// Writes that are refused for good.
    refused: Vec<u32>,
    /// While it is set, what was applied does not return.
    stuck: Option<watch::Sender<bool>>,
}

impl Apply<u32> for Shelf {
    fn apply<'a>(&'a self, batch: &'a [u32]) -> Pending<'a, ()> {
        Box::pin(async move {
            if let Some(kind) = self.answers.lock().unwrap().pop() {
                return Err(StoreError::new(kind, "as told"));
            }
            if batch.iter().any(|write| self.refused.contains(write)) {
                return Err(StoreError::new(StoreErrorKind::Damaged, "refused"));
            }
            self.batches.lock().unwrap().push(batch.to_vec());
            if let Some(stuck) = &self.stuck {
                let _ = stuck.subscribe().wait_for(|stuck| !stuck).await;
            }
            Ok(())
        })
    }
}

impl Shelf {
    fn kept(&self) -> Vec<u32> {
        self.batches.lock().unwrap().concat()
    }
}

fn spawn(writer: &Writer<u32>, shelf: &Arc<Shelf>) -> tokio::task::JoinHandle<()> {
    let (writer, shelf) = (writer.clone(), shelf.clone());
    tokio::spawn(async move {
        writer.run(std::future::pending(), &*shelf).await;
    })
}

#[tokio::test]
async fn what_waits_is_written_in_order_and_in_one_batch() {
    let (writer, shelf) = (Writer::new(100), Arc::new(Shelf::default()));
    let tickets: Vec<_> = (0..10).map(|n| writer.push(n).unwrap()).collect();
    let barrier = writer.barrier();
    let task = spawn(&writer, &shelf);
    for ticket in tickets {
        ticket.await.unwrap();
    }
    barrier.await.unwrap();
    assert_eq!(
        *shelf.batches.lock().unwrap(),
        [(0..10).collect::<Vec<_>>()]
    );
    writer.push(10).unwrap().await.unwrap();
    assert_eq!(shelf.kept(), (0..11).collect::<Vec<_>>());
    task.abort();
}

#[tokio::test]
async fn a_full_queue_says_so_and_takes_in_again() {
    let (writer, shelf) = (Writer::new(2), Arc::new(Shelf::default()));
    let first = writer.push(1).unwrap();
    writer.push(2).unwrap().forget();
    assert_eq!(writer.push(3).unwrap_err().kind, StoreErrorKind::Busy);
    let task = spawn(&writer, &shelf);
    first.await.unwrap();
    writer.push(4).unwrap().await.unwrap();
    assert_eq!(shelf.kept(), [1, 2, 4]);
    task.abort();
}

#[tokio::test]
async fn a_writer_killed_with_a_batch_in_hand_loses_nothing() {
    let writer = Writer::new(10_000);
    let slow = Arc::new(Shelf {
        stuck: Some(watch::Sender::new(true)),
        ..Shelf::default()
    });
    let mut tickets: Vec<_> = (0..1000).map(|n| writer.push(n).unwrap()).collect();
    let killed = spawn(&writer, &slow);
    while slow.kept().is_empty() {
        tokio::task::yield_now().await;
    }
    killed.abort();
    let _ = killed.await;
    tickets.push(writer.push(1000).unwrap());
    assert_eq!(writer.waiting(), 1001);

    let next = Arc::new(Shelf::default());
    let task = spawn(&writer, &next);
    for ticket in tickets {
        ticket.await.unwrap();
    }
    assert_eq!(next.kept(), (0..1001).collect::<Vec<_>>());
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_tried_again() {
    let writer = Writer::new(10);
    let shelf = Arc::new(Shelf {
        answers: Mutex::new(vec![StoreErrorKind::Unavailable; 3]),
        ..Shelf::default()
    });
    let ticket = writer.push(1).unwrap();
    let before = tokio::time::Instant::now();
    let task = spawn(&writer, &shelf);
    ticket.await.unwrap();
    assert_eq!(before.elapsed(), Duration::from_millis(50 + 100 + 200));
    assert_eq!(shelf.kept(), [1]);
    task.abort();
}

#[tokio::test]
async fn of_a_batch_that_is_refused_only_the_wrong_write_fails() {
    let writer = Writer::new(10);
    let shelf = Arc::new(Shelf {
        refused: vec![2],
        ..Shelf::default()
    });
    let tickets: Vec<_> = (1..4).map(|n| writer.push(n).unwrap()).collect();
    let task = spawn(&writer, &shelf);
    let mut said = Vec::new();
    for ticket in tickets {
        said.push(ticket.await.map_err(|error| error.kind));
    }
    assert_eq!(said, [Ok(()), Err(StoreErrorKind::Damaged), Ok(())]);
    assert_eq!(shelf.kept(), [1, 3]);
    task.abort();
}

#[tokio::test]
async fn stopping_writes_what_waits_first() {
    let (writer, shelf) = (Writer::new(10), Arc::new(Shelf::default()));
    let ticket = writer.push(1).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    drop(stop);
    writer.run(async { drop(stopped.await) }, &*shelf).await;
    ticket.await.unwrap();
    assert_eq!(shelf.kept(), [1]);
}

#[tokio::test]
async fn a_ticket_whose_queue_is_gone_fails() {
    let writer: Writer<u32> = Writer::new(10);
    let ticket = writer.push(1).unwrap();
    drop(writer);
    assert_eq!(ticket.await.unwrap_err().kind, StoreErrorKind::Unavailable);
}

#[tokio::test]
async fn who_waits_for_all_waits_for_what_is_in_hand_and_not_for_nothing() {
    let (stuck, _) = watch::channel(true);
    let shelf = Arc::new(Shelf {
        stuck: Some(stuck.clone()),
        ..Shelf::default()
    });
    let writer = Writer::new(100);
    // Nothing waits, and nobody writes: there is nothing to wait for.
    writer.barrier().await.unwrap();

    let ticket = writer.push(1).unwrap();
    let task = spawn(&writer, &shelf);
    while writer.waiting() > 0 || shelf.kept().is_empty() {
        tokio::task::yield_now().await;
    }
    let mut barrier = writer.barrier();
    let early = says(&mut barrier).await;
    assert!(early.is_none(), "the write is in hand still");
    // Killed with it in hand: the next one does it again, and then nothing is left.
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert!(says(&mut barrier).await.is_none());
    stuck.send_replace(false);
    let task = spawn(&writer, &shelf);
    ticket.await.unwrap();
    barrier.await.unwrap();
    writer.barrier().await.unwrap();
    assert_eq!(shelf.kept(), [1, 1]);
    task.abort();
}

/// What a ticket says now, if it says anything.
async fn says(ticket: &mut store::Ticket) -> Option<Result<(), StoreError>> {
    tokio::select! {
        biased;
        done = ticket => Some(done),
        () = std::future::ready(()) => None,
    }
}
