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
mod stage;
mod stop;
mod talk;
mod variables;
mod world;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Instant;

use crate::crowd;
use crate::failure::Failure;
use crate::place::{Accounts, Place};
use crate::process::Watch;
use crate::report::Report;
use crate::scenario::{Arrivals, MESSAGE, PRESENCE, Phase, Story};

/// What is not the scenario's business.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// The server's process, to be watched.
    pub(crate) pid: Option<u32>,
    /// Whether the targets are loaded wherever they are.
    pub(crate) owned: bool,
}

/// Plays a scenario.
///
/// # Errors
/// It can't begin: a target is nowhere or not ours, there are too few open files, the accounts or the
/// server's process can't be read. What goes wrong later is in the report.
pub(crate) async fn play(story: &Story, manner: Manner) -> Result<Report, Failure> {
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
    let slow = &scenario.stop.slow;
    let lately: Vec<&str> = slow.iter().map(|slow| slow.transaction.as_str()).collect();
    let weights: Vec<u32> = scenario
        .targets
        .iter()
        .map(|target| target.weight)
        .collect();
    let boards = programs.boards;
    let world = Rc::new(world::World {
        began: Instant::now(),
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
        ledger: ledger::Ledger::new(watch, &programs.transactions, &lately),
        online: RefCell::new(online::Online::new(count)),
        post: post::Post::default(),
        chance: RefCell::new(chance::Chance::new(u64::from(std::process::id()))),
        asked: Cell::new(0),
    });

    let mut crowd =
        phases::Crowd::new(Rc::clone(&world), programs.weights, &boards, &programs.open);
    let why = tokio::select! {
        ended = crowd.play(&scenario.phases) => ended?,
        reason = stop::watch(&scenario.stop, &world.ledger) => Some(reason),
        interrupt = tokio::signal::ctrl_c() => {
            interrupt?;
            Some("somebody stopped the run".to_owned())
        }
        broken = world.clock.run() => {
            broken?;
            None
        }
    };
    if let Some(why) = why {
        world.ledger.problem(&why, 1);
        // What happened until now counts.
        world.ledger.end()?;
        crowd.abandon().await;
    }
    drop(crowd);

    let mut report = Report::new(format!("{}: {}", story.name, scenario.about));
    world
        .ledger
        .report(world.online.borrow().most(), &mut report);
    loss(&world, &mut report);
    Ok(report)
}

/// What was said and not heard, or heard twice.
fn loss(world: &world::World, report: &mut Report) {
    let boards = world.boards.iter();
    let lost: u64 = boards.clone().map(closed::Board::missing).sum();
    let disordered: u64 = boards.map(closed::Board::disordered).sum();
    report
        .problem("a delivery was lost", lost + world.post.missing())
        .problem(
            "a delivery was doubled or out of order",
            disordered + world.post.doubled(),
        );
    if world.post.undecided() > 0 {
        report.count("on_their_way_to_who_went", world.post.undecided());
    }
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
