//! The coordinator: lets workers play a scenario together, and makes one report of it.

use std::io;
use std::time::Duration;

use tokio::io::{ReadHalf, WriteHalf};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};

use super::crew::{Crew, Link, Process, Worker};
use super::gathered::{self, Account, Together};
use super::wire::{LONGEST, Machine, Order, Part, Told, hear, say};
use crate::failure::Failure;
use crate::live::{Glance, Live};
use crate::measure::{Pulse, Recorder};
use crate::place::{Accounts, Place};
use crate::process::Watch;
use crate::results::Results;
use crate::run::{self, FAREWELL, Manner, Played, Rules, Share};
use crate::scenario::{Scenario, Story};

/// How long a worker may take until it is ready to play.
const READY: Duration = Duration::from_secs(30);
/// A worker of whom is heard nothing for so long is lost.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a worker may take, beyond what it gives its users, to come to an end.
const REPORT: Duration = Duration::from_secs(10);
const BEAT: Duration = Duration::from_secs(1);
/// Messages of workers that wait to be heard.
const WAITING: usize = 64;

/// Plays a scenario with workers.
///
/// # Errors
/// It can't begin: one of the workers can't be had, or can't play. One that is lost later is told of in
/// the report.
pub(crate) async fn play(story: &Story, crew: &Crew, manner: Manner) -> Result<Results, Failure> {
    // From now on Ctrl-C is for us to deal with, also while workers get ready.
    let interrupts = signal(SignalKind::interrupt())?;
    let scenario = &story.scenario;
    let accounts = Accounts::of(&scenario.users)?;
    let watch = Watch::new(manner.pid)?;
    let mut at_home = true;
    for target in &scenario.targets {
        let address = Place::find(target, manner.owned, &[])?.address;
        at_home &= address.ip().is_loopback() && address.is_ipv4();
    }
    let workers = crew.gather(manner.owned, &manner.sources, at_home).await?;
    let count = u32::try_from(workers.len()).unwrap_or(u32::MAX);
    let share = |index| Share::new(index, count, &scenario.users.contacts);
    if share(count - 1).of(accounts.count()) == 0 {
        return Err(Failure::TooManyWorkers {
            workers: count,
            users: accounts.count(),
        });
    }
    let (told, hearing) = mpsc::channel(WAITING);
    let mut seats = Vec::new();
    for (index, worker) in (0..).zip(workers) {
        let part = Part {
            name: story.name.clone(),
            text: story.text.clone(),
            settings: manner.settings.clone(),
            accounts: match &accounts {
                Accounts::List(list) => Some(list.clone()),
                Accounts::Pattern { .. } => None,
            },
            share: share(index),
            sources: worker.sources.clone(),
        };
        let users = share(index).of(accounts.count());
        seats.push(Seat::take(worker, part, users).await?);
    }
    let mut reading = JoinSet::new();
    for (number, seat) in seats.iter_mut().enumerate() {
        if let Some(link) = seat.link.take() {
            reading.spawn_local(read(number, link, told.clone()));
        }
    }
    drop(told);
    let about = run::about(story, manner.settings);
    let began = std::time::Instant::now();
    let mut lead = Leading {
        scenario,
        users: accounts.count(),
        recorder: Recorder::new(began, run::transactions(scenario)),
        pulse: Pulse::new(watch),
        live: Live::new(&scenario.phases),
        rules: Rules::new(&scenario.stop),
        seats,
        passed: 0,
    };
    lead.order(&Order::Start).await;
    lead.play(hearing, interrupts).await;
    lead.live.clear();
    // They end when nobody speaks to them any more.
    drop(reading);
    let Played { recorded, samples } = lead.played().await;
    Ok(Results::of(about, &recorded, &samples))
}

/// A worker, and what is known of it.
struct Seat {
    name: String,
    machine: Machine,
    /// How many users are its.
    users: u32,
    orders: WriteHalf<Box<dyn Link>>,
    link: Option<ReadHalf<Box<dyn Link>>>,
    process: Option<Process>,
    /// The point of the run at which it waits, or which it has passed.
    at: Option<usize>,
    heard: Instant,
    account: Account,
    lost: bool,
}

impl Seat {
    /// Lets a worker get ready.
    async fn take(worker: Worker, part: Part, users: u32) -> Result<Seat, Failure> {
        let (mut link, mut orders) = tokio::io::split(worker.link);
        let ready = async {
            say(&mut orders, &Order::Play(Box::new(part))).await?;
            hear(&mut link, LONGEST).await
        };
        let ready = timeout(READY, ready).await;
        let machine = match ready.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(Told::Ready(machine)) => Ok(machine),
            Ok(Told::Refused(reason)) => Err(reason),
            Ok(_) => Err("it is out of order".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        Ok(Seat {
            machine: machine.map_err(|reason| Failure::Worker {
                name: worker.name.clone(),
                reason,
            })?,
            name: worker.name,
            users,
            orders,
            link: Some(link),
            process: worker.process,
            at: None,
            heard: Instant::now(),
            account: Account::default(),
            lost: false,
        })
    }

    /// Whether it still plays.
    fn plays(&self) -> bool {
        !self.lost && self.account.played.is_none()
    }
}

/// Hears one worker until it is done or gone.
async fn read(
    number: usize,
    mut link: ReadHalf<Box<dyn Link>>,
    told: mpsc::Sender<(usize, io::Result<Told>)>,
) {
    loop {
        let heard = hear(&mut link, LONGEST).await;
        let last = matches!(heard, Ok(Told::Done(_)) | Err(_));
        if told.send((number, heard)).await.is_err() || last {
            return;
        }
    }
}

/// A run that is led.
struct Leading<'a> {
    scenario: &'a Scenario,
    users: u32,
    /// What we write down ourselves: phases, and what became of workers.
    recorder: Recorder,
    pulse: Pulse,
    live: Live,
    rules: Rules<'a>,
    seats: Vec<Seat>,
    /// How many points of the run all have passed.
    passed: usize,
}

