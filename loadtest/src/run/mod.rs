//! A run: users come as the phases say and play their sessions, all on one thread.

mod chance;
mod clock;
mod closed;
mod contacts;
mod ears;
mod flood;
mod lead;
mod ledger;
mod online;
mod open;
mod phases;
mod player;
mod post;
mod program;
mod rounds;
mod share;
mod since;
mod stage;
mod stop;
mod talk;
mod variables;
mod world;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

pub(crate) use lead::{Lead, STOPPED, ending};
pub(crate) use ledger::Ledger;
pub(crate) use share::Share;
pub(crate) use stop::Rules;

use crate::crowd;
use crate::failure::Failure;
use crate::measure::{Counter, Recorded, Sample, Since};
use crate::place::{Accounts, Place};
use crate::process::Watch;
use crate::results::{About, Results};
use crate::scenario::{Arrivals, Phase, Scenario, Story};

/// How long those who are still there when a run is over have to go.
pub(crate) use phases::FAREWELL;

/// What is not the scenario's business.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manner {
    /// The server's process, to be watched.
    pub(crate) pid: Option<u32>,
    /// The values of the scenario's parameters, for the report.
    pub(crate) settings: BTreeMap<String, String>,
    /// Whether the targets are loaded wherever they are.
    pub(crate) owned: bool,
    /// The addresses that users connect from, in turns; none leaves that to the system.
    pub(crate) sources: Vec<IpAddr>,
}

/// What was written down in a run, and seen of processes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Played {
    pub(crate) recorded: Recorded,
    pub(crate) samples: Vec<Sample>,
}

/// Plays a scenario alone.
///
/// # Errors
/// It can't begin: a target is nowhere or not ours, there are too few open files, the accounts or the
/// server's process can't be read. What goes wrong later is in the report.
pub(crate) async fn play(story: &Story, manner: Manner) -> Result<Results, Failure> {
    let scenario = &story.scenario;
    let accounts = Accounts::of(&scenario.users)?;
    let cast = Cast::new(scenario, accounts, Share::default(), &manner)?;
    let about = about(story, manner.settings);
    let lead = lead::Alone::new(scenario);
    let Played { recorded, samples } = cast.play(&lead).await?;
    drop(lead);
    Ok(Results::of(about, &recorded, &samples))
}

/// What a report says of a scenario that is played from now on.
pub(crate) fn about(story: &Story, set: BTreeMap<String, String>) -> About {
    About {
        name: Path::new(&story.name).file_stem().map_or_else(
            || story.name.clone(),
            |name| name.to_string_lossy().into_owned(),
        ),
        about: story.scenario.about.clone(),
        settings: settings(&story.scenario, set),
        scenario: story.text.clone(),
        began: OffsetDateTime::now_utc(),
    }
}

/// The transactions of a scenario by their numbers, and what their times count from.
pub(crate) fn transactions(scenario: &Scenario) -> Vec<(String, Since)> {
    let names = program::Programs::of(scenario).transactions;
    let since = |name: String| {
        let since = since::since(scenario, &name);
        (name, since)
    };
    names.into_iter().map(since).collect()
}

/// A share of the users, ready to play.
#[derive(Debug)]
pub(crate) struct Cast<'a> {
    scenario: &'a Scenario,
    places: Vec<Rc<Place>>,
    accounts: Accounts,
    share: Share,
    watch: Watch,
}

