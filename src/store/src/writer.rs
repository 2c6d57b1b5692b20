//! Group commit: what is to be stored waits in memory, in order, and goes to the database in
//! batches.
//!
//! The queue belongs to the handle. Whoever drains it (a supervised actor runs
//! [`Writer::run`]) may be killed at any moment: the batch in its hand goes back to the front,
//! and the next incarnation goes on. A batch may thus be applied twice, so writes are
//! *idempotent*: they say what shall be, not what shall change.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use crate::{Pending, Retry, StoreError, StoreErrorKind};

/// Writes in one transaction at most.
const BATCH: usize = 512;
/// How long a writer waits before it tries a store again that is away: at first, and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// A store that takes writes `W`.
pub trait Apply<W>: Send + Sync {
    /// Applies `batch` in its order, all of it or nothing. To apply it twice is to apply it once.
    ///
    /// # Errors
    /// What the database says; with [`Retry::Later`] the same batch comes again.
    fn apply<'a>(&'a self, batch: &'a [W]) -> Pending<'a, ()>;
}

/// A queue of writes, bounded. Clones are the same queue.
pub struct Writer<W>(Arc<Queue<W>>);

struct Queue<W> {
    waiting: Mutex<Waiting<W>>,
    came: Notify,
    bound: usize,
}

struct Waiting<W> {
    entries: VecDeque<Entry<W>>,
    /// Entries that were taken out and are not resolved yet.
    in_hand: usize,
}

impl<W> Default for Waiting<W> {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
            in_hand: 0,
        }
    }
}

/// A write, or the mark of somebody who waits for those before it.
struct Entry<W> {
    write: Option<W>,
    done: oneshot::Sender<Result<(), StoreError>>,
}

impl<W> Clone for Writer<W> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<W> fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("waiting", &self.waiting())
            .finish()
    }
}

/// Resolves when a write is on disk, or won't ever be.
#[derive(Debug)]
#[must_use = "a write is done when its ticket says so"]
pub struct Ticket(oneshot::Receiver<Result<(), StoreError>>);

impl Ticket {
    /// For writes that nobody waits for: the writer logs what fails.
    pub fn forget(self) {}
}

impl Future for Ticket {
    type Output = Result<(), StoreError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|done| {
            done.unwrap_or_else(|_| {
                Err(StoreError::new(
                    StoreErrorKind::Unavailable,
                    "the writer has ended",
                ))
            })
        })
    }
}

impl<W> Writer<W> {
    /// A queue that takes in at most `bound` writes that are not on disk yet.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        Self(Arc::new(Queue {
            waiting: Mutex::default(),
            came: Notify::new(),
            bound,
        }))
    }

    /// Takes a write in, behind those that were taken in before. Never waits.
    ///
    /// # Errors
    /// `Busy` when the queue is full: the store has been away, or is too slow.
    pub fn push(&self, write: W) -> Result<Ticket, StoreError> {
        self.push_all([], write)
    }

    /// Takes several writes in, `last` behind the others, all of them or none; the ticket is that of
    /// the last.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn push_all(
        &self,
        writes: impl IntoIterator<Item = W>,
        last: W,
    ) -> Result<Ticket, StoreError> {
        let mut waiting = self.0.waiting();
        if waiting.entries.len() >= self.0.bound {
            return Err(StoreError::new(
                StoreErrorKind::Busy,
                "more waits to be written than may",
            ));
        }
        for write in writes {
            // Whoever waits for the last one waits for those before it.
            self.enter(&mut waiting, Some(write)).forget();
        }
        Ok(self.enter(&mut waiting, Some(last)))
    }

    /// Resolves when everything that was taken in until now is on disk or was given up.
    pub fn barrier(&self) -> Ticket {
        let mut waiting = self.0.waiting();
        if waiting.entries.is_empty() && waiting.in_hand == 0 {
            let (done, ticket) = oneshot::channel();
            // The receiver is here.
            let _ = done.send(Ok(()));
            return Ticket(ticket);
        }
        self.enter(&mut waiting, None)
    }

    fn enter(&self, waiting: &mut Waiting<W>, write: Option<W>) -> Ticket {
        let (done, ticket) = oneshot::channel();
        waiting.entries.push_back(Entry { write, done });
        self.0.came.notify_one();
        Ticket(ticket)
    }

    /// Writes that wait, those in hand not among them.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.waiting().entries.len()
    }

    /// Writes what is taken in, batch by batch, until `stop` resolves and the queue is empty.
    /// While the store is away it waits and tries again; when the store refuses a batch, each
    /// write of it is tried alone, so that only the one that is wrong fails. One at a time runs.
    pub async fn run<A>(&self, stop: impl Future<Output = ()>, store: &A)
    where
        A: Apply<W> + ?Sized,
    {
        let mut stop = pin!(stop);
        let mut stopping = false;
        let mut backoff = BACKOFF.0;
        loop {
            let mut hand = self.0.take();
            if hand.done.is_empty() {
                if stopping {
                    return;
                }
                tokio::select! {
                    () = self.0.came.notified() => {}
                    () = &mut stop => stopping = true,
                }
                continue;
            }
            match hand.write(store).await {
                Ok(()) => backoff = BACKOFF.0,
                Err(error) => {
                    tracing::warn!(what = "store_away", error = %error, waiting = self.waiting());
                    drop(hand);
                    if stopping {
                        return;
                    }
                    tokio::select! {
                        () = tokio::time::sleep(backoff) => {}
                        () = &mut stop => stopping = true,
                    }
                    backoff = (backoff * 2).min(BACKOFF.1);
                }
            }
        }
    }
}

