//! Messages that are written one by one: each has a number and the time at which it was due in its
//! `id`, and is looked for until it has come.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt::Write;

use bytes::BytesMut;

/// What is under way.
#[derive(Debug, Default)]
pub(crate) struct Post {
    written: Cell<u64>,
    /// Who is to get a message, by its number.
    under_way: RefCell<HashMap<u64, u32>>,
    doubled: Cell<u64>,
    undecided: Cell<u64>,
    /// Loops that end with this phase, or with one before, write no more.
    draining: Cell<Option<usize>>,
}

/// A message that came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// It was due at this time, in nanoseconds.
    First(u64),
    /// It has come before, or was never written.
    Again,
    /// It was written to somebody who was away.
    Later,
}

impl Post {
    /// Writes a message's `id`: one that is due at `now`, to `to` if they are there.
    pub(crate) fn write(&self, to: Option<u32>, due: u64, out: &mut BytesMut) {
        let number = self.written.get();
        self.written.set(number + 1);
        let kind = match to {
            Some(to) => {
                self.under_way.borrow_mut().insert(number, to);
                'm'
            }
            None => 'o',
        };
        // A buffer that grows takes all that is written to it.
        let _ = write!(out, "{kind}{number}-{due}");
    }

    /// Takes note of the `id` of a message that came; `None` if it is none of these.
    pub(crate) fn came(&self, id: &str) -> Option<Came> {
        let (kind, rest) = id.split_at_checked(1)?;
        let (number, due) = rest.split_once('-')?;
        let (number, due): (u64, u64) = (number.parse().ok()?, due.parse().ok()?);
        match kind {
            "m" if self.under_way.borrow_mut().remove(&number).is_some() => Some(Came::First(due)),
            "m" => {
                self.doubled.set(self.doubled.get() + 1);
                Some(Came::Again)
            }
            "o" => Some(Came::Later),
            _ => None,
        }
    }

    /// A message came back to who wrote it.
    pub(crate) fn bounced(&self, id: &str) {
        let number = id.strip_prefix('m').and_then(|rest| rest.split_once('-'));
        if let Some(number) = number.and_then(|(number, _)| number.parse().ok()) {
            self.under_way.borrow_mut().remove(&number);
        }
    }

    /// Somebody goes: whether what is on its way to them gets there nobody knows.
    pub(crate) fn gone(&self, number: u32) {
        let mut under_way = self.under_way.borrow_mut();
        let before = under_way.len();
        if before > 0 {
            under_way.retain(|_, to| *to != number);
            let gone = (before - under_way.len()) as u64;
            self.undecided.set(self.undecided.get() + gone);
        }
    }

    /// Lets no loop write any more that ends with this phase. What was written is behind this number.
    pub(crate) fn drain(&self, phase: usize) -> u64 {
        self.draining.set(Some(phase));
        self.written.get()
    }

    /// Whether a loop that ends with this phase may write no more.
    pub(crate) fn is_draining(&self, until: usize) -> bool {
        self.draining.get().is_some_and(|phase| until <= phase)
    }

    /// Whether all has come that was written before this number.
    pub(crate) fn has_come(&self, before: u64) -> bool {
        self.under_way
            .borrow()
            .keys()
            .all(|number| *number >= before)
    }

    /// How many were written and have not come.
    pub(crate) fn missing(&self) -> u64 {
        self.under_way.borrow().len() as u64
    }

    /// How many came again.
    pub(crate) fn doubled(&self) -> u64 {
        self.doubled.get()
    }

    /// How many were on their way to somebody who went.
    pub(crate) fn undecided(&self) -> u64 {
        self.undecided.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_lost_doubled_and_late() {
        let post = Post::default();
        let ids: Vec<String> = [Some(1), Some(2), None, Some(2), Some(3)]
            .into_iter()
            .map(|to| {
                let mut out = BytesMut::new();
                post.write(to, 70, &mut out);
                String::from_utf8_lossy(&out).into_owned()
            })
            .collect();
        assert_eq!(ids[0], "m0-70");
        assert_eq!(post.missing(), 4);
        assert_eq!(post.came(&ids[0]), Some(Came::First(70)));
        assert_eq!(post.came(&ids[0]), Some(Came::Again));
        assert_eq!(post.came(&ids[2]), Some(Came::Later));
        for other in ["", "m", "0-70", "mx-1", "é1-2", "m1"] {
            assert_eq!(post.came(other), None, "{other}");
        }
        post.gone(2);
        post.bounced(&ids[4]);
        assert_eq!(
            (post.missing(), post.doubled(), post.undecided()),
            (0, 1, 2)
        );
    }
}