impl<'a> Cast<'a> {
    /// Finds all that they need.
    ///
    /// # Errors
    /// Those of [`play`].
    pub(crate) fn new(
        scenario: &'a Scenario,
        accounts: Accounts,
        share: Share,
        manner: &Manner,
    ) -> Result<Cast<'a>, Failure> {
        let places: Result<Vec<_>, Failure> = scenario
            .targets
            .iter()
            .map(|target| Place::find(target, manner.owned, &manner.sources))
            .collect();
        let places = places?;
        let most = most_at_once(&scenario.phases, share, accounts.count());
        crowd::raise_file_limit(most)?;
        Ok(Cast {
            scenario,
            places,
            accounts,
            share,
            watch: Watch::new(manner.pid)?,
        })
    }

    /// Plays, until all phases are over or the run is.
    ///
    /// # Errors
    /// The system gives us no clock.
    pub(crate) async fn play(self, lead: &impl Lead) -> Result<Played, Failure> {
        let scenario = self.scenario;
        let programs = program::Programs::of(scenario);
        let weights: Vec<u32> = scenario
            .targets
            .iter()
            .map(|target| target.weight)
            .collect();
        let boards = programs.boards;
        let began = Instant::now();
        let seed = u64::from(std::process::id()) | u64::from(self.share.index()) << 32;
        let world = Rc::new(world::World {
            began,
            patience: scenario.patience.get(),
            places: self.places,
            round: world::turns(&weights),
            online: RefCell::new(online::Online::new(self.accounts.count(), self.share)),
            accounts: self.accounts,
            share: self.share,
            contacts: scenario.users.contacts.clone(),
            programs: programs.programs,
            message: programs.message,
            presence: programs.presence,
            closed: programs.closed,
            boards: boards.iter().map(|_| closed::Board::default()).collect(),
            stage: stage::Stage::new(scenario.phases.len()),
            clock: clock::Clock::new()?,
            ledger: ledger::Ledger::new(began, self.watch, transactions(scenario)),
            post: post::Post::default(),
            flood: flood::Flood::default(),
            chance: RefCell::new(chance::Chance::new(seed)),
            asked: Cell::new(0),
        });

        let mut crowd = phases::Crowd::new(
            Rc::clone(&world),
            (programs.names, programs.weights),
            &boards,
            &programs.open,
        );
        let given_up = tokio::select! {
            () = crowd.play(&scenario.phases, lead) => None,
            reason = world.ledger.beat(|ledger| lead.second(ledger)) => Some(Some(reason)),
            reason = lead.stopped() => Some(reason),
            stopped = world.clock.run() => {
                stopped.err().map(|error| Some(format!("the clock stopped: {error}")))
            }
        };
        if let Some(why) = &given_up {
            if let Some(why) = why {
                world.ledger.problem(why, 1);
            }
            // What happened until now counts.
            world.ledger.end();
            crowd.abandon().await;
        }
        drop(crowd);
        loss(&world, given_up.is_some());
        Ok(world.ledger.finish())
    }
}

/// The scenario's parameters, some of which were set.
fn settings(scenario: &Scenario, set: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut settings: BTreeMap<String, String> = scenario
        .parameters
        .iter()
        // Reports are shown around.
        .filter(|(name, _)| *name != "password")
        .map(|(name, value)| (name.clone(), value.0.clone()))
        .collect();
    for (name, value) in set {
        if let Some(known) = settings.get_mut(&name) {
            *known = value;
        }
    }
    settings
}

/// What was said and not heard, or heard twice. What is under way when a run is given up may be anywhere.
fn loss(world: &world::World, given_up: bool) {
    let boards = world.boards.iter();
    let lost: u64 = boards.clone().map(closed::Board::missing).sum();
    let disordered: u64 = boards.map(closed::Board::disordered).sum();
    let ledger = &world.ledger;
    let missing = match given_up {
        true => Counter::Undecided,
        false => Counter::Lost,
    };
    ledger.count(missing, lost + world.post.missing());
    ledger.count(Counter::Doubled, disordered + world.post.doubled());
    ledger.count(Counter::Undecided, world.post.undecided());
}

/// How many sockets a share of the users may have at a time.
fn most_at_once(phases: &[Phase], share: Share, accounts: u32) -> u32 {
    let mut most: u32 = 0;
    for phase in phases {
        most = most.saturating_add(match &phase.come {
            Arrivals::Nobody => 0,
            Arrivals::AtOnce(plan) => share.of(plan.users),
            Arrivals::Keep(plan) => share.of(plan.users),
            Arrivals::Evenly(plan) => share.of(plan.users),
            // Each may stay.
            Arrivals::Rate(rate) => {
                let fastest = share.part(rate.up_to.unwrap_or(0.0).max(rate.per_second));
                (fastest * phase.lasts.get().as_secs_f64()).min(f64::from(u32::MAX)) as u32
            }
        });
    }
    most.min(share.of(accounts))
}
