//! Waiting to the microsecond: the runtime's own timers know milliseconds only, and that would be seen
//! in the latencies of an open loop.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::unix::AsyncFd;

/// One timer of the system for all who wait.
#[derive(Debug)]
pub(crate) struct Clock {
    timer: AsyncFd<OwnedFd>,
    waiting: RefCell<BinaryHeap<Reverse<Waiting>>>,
    /// What the timer is set to.
    set: Cell<Option<Instant>>,
    count: Cell<u64>,
}

#[derive(Debug)]
struct Waiting {
    until: Instant,
    /// Of two with the same time, who came first goes first.
    number: u64,
    waker: Waker,
}

impl Clock {
    /// A clock whose hands [`run`](Self::run) moves.
    ///
    /// # Errors
    /// The system has no timer for us.
    pub(crate) fn new() -> io::Result<Rc<Clock>> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        // What it is warned of is a type that gives another descriptor each time, or closes it: an
        // `OwnedFd` does neither. What is to replace it is unsafe, which this workspace forbids.
        #[allow(deprecated)]
        let timer = AsyncFd::new(timer)?;
        Ok(Rc::new(Clock {
            timer,
            waiting: RefCell::default(),
            set: Cell::default(),
            count: Cell::default(),
        }))
    }

    /// Wakes whoever waits, for ever.
    ///
    /// # Errors
    /// The timer is broken.
    pub(crate) async fn run(&self) -> io::Result<()> {
        loop {
            let mut ready = self.timer.readable().await?;
            ready.clear_ready();
            match rustix::io::read(&self.timer, &mut [0; 8]) {
                Ok(_) | Err(rustix::io::Errno::AGAIN) => {}
                Err(error) => return Err(error.into()),
            }
            self.set.set(None);
            let now = Instant::now();
            let mut waiting = self.waiting.borrow_mut();
            while waiting
                .peek()
                .is_some_and(|Reverse(next)| next.until <= now)
            {
                if let Some(Reverse(next)) = waiting.pop() {
                    next.waker.wake();
                }
            }
            if let Some(Reverse(next)) = waiting.peek() {
                self.set(next.until);
            }
        }
    }

    /// Waits until then. Dropped before, it wakes its task once for nothing.
    pub(crate) fn until(&self, until: Instant) -> impl Future<Output = ()> + '_ {
        let mut waits = false;
        std::future::poll_fn(move |cx| {
            if Instant::now() >= until {
                return Poll::Ready(());
            }
            if !waits {
                waits = true;
                let number = self.count.get();
                self.count.set(number + 1);
                self.waiting.borrow_mut().push(Reverse(Waiting {
                    until,
                    number,
                    waker: cx.waker().clone(),
                }));
                if self.set.get().is_none_or(|set| until < set) {
                    self.set(until);
                }
            }
            Poll::Pending
        })
    }

    fn set(&self, until: Instant) {
        let left = until.saturating_duration_since(Instant::now());
        // Zero would stop it.
        let left = left.max(Duration::from_nanos(1));
        let spec = Itimerspec {
            it_interval: Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            },
            it_value: Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            },
        };
        // The times are valid, and so is the timer: there is nothing that could be refused.
        if timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &spec).is_ok() {
            self.set.set(Some(until));
        }
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.until, self.number).cmp(&(other.until, other.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_is_next_and_of_two_who_came_first() {
        let began = Instant::now();
        let mut waiting = BinaryHeap::new();
        for (number, millis) in [20, 0, 10, 5, 10].into_iter().enumerate() {
            waiting.push(Reverse(Waiting {
                until: began + Duration::from_millis(millis),
                number: number as u64,
                waker: Waker::noop().clone(),
            }));
        }
        let next = std::iter::from_fn(|| waiting.pop()).map(|Reverse(next)| next.number);
        assert_eq!(next.collect::<Vec<_>>(), [1, 3, 2, 4, 0]);
    }

    /// On a busy machine all of these times may have passed before anybody waits: who wakes whom is
    /// not told here.
    #[tokio::test]
    async fn everybody_is_woken_and_never_too_early() {
        let clock = Clock::new().expect("a clock");
        let began = Instant::now();
        let woken = Cell::new(0);
        let wait = async |millis: u64| {
            let until = began + Duration::from_millis(millis);
            clock.until(until).await;
            assert!(Instant::now() >= until);
            woken.set(woken.get() + 1);
        };
        // One that is dropped before its time changes nothing.
        let dropped = clock.until(began + Duration::from_millis(1));
        tokio::select! {
            ended = clock.run() => panic!("{ended:?}"),
            () = async { tokio::join!(wait(20), wait(0), wait(10), wait(5), wait(10), async { drop(dropped) }); } => {}
        }
        assert_eq!(woken.get(), 5);
    }
}
