//! Which of the users one worker plays.

use serde::{Deserialize, Serialize};

use crate::scenario::{Contacts, Shape};

/// The users of one worker. They are dealt out like cards, those who belong together (partners, and
/// groups of contacts) as one card, so that the same accounts come however many workers there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Share {
    /// Which worker it is, from 0.
    index: u32,
    /// How many there are.
    workers: u32,
    /// How many users belong together.
    card: u32,
}

impl Default for Share {
    /// All of them.
    fn default() -> Share {
        Share {
            index: 0,
            workers: 1,
            card: 1,
        }
    }
}

impl Share {
    /// That of one of so many workers.
    pub(crate) fn new(index: u32, workers: u32, contacts: &Contacts) -> Share {
        let card = match contacts.shape {
            // The smallest number of users that are whole groups and whole pairs.
            Shape::Group if contacts.size % 2 == 1 => contacts.size * 2,
            Shape::Group => contacts.size,
            Shape::Nobody | Shape::Ring => 2,
        };
        Share {
            index,
            workers,
            card,
        }
    }

    /// How many of the first users are in it.
    pub(crate) fn of(self, users: u32) -> u32 {
        let round = u64::from(self.card) * u64::from(self.workers);
        let (whole, rest) = (u64::from(users) / round, u64::from(users) % round);
        let before = u64::from(self.card) * u64::from(self.index);
        let last = rest.saturating_sub(before).min(self.card.into());
        // No more than `users`.
        (whole * u64::from(self.card) + last) as u32
    }

    /// The number of the user who stands at this place in it.
    pub(crate) fn number(self, place: u32) -> u32 {
        let card = place / self.card * self.workers + self.index;
        card * self.card + place % self.card
    }

    /// Its part of something that has no numbers: a rate.
    pub(crate) fn part(self, all: f64) -> f64 {
        all / f64::from(self.workers)
    }

    /// Its part of a limit, which is never nothing.
    pub(crate) fn limit(self, all: u32) -> u32 {
        let more = u32::from(self.index < all % self.workers);
        (all / self.workers + more).max(1)
    }

    /// A number that the others do not have.
    pub(crate) fn index(self) -> u32 {
        self.index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contacts(shape: Shape, size: u32) -> Contacts {
        Contacts { shape, size }
    }

    #[test]
    fn every_user_is_in_one_share_with_those_who_belong_to_them() {
        for (shape, size, card) in [
            (Shape::Nobody, 10, 2),
            (Shape::Ring, 3, 2),
            (Shape::Group, 10, 10),
            (Shape::Group, 3, 6),
        ] {
            for users in [1, 2, 5, 12, 61] {
                for workers in 1..5 {
                    let mut players = vec![None; users as usize];
                    for index in 0..workers {
                        let share = Share::new(index, workers, &contacts(shape, size));
                        let numbers = (0..share.of(users)).map(|place| share.number(place));
                        for number in numbers {
                            assert_eq!(players[number as usize].replace(index), None);
                        }
                    }
                    assert!(players.iter().all(Option::is_some), "{players:?}");
                    for together in players.chunks(card) {
                        assert!(together.iter().all(|player| *player == together[0]));
                    }
                }
            }
        }
    }

    /// Who comes has an account: fewer users are never more in one of the shares.
    #[test]
    fn a_share_grows_with_the_users() {
        for workers in 1..6 {
            for index in 0..workers {
                let share = Share::new(index, workers, &contacts(Shape::Group, 4));
                assert!((0..80).all(|users| share.of(users) <= share.of(users + 1)));
            }
        }
    }

    #[test]
    fn one_alone_has_all() {
        let whole = Share::default();
        assert_eq!((whole.of(7), whole.number(6), whole.limit(32)), (7, 6, 32));
        let third = Share::new(2, 3, &contacts(Shape::Nobody, 10));
        assert_eq!((third.limit(32), third.limit(1)), (10, 1));
        assert!((third.part(9.0) - 3.0).abs() < 1e-9);
    }
}
