//! Who may become the home of an account: asked of its arbiter, granted by it.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::Peer;

/// Milliseconds for which a grant holds: by then the new home has told all nodes of itself.
const HOLDS: u64 = 5_000;

/// The claims that this node waits for, and those it has granted.
#[derive(Default)]
pub(crate) struct Claims {
    last: AtomicU64,
    asked: Mutex<HashMap<u64, oneshot::Sender<Option<Peer>>>>,
    granted: Mutex<Granted>,
}

#[derive(Default)]
struct Granted {
    /// To whom and until when; `None` is this node.
    homes: HashMap<Box<str>, (Option<Peer>, u64)>,
    /// In the order in which they run out.
    ends: VecDeque<(u64, Box<str>)>,
}

impl Claims {
    /// A claim that is sent: its number, and what comes back.
    pub(crate) fn ask(&self) -> (u64, oneshot::Receiver<Option<Peer>>) {
        let number = self.last.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        self.asked.lock().insert(number, answer);
        (number, answered)
    }

    /// Nobody waits for the answer to claim `number` any more.
    pub(crate) fn forget(&self, number: u64) {
        self.asked.lock().remove(&number);
    }

    /// The arbiter has answered claim `number`.
    pub(crate) fn answered(&self, number: u64, home: Option<Peer>) {
        if let Some(answer) = self.asked.lock().remove(&number) {
            // Whoever waited may be gone.
            let _ = answer.send(home);
        }
    }

    /// This node is the arbiter of `account`: grants it to `to` (`None` is this node itself) unless
    /// another holds it, who is returned.
    pub(crate) fn grant(
        &self,
        account: &str,
        to: Option<&Peer>,
        now: u64,
    ) -> Result<(), Option<Peer>> {
        let mut granted = self.granted.lock();
        granted.run_out(now);
        match granted.homes.get(account) {
            Some((home, _)) if home.as_ref() != to => return Err(home.clone()),
            _ => {}
        }
        let until = now + HOLDS;
        granted.homes.insert(account.into(), (to.cloned(), until));
        granted.ends.push_back((until, account.into()));
        Ok(())
    }

    /// Another node that `account` was granted to a moment ago.
    pub(crate) fn granted(&self, account: &str, now: u64) -> Option<Peer> {
        let granted = self.granted.lock();
        let (home, until) = granted.homes.get(account)?;
        home.clone().filter(|_| *until > now)
    }

    /// All nodes know by now where `account` is, or where it is no more.
    pub(crate) fn settled(&self, account: &str) {
        self.granted.lock().homes.remove(account);
    }

    /// What was granted to a node that is gone holds no longer.
    pub(crate) fn gone(&self, peer: &Peer) {
        let mut granted = self.granted.lock();
        granted
            .homes
            .retain(|_, (home, _)| home.as_ref() != Some(peer));
    }
}

impl Granted {
    fn run_out(&mut self, now: u64) {
        while let Some((until, account)) = self.ends.pop_front_if(|(until, _)| *until <= now) {
            // It may have been granted again since.
            if self
                .homes
                .get(&account)
                .is_some_and(|(_, holds)| *holds == until)
            {
                self.homes.remove(&account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(name: &str) -> Peer {
        Peer(name.into())
    }

    #[test]
    fn the_first_who_claims_an_account_has_it() {
        let claims = Claims::default();
        let (a, b) = (peer("a"), peer("b"));
        assert_eq!(claims.grant("romeo@montague.lit", Some(&a), 0), Ok(()));
        assert_eq!(
            claims.grant("romeo@montague.lit", Some(&b), 1),
            Err(Some(a.clone()))
        );
        assert_eq!(
            claims.grant("romeo@montague.lit", None, 1),
            Err(Some(a.clone()))
        );
        // Whoever has it may ask again.
        assert_eq!(claims.grant("romeo@montague.lit", Some(&a), 2), Ok(()));
        assert_eq!(claims.granted("romeo@montague.lit", 3), Some(a));
        assert_eq!(claims.grant("juliet@capulet.lit", None, 3), Ok(()));
        assert_eq!(claims.grant("juliet@capulet.lit", Some(&b), 4), Err(None));
        assert_eq!(claims.granted("juliet@capulet.lit", 4), None);
    }

    #[test]
    fn a_grant_ends_by_itself_by_what_all_know_and_with_its_node() {
        let claims = Claims::default();
        let (a, b) = (peer("a"), peer("b"));
        let grant = |to, now| claims.grant("romeo@montague.lit", Some(to), now);
        assert_eq!(grant(&a, 0), Ok(()));
        assert_eq!(grant(&a, HOLDS - 1), Ok(()));
        assert_eq!(grant(&b, HOLDS), Err(Some(a.clone())));
        assert_eq!(grant(&b, 2 * HOLDS), Ok(()));
        claims.gone(&b);
        assert_eq!(grant(&a, 2 * HOLDS), Ok(()));
        claims.settled("romeo@montague.lit");
        assert_eq!(grant(&b, 2 * HOLDS), Ok(()));
    }
}
