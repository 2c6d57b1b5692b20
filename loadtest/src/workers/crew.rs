//! The workers of a run: those of this machine are started, those of others are asked.

use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::process::{Child, Command};

use super::secret::{DEADLINE, Secret, apply};
use crate::failure::Failure;

/// This program, also if another was put into its place since it was started.
const OURSELVES: &str = "/proc/self/exe";
/// How long a process may take to end whose socket is closed.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Which workers there are to be.
#[derive(Debug, Clone, Default)]
pub(crate) struct Crew {
    /// How many on this machine.
    pub(crate) local: u32,
    /// Where others listen.
    pub(crate) remote: Vec<String>,
    /// The file with the secret that those know.
    pub(crate) secret: Option<PathBuf>,
}

/// A connection to a worker.
pub(super) trait Link: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Link for T {}

/// A worker that is there.
pub(super) struct Worker {
    /// What it is called in reports.
    pub(super) name: String,
    pub(super) link: Box<dyn Link>,
    /// Its process, if it is ours.
    pub(super) process: Option<Process>,
    /// The addresses that its users connect from, if we say so.
    pub(super) sources: Vec<IpAddr>,
}

/// A worker's process, which ends with us.
#[derive(Debug)]
pub(super) struct Process(Child);

impl Crew {
    /// Brings all of them together. Users of local workers connect from `sources`, else from 127.0.1.1,
    /// 127.0.1.2, … if their targets are `at_home`.
    ///
    /// # Errors
    /// One of them can't be had.
    pub(super) async fn gather(
        &self,
        owned: bool,
        sources: &[IpAddr],
        at_home: bool,
    ) -> Result<Vec<Worker>, Failure> {
        let mut workers = Vec::new();
        for number in 0..self.local {
            let sources = sources_of(number, self.local, sources, at_home);
            workers.push(start(owned, sources)?);
        }
        if let Some(file) = self.secret.as_ref().filter(|_| !self.remote.is_empty()) {
            let secret = Secret::read(file)?;
            for address in &self.remote {
                let worker = ask(address, &secret).await;
                workers.push(worker.map_err(|failure| Failure::Worker {
                    name: address.clone(),
                    reason: failure.to_string(),
                })?);
            }
        }
        Ok(workers)
    }
}

/// The addresses of one of so many local workers.
fn sources_of(number: u32, local: u32, sources: &[IpAddr], at_home: bool) -> Vec<IpAddr> {
    if let Some(shared) = sources.get(number as usize % sources.len().max(1)) {
        let (first, step) = (number as usize, local as usize);
        let own: Vec<IpAddr> = sources.iter().skip(first).step_by(step).copied().collect();
        return if own.is_empty() { vec![*shared] } else { own };
    }
    if !at_home {
        return Vec::new();
    }
    let [high, low] = ((number % 0xfffe + 1) as u16).to_be_bytes();
    vec![Ipv4Addr::new(127, 0, high.wrapping_add(1), low).into()]
}

fn start(owned: bool, sources: Vec<IpAddr>) -> Result<Worker, Failure> {
    let (ours, theirs) = StdUnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let mut command = Command::new(OURSELVES);
    command
        .arg0("mungo-loadtest")
        .args(["worker", "--child"])
        .args(owned.then_some("--i-own-this-target"))
        .stdin(OwnedFd::from(theirs))
        .stdout(Stdio::null())
        // Ctrl-C is for us: they are to come to an end in order.
        .process_group(0)
        .kill_on_drop(true);
    let child = command.spawn()?;
    Ok(Worker {
        name: format!("process {}", child.id().unwrap_or_default()),
        link: Box::new(UnixStream::from_std(ours)?),
        process: Some(Process(child)),
        sources,
    })
}

async fn ask(address: &str, secret: &Secret) -> Result<Worker, Failure> {
    let late = |_| Failure::TooSlow(DEADLINE.as_secs_f64());
    let connect = tokio::time::timeout(DEADLINE, TcpStream::connect(address));
    let mut link = connect.await.map_err(late)??;
    link.set_nodelay(true)?;
    apply(&mut link, secret).await?;
    Ok(Worker {
        name: address.to_owned(),
        link: Box::new(link),
        process: None,
        sources: Vec::new(),
    })
}

impl Process {
    /// How it ended, which is to be soon; otherwise it is killed.
    pub(super) async fn end(mut self) -> String {
        match tokio::time::timeout(LAST_WORDS, self.0.wait()).await {
            Ok(Ok(status)) => status.to_string(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it did not answer any more".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_worker_has_addresses_of_its_own() {
        let of = |number, sources: &[&str], at_home| -> Vec<String> {
            let sources: Vec<IpAddr> = sources.iter().map(|s| s.parse().expect("one")).collect();
            let own = sources_of(number, 2, &sources, at_home);
            own.iter().map(ToString::to_string).collect()
        };
        assert_eq!(of(0, &[], true), ["127.0.1.1"]);
        assert_eq!(of(1, &[], true), ["127.0.1.2"]);
        assert_eq!(of(300, &[], true), ["127.0.2.45"]);
        assert!(of(0, &[], false).is_empty());
        assert_eq!(of(1, &["10.0.0.1"], true), ["10.0.0.1"]);
        let three = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
        assert_eq!(of(0, &three, true), ["10.0.0.1", "10.0.0.3"]);
        assert_eq!(of(1, &three, true), ["10.0.0.2"]);
    }
}
