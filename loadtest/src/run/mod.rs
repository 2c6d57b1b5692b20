//! A run: users come as the phases say and play their sessions, all on one thread.

mod chance;
mod clock;
mod closed;
mod contacts;
mod ears;
mod ledger;
mod online;
mod open;
mod phases;
mod player;
mod post;
mod program;
mod rounds;
mod since;
mod stage;
mod stop;
mod talk;
mod variables;
mod world;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use time::OffsetDateTime;

use crate::crowd;
use crate::failure::Failure;
use crate::live::Live;
use crate::measure::Counter;
use crate::place::{Accounts, Place};
use crate::process::Watch;
use crate::results::{About, Results};
use crate::scenario::{Arrivals, MESSAGE, PRESENCE, Phase, Scenario, Story};

/// What is not the scenario's business.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manner {
    /// The server's process, to be watched.
    pub(crate) pid: Option<u32>,
    /// The values of the scenario's parameters, for the report.
    pub(crate) settings: BTreeMap<String, String>,
    /// Whether the targets are loaded wherever they are.
    pub(crate) owned: bool,
}

/// Plays a scenario.
///
/// # Errors
/// It can't begin: a target is nowhere or not ours, there are too few open files, the accounts or the
/// server's process can't be read. What goes wrong later is in the report.
pub(crate) async fn play(story: &Story, manner: Manner) -> Result<Results, Failure> {
    let scenario = &story.scenario;
    let places: Result<Vec<_>, Failure> = scenario
        .targets
        .iter()
        .map(|target| Place::find(target, manner.owned))
        .collect();
    let accounts = Accounts::of(&scenario.users)?;
    let count = accounts.count();
    crowd::raise_file_limit(most_at_once(&scenario.phases, count))?;
    let watch = Watch::new(manner.pid)?;

    let mut programs = program::Programs::of(scenario);
    let (message, presence) = (
        programs.transaction(MESSAGE),
        programs.transaction(PRESENCE),
    );
    let weights: Vec<u32> = scenario
        .targets
        .iter()
        .map(|target| target.weight)
        .collect();
    let boards = programs.boards;
    let (began, wall_clock) = (Instant::now(), OffsetDateTime::now_utc());
    let world = Rc::new(world::World {
        began,
        patience: scenario.patience.get(),
        places: places?,
        round: world::turns(&weights),
        accounts,
        contacts: scenario.users.contacts.clone(),
        programs: programs.programs,
        message,
        presence,
        boards: boards.iter().map(|_| closed::Board::default()).collect(),
        stage: stage::Stage::new(scenario.phases.len()),
        clock: clock::Clock::new()?,
        ledger: ledger::Ledger::new(began, watch, scenario, &programs.transactions),
        online: RefCell::new(online::Online::new(count)),
        post: post::Post::default(),
        chance: RefCell::new(chance::Chance::new(u64::from(std::process::id()))),
        asked: Cell::new(0),
    });

    let mut crowd =
        phases::Crowd::new(Rc::clone(&world), programs.weights, &boards, &programs.open);
    let live = Live::new(&scenario.phases);
    let why = tokio::select! {
        () = crowd.play(&scenario.phases) => None,
        reason = world.ledger.beat(&live, stop::watch(&scenario.stop)) => Some(reason),
        interrupt = tokio::signal::ctrl_c() => {
            Some(match interrupt {
                Ok(()) => "somebody stopped the run".to_owned(),
                Err(error) => format!("Ctrl-C can't be listened for: {error}"),
            })
        }
        stopped = world.clock.run() => stopped.err().map(|error| format!("the clock stopped: {error}")),
    };
    let given_up = why.is_some();
    if let Some(why) = why {
        world.ledger.problem(&why, 1);
        // What happened until now counts.
        world.ledger.end();
        crowd.abandon().await;
    }
    live.clear();
    drop(crowd);

    loss(&world, given_up);
    Ok(world.ledger.results(About {
        name: Path::new(&story.name).file_stem().map_or_else(
            || story.name.clone(),
            |name| name.to_string_lossy().into_owned(),
        ),
        about: scenario.about.clone(),
        settings: settings(scenario, manner.settings),
        scenario: story.text.clone(),
        began: wall_clock,
    }))
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

/// How many sockets there may be at a time.
fn most_at_once(phases: &[Phase], accounts: u32) -> u32 {
    let mut most: u32 = 0;
    for phase in phases {
        most = most.saturating_add(match &phase.come {
            Arrivals::Nobody => 0,
            Arrivals::AtOnce(plan) => plan.users,
            Arrivals::Keep(plan) => plan.users,
            Arrivals::Evenly(plan) => plan.users,
            // Each may stay.
            Arrivals::Rate(rate) => {
                let fastest = rate.up_to.unwrap_or(0.0).max(rate.per_second);
                (fastest * phase.lasts.get().as_secs_f64()).min(f64::from(u32::MAX)) as u32
            }
        });
    }
    most.min(accounts)
}
