//! What coordinator and workers say to each other: JSON behind its length in four bytes.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::measure::{Interval, Sample};
use crate::run::{Played, Share};

/// The version of all that is said. It grows with every change of it, what is recorded included.
pub(super) const PROTOCOL: u32 = 1;
/// The longest message of somebody who has proved to know the secret: a report of hours.
pub(super) const LONGEST: u32 = 256 << 20;

/// What a coordinator says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Order {
    /// Get ready to play this.
    Play(Box<Part>),
    /// Begin.
    Start,
    /// All are at this point of the run, so pass it.
    Pass(usize),
    /// The run is over: come to an end.
    Stop,
}

/// What a worker is to play.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Part {
    /// The name of the scenario.
    pub(super) name: String,
    /// Its text.
    pub(super) text: String,
    /// The parameters that have another value.
    pub(super) settings: BTreeMap<String, String>,
    /// The accounts, if they come from a file.
    pub(super) accounts: Option<Vec<(Box<str>, Box<str>)>>,
    /// Whom of all users the worker plays.
    pub(super) share: Share,
    /// The addresses that they connect from, unless the worker was told others.
    pub(super) sources: Vec<IpAddr>,
}

/// What a worker says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Told {
    /// It is ready; on which machine.
    Ready(Machine),
    /// It can't play, and why.
    Refused(String),
    /// It is at this point of the run.
    At(usize),
    /// What happened since it told last, about a second ago.
    Second(Box<Second>),
    /// All of what happened. Nothing comes behind it.
    Done(Box<Played>),
}

/// The same for all processes of a machine, until it starts anew.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Machine(String);

impl Machine {
    /// This one.
    pub(super) fn here() -> Machine {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
        Machine(boot.unwrap_or_default())
    }
}

/// A second of a worker, for the screen and the rules that end a run.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Second {
    /// What was closed off in it.
    pub(super) intervals: Vec<Interval>,
    /// What went wrong so far.
    pub(super) errors: BTreeMap<String, u64>,
    /// Transactions so far: done, and failed.
    pub(super) counts: (u64, u64),
    /// What the process used at its beginning and end.
    pub(super) samples: Option<(Sample, Sample)>,
}

/// Says something.
///
/// # Errors
/// The other side is gone.
pub(super) async fn say(
    stream: &mut (impl AsyncWrite + Unpin),
    message: &impl Serialize,
) -> io::Result<()> {
    let mut frame = vec![0; 4];
    serde_json::to_writer(&mut frame, message)?;
    let length = u32::try_from(frame.len() - 4).map_err(io::Error::other)?;
    frame[..4].copy_from_slice(&length.to_be_bytes());
    stream.write_all(&frame).await?;
    stream.flush().await
}

/// Hears something that is no longer than this; takes memory for no more than what comes.
///
/// # Errors
/// The other side is gone, or says what we do not understand.
pub(super) async fn hear<T: DeserializeOwned>(
    stream: &mut (impl AsyncRead + Unpin),
    longest: u32,
) -> io::Result<T> {
    let length = stream.read_u32().await?;
    let wrong = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    if length > longest {
        return Err(wrong(format!("a message of {length} bytes is too long")));
    }
    let mut frame = Vec::new();
    let mut limited = stream.take(length.into());
    limited.read_to_end(&mut frame).await?;
    if frame.len() < length as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    serde_json::from_slice(&frame).map_err(|error| wrong(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_said_is_heard() {
        let (mut here, mut there) = tokio::io::duplex(64);
        let said = Order::Pass(7);
        let (said, heard) = tokio::join!(say(&mut here, &said), hear(&mut there, 100));
        said.expect("said");
        assert!(matches!(heard.expect("heard"), Order::Pass(7)));
    }

    #[tokio::test]
    async fn what_is_too_long_cut_or_no_message_is_refused() {
        for (bytes, wanted) in [
            (&b"\xff\xff\xff\xff"[..], "too long"),
            (b"\0\0\0\x09\"Sta", "end of file"),
            (b"\0\0\0", "end of file"),
            (b"\0\0\0\x04oops", "expected"),
            (b"\0\0\0\x06\"Play\"", "invalid type"),
        ] {
            let heard: io::Result<Order> = hear(&mut &*bytes, 100).await;
            let error = heard.expect_err("refused").to_string();
            let error = error.replace("early eof", "end of file");
            assert!(error.contains(wanted), "{wanted}: {error}");
        }
    }
}
