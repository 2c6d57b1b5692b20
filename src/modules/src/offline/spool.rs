//! What is known of an account's waiting messages without reading them.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tokio::sync::MutexGuard;

use super::store::Line;

/// Messages that are read at once at most, and their bytes (one message may be larger).
const BATCH: (usize, usize) = (100, 128 * 1024);

/// How much may wait for one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Messages.
    pub(crate) messages: usize,
    /// Bytes of their stanzas, all together.
    pub(crate) bytes: usize,
}

/// The table of contents of an account's spool, and whose turn it is to empty it.
#[derive(Debug, Default)]
pub(crate) struct Spool {
    state: Mutex<State>,
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<Line>,
    bytes: usize,
    /// The highest number ever given.
    last: i64,
}

impl State {
    /// Forgets lines that are too old. Each message lives as long as the others, so the oldest
    /// ones stand in front.
    fn expire(&mut self, now: i64) {
        while let Some(line) = self.lines.front()
            && line.expires_at.is_some_and(|at| at <= now)
        {
            self.bytes -= line.size;
            self.lines.pop_front();
        }
    }
}

impl Spool {
    /// A spool with these messages, in their order.
    pub(crate) fn new(lines: Vec<Line>) -> Self {
        let state = State {
            bytes: lines.iter().map(|line| line.size).sum(),
            last: lines.last().map_or(i64::MIN, |line| line.id),
            lines: lines.into(),
        };
        Self {
            state: Mutex::new(state),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Makes room for one more message of `size` bytes and hands its line to `write`; what
    /// `write` refuses is not there. `None` when it would be over the `limits`.
    ///
    /// `now` is in milliseconds since 1970, as is `expires_at`.
    pub(crate) fn keep<E>(
        &self,
        size: usize,
        now: i64,
        expires_at: Option<i64>,
        limits: Limits,
        write: impl FnOnce(Line) -> Result<(), E>,
    ) -> Option<Result<(), E>> {
        let mut state = self.state.lock();
        state.expire(now);
        if state.lines.len() >= limits.messages || state.bytes.saturating_add(size) > limits.bytes {
            return None;
        }
        // Microseconds leave room for those of the same millisecond.
        let id = now.saturating_mul(1000).max(state.last.saturating_add(1));
        let line = Line {
            id,
            size,
            expires_at,
        };
        Some(write(line).map(|()| {
            state.last = id;
            state.bytes += size;
            state.lines.push_back(line);
        }))
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self, now: i64) -> bool {
        let mut state = self.state.lock();
        state.expire(now);
        state.lines.is_empty()
    }

    /// How many wait.
    pub(crate) fn len(&self, now: i64) -> usize {
        let mut state = self.state.lock();
        state.expire(now);
        state.lines.len()
    }

    /// The numbers of all, ascending.
    pub(crate) fn ids(&self, now: i64) -> Vec<i64> {
        let mut state = self.state.lock();
        state.expire(now);
        state.lines.iter().map(|line| line.id).collect()
    }

    /// One at a time empties it; who comes next goes on where the one before has stopped.
    pub(crate) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Whether it is nobody's turn.
    pub(crate) fn is_idle(&self) -> bool {
        self.turn.try_lock().is_ok()
    }

    /// The numbers of the first messages, as many as are read at once; `None` when none is left.
    pub(crate) fn first(&self, now: i64) -> Option<Vec<i64>> {
        let mut state = self.state.lock();
        state.expire(now);
        let ids = at_once(state.lines.iter());
        (!ids.is_empty()).then_some(ids)
    }

    /// Those of these numbers that are there, ascending as they are, in lots that are read at once.
    pub(crate) fn batches(&self, ids: &[i64]) -> Vec<Vec<i64>> {
        let state = self.state.lock();
        let there = |line: &&Line| ids.binary_search(&line.id).is_ok();
        let wanted: Vec<&Line> = state.lines.iter().filter(there).collect();
        let mut rest = &wanted[..];
        let mut batches = Vec::new();
        while !rest.is_empty() {
            let batch = at_once(rest.iter().copied());
            rest = &rest[batch.len()..];
            batches.push(batch);
        }
        batches
    }

    /// Strikes messages off, their numbers ascending.
    pub(crate) fn forget(&self, ids: &[i64]) {
        let mut state = self.state.lock();
        let mut bytes = 0;
        state.lines.retain(|line| {
            let gone = ids.binary_search(&line.id).is_ok();
            bytes += if gone { line.size } else { 0 };
            !gone
        });
        state.bytes -= bytes;
    }

    /// Strikes all off.
    pub(crate) fn clear(&self) {
        let mut state = self.state.lock();
        state.lines.clear();
        state.bytes = 0;
    }
}

/// The first of some messages, as many as are read at once.
fn at_once<'a>(lines: impl Iterator<Item = &'a Line>) -> Vec<i64> {
    let mut bytes = 0;
    let fit = lines.take(BATCH.0).take_while(|line| {
        let first = bytes == 0;
        bytes += line.size.max(1);
        first || bytes <= BATCH.1
    });
    fit.map(|line| line.id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        messages: 3,
        bytes: 100,
    };

    fn keep(spool: &Spool, size: usize, now: i64, expires_at: Option<i64>) -> Option<i64> {
        let mut given = None;
        let kept = spool.keep(size, now, expires_at, LIMITS, |line| {
            given = Some(line.id);
            Ok::<(), ()>(())
        });
        assert_eq!(kept.is_some(), given.is_some());
        given
    }

    fn line(id: i64, size: usize) -> Line {
        Line {
            id,
            size,
            expires_at: None,
        }
    }

    #[test]
    fn numbers_ascend_whatever_the_clock_does() {
        let spool = Spool::default();
        assert_eq!(keep(&spool, 1, 5, None), Some(5000));
        assert_eq!(keep(&spool, 1, 5, None), Some(5001));
        assert_eq!(keep(&spool, 1, 2, None), Some(5002));
        let spool = Spool::new(vec![line(9_999, 1)]);
        assert_eq!(keep(&spool, 1, 5, None), Some(10_000));
    }

    #[test]
    fn messages_and_bytes_are_limited() {
        let spool = Spool::new(vec![line(1, 40)]);
        assert_eq!(keep(&spool, 61, 5, None), None);
        assert!(keep(&spool, 60, 5, None).is_some());
        assert_eq!(keep(&spool, 1, 5, None), None);
        spool.forget(&[1, 77]);
        assert!(keep(&spool, 20, 5, None).is_some());
        assert!(keep(&spool, 20, 5, None).is_some());
        assert_eq!(keep(&spool, 0, 5, None), None, "a fourth");
        spool.clear();
        assert!(keep(&spool, 100, 5, None).is_some());
    }

    #[test]
    fn what_was_refused_takes_no_room() {
        let spool = Spool::default();
        let refused = spool.keep(100, 5, None, LIMITS, |_| Err("away"));
        assert_eq!(refused, Some(Err("away")));
        assert!(spool.is_empty(5));
        assert!(keep(&spool, 100, 5, None).is_some());
    }

    #[test]
    fn what_has_expired_makes_room() {
        let spool = Spool::default();
        for _ in 0..3 {
            assert!(keep(&spool, 30, 5, Some(10)).is_some());
        }
        assert_eq!(keep(&spool, 30, 9, Some(14)), None);
        assert!(keep(&spool, 30, 10, Some(15)).is_some());
        assert_eq!(spool.first(14).map(|ids| ids.len()), Some(1));
        assert!(!spool.is_empty(14));
        assert!(spool.is_empty(15));
        assert_eq!(spool.first(15), None);
    }

    #[test]
    fn it_is_read_in_batches() {
        let spool = Spool::new((0..250).map(|id| line(id, 10)).collect());
        for (first, count) in [(0, 100), (100, 100), (200, 50)] {
            let batch = spool.first(0).unwrap();
            assert_eq!((batch[0], batch.len()), (first, count));
            spool.forget(&batch);
        }
        assert_eq!(spool.first(0), None);
    }

    #[test]
    fn large_messages_make_small_batches() {
        let (large, small) = (100 * 1024, 20 * 1024);
        let sizes = [300 * 1024, large, small, small];
        let lines = sizes.iter().zip(1..).map(|(size, id)| line(id, *size));
        let spool = Spool::new(lines.collect());
        for wanted in [vec![1], vec![2, 3], vec![4]] {
            let batch = spool.first(0).unwrap();
            assert_eq!(batch, wanted);
            spool.forget(&batch);
        }
    }
}
