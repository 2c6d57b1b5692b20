//! Slow-loris: whoever comes to no end of negotiation is sent off when its time is over, whatever he
//! waits at (ours: `login_timeout`); and who is logged in, when nothing was heard of him for long.

use std::net::SocketAddr;
use std::time::Duration;

use play::Received;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::floods::{HEADER, PLAIN, STARTTLS};
use crate::stage::{Client, Node};

/// Before TLS: what is sent, and what is dripped after it byte by byte.
const IN_THE_CLEAR: [(&str, &str); 6] = [
    ("", ""),
    (
        "",
        "<?xml version='1.0'?><stream:stream xmlns='jabber:client'",
    ),
    (HEADER, ""),
    (
        HEADER,
        "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'     ",
    ),
    (
        HEADER,
        "                                                      ",
    ),
    (
        HEADER,
        "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'>      ",
    ),
];

/// Through TLS: what is sent one after the other, each when something came for the one before it, and
/// what is dripped then.
const ENCRYPTED: [(&[&str], &str); 7] = [
    (&[], ""),
    (
        &[],
        "<stream:stream xmlns='jabber:client' xmlns:stream='http",
    ),
    (&[HEADER], ""),
    (
        &[HEADER],
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AAAA",
    ),
    (
        // The server waits for the client's proof.
        &[
            HEADER,
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'>biwsbj1yb21lbyxyPWFiYw==</auth>",
        ],
        "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>AAAAAAAAA",
    ),
    (
        &[HEADER, PLAIN],
        "<stream:stream xmlns='jabber:client' xmlns:stream='http",
    ),
    (
        &[HEADER, PLAIN, HEADER],
        "<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xm",
    ),
];

/// A ClientHello, begun: a record of handshake type with 512 bytes, of which few come.
const HALF_A_HELLO: [u8; 9] = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC];

/// All stages at a time.
pub(crate) async fn at_each_stage(node: &Node) -> Result<(), String> {
    let mut lorises = JoinSet::new();
    for (said, dripped) in IN_THE_CLEAR {
        let mut client = Client::connect(node).await?;
        say(&mut client, said.as_bytes()).await?;
        lorises.spawn(drip(client, dripped.into(), true));
    }
    for (said, dripped) in ENCRYPTED {
        let mut client = Client::connect_tls(node).await?;
        for said in said {
            say(&mut client, said.as_bytes()).await?;
            answered(&mut client, said).await?;
        }
        lorises.spawn(drip(client, dripped.into(), true));
    }
    for hello in [&HALF_A_HELLO[..0], &HALF_A_HELLO] {
        let mut after_proceed = Client::connect(node).await?;
        say(&mut after_proceed, HEADER.as_bytes()).await?;
        answered(&mut after_proceed, HEADER).await?;
        say(&mut after_proceed, STARTTLS.as_bytes()).await?;
        answered(&mut after_proceed, STARTTLS).await?;
        lorises.spawn(drip(after_proceed, hello.to_vec(), false));
        let direct = Client::over(connect(node.c2s_tls).await?);
        lorises.spawn(drip(direct, hello.to_vec(), false));
    }
    while let Some(end) = lorises.join_next().await {
        end.map_err(|error| error.to_string())??;
    }
    Ok(())
}

/// Sends a byte now and then, until the node closes the connection.
async fn drip(mut client: Client, bytes: Vec<u8>, is_told: bool) -> Result<(), String> {
    let mut drops = interval(Duration::from_millis(100));
    drops.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for byte in &bytes {
        drops.tick().await;
        if client.send_bytes(&[*byte]).await.is_err() {
            break;
        }
    }
    let rest = client.rest().await?;
    let rest = String::from_utf8_lossy(&rest);
    let why = "<connection-timeout xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>";
    match rest.contains(why) || !is_told {
        true => Ok(()),
        false => Err(format!("{:?}: {rest}", String::from_utf8_lossy(&bytes))),
    }
}

/// Somebody who logs in and sends half a stanza.
pub(crate) async fn half_a_stanza(node: &Node) -> Client {
    let mut client = Client::log_in(node, "juliet@localhost/loris")
        .await
        .expect("logged in");
    say(&mut client, b"<message to='romeo@localhost'><body>")
        .await
        .expect("sent");
    client
}

/// Whether he was sent off when nothing more was heard of him (`idle_timeout`).
pub(crate) async fn is_sent_off(mut client: Client) -> Result<(), String> {
    let rest = client.rest().await?;
    let rest = String::from_utf8_lossy(&rest);
    match rest.contains("<connection-timeout ") {
        true => Ok(()),
        false => Err(format!("what came: {rest:?}")),
    }
}

async fn say(client: &mut Client, bytes: &[u8]) -> Result<(), String> {
    client
        .send_bytes(bytes)
        .await
        .map_err(|error| error.to_string())
}

/// Waits for the node's answer: to a header, header and features.
async fn answered(client: &mut Client, said: &str) -> Result<(), String> {
    let answers = if said == HEADER { 2 } else { 1 };
    for _ in 0..answers {
        match client.receive().await? {
            Received::Text(_) => {}
            other => return Err(format!("{said} was answered with {other:?}")),
        }
    }
    if said == PLAIN {
        client.begin_anew();
    }
    Ok(())
}

async fn connect(to: SocketAddr) -> Result<TcpStream, String> {
    TcpStream::connect(to)
        .await
        .map_err(|error| error.to_string())
}
