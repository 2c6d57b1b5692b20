//! The phases of a run, and who comes in them.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::lead::{Lead, beginning, ending};
use super::player::{Gone, Player};
use super::world::World;
use crate::scenario::{Arrivals, Phase, Rate};

/// How long what was said last may take.
const DRAIN: Duration = Duration::from_secs(10);
/// How often is looked whether it is there.
const GLANCE: Duration = Duration::from_millis(20);
/// How long those who are still there after the last phase have to go.
pub(crate) const FAREWELL: Duration = Duration::from_secs(2);

/// The pauses of a constant crowd of which somebody has failed.
const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(5);

/// All users.
pub(crate) struct Crowd<'a> {
    world: Rc<World>,
    /// Of the sessions.
    names: Vec<String>,
    weights: Vec<u32>,
    /// The session of those who come in this phase, if all play the same.
    plays: Option<usize>,
    /// The phases with which closed loops end, by board.
    boards: &'a [usize],
    /// Those with which open loops end.
    open: &'a [usize],
    /// Places in our share of accounts that nobody has had.
    fresh: std::ops::Range<u32>,
    /// Accounts of those who are gone.
    free: VecDeque<u32>,
    /// Whether somebody has failed since we looked.
    failed: bool,
    players: JoinSet<Gone>,
}

/// How long nobody comes after somebody has failed.
#[derive(Debug, Default)]
struct Pause {
    last: Duration,
    /// Logins then.
    logins: u64,
}

impl Pause {
    /// The next one, after so many logins in all: twice as long as the last, unless somebody got in since.
    fn next(&mut self, logins: u64) -> Duration {
        self.last = match logins > self.logins {
            true => SHORTEST,
            false => (self.last * 2).clamp(SHORTEST, LONGEST),
        };
        self.logins = logins;
        self.last
    }
}

impl<'a> Crowd<'a> {
    /// Nobody yet.
    pub(crate) fn new(
        world: Rc<World>,
        (names, weights): (Vec<String>, Vec<u32>),
        boards: &'a [usize],
        open: &'a [usize],
    ) -> Crowd<'a> {
        let fresh = 0..world.share.of(world.accounts.count());
        Crowd {
            world,
            names,
            weights,
            plays: None,
            boards,
            open,
            fresh,
            free: VecDeque::new(),
            failed: false,
            players: JoinSet::new(),
        }
    }

    /// Plays them one after the other, each together with all others who play the run.
    pub(crate) async fn play(&mut self, phases: &[Phase], lead: &impl Lead) {
        for (number, phase) in phases.iter().enumerate() {
            lead.together(beginning(number)).await;
            let plays = |name: &String| phase.plays.as_ref() == Some(name);
            self.plays = self.names.iter().position(plays);
            self.world.ledger.begin(phase);
            self.world.stage.begin(number);
            let began = Instant::now();
            let end = began + phase.lasts.get();
            let world = Rc::clone(&self.world);
            tokio::select! {
                () = self.come(phase, began, end) => {}
                () = world.clock.until(end) => {}
            }
            if phase.until_settled {
                self.settle(phase, end).await;
            } else {
                self.wait_until(end).await;
            }
            lead.together(ending(number)).await;
            // A message that is late belongs to the phase in which it was due; in a closed loop there is
            // nobody who waits for it.
            if self.open.contains(&number) {
                self.drain(number).await;
                self.world.ledger.end();
            } else {
                self.world.ledger.end();
                self.drain(number).await;
            }
        }
        self.world.stage.begin(phases.len());
        let _ = tokio::time::timeout(FAREWELL, async {
            while self.world.stage.there() > 0 {
                self.changed().await;
            }
        })
        .await;
    }

    async fn come(&mut self, phase: &Phase, began: Instant, end: Instant) {
        let lasts = phase.lasts.get().as_secs_f64();
        let share = self.world.share;
        match &phase.come {
            Arrivals::Nobody => {}
            Arrivals::AtOnce(plan) => {
                for _ in 0..share.of(plan.users) {
                    while self.world.stage.busy() >= share.limit(plan.limit) {
                        self.changed().await;
                    }
                    self.invite(Instant::now());
                }
            }
            Arrivals::Keep(plan) => self.keep(share.of(plan.users), end).await,
            Arrivals::Evenly(plan) => {
                for place in 0..share.of(plan.users) {
                    let part = f64::from(share.number(place)) / f64::from(plan.users);
                    let due = began + Duration::from_secs_f64(lasts * part);
                    self.wait_until(due).await;
                    self.invite(due);
                }
            }
            Arrivals::Rate(rate) => {
                let rate = Rate {
                    per_second: share.part(rate.per_second),
                    up_to: rate.up_to.map(|up_to| share.part(up_to)),
                };
                let mut sum = 0.0;
                loop {
                    sum += self.world.chance.borrow_mut().distance();
                    let Some(after) = when(&rate, lasts, sum) else {
                        break;
                    };
                    let due = began + Duration::from_secs_f64(after);
                    self.wait_until(due).await;
                    self.invite(due);
                }
            }
        }
    }

    /// Lets somebody else come for everybody who goes. Servers that turn everybody away are asked again
    /// after a pause, which grows until they let somebody in.
    async fn keep(&mut self, users: u32, end: Instant) {
        let mut pause = Pause::default();
        while Instant::now() < end {
            while self.world.stage.there() >= users {
                self.changed().await;
            }
            if std::mem::take(&mut self.failed) {
                let pause = pause.next(self.world.ledger.logins());
                self.wait_until(end.min(Instant::now() + pause)).await;
            }
            self.invite(Instant::now());
        }
    }

    /// Somebody comes who was due then.
    fn invite(&mut self, due: Instant) {
        let share = self.world.share;
        let fresh = self.fresh.next().map(|place| share.number(place));
        let Some(number) = fresh.or_else(|| self.free.pop_front()) else {
            return self
                .world
                .ledger
                .problem("somebody was due and no account was free", 1);
        };
        let by_weight = || self.world.chance.borrow_mut().weighted(&self.weights);
        let session = self.plays.unwrap_or_else(by_weight);
        let player = Player::new(&self.world, number, session, due);
        self.players.spawn_local(player.run());
    }

    /// Until somebody is settled or gone.
    async fn changed(&mut self) {
        let world = Rc::clone(&self.world);
        tokio::select! {
            Some(gone) = self.players.join_next() => self.gone(gone),
            () = world.stage.changed() => {}
        }
        while let Some(gone) = self.players.try_join_next() {
            self.gone(gone);
        }
    }

    fn gone(&mut self, end: Result<Gone, tokio::task::JoinError>) {
        match end {
            Ok(Gone { number, failed }) => {
                self.free.push_back(number);
                self.failed |= failed;
            }
            Err(broken) => std::panic::resume_unwind(broken.into_panic()),
        }
    }

    async fn wait_until(&mut self, end: Instant) {
        let world = Rc::clone(&self.world);
        let timer = world.clock.until(end);
        tokio::pin!(timer);
        loop {
            tokio::select! {
                () = &mut timer => return,
                Some(gone) = self.players.join_next() => self.gone(gone),
            }
        }
    }

    /// Until nobody is busy.
    async fn settle(&mut self, phase: &Phase, end: Instant) {
        let world = Rc::clone(&self.world);
        let timer = world.clock.until(end);
        tokio::pin!(timer);
        while world.stage.busy() > 0 {
            tokio::select! {
                () = self.changed() => {}
                () = &mut timer => {
                    let what = format!("somebody was not settled when {} had to end", phase.name);
                    return world.ledger.problem(&what, world.stage.busy().into());
                }
            }
        }
    }

    /// Lets all loops end that end with this phase: nobody says anything any more, and what was said
    /// comes.
    async fn drain(&self, phase: usize) {
        self.drain_those(|until| until == phase, phase, DRAIN).await;
    }

    /// Lets all loops end, since the run is given up. What is late now may be on its way.
    pub(crate) async fn abandon(&self) {
        self.drain_those(|_| true, usize::MAX, FAREWELL).await;
    }

    async fn drain_those(&self, ends: impl Fn(usize) -> bool, phase: usize, patience: Duration) {
        let world = &self.world;
        let boards = world.boards.iter().zip(self.boards);
        let ending: Vec<_> = boards
            .filter(|(_, until)| ends(**until))
            .map(|(board, _)| board)
            .collect();
        ending.iter().for_each(|board| board.drain());
        let written = match self.open.iter().any(|until| ends(*until)) {
            true => world.post.drain(phase),
            false => 0,
        };
        let until = Instant::now() + patience;
        while ending.iter().any(|board| board.missing() > 0) || !world.post.has_come(written) {
            if Instant::now() >= until {
                break;
            }
            tokio::time::sleep(GLANCE).await;
        }
    }
}