impl Leading<'_> {
    /// Leads until every worker is done or lost.
    async fn play(
        &mut self,
        mut hearing: mpsc::Receiver<(usize, io::Result<Told>)>,
        mut interrupts: Signal,
    ) {
        let mut beat = interval_at(Instant::now() + BEAT, BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Skip);
        // When the workers of a run that is given up have to be done.
        let mut end = None;
        while self.seats.iter().any(Seat::plays) {
            let late = async {
                match end {
                    Some(end) => sleep_until(end).await,
                    None => std::future::pending().await,
                }
            };
            let stop = tokio::select! {
                Some((number, heard)) = hearing.recv() => {
                    self.hear(number, heard).await;
                    None
                }
                _ = beat.tick() => self.beat().await,
                Some(()) = interrupts.recv() => Some(run::STOPPED.to_owned()),
                () = late => {
                    self.lose(|_| true).await;
                    None
                }
            };
            if let Some(why) = stop.filter(|_| end.is_none()) {
                self.recorder.problem(&why, 1);
                end = Some(Instant::now() + FAREWELL + REPORT);
                self.order(&Order::Stop).await;
            }
            self.pass().await;
        }
        self.pulse.end(&self.recorder);
    }

    /// Says something to all who play.
    async fn order(&mut self, order: &Order) {
        for seat in self.seats.iter_mut().filter(|seat| seat.plays()) {
            // Who is gone is noticed by who hears them.
            let _ = say(&mut seat.orders, order).await;
        }
    }

    /// Lets all pass the next point if all are there.
    async fn pass(&mut self) {
        let point = self.passed;
        let mut playing = self.seats.iter().filter(|seat| seat.plays()).peekable();
        if playing.peek().is_none() || !playing.all(|seat| seat.at >= Some(point)) {
            return;
        }
        self.passed += 1;
        let phase = point / 2;
        if point == run::ending(phase) {
            self.pulse.end(&self.recorder);
        } else if let Some(phase) = self.scenario.phases.get(phase) {
            self.pulse
                .begin(&self.recorder, &phase.name, phase.measured);
        }
        self.order(&Order::Pass(point)).await;
    }

    async fn hear(&mut self, number: usize, heard: io::Result<Told>) {
        let seat = &mut self.seats[number];
        seat.heard = Instant::now();
        match heard {
            Ok(Told::At(point)) => seat.at = Some(point),
            Ok(Told::Second(second)) => seat.account.hear(*second),
            Ok(Told::Done(played)) => seat.account.played = Some(*played),
            Ok(Told::Ready(_) | Told::Refused(_)) | Err(_) => {
                let name = seat.name.clone();
                self.lose(|seat| seat.name == name).await;
            }
        }
    }

    /// Gives up those who play and are such.
    async fn lose(&mut self, such: impl Fn(&Seat) -> bool) {
        let all = self.seats.len();
        for (number, seat) in self.seats.iter_mut().enumerate() {
            if !seat.plays() || !such(seat) {
                continue;
            }
            seat.lost = true;
            let how = match seat.process.take() {
                Some(process) => process.end().await,
                None => "it does not answer any more".to_owned(),
            };
            let what = format!(
                "worker {} of {all} was lost ({}: {how}): what its {} of {} users did is missing",
                number + 1,
                seat.name,
                seat.users,
                self.users
            );
            self.recorder.problem(&what, 1);
        }
    }

    /// Looks at everything, once a second; says why the run is over if it is.
    async fn beat(&mut self) -> Option<String> {
        self.lose(|seat| seat.heard.elapsed() > SILENCE).await;
        self.pulse.strike(&self.recorder);
        let accounts = self.seats.iter_mut().map(|seat| &mut seat.account);
        let together = Together::of(accounts);
        self.live.show(|| self.glance(&together));
        let number = |name: &str| self.recorder.names().position(|known| known == name);
        self.rules
            .look(together.counts, |name| Some(together.lately(number(name)?)))
    }

    fn glance(&self, together: &Together) -> Glance {
        let mut errors = self.recorder.errors();
        errors.extend(together.errors.clone());
        let accounts = self.seats.iter().map(|seat| &seat.account);
        Glance {
            last: together.last.clone(),
            samples: gathered::usage(self.pulse.last(), accounts),
            errors,
            ..Glance::of(&self.recorder, &self.pulse)
        }
    }

    /// What all together came to.
    async fn played(self) -> Played {
        let mut recorded = Vec::new();
        let mut samples = Vec::new();
        for seat in self.seats {
            drop(seat.orders);
            if let Some(process) = seat.process {
                process.end().await;
            }
            if let Some(played) = seat.account.played {
                recorded.push(played.recorded);
                samples.push((seat.machine, played.samples));
            }
        }
        Played {
            recorded: gathered::recorded(self.recorder.finish(), recorded),
            samples: gathered::samples(self.pulse.samples(), &samples),
        }
    }
}
