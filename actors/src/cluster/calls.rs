//! Whom to call, and when: every address that was found and isn't linked, ever more slowly while
//! it does not answer.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

/// The wait after the first call in vain; it doubles from then on.
const FIRST: Duration = Duration::from_millis(250);
/// No wait is longer: a node that comes back is linked this soon.
const LONGEST: Duration = Duration::from_secs(8);

/// What is known of the addresses.
#[derive(Debug, Default)]
pub(super) struct Calls(BTreeMap<SocketAddr, Line>);

#[derive(Debug)]
struct Line {
    /// Who was there the last time.
    who: Who,
    /// A call is under way.
    busy: bool,
    /// In vain so often, one after the other.
    failures: u32,
    /// Not before.
    next: Instant,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Who {
    /// Nobody has answered yet.
    Unknown,
    /// We have.
    Ourselves,
    /// This node.
    Node(Arc<str>),
}

impl Calls {
    /// The addresses that are to be called now, and when to ask again. Every one of them is to be
    /// followed by [`met`](Self::met) or [`failed`](Self::failed).
    pub(super) fn due(
        &mut self,
        now: Instant,
        candidates: &BTreeSet<SocketAddr>,
        is_linked: impl Fn(&str) -> bool,
    ) -> (Vec<SocketAddr>, Option<Instant>) {
        self.0
            .retain(|address, line| line.busy || candidates.contains(address));
        let (mut due, mut next) = (Vec::new(), None);
        for address in candidates {
            let line = self.0.entry(*address).or_insert(Line {
                who: Who::Unknown,
                busy: false,
                failures: 0,
                next: now,
            });
            let needless = match &line.who {
                Who::Unknown => false,
                Who::Ourselves => true,
                Who::Node(name) => is_linked(name),
            };
            if line.busy || needless {
                continue;
            }
            if line.next <= now {
                line.busy = true;
                due.push(*address);
            } else {
                next = Some(next.map_or(line.next, |next: Instant| next.min(line.next)));
            }
        }
        (due, next)
    }

    /// Somebody has answered there. A connection that is not kept, since there is another one or
    /// it broke, is no reason to call again at once.
    pub(super) fn met(&mut self, address: SocketAddr, who: Who, now: Instant) {
        if let Some(line) = self.0.get_mut(&address) {
            *line = Line {
                who,
                busy: false,
                failures: 0,
                next: now + FIRST,
            };
        }
    }

    /// Nobody has answered there, or it came to nothing. Says whether that is news.
    pub(super) fn failed(&mut self, address: SocketAddr, now: Instant) -> bool {
        let Some(line) = self.0.get_mut(&address) else {
            return false;
        };
        line.busy = false;
        let wait = FIRST
            .saturating_mul(1 << line.failures.min(10))
            .min(LONGEST);
        let news = line.failures == 0;
        line.failures = line.failures.saturating_add(1);
        line.next = now + wait;
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(ports: &[u16]) -> BTreeSet<SocketAddr> {
        ports.iter().map(|port| at(*port)).collect()
    }

    fn at(port: u16) -> SocketAddr {
        ([127, 0, 0, 1], port).into()
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_answer_is_called_ever_more_slowly() {
        let mut calls = Calls::default();
        let start = Instant::now();
        let mut at_millis = Vec::new();
        let mut now = start;
        for _ in 0..9 {
            let (due, _) = calls.due(now, &addresses(&[1]), |_| false);
            assert_eq!(due, [at(1)]);
            at_millis.push((now - start).as_millis());
            assert_eq!(
                calls.due(now, &addresses(&[1]), |_| false).0,
                [],
                "one at a time"
            );
            calls.failed(at(1), now);
            let (due, next) = calls.due(now, &addresses(&[1]), |_| false);
            assert_eq!(due, []);
            now = next.expect("it is tried again");
        }
        assert_eq!(
            at_millis,
            [0, 250, 750, 1_750, 3_750, 7_750, 15_750, 23_750, 31_750]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_linked_is_not_called_until_the_link_is_down() {
        let mut calls = Calls::default();
        let (now, both) = (Instant::now(), addresses(&[1, 2]));
        assert_eq!(calls.due(now, &both, |_| false).0, [at(1), at(2)]);
        calls.met(at(1), Who::Ourselves, now);
        calls.met(at(2), Who::Node("b".into()), now);
        assert_eq!(calls.due(now, &both, |name| name == "b"), (vec![], None));
        // The connection was not kept, or broke at once.
        assert_eq!(
            calls.due(now, &both, |_| false),
            (vec![], Some(now + FIRST))
        );
        assert_eq!(
            calls.due(now + FIRST, &both, |_| false).0,
            [at(2)],
            "never ourselves"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_is_found_again_starts_anew() {
        let mut calls = Calls::default();
        let now = Instant::now();
        calls.due(now, &addresses(&[1]), |_| false);
        calls.met(at(1), Who::Ourselves, now);
        assert_eq!(calls.due(now, &addresses(&[]), |_| false).0, []);
        assert_eq!(calls.due(now, &addresses(&[1]), |_| false).0, [at(1)]);
    }
}
