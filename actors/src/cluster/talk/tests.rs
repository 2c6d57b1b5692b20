use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::BufMut;
use tokio::io::{DuplexStream, duplex};
use tokio::time::timeout;

use super::*;
use crate::vitals::lock;

const DEAD_AFTER: Duration = Duration::from_secs(5);

/// Says lines and hears lines; an empty one is a heartbeat.
struct Lines(Mutex<Said>);

struct Said {
    heard: Vec<String>,
    to_say: Vec<String>,
    last_heard: Instant,
    last_said: Instant,
}

impl Lines {
    fn new() -> Self {
        let now = Instant::now();
        Self(Mutex::new(Said {
            heard: Vec::new(),
            to_say: Vec::new(),
            last_heard: now,
            last_said: now,
        }))
    }
}

impl Talk for Lines {
    fn received(&self, now: Instant, bytes: &mut BytesMut) -> Result<(), String> {
        let mut said = lock(&self.0);
        said.last_heard = now;
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let line = bytes.split_to(end + 1);
            let line = std::str::from_utf8(&line[..end]).map_err(|error| error.to_string())?;
            if !line.is_empty() {
                said.heard.push(line.to_owned());
            }
        }
        Ok(())
    }

    fn write(&self, now: Instant, most: usize, out: &mut BytesMut) -> Result<(), String> {
        let due = self.due();
        let mut said = lock(&self.0);
        while out.len() < most && !said.to_say.is_empty() {
            out.put_slice(said.to_say.remove(0).as_bytes());
            out.put_u8(b'\n');
        }
        if out.is_empty() && now >= due {
            out.put_u8(b'\n');
        }
        if !out.is_empty() {
            said.last_said = now;
        }
        Ok(())
    }

    fn due(&self) -> Instant {
        lock(&self.0).last_said + DEAD_AFTER / 5
    }

    fn deadline(&self) -> Instant {
        lock(&self.0).last_heard + DEAD_AFTER
    }
}

fn connection(stream: DuplexStream) -> Connection {
    let (reader, writer) = tokio::io::split(stream);
    Connection {
        reader: Box::new(reader),
        writer: Box::new(writer),
        remote: ([127, 0, 0, 1], 1).into(),
        binding: None,
    }
}

/// Talks over `stream`, with what the handshake had read already.
async fn over(stream: DuplexStream, said: &str, lines: &Lines, wake: &Notify) -> Ended {
    talk(connection(stream), BytesMut::from(said), lines, wake).await
}

#[tokio::test(start_paused = true)]
async fn heartbeats_keep_a_quiet_connection() {
    let (one, other) = duplex(1 << 10);
    let (a, b, wake) = (Lines::new(), Lines::new(), [Notify::new(), Notify::new()]);
    let both = async {
        tokio::select! {
            ended = over(one, "", &a, &wake[0]) => ended,
            ended = over(other, "", &b, &wake[1]) => ended,
        }
    };
    timeout(DEAD_AFTER * 100, both)
        .await
        .expect_err("they talk on");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_stopped_is_noticed_in_time_even_in_the_middle_of_a_write() {
    for lines in [0, 10_000] {
        // It takes a few bytes and never says anything.
        let (one, _stopped) = duplex(64);
        let a = Lines::new();
        lock(&a.0).to_say = vec!["to nobody".to_owned(); lines];
        let start = Instant::now();
        let ended = over(one, "", &a, &Notify::new()).await;
        assert!(matches!(ended, Ended::Silent), "{ended}");
        assert_eq!(start.elapsed(), DEAD_AFTER, "{lines} lines");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_handshake_left_comes_first_and_garbage_ends_it() {
    let (one, mut other) = duplex(64);
    let a = Lines::new();
    let say = async {
        other.write_all(b"o\ntwo\n\xff\n").await.expect("written");
        std::future::pending::<()>().await;
    };
    let wake = Notify::new();
    let ended = tokio::select! {
        ended = over(one, "zero\n", &a, &wake) => ended,
        () = say => unreachable!("it waits"),
    };
    assert!(matches!(ended, Ended::Said(_)), "{ended}");
    assert_eq!(lock(&a.0).heard, ["zero", "o", "two"]);
}

#[tokio::test(start_paused = true)]
async fn a_closed_connection_is_told_from_a_silent_one() {
    let (one, other) = duplex(64);
    drop(other);
    let ended = over(one, "", &Lines::new(), &Notify::new()).await;
    assert!(matches!(ended, Ended::Closed), "{ended}");
}

/// Counts the writes that come through.
struct Counted<W>(W, Arc<AtomicUsize>);

impl<W: AsyncWriteExt + Unpin> tokio::io::AsyncWrite for Counted<W> {
    fn poll_write(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        bytes: &[u8],
    ) -> std::task::Poll<io::Result<usize>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        std::pin::Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::pin::Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::pin::Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn all_that_waits_goes_in_one_write_and_in_order() {
    let (one, other) = duplex(1 << 20);
    let writes = Arc::new(AtomicUsize::new(0));
    let mut counted = connection(one);
    counted.writer = Box::new(Counted(counted.writer, writes.clone()));
    let (a, b, wake) = (Lines::new(), Lines::new(), [Notify::new(), Notify::new()]);
    let said: Vec<String> = (0..500).map(|n| format!("line {n}")).collect();
    lock(&a.0).to_say = said.clone();
    let both = async {
        tokio::select! {
            ended = talk(counted, BytesMut::new(), &a, &wake[0]) => ended,
            ended = over(other, "", &b, &wake[1]) => ended,
        }
    };
    timeout(DEAD_AFTER / 10, both)
        .await
        .expect_err("they talk on");
    assert_eq!(lock(&b.0).heard, said);
    assert_eq!(writes.load(Ordering::Relaxed), 1);
}
