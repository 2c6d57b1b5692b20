//! What is only counted.

use serde::{Deserialize, Serialize};

/// Something that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counter {
    /// Messages written to the server.
    Sent,
    /// Messages that came from it.
    Received,
    /// Presences that came from it.
    Presences,
    /// Users who came online.
    Logins,
    /// Bytes written to sockets, before TLS.
    BytesOut,
    /// Bytes read from sockets, after TLS.
    BytesIn,
    /// Messages that should have come and did not.
    Lost,
    /// Messages that came again, or out of order.
    Doubled,
    /// Messages that came back as errors.
    Bounced,
    /// Messages that were on their way to somebody who went: nobody knows whether they came.
    Undecided,
}

impl Counter {
    /// All of them, in the order of their numbers.
    pub(crate) const ALL: [Counter; 10] = [
        Counter::Sent,
        Counter::Received,
        Counter::Presences,
        Counter::Logins,
        Counter::BytesOut,
        Counter::BytesIn,
        Counter::Lost,
        Counter::Doubled,
        Counter::Bounced,
        Counter::Undecided,
    ];

    /// Its name in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Counter::Sent => "messages_sent",
            Counter::Received => "messages_received",
            Counter::Presences => "presences",
            Counter::Logins => "logins",
            Counter::BytesOut => "bytes_out",
            Counter::BytesIn => "bytes_in",
            Counter::Lost => "lost",
            Counter::Doubled => "doubled",
            Counter::Bounced => "messages_bounced",
            Counter::Undecided => "on_their_way_to_who_went",
        }
    }
}

/// A number for each counter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counters([u64; Counter::ALL.len()]);

impl Counters {
    /// Made of what `number` says of each.
    pub(crate) fn of(number: impl Fn(Counter) -> u64) -> Counters {
        Counters(Counter::ALL.map(number))
    }

    /// The number of this one.
    pub(crate) fn get(&self, counter: Counter) -> u64 {
        self.0[counter as usize]
    }

    /// Adds those of another.
    pub(crate) fn add(&mut self, other: &Counters) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }

    /// What came since `before`.
    pub(crate) fn since(&self, before: &Counters) -> Counters {
        Counters::of(|counter| self.get(counter).saturating_sub(before.get(counter)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_counter_has_its_own_number_and_name() {
        for (number, counter) in Counter::ALL.into_iter().enumerate() {
            assert_eq!(counter as usize, number);
            let others = Counter::ALL.into_iter().filter(|other| *other != counter);
            assert!(
                others
                    .into_iter()
                    .all(|other| other.name() != counter.name())
            );
        }
        let mut counters = Counters::of(|counter| counter as u64);
        let before = counters;
        counters.add(&Counters::of(|_| 7));
        assert_eq!(counters.get(Counter::Lost), 13);
        assert_eq!(counters.since(&before), Counters::of(|_| 7));
    }
}
