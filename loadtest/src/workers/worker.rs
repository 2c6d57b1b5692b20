//! A worker: plays its share of the users as a coordinator says.

use std::cell::Cell;
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::Path;
use std::rc::Rc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::secret::{self, Secret};
use super::wire::{LONGEST, Machine, Order, Part, Second, Told, hear, say};
use crate::arguments::WorkerPlan;
use crate::failure::Failure;
use crate::place::Accounts;
use crate::run::{Cast, Lead, Ledger, Manner};
use crate::scenario;

/// So many may try to prove that they know the secret at a time.
const STRANGERS: usize = 16;
/// Seconds that the coordinator may be behind; what it did not hear it is told with the next.
const BEHIND: usize = 16;

/// What the machine's owner said, whatever coordinators say.
#[derive(Debug, Clone)]
struct House {
    sources: Vec<IpAddr>,
    owned: bool,
}

/// Waits for coordinators and plays for one after the other, until Ctrl-C.
///
/// # Errors
/// It can't listen there, or there is no secret.
pub(crate) async fn listen(plan: &WorkerPlan, address: &str, file: &Path) -> Result<(), Failure> {
    let secret = Rc::new(Secret::read(file)?);
    let listener = TcpListener::bind(address).await?;
    let local = listener.local_addr()?;
    writeln!(
        io::stdout(),
        "mungo-loadtest waits for a coordinator at {local}"
    )?;
    let house = House::of(plan);
    let busy = Rc::new(Cell::new(false));
    let mut visitors = JoinSet::new();
    loop {
        tokio::select! {
            visitor = listener.accept() => {
                // One that was gone before it was let in is no reason to go home.
                let Ok((mut stream, address)) = visitor else { continue };
                if visitors.len() > STRANGERS {
                    continue;
                }
                let (secret, busy, house) = (Rc::clone(&secret), Rc::clone(&busy), house.clone());
                visitors.spawn_local(async move {
                    stream.set_nodelay(true)?;
                    secret::admit(&mut stream, &secret).await?;
                    tell(&format!("{address} coordinates a run"));
                    if busy.replace(true) {
                        let reason = "it plays another run".to_owned();
                        return Ok(say(&mut stream, &Told::Refused(reason)).await?);
                    }
                    let served = serve(stream, &house).await;
                    busy.set(false);
                    served
                });
            }
            Some(Ok(served)) = visitors.join_next() => {
                if let Err(failure) = served {
                    tell(&failure.to_string());
                }
            }
            interrupt = tokio::signal::ctrl_c() => return Ok(interrupt?),
        }
    }
}

/// Plays for the coordinator that has started this process with a socket as its standard input.
///
/// # Errors
/// There is no such socket, or the coordinator is gone.
pub(crate) async fn serve_parent(plan: &WorkerPlan) -> Result<(), Failure> {
    let socket = StdUnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    socket.set_nonblocking(true)?;
    serve(UnixStream::from_std(socket)?, &House::of(plan)).await
}

impl House {
    fn of(plan: &WorkerPlan) -> House {
        House {
            sources: plan.source.clone(),
            owned: plan.i_own_this_target,
        }
    }
}

/// Says something to whoever has started this worker.
fn tell(what: &str) {
    // Nothing can be done if nobody reads it.
    let _ = writeln!(io::stderr(), "mungo-loadtest: {what}");
}

/// Plays one run.
async fn serve(
    stream: impl AsyncRead + AsyncWrite + 'static,
    house: &House,
) -> Result<(), Failure> {
    let (mut orders, mut told) = tokio::io::split(stream);
    let Order::Play(part) = hear(&mut orders, LONGEST).await? else {
        return Err(Failure::Handshake(
            "the coordinator is out of order".to_owned(),
        ));
    };
    let (story, accounts) = match read(&part) {
        Ok(read) => read,
        Err(failure) => return Ok(say(&mut told, &Told::Refused(failure.to_string())).await?),
    };
    let manner = Manner {
        owned: house.owned,
        sources: match house.sources.is_empty() {
            true => part.sources.clone(),
            false => house.sources.clone(),
        },
        ..Manner::default()
    };
    let cast = match Cast::new(&story, accounts, part.share, &manner) {
        Ok(cast) => cast,
        Err(failure) => return Ok(say(&mut told, &Told::Refused(failure.to_string())).await?),
    };
    say(&mut told, &Told::Ready(Machine::here())).await?;
    let Order::Start = hear(&mut orders, LONGEST).await? else {
        return Err(Failure::Handshake(
            "the coordinator is out of order".to_owned(),
        ));
    };

    let (tell, mut to_tell) = mpsc::channel(BEHIND);
    let (pass, passed) = watch::channel(0);
    let (stop, stopped) = watch::channel(false);
    let led = Led {
        told: tell.clone(),
        passed,
        stopped,
        intervals: Cell::default(),
    };
    // It ends with us.
    let mut hearing = JoinSet::new();
    hearing.spawn_local(async move {
        // One that is gone wants us to stop, too.
        while let Ok(Order::Pass(point)) = hear(&mut orders, LONGEST).await {
            pass.send_replace(point + 1);
        }
        stop.send_replace(true);
    });
    let telling = tokio::task::spawn_local(async move {
        while let Some(message) = to_tell.recv().await {
            say(&mut told, &message).await?;
        }
        io::Result::Ok(())
    });
    let played = cast.play(&led).await?;
    drop(led);
    // Nobody listens if the coordinator is gone.
    let _ = tell.send(Told::Done(Box::new(played))).await;
    drop(tell);
    match telling.await {
        Ok(told) => Ok(told?),
        Err(broken) => std::panic::resume_unwind(broken.into_panic()),
    }
}

/// What is to be played, and with which accounts.
fn read(part: &Part) -> Result<(scenario::Scenario, Accounts), Failure> {
    let story = scenario::parse(&part.text, part.name.as_ref(), &part.settings)?.value;
    let accounts = match &part.accounts {
        Some(list) => Accounts::List(list.clone()),
        None => Accounts::of(&story.users)?,
    };
    Ok((story, accounts))
}

/// A coordinator leads.
#[derive(Debug)]
struct Led {
    told: mpsc::Sender<Told>,
    /// How many points of the run all have passed.
    passed: watch::Receiver<usize>,
    stopped: watch::Receiver<bool>,
    /// How many intervals the coordinator was told of.
    intervals: Cell<usize>,
}

impl Lead for Led {
    async fn together(&self, point: usize) {
        // A coordinator that is gone has stopped the run.
        let _ = self.told.send(Told::At(point)).await;
        let mut passed = self.passed.clone();
        if passed.wait_for(|passed| *passed > point).await.is_err() {
            std::future::pending().await
        }
    }

    fn second(&self, ledger: &Ledger) -> Option<String> {
        let (recorder, pulse) = ledger.parts();
        let second = Second {
            intervals: recorder.closed_off_since(self.intervals.get()),
            errors: recorder.errors(),
            counts: recorder.counts(),
            samples: pulse.last(),
        };
        let told = self.told.try_send(Told::Second(Box::new(second)));
        if told.is_ok() {
            self.intervals.set(recorder.intervals());
        }
        None
    }

    async fn stopped(&self) -> Option<String> {
        // The coordinator says why in its report.
        let _ = self.stopped.clone().wait_for(|stopped| *stopped).await;
        None
    }
}
