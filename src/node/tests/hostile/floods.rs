//! What only code can send: thousands of connections, guesses without end, a reader that never reads.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use play::Received;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::stage::{Client, Node};
use crate::{cuts, loris};

pub(crate) const HEADER: &str = "<stream:stream xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>";
pub(crate) const STARTTLS: &str = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
/// The right password of mallory.
pub(crate) const PLAIN: &str = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>\
    AG1hbGxvcnkAd2hlcmVmb3JlIGFydCB0aG91</auth>";

/// Connections from one address that may be not logged in (`unauthenticated_per_address`).
const PER_ADDRESS: usize = 200;
/// Idle connections in all.
const IDLE: usize = 2_000;
/// Guesses on connections of their own.
const GUESSES: usize = 60;
/// Failures of an address that cost nothing: four times `free`.
const FREE: u32 = 12;
/// `max_delay`
const SLOWED_DOWN_BY: Duration = Duration::from_millis(10);

/// A flood, and whether all went as it should.
pub(crate) type Flood = for<'a> fn(&'a Node) -> Flooding<'a>;
type Flooding<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + 'a>>;

/// Lets this process, and the node that it starts, have a file for each idle connection and then some: many
/// systems give out 1024 unless asked.
pub(crate) fn raise_file_limit() {
    let needed = IDLE as u64 + 500;
    let limit = getrlimit(Resource::Nofile);
    let enough = |most: Option<u64>| most.is_none_or(|most| most >= needed);
    if enough(limit.current) {
        return;
    }
    assert!(
        enough(limit.maximum),
        "this needs {needed} files: {limit:?}"
    );
    let raised = Rlimit {
        current: Some(needed),
        ..limit
    };
    setrlimit(Resource::Nofile, raised).expect("within the maximum");
}

/// All of them by name.
pub(crate) fn all() -> Vec<(&'static str, Flood)> {
    vec![
        ("a stream header cut everywhere", |node| {
            Box::pin(cuts::header(node))
        }),
        ("a stanza cut everywhere", |node| {
            Box::pin(cuts::stanza(node))
        }),
        ("half a stanza, of every length", |node| {
            Box::pin(cuts::half_a_stanza(node))
        }),
        ("connect and reset", |node| {
            Box::pin(connect_and_reset(node))
        }),
        ("brute force on one connection after the other", |node| {
            Box::pin(one_after_the_other(node))
        }),
        ("brute force on many connections", |node| {
            Box::pin(many_at_a_time(node))
        }),
        ("slow-loris at each stage", |node| {
            Box::pin(loris::at_each_stage(node))
        }),
        ("2000 idle connections", |node| Box::pin(idle(node))),
        ("a client that never reads", |node| {
            Box::pin(never_reads(node))
        }),
    ]
}

/// A connection from one of our many addresses.
async fn connect_from(last: u8, to: SocketAddr) -> Result<TcpStream, String> {
    let connect = async {
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::new(127, 0, 0, last), 0).into())?;
        socket.connect(to).await
    };
    connect
        .await
        .map_err(|error| format!("connecting: {error}"))
}

