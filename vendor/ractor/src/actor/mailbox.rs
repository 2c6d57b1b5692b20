//! The queue behind an actor's port: unbounded, many senders, one receiver, and no memory of its own
//! while nothing waits in it.
//!
//! tokio's channel takes a block of 32 slots when it is made and keeps a second one once it has been
//! used. An actor has two such channels; for crowds of actors that seldom get a message those blocks
//! are most of what they weigh.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

use tokio::sync::mpsc::error::SendError;
use tokio::sync::mpsc::error::TryRecvError;

/// Slots that an empty queue keeps for the next burst.
const KEPT: usize = 16;

/// The sending end. There is one, in the properties that all references to the actor share.
pub(crate) struct InputPort<T>(Arc<Mutex<Queue<T>>>);

/// The receiving end: the actor's own.
pub(crate) struct InputPortReceiver<T> {
    queue: Arc<Mutex<Queue<T>>>,
    /// What was taken out of the queue at one go and is received one by one: the lock is taken once for
    /// all that came meanwhile.
    taken: VecDeque<T>,
}

struct Queue<T> {
    waiting: VecDeque<T>,
    /// The receiver's, while it waits.
    waker: Option<Waker>,
    /// One of the two ends is gone.
    closed: bool,
}

/// A new queue.
pub(crate) fn input_port<T>() -> (InputPort<T>, InputPortReceiver<T>) {
    let queue = Arc::new(Mutex::new(Queue {
        waiting: VecDeque::new(),
        waker: None,
        closed: false,
    }));
    (
        InputPort(queue.clone()),
        InputPortReceiver {
            queue,
            taken: VecDeque::new(),
        },
    )
}

/// Nothing that runs under the lock can panic: a poisoned one is as good as any.
fn lock<T>(queue: &Mutex<Queue<T>>) -> MutexGuard<'_, Queue<T>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> InputPort<T> {
    /// Puts something behind all that waits. Fails, with what was sent, when the receiver closed the queue.
    pub(crate) fn send(&self, item: T) -> Result<(), SendError<T>> {
        let waker = {
            let mut queue = lock(&self.0);
            if queue.closed {
                return Err(SendError(item));
            }
            queue.waiting.push_back(item);
            queue.waker.take()
        };
        // Outside the lock: the one that is woken wants it next.
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }
}