impl<W> Queue<W> {
    fn waiting(&self) -> MutexGuard<'_, Waiting<W>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Hand<'_, W> {
        let mut waiting = self.waiting();
        let take = waiting.entries.len().min(BATCH);
        waiting.in_hand += take;
        let mut hand = Hand {
            queue: self,
            writes: Vec::with_capacity(take),
            done: Vec::with_capacity(take),
        };
        for Entry { write, done } in waiting.entries.drain(..take) {
            hand.done.push((write.is_some(), done));
            hand.writes.extend(write);
        }
        hand
    }
}

/// A batch under way. What is not resolved when it is dropped goes back to the front.
struct Hand<'q, W> {
    queue: &'q Queue<W>,
    writes: Vec<W>,
    /// Of each entry whether it has a write, and who waits for it.
    done: Vec<(bool, oneshot::Sender<Result<(), StoreError>>)>,
}

impl<W> Hand<'_, W> {
    /// `Err` when the store is away: nothing of what is left was resolved.
    async fn write<A>(&mut self, store: &A) -> Result<(), StoreError>
    where
        A: Apply<W> + ?Sized,
    {
        if !self.writes.is_empty() {
            match store.apply(&self.writes).await {
                Ok(()) => {}
                Err(error) if error.retry == Retry::Later => return Err(error),
                Err(_) => return self.write_each(store).await,
            }
        }
        self.resolve(self.done.len(), &Ok(()));
        Ok(())
    }

    async fn write_each<A>(&mut self, store: &A) -> Result<(), StoreError>
    where
        A: Apply<W> + ?Sized,
    {
        while let Some((has_write, _)) = self.done.first() {
            let written = match has_write {
                true => store.apply(&self.writes[..1]).await,
                false => Ok(()),
            };
            match written {
                Err(error) if error.retry == Retry::Later => return Err(error),
                Err(error) => {
                    tracing::error!(what = "write_refused", error = %error);
                    self.resolve(1, &Err(error));
                }
                Ok(()) => self.resolve(1, &Ok(())),
            }
        }
        Ok(())
    }

    /// Tells those who wait for the first `count` entries.
    fn resolve(&mut self, count: usize, result: &Result<(), StoreError>) {
        let writes = self.done[..count]
            .iter()
            .filter(|(write, _)| *write)
            .count();
        self.writes.drain(..writes);
        self.queue.waiting().in_hand -= count;
        for (_, done) in self.done.drain(..count) {
            // Many a write is waited for by nobody.
            let _ = done.send(result.clone());
        }
    }
}

impl<W> Drop for Hand<'_, W> {
    fn drop(&mut self) {
        if self.done.is_empty() {
            return;
        }
        let mut waiting = self.queue.waiting();
        waiting.in_hand -= self.done.len();
        for (has_write, done) in self.done.drain(..).rev() {
            let write = if has_write { self.writes.pop() } else { None };
            waiting.entries.push_front(Entry { write, done });
        }
    }
}