/// When the one comes at whom a Poisson process of rate 1 would have come after `sum`, in seconds since
/// the phase began; `None` if the phase is over then. The rate goes in a line from one end to the other:
/// its integral up to then is `sum`.
fn when(rate: &Rate, lasts: f64, sum: f64) -> Option<f64> {
    let (from, to) = (rate.per_second, rate.up_to.unwrap_or(rate.per_second));
    let slope = (to - from) / lasts;
    let after = if slope.abs() < 1e-9 {
        sum / from
    } else {
        let root = from * from + 2.0 * slope * sum;
        if root < 0.0 {
            return None;
        }
        (root.sqrt() - from) / slope
    };
    (after <= lasts).then_some(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_until_somebody_gets_in() {
        let mut pause = Pause::default();
        let millis = [0, 0, 0, 3, 3].map(|logins| pause.next(logins).as_millis());
        assert_eq!(millis, [50, 100, 200, 50, 100]);
        (0..20).for_each(|_| assert!(pause.next(3) <= LONGEST));
        assert_eq!(pause.next(3), LONGEST);
    }

    #[test]
    fn a_rate_brings_as_many_as_it_says() {
        let count = |per_second: f64, up_to: Option<f64>| {
            let rate = Rate { per_second, up_to };
            (1..)
                .take_while(|n| when(&rate, 10.0, f64::from(*n)).is_some())
                .count()
        };
        assert_eq!(count(5.0, None), 50);
        assert!((49..=50).contains(&count(0.0, Some(10.0))));
        assert!((49..=50).contains(&count(10.0, Some(0.0))));
        // Half of a ramp's users come in the last three tenths.
        let ramp = Rate {
            per_second: 0.0,
            up_to: Some(10.0),
        };
        let half = when(&ramp, 10.0, 25.0).expect("in time");
        assert!((7.0..7.2).contains(&half), "{half}");
    }
}
