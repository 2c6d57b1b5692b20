//! What all users share; they live on one thread.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::chance::Chance;
use super::clock::Clock;
use super::closed::Board;
use super::flood::Flood;
use super::ledger::Ledger;
use super::online::Online;
use super::post::Post;
use super::program::Program;
use super::share::Share;
use super::stage::Stage;
use crate::client::Client;
use crate::place::{Accounts, Place};
use crate::scenario::Contacts;

/// The servers, the accounts, the sessions, and what happens.
#[derive(Debug)]
pub(crate) struct World {
    /// What times count from.
    pub(crate) began: Instant,
    /// How long an answer may take.
    pub(crate) patience: Duration,
    pub(crate) places: Vec<Rc<Place>>,
    /// The places by number of the account, over and over.
    pub(crate) round: Vec<u16>,
    /// Everybody's, also those whom other workers play.
    pub(crate) accounts: Accounts,
    /// Those whom we play.
    pub(crate) share: Share,
    pub(crate) contacts: Contacts,
    pub(crate) programs: Vec<Program>,
    /// The transactions that loops of messages and presences count as.
    pub(crate) message: u16,
    pub(crate) presence: u16,
    /// That of those who never read.
    pub(crate) closed: u16,
    pub(crate) boards: Vec<Board>,
    pub(crate) stage: Stage,
    pub(crate) clock: Rc<Clock>,
    pub(crate) ledger: Ledger,
    pub(crate) online: RefCell<Online>,
    pub(crate) post: Post,
    pub(crate) flood: Flood,
    pub(crate) chance: RefCell<Chance>,
    /// Ids of questions.
    pub(crate) asked: Cell<u64>,
}

impl World {
    /// Nanoseconds since the beginning.
    pub(crate) fn now(&self) -> u64 {
        self.at(Instant::now())
    }

    /// A time in nanoseconds since the beginning.
    pub(crate) fn at(&self, time: Instant) -> u64 {
        let since = time.saturating_duration_since(self.began);
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }

    /// Where the account with this number is.
    pub(crate) fn place(&self, number: u32) -> &Rc<Place> {
        let turn = self.round[number as usize % self.round.len()];
        &self.places[usize::from(turn)]
    }

    /// The full JID of the account with this number, when it is there.
    pub(crate) fn jid(&self, number: u32) -> String {
        Client::jid(self.place(number), &self.accounts.localpart(number))
    }

    /// Its bare JID.
    pub(crate) fn bare_jid(&self, number: u32) -> String {
        let localpart = self.accounts.localpart(number);
        format!("{localpart}@{}", self.place(number).domain)
    }

    /// The numbers of the contacts of one.
    pub(crate) fn contacts_of(&self, number: u32) -> std::collections::BTreeSet<u32> {
        super::contacts::of(self.contacts.clone(), self.accounts.count(), number)
    }

    /// A number that no question had before.
    pub(crate) fn ask(&self) -> u64 {
        let asked = self.asked.get() + 1;
        self.asked.set(asked);
        asked
    }
}

/// Turns of places for their weights: as few as bear the proportions, so that neighbours are at
/// different places only if there is more than one.
pub(crate) fn turns(weights: &[u32]) -> Vec<u16> {
    let divisor = weights.iter().copied().fold(0, gcd).max(1);
    // Rough proportions do for weights that have nothing in common.
    let sum: u64 = weights
        .iter()
        .map(|weight| u64::from(weight / divisor))
        .sum();
    let scale = sum.div_ceil(MOST_TURNS).max(1);
    let mut turns = Vec::new();
    for (place, weight) in weights
        .iter()
        .enumerate()
        .filter(|(_, weight)| **weight > 0)
    {
        let count = (u64::from(weight / divisor) / scale).max(1);
        let place = u16::try_from(place).unwrap_or_default();
        turns.extend(std::iter::repeat_n(
            place,
            usize::try_from(count).unwrap_or(1),
        ));
    }
    turns
}

const MOST_TURNS: u64 = 10_000;

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_have_turns_as_their_weights_say() {
        assert_eq!(turns(&[1]), [0]);
        assert_eq!(turns(&[7, 0, 7]), [0, 2]);
        assert_eq!(turns(&[200, 100]), [0, 0, 1]);
        let many = turns(&[1_000_003, 1]);
        assert!(many.len() <= 10_001 && many.contains(&1));
    }
}
