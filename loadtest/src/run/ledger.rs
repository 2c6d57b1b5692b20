//! What happened: transactions and their times, and what went wrong.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use crate::crowd::Failures;
use crate::failure::Failure;
use crate::latency::Latencies;
use crate::process::{Seen, Watch};
use crate::report::Report;
use crate::scenario::Phase;

/// The account of a run; everybody writes into it, on one thread.
#[derive(Debug)]
pub(crate) struct Ledger {
    watch: Watch,
    /// Whether what happens now is a figure.
    measured: Cell<bool>,
    transactions: Box<[Transaction]>,
    failures: RefCell<Failures>,
    /// Sessions that failed outside of transactions.
    failed_elsewhere: Cell<u64>,
    logins: Cell<u64>,
    presences: Cell<u64>,
    phases: RefCell<Vec<Played>>,
}

#[derive(Debug)]
struct Transaction {
    name: String,
    times: RefCell<Latencies>,
    /// Those of the last second, for who looks at them; all phases count.
    lately: Option<RefCell<Latencies>>,
    done: Cell<u64>,
    failed: Cell<u64>,
}

/// A phase that was played.
#[derive(Debug)]
struct Played {
    measured: bool,
    before: Seen,
    after: Option<Seen>,
    /// Transactions done in it.
    done: Vec<u64>,
    began: Instant,
    took: Duration,
}

impl Ledger {
    /// An empty one for these transactions; of some (`lately`) the last second is kept apart.
    pub(crate) fn new(watch: Watch, names: &[String], lately: &[&str]) -> Ledger {
        let transaction = |name: &String| Transaction {
            name: name.clone(),
            times: RefCell::new(Latencies::new()),
            lately: lately
                .contains(&name.as_str())
                .then(|| RefCell::new(Latencies::new())),
            done: Cell::default(),
            failed: Cell::default(),
        };
        Ledger {
            watch,
            measured: Cell::default(),
            transactions: names.iter().map(transaction).collect(),
            failures: RefCell::default(),
            failed_elsewhere: Cell::default(),
            logins: Cell::default(),
            presences: Cell::default(),
            phases: RefCell::default(),
        }
    }

    /// A transaction has ended well, after so many nanoseconds.
    pub(crate) fn took(&self, transaction: u16, nanoseconds: u64) {
        let transaction = &self.transactions[usize::from(transaction)];
        transaction.done.set(transaction.done.get() + 1);
        if self.measured.get() {
            transaction.times.borrow_mut().record(nanoseconds);
        }
        if let Some(lately) = &transaction.lately {
            lately.borrow_mut().record(nanoseconds);
        }
    }

    /// A session has failed, in these transactions.
    pub(crate) fn failed(&self, transactions: impl Iterator<Item = u16>, failure: &Failure) {
        let mut any = false;
        for transaction in transactions {
            any = true;
            let failed = &self.transactions[usize::from(transaction)].failed;
            failed.set(failed.get() + 1);
        }
        if !any {
            self.failed_elsewhere.set(self.failed_elsewhere.get() + 1);
        }
        self.failures.borrow_mut().count(failure);
    }

    /// Something that should not have happened, so many times.
    pub(crate) fn problem(&self, what: &str, times: u64) {
        self.failures.borrow_mut().add(what, times);
    }

    /// Somebody is online.
    pub(crate) fn logged_in(&self) {
        self.logins.set(self.logins.get() + 1);
    }

    /// Somebody was told of so many presences of others.
    pub(crate) fn told(&self, presences: u64) {
        self.presences.set(self.presences.get() + presences);
    }