/// Ours: whoever resets his connection, at whichever stage, costs nothing that stays.
async fn connect_and_reset(node: &Node) -> Result<(), String> {
    let half_a_hello: &[u8] = &[0x16, 3, 1, 2, 0, 1];
    let stages: [(SocketAddr, &[u8]); 5] = [
        (node.c2s, b""),
        (node.c2s, b"<?xml version='1.0'?><stream:stre"),
        (node.c2s, HEADER.as_bytes()),
        (node.c2s_tls, b""),
        (node.c2s_tls, half_a_hello),
    ];
    for round in 0..500 {
        let (port, said) = stages[round % stages.len()];
        let tcp = connect_from(2, port).await?;
        tcp.set_zero_linger().map_err(|error| error.to_string())?;
        if !said.is_empty() {
            tcp.writable().await.map_err(|error| error.to_string())?;
            tcp.try_write(said).map_err(|error| error.to_string())?;
        }
    }
    // After the login, with stanzas under way.
    for _ in 0..20 {
        let mut client = Client::log_in(node, "mallory@localhost/reset").await?;
        let ping = "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>".repeat(50);
        client
            .send(&ping)
            .await
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

async fn guess(tcp: TcpStream, node: &Node, password: &str) -> Result<(), String> {
    let mut client = Client::over(tcp).with_tls(node).await?;
    let plain = BASE64_STANDARD.encode(format!("\0romeo\0{password}"));
    let auth =
        format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>");
    for (said, answers) in [(HEADER, 2), (&auth, 1)] {
        client.send(said).await.map_err(|error| error.to_string())?;
        for _ in 0..answers {
            let Received::Text(text) = client.receive().await? else {
                return Err("cut off".into());
            };
            if text.starts_with("<success") {
                return Err("the guess was right".into());
            }
        }
    }
    Ok(())
}

/// XEP-0438 and RFC 6120 §13.12: guesses get slower, whether on one connection (which
/// the catalogue has) or on a new one each.
async fn one_after_the_other(node: &Node) -> Result<(), String> {
    let begun = Instant::now();
    for number in 0..GUESSES / 2 {
        let tcp = connect_from(3, node.c2s_tls).await?;
        guess(tcp, node, &format!("guess number {number}")).await?;
    }
    let slowed_down = u32::try_from(GUESSES / 2).unwrap_or_default() - FREE - 8;
    let least = SLOWED_DOWN_BY * slowed_down;
    match begun.elapsed() {
        took if took < least => Err(format!("only {took:?}, and not {least:?}")),
        _ => Ok(()),
    }
}

/// Nobody is locked out of his account by those who guess (ours).
async fn many_at_a_time(node: &Node) -> Result<(), String> {
    let mut guesses = Vec::new();
    for number in 0..GUESSES {
        let address = 4 + u8::try_from(number % 4).unwrap_or_default();
        let tcp = connect_from(address, node.c2s_tls).await?;
        guesses.push(async move { guess(tcp, node, &format!("guess number {number}")).await });
    }
    for outcome in together(guesses).await {
        outcome?;
    }
    Client::log_in(node, "romeo@localhost/afterwards").await?;
    Ok(())
}

/// Runs them all at a time.
async fn together<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut running: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<T>> = running.iter().map(|_| None).collect();
    std::future::poll_fn(|cx| {
        for (future, done) in running.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(outcome) = future.as_mut().poll(cx)
            {
                *done = Some(outcome);
            }
        }
        match done.iter().all(Option::is_some) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

/// Ours: an address has so many connections that are not logged in, and not one more; all of them
/// are told when their time is over, and others are served meanwhile.
///
/// The files that this takes were asked for before the node started: [`raise_file_limit`].
async fn idle(node: &Node) -> Result<(), String> {
    let mut idle = Vec::new();
    for number in 0..IDLE {
        let address = 20 + u8::try_from(number / PER_ADDRESS).unwrap_or_default();
        let tcp = connect_from(address, node.c2s).await?;
        let mut client = Client::over(tcp);
        // Half of them say something.
        if number % 2 == 0 {
            client
                .send(HEADER)
                .await
                .map_err(|error| error.to_string())?;
        }
        idle.push(client);
    }
    let mut one_more = Client::over(connect_from(20, node.c2s).await?);
    match one_more.rest().await?.as_slice() {
        [] => {}
        other => return Err(format!("one more than there may be got {other:?}")),
    }
    Client::log_in(node, "romeo@localhost/meanwhile").await?;
    let mut ends = JoinSet::new();
    for mut client in idle {
        ends.spawn(async move { client.rest().await });
    }
    while let Some(end) = ends.join_next().await {
        let said = end.map_err(|error| error.to_string())??;
        let said = String::from_utf8_lossy(&said);
        if !said.contains("<connection-timeout ") {
            return Err(format!("an idle connection got {said:?}"));
        }
    }
    Ok(())
}

/// DESIGN: nobody who writes to it waits, and what waits for it is bounded: it is cut off at its mark
/// (`max_outbox`).
async fn never_reads(node: &Node) -> Result<(), String> {
    let mut mallory = Client::log_in(node, "mallory@localhost/deaf").await?;
    let mut romeo = Client::log_in(node, "romeo@localhost/flood").await?;
    let body = "x".repeat(60_000);
    let message = format!(
        "<message to='mallory@localhost/deaf' type='chat' id='1'><body>{body}</body></message>"
    );
    let mut gone = false;
    for _ in 0..1_000 {
        romeo
            .send(&message)
            .await
            .map_err(|error| error.to_string())?;
        romeo.settle().await?;
        // What comes for Romeo is an error, once nobody has that address any more.
        if matches!(romeo.next_waiting(), Received::Text(_)) {
            gone = true;
            break;
        }
    }
    if !gone {
        return Err("60 MB wait for somebody who never reads".into());
    }
    // Also of what he sends himself.
    let mut narcissus = Client::log_in(node, "mallory@localhost/mirror").await?;
    let message = message.replace("/deaf", "/mirror");
    for _ in 0..1_000 {
        if narcissus.send(&message).await.is_err() {
            break;
        }
    }
    // All of it may have been taken, since what comes behind the end of a stream is read and
    // forgotten. But the stream has ended.
    if narcissus.rest().await.is_err() {
        return Err("60 MB wait for somebody who only writes".into());
    }
    drop(mallory.rest().await);
    Ok(())
}
