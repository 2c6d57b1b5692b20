//! Where everybody writes down what they did.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::recorded::{Kind, Phase, Recorded, Total};
use super::{Counter, Counters, Interval, Passage, Times};
use crate::failure::Failure;
use crate::latency::Latencies;

/// More kinds of failures than this are not told apart: a text may have a number in it.
const KINDS: usize = 64;
/// What the others are called.
const OTHERS: &str = "other failures";

/// What a transaction's time counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Since {
    /// From when it was due, whatever held it up: an open loop. Nobody's waiting is left out.
    Due,
    /// From when it began, which may have been late because of those before it: a closed loop.
    Begun,
}

/// The account of one thread of a run. Writing costs a few nanoseconds and takes no memory.
#[derive(Debug)]
pub(crate) struct Recorder {
    began: Instant,
    transactions: Box<[Transaction]>,
    counters: [Cell<u64>; Counter::ALL.len()],
    sessions: Cell<u64>,
    /// The most of them in this interval.
    most: Cell<u64>,
    errors: RefCell<BTreeMap<String, u64>>,
    book: RefCell<Book>,
}

#[derive(Debug)]
struct Transaction {
    kind: Kind,
    /// Of this interval.
    times: RefCell<Latencies>,
    failed: Cell<u64>,
}

/// What is closed off.
#[derive(Debug, Default)]
struct Book {
    intervals: Vec<Interval>,
    phases: Vec<Played>,
    /// Whether the last phase has not ended.
    in_phase: bool,
    /// The counters at the end of the last interval.
    counters: Counters,
    /// The errors then.
    errors: u64,
    /// Transactions that ended well, and not, until then.
    done: u64,
    failed: u64,
}

#[derive(Debug)]
struct Played {
    name: String,
    measured: bool,
    from: u64,
    to: u64,
    counters: Counters,
    /// Times and failures, by transaction; no times were taken where there is no histogram.
    transactions: Vec<(Option<Latencies>, u64)>,
}

impl Recorder {
    /// An empty one for these transactions, which are known by their place from now on. What happens
    /// is told in milliseconds since `began`.
    pub(crate) fn new(
        began: Instant,
        transactions: impl IntoIterator<Item = (String, Since)>,
    ) -> Recorder {
        let transaction = |(name, since)| Transaction {
            kind: Kind { name, since },
            times: RefCell::new(Latencies::new()),
            failed: Cell::default(),
        };
        Recorder {
            began,
            transactions: transactions.into_iter().map(transaction).collect(),
            counters: Default::default(),
            sessions: Cell::default(),
            most: Cell::default(),
            errors: RefCell::default(),
            book: RefCell::default(),
        }
    }

    /// A transaction has ended well, after so many nanoseconds.
    pub(crate) fn took(&self, transaction: u16, nanoseconds: u64) {
        let transaction = &self.transactions[usize::from(transaction)];
        transaction.times.borrow_mut().record(nanoseconds);
    }

    /// So many more of this.
    pub(crate) fn count(&self, counter: Counter, more: u64) {
        let counter = &self.counters[counter as usize];
        counter.set(counter.get() + more);
    }

    /// So many of this, since the run began.
    pub(crate) fn counted(&self, counter: Counter, all: u64) {
        self.counters[counter as usize].set(all);
    }

    /// How many users are there now.
    pub(crate) fn sessions(&self, there: u64) {
        self.sessions.set(there);
        self.most.set(self.most.get().max(there));
    }

    /// A session has failed, in these transactions.
    pub(crate) fn failed(&self, transactions: impl IntoIterator<Item = u16>, failure: &Failure) {
        for transaction in transactions {
            let failed = &self.transactions[usize::from(transaction)].failed;
            failed.set(failed.get() + 1);
        }
        self.problem(&failure.to_string(), 1);
    }

    /// Something that should not have happened, so many times.
    pub(crate) fn problem(&self, what: &str, times: u64) {
        if times == 0 {
            return;
        }
        let mut errors = self.errors.borrow_mut();
        let what = match errors.contains_key(what) || errors.len() < KINDS {
            true => what,
            false => OTHERS,
        };
        *errors.entry(what.to_owned()).or_default() += times;
    }

    /// What was counted so far.
    pub(crate) fn counters(&self) -> Counters {
        Counters::of(|counter| self.counters[counter as usize].get())
    }

