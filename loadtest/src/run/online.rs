//! Who is there.

use super::chance::Chance;

/// The numbers of those who are there, any of which can be had at once.
#[derive(Debug)]
pub(crate) struct Online {
    there: Vec<u32>,
    /// Where somebody stands in the list, by number; `AWAY` if they do not.
    place: Vec<u32>,
}

const AWAY: u32 = u32::MAX;
/// How often somebody is looked for by chance, before all are looked at.
const TRIES: u32 = 16;

impl Online {
    /// Nobody of so many.
    pub(crate) fn new(count: u32) -> Online {
        Online {
            there: Vec::new(),
            place: vec![AWAY; count as usize],
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
        let fits = |candidate: u32| candidate != number && !self.has(candidate);
        let count = self.place.len();
        let by_chance = (0..TRIES)
            .map(|_| chance.below(count) as u32)
            .find(|candidate| fits(*candidate));
        by_chance.or_else(|| (0..count as u32).find(|candidate| fits(*candidate)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_there_is_found_and_who_is_not_too() {
        let mut chance = Chance::new(3);
        let mut online = Online::new(5);
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
}
