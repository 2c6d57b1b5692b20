//! 1 000 senders flood one who never reads: what waits for that one stays within its bounds, the
//! session is closed at its mark, and everybody else is served meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use actors::InboxLimits;
use actors::figures::ClientFigure;
use actors::pipe::Pipe;
use actors::vitals::Roll;
use tokio::io::AsyncReadExt;
use tokio::task::JoinSet;

use crate::stage::{Client, Node, Wishes};

const SENDERS: usize = 1_000;
const PAIRS: usize = 5;
/// What each of a pair says while the flood goes on.
const SAID: usize = 20;
/// Logins at a time: fewer than an address may have.
const AT_ONCE: usize = 50;
/// What the pipe of a client holds each way, in bytes.
const ROOM: usize = 32 * 1024;
/// `max_mailbox`
const MAILBOX: usize = 64 * 1024;
/// `max_outbox`
const OUTBOX: usize = 64 * 1024;
/// More than the longest stanza here has, and more than the end of a stream.
const STANZA: usize = 1024;
/// How long it is between two looks at all sessions.
const LOOKS: Duration = Duration::from_millis(2);
/// Threads that can be about to deliver to the same session at a time.
const THREADS: usize = 2;

/// The most that waited anywhere at any moment that was looked at.
#[derive(Default)]
struct Most {
    mailbox: AtomicU64,
    outbox: AtomicU64,
}

impl Most {
    /// Looks at every session until `stop` is dropped, from a thread that nothing here holds up.
    fn watch(self: &Arc<Self>, roll: Roll, stop: Receiver<()>) -> std::thread::JoinHandle<()> {
        let most = self.clone();
        std::thread::spawn(move || {
            while stop.recv_timeout(LOOKS) == Err(RecvTimeoutError::Timeout) {
                let mut sessions = Vec::new();
                roll.for_each(|_, status| {
                    if status.kind() == "session" {
                        sessions.push(status.clone());
                    }
                });
                for (name, value) in sessions.iter().flat_map(|session| session.figures()) {
                    match name {
                        "mailbox_bytes" => most.mailbox.fetch_max(value, Ordering::Relaxed),
                        "outbox_bytes" => most.outbox.fetch_max(value, Ordering::Relaxed),
                        _ => 0,
                    };
                }
            }
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_flood_one_who_never_reads_and_the_others_chat_on() {
    let node = Node::with(Wishes {
        shards: 2,
        high_water: OUTBOX,
        inbox: InboxLimits {
            bytes: MAILBOX,
            stanzas: 10_000,
        },
        crowd: SENDERS + 2 * PAIRS,
        ..Wishes::default()
    })
    .await;
    let node = Arc::new(node);
    let mut everybody = log_in(&node, SENDERS + 2 * PAIRS).await;
    let pairs: Vec<_> = everybody.split_off(SENDERS);

    let most = Arc::new(Most::default());
    let (stop, stopped) = mpsc::channel::<()>();
    let looking = most.watch(node.service.roll.clone(), stopped);
    let mut flood = JoinSet::new();
    flood.spawn(never_read(node.clone()));
    let sent = Arc::new(AtomicU64::new(0));
    for (_, sender) in everybody {
        let (reading, writing) = (sender.io.clone(), sender);
        flood.spawn(read_on(reading));
        flood.spawn(write_on(writing, sent.clone()));
    }
    // It has been closed once at least before the others say anything.
    closed(&node, 1).await;

    let mut chats = JoinSet::new();
    let mut pairs = pairs.into_iter();
    while let (Some(one), Some(other)) = (pairs.next(), pairs.next()) {
        chats.spawn(chat(one, other));
    }
    let all_said = async {
        while let Some(said) = chats.join_next().await {
            said.expect("all of it arrives, once and in order");
        }
    };
    let before = (sent.load(Ordering::Relaxed), not_reading(&node));
    tokio::time::timeout(Duration::from_secs(60), all_said)
        .await
        .expect("they are served");
    assert!(sent.load(Ordering::Relaxed) > before.0, "the flood went on");
    // And it is closed each time it comes back.
    closed(&node, before.1 + 1).await;
    flood.shutdown().await;
    drop(stop);
    looking.join().expect("it only looks");

    let (mailbox, outbox) = (
        most.mailbox.load(Ordering::Relaxed),
        most.outbox.load(Ordering::Relaxed),
    );
    // Credit is taken before it is refused, by each thread for one stanza.
    let bounds = [MAILBOX + THREADS * STANZA, OUTBOX + STANZA].map(|bytes| bytes as u64);
    assert!(
        mailbox <= bounds[0] && outbox <= bounds[1],
        "{mailbox} bytes in a mailbox and {outbox} in an outbox are more than {bounds:?}"
    );
    assert!(outbox > 0, "what waited was seen");
}

/// Sessions closed at either of their marks.
fn not_reading(node: &Node) -> u64 {
    let figures = &node.service.figures;
    figures.get(ClientFigure::NotReading) + figures.get(ClientFigure::Overflowed)
}

async fn closed(node: &Node, times: u64) {
    let closed = node.until(|node| not_reading(node) >= times);
    tokio::time::timeout(Duration::from_secs(60), closed)
        .await
        .expect("who never reads is closed at the mark");
}

/// Logs in `u0`, `u1`, ….
async fn log_in(node: &Arc<Node>, count: usize) -> Vec<(usize, Client<Pipe>)> {
    let mut under_way = JoinSet::new();
    let mut online = Vec::new();
    for number in 0..count {
        if under_way.len() >= AT_ONCE {
            online.extend(under_way.join_next().await);
        }
        let node = node.clone();
        under_way.spawn(async move {
            let mut client = node.connect_with(ROOM);
            client.login(&format!("u{number}")).await;
            (number, client)
        });
    }
    online.extend(under_way.join_all().await.into_iter().map(Ok));
    let mut online: Vec<_> = online
        .into_iter()
        .map(|client| client.expect("it logs in"))
        .collect();
    online.sort_by_key(|(number, _)| *number);
    online
}

/// The nurse is there and never reads; closed, she comes back.
async fn never_read(node: Arc<Node>) {
    loop {
        let before = not_reading(&node);
        let mut deaf = node.connect_with(ROOM);
        deaf.login("nurse").await;
        node.until(|node| not_reading(node) > before).await;
    }
}

/// Writes to her as fast as the node takes it.
async fn write_on(mut sender: Client<Pipe>, sent: Arc<AtomicU64>) {
    let body = "x".repeat(100);
    let message =
        format!("<message to='nurse@localhost/here' type='chat'><body>{body}</body></message>");
    let many = message.repeat(10);
    loop {
        sender.send(&many).await;
        sent.fetch_add(10, Ordering::Relaxed);
    }
}

/// Reads whatever comes back.
async fn read_on(mut reading: Pipe) {
    let mut bytes = [0; 4096];
    while reading.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
}

/// Each says so many things to the other, all at once, and hears what the other says.
async fn chat((one, a): (usize, Client<Pipe>), (other, b): (usize, Client<Pipe>)) {
    tokio::join!(say_and_hear(a, other), say_and_hear(b, one));
}

async fn say_and_hear(mut client: Client<Pipe>, partner: usize) {
    for number in 0..SAID {
        let to = format!("u{partner}@localhost/here");
        client.message(&to, &format!("|{number}|")).await;
    }
    for number in 0..SAID {
        let got = client.until("</message>").await;
        assert!(got.contains(&format!("|{number}|")), "{number}: {got}");
    }
}
