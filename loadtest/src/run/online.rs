//! Who is there.

use super::chance::Chance;
use super::share::Share;

/// The numbers of those who are there, any of which can be had at once.
#[derive(Debug)]
pub(crate) struct Online {
    there: Vec<u32>,
    /// Where somebody stands in the list, by number; `AWAY` if they do not.
    place: Vec<u32>,
    /// Whom we play: nobody else is known to be there, or not.
    share: Share,
}

const AWAY: u32 = u32::MAX;
/// How often somebody is looked for by chance, before all are looked at.
const TRIES: u32 = 16;

impl Online {
    /// Nobody of a share of so many.
    pub(crate) fn new(count: u32, share: Share) -> Online {
        Online {
            there: Vec::new(),
            place: vec![AWAY; count as usize],
            share,
        }
    }

    /// Somebody is there.
    pub(crate) fn come(&mut self, number: u32) {
        let next = self.there.len() as u32;
        if let Some(place) = self.place.get_mut(number as usize)
            && *place == AWAY
        {
            *place = next;
            self.there.push(number);
        }
    }

    /// Somebody is not there any more, if they were.
    pub(crate) fn go(&mut self, number: u32) {
        let Some(place) = self.place.get_mut(number as usize) else {
            return;
        };
        let place = std::mem::replace(place, AWAY);
        if place == AWAY {
            return;
        }
        self.there.swap_remove(place as usize);
        if let Some(moved) = self.there.get(place as usize) {
            self.place[*moved as usize] = place;
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u32 {
        self.there.len() as u32
    }

    /// Whether somebody is there.
    pub(crate) fn has(&self, number: u32) -> bool {
        self.place
            .get(number as usize)
            .is_some_and(|place| *place != AWAY)
    }

    /// Somebody who is there, and not this one.
    pub(crate) fn other(&self, number: u32, chance: &mut Chance) -> Option<u32> {
        let found = *self.there.get(chance.below(self.there.len()))?;
        if found != number {
            return Some(found);
        }
        let next = (self.place[found as usize] as usize + 1) % self.there.len();
        Some(self.there[next]).filter(|found| *found != number)
    }

    /// Somebody who is not there.
    pub(crate) fn away(&self, number: u32, chance: &mut Chance) -> Option<u32> {
        let fits = |candidate: &u32| *candidate != number && !self.has(*candidate);
        let by_chance = (0..TRIES).map(|_| self.anybody(chance)).find(fits);
        let count = self.share.of(self.place.len() as u32);
        let all = (0..count).map(|place| self.share.number(place));
        by_chance.or_else(|| all.into_iter().find(fits))
    }

    /// Anybody, there or not.
    pub(crate) fn anybody(&self, chance: &mut Chance) -> u32 {
        let count = self.share.of(self.place.len() as u32);
        self.share.number(chance.below(count as usize) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_there_is_found_and_who_is_not_too() {
        let mut chance = Chance::new(3);
        let mut online = Online::new(5, Share::default());
        assert_eq!(online.other(0, &mut chance), None);
        for number in [1, 3, 4, 3] {
            online.come(number);
        }
        online.go(1);
        online.go(1);
        online.go(77);
        assert_eq!(online.count(), 2);
        for _ in 0..50 {
            assert_eq!(online.other(3, &mut chance), Some(4));
            assert!(matches!(online.other(0, &mut chance), Some(3 | 4)));
            assert!(matches!(online.away(0, &mut chance), Some(1 | 2)));
        }
        for number in 0..5 {
            online.come(number);
        }
        assert_eq!(online.away(0, &mut chance), None);
    }

    #[test]
    fn whom_others_play_is_nobody_here() {
        let mut chance = Chance::new(5);
        // The second of two workers plays 2, 3 and 6.
        let share = Share::new(1, 2, &crate::scenario::Contacts::default());
        let mut online = Online::new(7, share);
        online.come(3);
        for _ in 0..50 {
            assert!(matches!(online.anybody(&mut chance), 2 | 3 | 6));
            assert!(matches!(online.away(2, &mut chance), Some(6)));
        }
    }
}
