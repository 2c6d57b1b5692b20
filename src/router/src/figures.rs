//! What the router counts: stanzas, and how long their way takes.
//!
//! Counting is part of the way of every stanza, so it costs next to nothing: each thread counts
//! in a place of its own and nobody waits for anybody. Times are measured for one stanza in
//! [`SAMPLED`]. Whoever wants a figure adds the places up.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use xmpp::{IqType, Kind, MessageType, PresenceType};

/// One in so many has its times measured, of what a thread receives and delivers together: an odd
/// number, as the two may take turns.
pub const SAMPLED: u32 = 61;

/// Places to count in; threads share one only when there are more of them than places.
const PLACES: usize = 16;

/// A stanza's kind, as far as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// A message.
    Message,
    /// A presence.
    Presence,
    /// A query or an answer.
    Iq,
    /// An error, of whatever kind.
    Error,
}

impl Counted {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Message, Self::Presence, Self::Iq, Self::Error];

    /// In a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Presence => "presence",
            Self::Iq => "iq",
            Self::Error => "error",
        }
    }
}

impl From<Kind> for Counted {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Message(MessageType::Error)
            | Kind::Presence(PresenceType::Error)
            | Kind::Iq(IqType::Error) => Self::Error,
            Kind::Message(_) => Self::Message,
            Kind::Presence(_) => Self::Presence,
            Kind::Iq(_) => Self::Iq,
        }
    }
}

/// What takes time on the way of a stanza.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timed {
    /// The hooks of the sender fold.
    SenderStanza,
    /// Routing as a whole: look-ups, the account fold, IQ handlers that answer at once, and the
    /// hand-over to the receivers' mailboxes.
    Route,
    /// The hooks of the session fold.
    SessionStanza,
}

/// What a router has counted since it was made.
#[derive(Default)]
pub struct Figures {
    places: [Place; PLACES],
    /// By [`Timed`]. Few of the stanzas come here, so that threads may share them.
    times: [Times; 3],
}

/// Two lines of the cache to a place, as processors fetch them in pairs.
#[derive(Default)]
#[repr(align(128))]
struct Place {
    /// From clients, by [`Counted`].
    received: [AtomicU64; 4],
    /// To clients, by [`Counted`].
    delivered: [AtomicU64; 4],
}

thread_local! {
    /// Where this thread counts, and its turn at being measured.
    static HERE: (usize, Cell<u32>) = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        (NEXT.fetch_add(1, Ordering::Relaxed) % PLACES, Cell::new(0))
    };
}

impl Figures {
    /// Stanzas that clients have sent.
    #[must_use]
    pub fn received(&self, kind: Counted) -> u64 {
        self.sum(|place| &place.received[kind as usize])
    }

    /// Stanzas that were written for clients.
    #[must_use]
    pub fn delivered(&self, kind: Counted) -> u64 {
        self.sum(|place| &place.delivered[kind as usize])
    }

    /// How long it took, for one stanza in [`SAMPLED`].
    #[must_use]
    pub fn times(&self, what: Timed) -> &Times {
        &self.times[what as usize]
    }

    fn sum(&self, of: impl Fn(&Place) -> &AtomicU64) -> u64 {
        self.places
            .iter()
            .map(|place| of(place).load(Ordering::Relaxed))
            .sum()
    }

    #[inline]
    pub(crate) fn receive(&self, kind: Kind) {
        let place = HERE.with(|(at, _)| *at);
        self.places[place].received[Counted::from(kind) as usize].fetch_add(1, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn deliver(&self, kind: Kind) {
        let place = HERE.with(|(at, _)| *at);
        self.places[place].delivered[Counted::from(kind) as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Does `what`, and measures it when it is its turn.
    #[inline]
    pub(crate) fn time<R>(&self, what: Timed, measured: bool, run: impl FnOnce() -> R) -> R {
        if !measured {
            return run();
        }
        let begun = Instant::now();
        let done = run();
        self.times[what as usize].add(begun.elapsed());
        done
    }
}

/// Whether it is this stanza's turn to be measured.
#[inline]
pub(crate) fn turn() -> bool {
    HERE.with(|(_, turn)| {
        let next = turn.get().wrapping_add(1);
        turn.set(next);
        next.is_multiple_of(SAMPLED)
    })
}

/// A histogram of times.
#[derive(Default)]
pub struct Times {
    buckets: [AtomicU64; Times::BOUNDS.len() + 1],
    nanos: AtomicU64,
}

impl Times {
    /// The upper bounds of all buckets but the last, which has none; nanoseconds.
    pub const BOUNDS: [u64; 10] = [
        250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000, 1_000_000, 10_000_000,
    ];

    fn add(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let at = Self::BOUNDS.partition_point(|bound| *bound < nanos);
        self.buckets[at].fetch_add(1, Ordering::Relaxed);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    /// How many were measured, by bucket.
    #[must_use]
    pub fn counts(&self) -> [u64; Times::BOUNDS.len() + 1] {
        self.buckets.each_ref().map(|n| n.load(Ordering::Relaxed))
    }

    /// How long they took together.
    #[must_use]
    pub fn sum(&self) -> Duration {
        Duration::from_nanos(self.nanos.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_many_threads_count_adds_up() {
        let figures = Figures::default();
        std::thread::scope(|scope| {
            for _ in 0..PLACES + 3 {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        figures.receive(Kind::Message(MessageType::Chat));
                        figures.deliver(Kind::Iq(IqType::Error));
                    }
                });
            }
        });
        let all = 1_000 * (PLACES as u64 + 3);
        assert_eq!(figures.received(Counted::Message), all);
        assert_eq!(figures.delivered(Counted::Error), all);
        assert_eq!(figures.delivered(Counted::Iq), 0);
    }

    #[test]
    fn one_in_so_many_is_measured() {
        let measured = (0..SAMPLED * 10).filter(|_| turn()).count();
        assert_eq!(measured, 10);
    }

    #[test]
    fn a_time_is_in_the_first_bucket_that_holds_it() {
        let times = Times::default();
        times.add(Duration::from_nanos(250));
        times.add(Duration::from_nanos(251));
        times.add(Duration::from_secs(1));
        let counts = times.counts();
        assert_eq!((counts[0], counts[1], counts[10]), (1, 1, 1));
        assert_eq!(times.sum(), Duration::from_nanos(1_000_000_501));
    }

    /// Run by hand: `cargo test --release -p router -- --ignored --nocapture figures`.
    #[test]
    #[ignore = "it measures"]
    fn what_counting_costs() {
        let figures = Figures::default();
        let begun = Instant::now();
        let stanzas: u32 = 10_000_000;
        for _ in 0..stanzas {
            let kind = std::hint::black_box(Kind::Message(MessageType::Chat));
            let measured = turn();
            figures.receive(kind);
            figures.time(Timed::SenderStanza, measured, || std::hint::black_box(()));
            figures.time(Timed::Route, measured, || std::hint::black_box(()));
            let measured = turn();
            figures.time(Timed::SessionStanza, measured, || std::hint::black_box(()));
            figures.deliver(kind);
        }
        let each = begun.elapsed() / stanzas;
        let mut said = std::io::stderr();
        let _ = writeln!(said, "{each:?} for a stanza, received and delivered");
        assert!(each < Duration::from_micros(1), "{each:?}");
    }
}