    /// Transactions and sessions so far: done, and failed.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let done = self.transactions.iter().map(|t| t.done.get()).sum();
        let failed: u64 = self.transactions.iter().map(|t| t.failed.get()).sum();
        (done, failed + self.failed_elsewhere.get())
    }

    /// The times of the last second of a transaction, which begin anew.
    pub(crate) fn lately(&self, name: &str) -> Option<Latencies> {
        let found = self.transactions.iter().find(|t| t.name == name)?;
        Some(found.lately.as_ref()?.replace(Latencies::new()))
    }

    /// A phase begins.
    ///
    /// # Errors
    /// The server's process is gone.
    pub(crate) fn begin(&self, phase: &Phase) -> Result<(), Failure> {
        let seen = self.watch.look()?;
        self.measured.set(phase.measured);
        self.phases.borrow_mut().push(Played {
            measured: phase.measured,
            before: seen,
            after: None,
            done: self.transactions.iter().map(|t| t.done.get()).collect(),
            began: Instant::now(),
            took: Duration::ZERO,
        });
        Ok(())
    }

    /// The phase that began last ends.
    ///
    /// # Errors
    /// The server's process is gone.
    pub(crate) fn end(&self) -> Result<(), Failure> {
        self.measured.set(false);
        let seen = self.watch.look()?;
        if let Some(played) = self.phases.borrow_mut().last_mut() {
            played.after = Some(seen);
            played.took = played.began.elapsed();
            for (done, transaction) in played.done.iter_mut().zip(&self.transactions) {
                *done = transaction.done.get() - *done;
            }
        }
        Ok(())
    }

    /// Writes it all down.
    pub(crate) fn report(&self, most_there: u32, report: &mut Report) {
        let phases = self.phases.borrow();
        let measured: Vec<(&Played, &Seen)> = phases
            .iter()
            .filter(|phase| phase.measured)
            .filter_map(|phase| Some((phase, phase.after.as_ref()?)))
            .collect();
        report
            .count("sessions", most_there.into())
            .count("logins", self.logins.get());
        if self.presences.get() > 0 {
            report.count("presences", self.presences.get());
        }
        for (number, transaction) in self.transactions.iter().enumerate() {
            if transaction.done.get() + transaction.failed.get() == 0 {
                continue;
            }
            let times = transaction.times.borrow();
            let with: Vec<_> = measured
                .iter()
                .filter(|(phase, _)| phase.done[number] > 0)
                .collect();
            let seconds: f64 = with.iter().map(|(phase, _)| phase.took.as_secs_f64()).sum();
            let done: u64 = with.iter().map(|(phase, _)| phase.done[number]).sum();
            // What it cost is known only where nothing else was done.
            let alone = with
                .iter()
                .all(|(phase, _)| phase.done.iter().filter(|done| **done > 0).count() == 1);
            let cpu = with
                .iter()
                .map(|(phase, after)| after.cpu_since(&phase.before))
                .sum::<Option<Duration>>();
            let name = &transaction.name;
            report.count(format!("{name}_count"), times.count());
            if times.count() > 0 {
                report
                    .figure(format!("{name}_rate"), done as f64 / seconds, "/s")
                    .time(format!("{name}_p50"), times.quantile(0.5))
                    .time(format!("{name}_p90"), times.quantile(0.9))
                    .time(format!("{name}_p99"), times.quantile(0.99))
                    .time(format!("{name}_p99.9"), times.quantile(0.999))
                    .time(format!("{name}_p99.99"), times.quantile(0.9999))
                    .time(format!("{name}_longest"), times.max())
                    .cost(format!("cpu_per_{name}"), cpu.filter(|_| alone), done);
            }
            report.count(format!("{name}_failed"), transaction.failed.get());
        }
        if let (Some(first), Some((_, last))) = (phases.first(), measured.last()) {
            report
                .memory(&first.before, last)
                .memory_each(&first.before, last, most_there.into());
        }
        if let (Some((first, _)), Some((_, last))) = (measured.first(), measured.last()) {
            report.disturbances(&first.before, last);
        }
        let nothing = self
            .transactions
            .iter()
            .all(|t| t.times.borrow().count() == 0);
        report.problem("nothing was measured", u64::from(nothing));
        self.failures.borrow().report(report);
    }
}
