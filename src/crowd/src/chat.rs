//! Some of a crowd chat in an open loop: a message is due at its time, whatever became of those before.

use std::fmt::Write;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::accounts::localpart;
use crate::client::RESOURCE;

/// The longest that is told apart; what takes longer counts as this.
const LONGEST: u64 = 60_000_000_000;

/// Who chats, how much, for how long.
#[derive(Debug, Clone, Copy)]
pub struct ChatPlan {
    /// Clients that write to each other in pairs, spread evenly over the crowd; an odd one is silent.
    pub writers: u32,
    /// Messages a second, all writers together.
    pub per_second: u32,
    /// Bytes of a body.
    pub bytes: usize,
    /// How long messages are due.
    pub lasts: Duration,
}

/// How a chat went.
#[derive(Debug)]
pub struct Chatted {
    /// Messages that were written.
    pub sent: u64,
    /// Messages that did not come.
    pub lost: u64,
    /// Messages that came more than once.
    pub twice: u64,
    /// From when the first was due to when the last came.
    pub took: Duration,
    /// Processor time of the crowd itself meanwhile.
    pub own_cpu: Duration,
    /// Nanoseconds from when a message was due until it came, to three digits.
    pub latency: Histogram<u64>,
}

/// A chat under way.
pub(crate) struct Chat {
    plan: ChatPlan,
    /// How many clients there are from one writer to the next.
    apart: u32,
    start: Instant,
    total: u64,
    next: u64,
    /// Which have come, a bit each.
    came: Vec<u64>,
    arrived: u64,
    twice: u64,
    latency: Histogram<u64>,
    body: String,
}

impl Chat {
    /// Begins a chat among so many clients.
    pub(crate) fn new(plan: ChatPlan, clients: u32, start: Instant) -> Chat {
        let writers = plan.writers.min(clients) & !1;
        let plan = ChatPlan { writers, ..plan };
        let millis = u64::try_from(plan.lasts.as_millis()).unwrap_or(u64::MAX);
        let total = match writers {
            0 => 0,
            _ => millis.saturating_mul(plan.per_second.into()) / 1000,
        };
        Chat {
            apart: clients / writers.max(1),
            start,
            total,
            next: 0,
            came: vec![0; usize::try_from(total.div_ceil(64)).unwrap_or(0)],
            arrived: 0,
            twice: 0,
            latency: Histogram::new_with_bounds(1, LONGEST, 3)
                .expect("bounds that hdrhistogram takes"),
            body: "x".repeat(plan.bytes),
            plan,
        }
    }

    /// When a message is due.
    fn due(&self, number: u64) -> Instant {
        self.start + Duration::from_nanos(number * 1_000_000_000 / u64::from(self.plan.per_second))
    }

    /// When the next one is due; `None` when there is none.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        (self.next < self.total).then(|| self.due(self.next))
    }

    /// Whether all have come.
    pub(crate) fn is_over(&self) -> bool {
        self.next == self.total && self.arrived == self.total
    }

    /// The next message and the client that writes it.
    pub(crate) fn write(&mut self, domain: &str, out: &mut String) -> u32 {
        let number = self.next;
        self.next += 1;
        let pair_member = u32::try_from(number % u64::from(self.plan.writers)).unwrap_or(0);
        let partner = localpart((pair_member ^ 1) * self.apart);
        // Writing to a String does not fail.
        let _ = write!(
            out,
            "<message to='{partner}@{domain}/{RESOURCE}' type='chat' id='{number}'><body>{}</body></message>",
            self.body
        );
        pair_member * self.apart
    }

    /// A message of that id has come.
    pub(crate) fn came(&mut self, id: &str, now: Instant) {
        let Some(number) = id.parse::<u64>().ok().filter(|number| *number < self.next) else {
            return;
        };
        let (word, bit) = ((number / 64) as usize, 1 << (number % 64));
        if self.came[word] & bit != 0 {
            self.twice += 1;
            return;
        }
        self.came[word] |= bit;
        self.arrived += 1;
        let waited = now.saturating_duration_since(self.due(number)).as_nanos();
        self.latency
            .saturating_record(u64::try_from(waited).unwrap_or(u64::MAX).max(1));
    }

    /// How it went, when nothing more comes.
    pub(crate) fn end(self, now: Instant, own_cpu: Duration) -> Chatted {
        Chatted {
            sent: self.next,
            lost: self.next - self.arrived,
            twice: self.twice,
            took: now - self.start,
            own_cpu,
            latency: self.latency,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(clients: u32) -> Chat {
        let plan = ChatPlan {
            writers: 5,
            per_second: 100,
            bytes: 2,
            lasts: Duration::from_millis(50),
        };
        Chat::new(plan, clients, Instant::now())
    }

    #[test]
    fn pairs_are_spread_over_the_crowd_and_take_turns() {
        let mut chat = chat(41);
        let mut said = Vec::new();
        while chat.next_due().is_some() {
            let mut out = String::new();
            let writer = chat.write("a.lit", &mut out);
            said.push((
                writer,
                out.split('\'').nth(1).unwrap_or_default().to_owned(),
            ));
        }
        let expected = [(0, 10), (10, 0), (20, 30), (30, 20), (0, 10)]
            .map(|(from, to)| (from, format!("c{to}@a.lit/crowd")));
        assert_eq!(said, expected);
    }

    #[test]
    fn losses_doubles_and_lateness_are_found() {
        let mut chat = chat(4);
        let mut out = String::new();
        while chat.next_due().is_some() {
            chat.write("a.lit", &mut out);
        }
        assert!(out.contains("id='4'><body>xx</body>"), "{out}");
        // Message 2 was due 20 ms behind the first.
        let late = chat.start + Duration::from_millis(25);
        for id in ["0", "1", "2", "2", "5", "roster"] {
            chat.came(id, late);
        }
        assert!(!chat.is_over());
        let chatted = chat.end(late, Duration::ZERO);
        assert_eq!((chatted.sent, chatted.lost, chatted.twice), (5, 2, 1));
        let millis = |quantile| (chatted.latency.value_at_quantile(quantile) + 500_000) / 1_000_000;
        assert_eq!((millis(0.01), millis(1.0)), (5, 25));
    }

    #[test]
    fn a_crowd_of_one_does_not_chat() {
        let chat = chat(1);
        assert!(chat.is_over() && chat.next_due().is_none());
    }
}
