//! Every cut position: what comes in two pieces is what comes in one, and half of it is nothing.

use play::Received;

use crate::floods::HEADER;
use crate::stage::{Client, Node};

const DECLARED: &str = "<?xml version='1.0' encoding='UTF-8'?>";

/// A stanza that has all there can be: prefixes, references, CDATA, both quotes, letters of two
/// to four bytes.
const STANZA: &str = "<message to='romeo@localhost/cuts' type=\"chat\" id='ä&amp;1'><body>&#x1F339; é \u{1F339}\
    <![CDATA[<x/> ]] >]]></body><p:x xmlns:p='urn:p' p:y='&lt;'/><active xmlns='http://jabber.org/protocol/chatstates'/></message>";

/// A header, cut everywhere, opens a stream (RFC 6120 §4.2: TCP has no message boundaries).
pub(crate) async fn header(node: &Node) -> Result<(), String> {
    let mut witness = Client::log_in(node, "juliet@localhost/cuts").await?;
    let header = format!("{DECLARED}{HEADER}").into_bytes();
    for cut in 0..=header.len() {
        let mut client = Client::connect(node).await?;
        send(&mut client, &header[..cut]).await?;
        // By then the node has most likely read the first piece.
        witness.settle().await?;
        send(&mut client, &header[cut..]).await?;
        for wanted in ["<stream:stream ", "<stream:features>"] {
            let got = client.receive().await?;
            if !matches!(&got, Received::Text(text) if text.starts_with(wanted)) {
                return Err(format!("cut at {cut}: {got:?}"));
            }
        }
    }
    Ok(())
}

/// A stanza, cut everywhere, arrives as if it had come in one piece.
pub(crate) async fn stanza(node: &Node) -> Result<(), String> {
    let mut witness = Client::log_in(node, "juliet@localhost/cuts").await?;
    let mut romeo = Client::log_in(node, "romeo@localhost/cuts").await?;
    let stanza = STANZA.as_bytes();
    let mut whole = None;
    for cut in 0..=stanza.len() {
        send(&mut romeo, &stanza[..cut]).await?;
        witness.settle().await?;
        send(&mut romeo, &stanza[cut..]).await?;
        let Received::Text(text) = romeo.receive().await? else {
            return Err(format!("cut at {cut}: it did not come"));
        };
        let first = whole.get_or_insert_with(|| text.clone());
        if *first != text {
            return Err(format!("cut at {cut}: {text}\nand not: {first}"));
        }
    }
    Ok(())
}

/// Who is gone in the middle of a stanza has not sent it (RFC 6120 §4.4).
pub(crate) async fn half_a_stanza(node: &Node) -> Result<(), String> {
    let mut romeo = Client::log_in(node, "romeo@localhost/cuts").await?;
    let stanza = STANZA.as_bytes();
    for cut in 0..stanza.len() {
        let mut mallory = Client::log_in(node, "mallory@localhost/cuts").await?;
        send(&mut mallory, &stanza[..cut]).await?;
    }
    // What was sent by the last of them counts when his session is gone.
    let query = r#"{ session { list(of: "mallory@localhost") { total } } }"#;
    let mut answer = String::new();
    for _ in 0..500 {
        answer = node.graphql(query).await?;
        if answer.contains("\"total\":0") {
            break;
        }
        romeo.settle().await?;
    }
    if !answer.contains("\"total\":0") {
        return Err(format!("sessions of those who are gone stay: {answer}"));
    }
    romeo.settle().await?;
    match romeo.next_waiting() {
        Received::Nothing => Ok(()),
        other => Err(format!("half a stanza came: {other:?}")),
    }
}

async fn send(client: &mut Client, bytes: &[u8]) -> Result<(), String> {
    client
        .send_bytes(bytes)
        .await
        .map_err(|error| error.to_string())
}