impl<T> Drop for InputPort<T> {
    fn drop(&mut self) {
        let waker = {
            let mut queue = lock(&self.0);
            queue.closed = true;
            queue.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> InputPortReceiver<T> {
    /// The next one; nothing when the queue is closed and empty. Safe to be dropped while it waits.
    pub(crate) async fn recv(&mut self) -> Option<T> {
        poll_fn(|context| self.poll_recv(context)).await
    }

    fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<T>> {
        // As with tokio's channels, a task that always finds more gives way to others now and then.
        #[cfg(feature = "tokio_runtime")]
        let turn = std::task::ready!(tokio::task::coop::poll_proceed(context));
        let polled = self.poll_next(context);
        #[cfg(feature = "tokio_runtime")]
        if polled.is_ready() {
            turn.made_progress();
        }
        polled
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<T>> {
        if let Some(item) = self.taken.pop_front() {
            return Poll::Ready(Some(item));
        }
        let mut queue = lock(&self.queue);
        if queue.waiting.is_empty() {
            if queue.closed {
                return Poll::Ready(None);
            }
            if queue.waiting.capacity() > KEPT {
                queue.waiting = VecDeque::new();
            }
            self.taken = VecDeque::new();
            match &queue.waker {
                Some(waker) if waker.will_wake(context.waker()) => {}
                _ => queue.waker = Some(context.waker().clone()),
            }
            return Poll::Pending;
        }
        std::mem::swap(&mut self.taken, &mut queue.waiting);
        drop(queue);
        Poll::Ready(self.taken.pop_front())
    }

    /// The next one, if there is one.
    pub(crate) fn try_recv(&mut self) -> Result<T, TryRecvError> {
        if let Some(item) = self.taken.pop_front() {
            return Ok(item);
        }
        let mut queue = lock(&self.queue);
        std::mem::swap(&mut self.taken, &mut queue.waiting);
        match self.taken.pop_front() {
            Some(item) => Ok(item),
            None if queue.closed => Err(TryRecvError::Disconnected),
            None => Err(TryRecvError::Empty),
        }
    }

    /// Takes nothing more. What waits can still be received.
    pub(crate) fn close(&mut self) {
        lock(&self.queue).closed = true;
    }
}

impl<T> Drop for InputPortReceiver<T> {
    fn drop(&mut self) {
        let left = {
            let mut queue = lock(&self.queue);
            queue.closed = true;
            queue.waker = None;
            std::mem::take(&mut queue.waiting)
        };
        // Outside the lock: what is dropped may send.
        drop(left);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn poll<T>(port: &mut InputPortReceiver<T>, count: &Arc<Count>) -> Poll<Option<T>> {
        port.poll_next(&mut Context::from_waker(&count.clone().into()))
    }

    #[test]
    fn what_is_sent_is_received_in_order() {
        let (sender, mut receiver) = input_port();
        let count = Arc::new(Count::default());
        sender.send(1).unwrap();
        sender.send(2).unwrap();
        assert_eq!(poll(&mut receiver, &count), Poll::Ready(Some(1)));
        sender.send(3).unwrap();
        assert_eq!(poll(&mut receiver, &count), Poll::Ready(Some(2)));
        assert_eq!(poll(&mut receiver, &count), Poll::Ready(Some(3)));
        assert_eq!(poll(&mut receiver, &count), Poll::Pending);
    }

    #[test]
    fn a_receiver_that_waits_is_woken_once() {
        let (sender, mut receiver) = input_port();
        let count = Arc::new(Count::default());
        assert_eq!(poll(&mut receiver, &count), Poll::Pending);
        assert_eq!(poll(&mut receiver, &count), Poll::Pending);
        sender.send(1).unwrap();
        sender.send(2).unwrap();
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        assert_eq!(poll(&mut receiver, &count), Poll::Ready(Some(1)));
    }

    #[test]
    fn without_a_sender_the_rest_is_received_and_then_nothing() {
        let (sender, mut receiver) = input_port();
        let count = Arc::new(Count::default());
        assert_eq!(poll(&mut receiver, &count), Poll::Pending);
        sender.send(1).unwrap();
        drop(sender);
        assert_eq!(poll(&mut receiver, &count), Poll::Ready(Some(1)));
        assert_eq!(poll(&mut receiver, &count), Poll::Ready(None));
    }

    #[test]
    fn the_last_senders_going_wakes_who_waits() {
        let (sender, mut receiver) = input_port::<u8>();
        let count = Arc::new(Count::default());
        assert_eq!(poll(&mut receiver, &count), Poll::Pending);
        drop(sender);
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        assert_eq!(poll(&mut receiver, &count), Poll::Ready(None));
    }

    #[test]
    fn a_closed_queue_gives_back_what_is_sent_and_keeps_what_it_had() {
        let (sender, mut receiver) = input_port();
        sender.send(1).unwrap();
        receiver.close();
        assert_eq!(sender.send(2).unwrap_err().0, 2);
        assert_eq!(receiver.try_recv(), Ok(1));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
    }

    #[test]
    fn what_nobody_received_is_dropped_with_the_receiver() {
        let (sender, receiver) = input_port();
        let item = Arc::new(());
        sender.send(item.clone()).unwrap();
        drop(receiver);
        assert_eq!(Arc::strong_count(&item), 1);
        assert!(sender.send(item).is_err());
    }

    #[test]
    fn an_empty_queue_gives_memory_back() {
        let (sender, mut receiver) = input_port();
        let count = Arc::new(Count::default());
        assert_eq!(lock(&receiver.queue).waiting.capacity(), 0);
        for number in 0..1_000 {
            sender.send(number).unwrap();
        }
        while poll(&mut receiver, &count).is_ready() {}
        assert!(lock(&receiver.queue).waiting.capacity() <= KEPT);
        assert_eq!(receiver.taken.capacity(), 0);
    }

    #[crate::concurrency::test]
    async fn a_receiver_that_always_finds_more_gives_way() {
        let (sender, mut receiver) = input_port();
        for number in 0..10_000 {
            sender.send(number).unwrap();
        }
        let others = crate::concurrency::spawn(async {});
        for _ in 0..10_000 {
            receiver.recv().await.unwrap();
            if others.is_finished() {
                return;
            }
        }
        panic!("nobody else ran");
    }

    #[crate::concurrency::test]
    async fn many_senders_lose_nothing() {
        let (sender, mut receiver) = input_port();
        let sender = Arc::new(sender);
        for first in 0..4_u64 {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for number in 0..10_000 {
                    sender.send((first, number)).unwrap();
                }
            });
        }
        drop(sender);
        let mut next = [0_u64; 4];
        while let Some((from, number)) = receiver.recv().await {
            assert_eq!(number, next[from as usize]);
            next[from as usize] += 1;
        }
        assert_eq!(next, [10_000; 4]);
    }
}