    /// Transactions so far: those that ended well, and those that did not.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let book = self.book.borrow();
        let done = |t: &Transaction| t.times.borrow().count();
        let done: u64 = self.transactions.iter().map(done).sum();
        let failed: u64 = self.transactions.iter().map(|t| t.failed.get()).sum();
        (book.done + done, book.failed + failed)
    }

    /// How many intervals are closed off.
    pub(crate) fn intervals(&self) -> usize {
        self.book.borrow().intervals.len()
    }

    /// The intervals that were closed off since there were so many.
    pub(crate) fn closed_off_since(&self, intervals: usize) -> Vec<Interval> {
        let book = self.book.borrow();
        book.intervals.iter().skip(intervals).cloned().collect()
    }

    /// What a transaction took since there were so many intervals, to a 64th; `None` if nobody knows
    /// it.
    pub(crate) fn since(&self, name: &str, intervals: usize) -> Option<Times> {
        let number = self.number(name)?;
        let mut times = Times::default();
        for interval in self.book.borrow().intervals.iter().skip(intervals) {
            times.merge(&interval.transactions[number].times);
        }
        Some(times)
    }

    /// What went wrong so far, by kind.
    pub(crate) fn errors(&self) -> BTreeMap<String, u64> {
        self.errors.borrow().clone()
    }

    /// The names of the transactions, by their numbers.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.transactions.iter().map(|t| t.kind.name.as_str())
    }

    /// The interval that was closed off last.
    pub(crate) fn last(&self) -> Option<Interval> {
        self.book.borrow().intervals.last().cloned()
    }

    /// The phase that is played now, and how long it has been.
    pub(crate) fn phase(&self) -> Option<(String, Duration)> {
        let book = self.book.borrow();
        let phase = book.phases.last().filter(|_| book.in_phase)?;
        let began = Duration::from_millis(phase.from);
        Some((
            phase.name.clone(),
            self.began.elapsed().saturating_sub(began),
        ))
    }

    /// Milliseconds since the run began.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// A phase begins at this time, in milliseconds since the run did (a [`Pulse`](super::Pulse) knows
    /// it); the one before it has ended.
    pub(crate) fn begin(&self, name: &str, measured: bool, now: u64) {
        self.end(now);
        let mut book = self.book.borrow_mut();
        book.in_phase = true;
        book.phases.push(Played {
            name: name.to_owned(),
            measured,
            from: now,
            to: now,
            counters: Counters::default(),
            transactions: self.transactions.iter().map(|_| (None, 0)).collect(),
        });
    }

    /// The phase that is played, if one is, ends at this time.
    pub(crate) fn end(&self, now: u64) {
        self.cut(now);
        self.book.borrow_mut().in_phase = false;
    }

    /// Closes off at this time what came in since the last one.
    pub(crate) fn cut(&self, now: u64) {
        let book = &mut *self.book.borrow_mut();
        let counters = self.counters();
        let errors: u64 = self.errors.borrow().values().sum();
        let phase = book.in_phase.then(|| book.phases.len() - 1);
        let mut interval = Interval {
            from: book.intervals.last().map_or(0, |last| last.to),
            to: now,
            phase,
            sessions: self.most.replace(self.sessions.get()),
            counters: counters.since(&book.counters),
            errors: errors - book.errors,
            transactions: Vec::with_capacity(self.transactions.len()),
        };
        let mut played = phase.map(|phase| &mut book.phases[phase]);
        for (number, transaction) in self.transactions.iter().enumerate() {
            let times = &mut *transaction.times.borrow_mut();
            let failed = transaction.failed.take();
            (book.done, book.failed) = (book.done + times.count(), book.failed + failed);
            if let Some(played) = &mut played {
                let (all, failures) = &mut played.transactions[number];
                *failures += failed;
                if times.count() > 0 {
                    all.get_or_insert_with(Latencies::new).add(times);
                }
            }
            interval.transactions.push(Passage {
                times: match times.count() {
                    0 => Times::default(),
                    _ => Times::rough(times),
                },
                failed,
            });
            // Most seconds have no more than one or two kinds of them.
            if times.count() > 0 {
                times.clear();
            }
        }
        if let Some(played) = played {
            played.counters.add(&interval.counters);
            played.to = now;
        }
        (book.counters, book.errors) = (counters, errors);
        // Where one phase ends and the next begins nothing is in between.
        if interval.to > interval.from || !interval.is_empty() {
            book.intervals.push(interval);
        }
    }

    /// All that was written down. What came since the last interval is closed off first.
    pub(crate) fn finish(&self) -> Recorded {
        self.cut(self.now());
        let book = self.book.borrow();
        let phase = |played: &Played| Phase {
            name: played.name.clone(),
            measured: played.measured,
            from: played.from,
            to: played.to,
            counters: played.counters,
            transactions: played
                .transactions
                .iter()
                .map(|(times, failed)| Total {
                    times: times.as_ref().map(Times::exact).unwrap_or_default(),
                    failed: *failed,
                })
                .collect(),
        };
        Recorded {
            kinds: self.transactions.iter().map(|t| t.kind.clone()).collect(),
            phases: book.phases.iter().map(phase).collect(),
            intervals: book.intervals.clone(),
            errors: self.errors(),
        }
    }

    fn number(&self, name: &str) -> Option<usize> {
        self.names().position(|known| known == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorder() -> Recorder {
        let names = [("login", Since::Due), ("message", Since::Begun)];
        Recorder::new(
            Instant::now(),
            names.map(|(name, since)| (name.to_owned(), since)),
        )
    }

    #[test]
    fn what_happens_is_kept_by_second_and_by_phase() {
        let recorder = recorder();
        recorder.begin("come", false, 0);
        recorder.took(0, 1_000);
        recorder.count(Counter::Logins, 1);
        recorder.sessions(1);
        recorder.cut(1_000);
        recorder.failed([0], &Failure::Closed);
        recorder.begin("chat", true, 1_500);
        for _ in 0..3 {
            recorder.took(1, 2_000);
        }
        recorder.cut(2_500);
        recorder.took(1, 4_000);
        recorder.end(3_000);
        // Between phases.
        recorder.took(1, 9_000);
        recorder.cut(3_500);
        assert_eq!(recorder.counts(), (6, 1));

        let recorded = recorder.finish();
        let shape: Vec<_> = recorded
            .intervals
            .iter()
            .take(5)
            .map(|i| {
                (
                    i.from,
                    i.to,
                    i.phase,
                    i.errors,
                    i.transactions[1].times.count(),
                )
            })
            .collect();
        assert_eq!(
            shape,
            [
                (0, 1_000, Some(0), 0, 0),
                (1_000, 1_500, Some(0), 1, 0),
                (1_500, 2_500, Some(1), 0, 3),
                (2_500, 3_000, Some(1), 0, 1),
                (3_000, 3_500, None, 0, 1),
            ]
        );
        let [come, chat] = &recorded.phases[..] else {
            panic!("{recorded:?}");
        };
        assert_eq!((come.from, come.to, come.measured), (0, 1_500, false));
        assert_eq!((chat.from, chat.to, chat.measured), (1_500, 3_000, true));
        assert_eq!(come.transactions[0].failed, 1);
        assert_eq!(come.counters.get(Counter::Logins), 1);
        assert_eq!(chat.transactions[1].times.count(), 4);
        assert_eq!(
            recorded.errors,
            BTreeMap::from([(Failure::Closed.to_string(), 1)])
        );
    }

    #[test]
    fn what_came_before_is_left_out() {
        let recorder = recorder();
        recorder.took(1, 1_000_000);
        recorder.cut(1_000);
        recorder.took(1, 2_000_000);
        recorder.cut(2_000);
        assert_eq!(recorder.intervals(), 2);
        assert_eq!(recorder.since("message", 0).expect("known").count(), 2);
        assert_eq!(recorder.since("message", 1).expect("known").count(), 1);
        assert_eq!(recorder.since("message", 2).expect("known").count(), 0);
        assert_eq!(recorder.since("massage", 0), None);
    }

    #[test]
    fn kinds_of_failures_are_bounded() {
        let recorder = recorder();
        for number in 0..1_000 {
            recorder.problem(&format!("number {number}"), 1);
        }
        recorder.problem("nothing", 0);
        let errors = recorder.errors();
        assert_eq!(errors.len(), KINDS + 1);
        assert_eq!(errors.values().sum::<u64>(), 1_000);
    }
}
