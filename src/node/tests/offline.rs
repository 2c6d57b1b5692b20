//! Messages for who is offline, through the real node, its database and its sudden death.

mod stage;

use play::Received;
use stage::{Client, Node, NodeStage};

/// XEP-0160 §2: what was stored outlives the node.
#[tokio::test]
async fn messages_wait_over_a_kill_and_a_restart() {
    let mut stage = NodeStage::perform(
        "
        Romeo logs in
        Juliet logs in
        Juliet: </stream:stream>
        Juliet gets: </stream:stream>
        Juliet gets the end
        Romeo: <message type='chat' id='m1' to='juliet@localhost'><body>1</body></message>
        Romeo: <message id='m2' to='juliet@localhost/gone'><body>2</body></message>
        Romeo: <message type='chat' id='m3' to='juliet@localhost'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>
        Romeo gets nothing
        ",
    )
    .await;
    on_disk(&mut stage, "nurse").await;
    stage.node.kill_and_restart().await;
    stage.clear();
    stage
        .act(
            "
            Juliet logs in
            Juliet: <presence/>
            Juliet gets:
              <presence from='juliet@localhost/play' to='juliet@localhost'/>
              <message type='chat' id='m1' from='romeo@localhost/play' to='juliet@localhost'>
                <body>1</body><delay xmlns='urn:xmpp:delay' from='localhost' stamp='*'/>
              </message>
              <message id='m2' from='romeo@localhost/play' to='juliet@localhost/gone'>
                <body>2</body><delay xmlns='urn:xmpp:delay' from='localhost' stamp='*'/>
              </message>
            Juliet gets nothing
            ",
        )
        .await;
    // What was delivered is forgotten for good.
    stage.act("Romeo logs in").await;
    on_disk(&mut stage, "peter").await;
    stage.node.kill_and_restart().await;
    stage.clear();
    stage
        .act(
            "
            Juliet logs in
            Juliet: <presence/>
            Juliet gets: <presence from='juliet@localhost/play' to='juliet@localhost'/>
            Juliet gets nothing
            ",
        )
        .await;
}

/// Whoever has read one of them knows that all before were on disk: a kill in the middle loses
/// none, whatever the socket had taken, and their order stays.
#[tokio::test]
async fn a_kill_while_they_are_delivered_loses_none() {
    const ALL: usize = 400;
    let mut stage = NodeStage::perform("Romeo logs in\nJuliet logs in\nJuliet is cut off\n").await;
    let padding = "x".repeat(1_000);
    for n in 0..ALL {
        let romeo = stage.client("Romeo").expect("he is here");
        let text = format!(
            "<message type='chat' to='juliet@localhost'><body>{n}:{padding}</body></message>"
        );
        romeo.send(&text).await.expect("sent");
    }
    on_disk(&mut stage, "nurse").await;
    let mut juliet = come(&stage.node).await;
    let mut seen = Vec::new();
    while seen.len() < ALL / 4 {
        seen.push(number(&mut juliet).await);
    }
    stage.node.kill_and_restart().await;
    // What the sockets had taken by then.
    while let Some(n) = next_number(&mut juliet).await {
        seen.push(n);
    }
    let wanted: Vec<usize> = (0..seen.len()).collect();
    assert_eq!(seen, wanted, "in their order, each once");
    let mut juliet = come(&stage.node).await;
    let mut again = Vec::new();
    while again.last() != Some(&(ALL - 1)) {
        again.push(number(&mut juliet).await);
    }
    let first = again[0];
    assert!(
        first <= seen.len(),
        "between {} and {first} some are lost",
        seen.len()
    );
    let wanted: Vec<usize> = (first..ALL).collect();
    assert_eq!(again, wanted, "in their order, each once");
}

/// A connection that dies in the flood: what it did not take is delivered to the next one.
#[tokio::test]
async fn a_connection_that_takes_nothing_more_leaves_the_rest() {
    const ALL: usize = 400;
    let mut stage =
        NodeStage::new(Node::start_with("modules: (offline: (max_bytes: \"64MiB\"))").await);
    stage
        .act("Romeo logs in\nPhone is juliet@localhost/phone\nPhone logs in\n")
        .await;
    // Her account stays loaded by the phone. This is more than the buffers of both sockets take.
    let padding = "x".repeat(60_000);
    for n in 0..ALL {
        let romeo = stage.client("Romeo").expect("he is here");
        let text = format!(
            "<message type='chat' to='juliet@localhost'><body>{n}:{padding}</body></message>"
        );
        romeo.send(&text).await.expect("sent");
    }
    on_disk(&mut stage, "nurse").await;
    let mut juliet = come(&stage.node).await;
    assert_eq!(number(&mut juliet).await, 0);
    drop(juliet);
    let mut juliet = come(&stage.node).await;
    let mut rest = vec![number(&mut juliet).await];
    while rest.last() != Some(&(ALL - 1)) {
        rest.push(number(&mut juliet).await);
    }
    let first = rest[0];
    assert!(first < ALL * 3 / 4, "{first} were taken as delivered");
    let wanted: Vec<usize> = (first..ALL).collect();
    assert_eq!(rest, wanted, "in their order, each once");
    stage.act("Romeo gets nothing").await;
}

/// XEP-0012 §3: when somebody left outlives the node.
#[tokio::test]
async fn when_somebody_left_is_kept() {
    let mut stage = NodeStage::perform(
        "
        Romeo logs in
        Juliet logs in
        Romeo: <presence type='subscribe' to='juliet@localhost'/>
        Romeo gets nothing
        Juliet: <presence type='subscribed' to='romeo@localhost'/>
        Juliet: <presence/>
        Juliet gets: <presence from='juliet@localhost/play' to='juliet@localhost'/>
        Juliet: <presence type='unavailable'><status>Heading Home</status></presence>
        Juliet gets: <presence *><**/></presence>
        Juliet: <iq type='get' id='l'><query xmlns='jabber:iq:last'/></iq>
        Juliet gets: <iq type='result' id='l' from='juliet@localhost' to='*'><query xmlns='jabber:iq:last' seconds='0'/></iq>
        Juliet: </stream:stream>
        Juliet gets: </stream:stream>
        Juliet gets the end
        ",
    )
    .await;
    // The client sees the end of its stream before the session has ended.
    let romeo = stage.client("Romeo").expect("he is here");
    loop {
        let ask =
            "<iq type='get' id='l' to='juliet@localhost'><query xmlns='jabber:iq:last'/></iq>";
        romeo.send(ask).await.expect("sent");
        match romeo.receive().await.expect("it goes on") {
            Received::Text(answer) if answer.contains("seconds='0'>Heading Home<") => break,
            Received::Text(answer) => assert!(answer.contains("seconds='0'></query>"), "{answer}"),
            other => panic!("{other:?}"),
        }
    }
    stage.node.kill_and_restart().await;
    stage.clear();
    stage
        .act(
            "
            Romeo logs in
            Romeo: <iq type='get' id='l' to='juliet@localhost'><query xmlns='jabber:iq:last'/></iq>
            Romeo gets: <iq type='result' id='l' from='juliet@localhost' to='*'><query xmlns='jabber:iq:last' seconds='*'>Heading Home</query></iq>
            ",
        )
        .await;
}

/// Waits until what was sent to Juliet so far is on disk: a query to her account is answered
/// behind it, and `other`, whose account is loaded now, is let in when what was kept is written.
async fn on_disk(stage: &mut NodeStage, other: &str) {
    stage
        .act(&format!(
            "
            Rosaline is {other}@localhost/play
            Romeo: <iq type='get' id='behind' to='juliet@localhost'><query xmlns='jabber:iq:last'/></iq>
            Romeo gets: <iq type='error' id='behind' from='juliet@localhost' to='*'><**/></iq>
            Rosaline logs in
            "
        ))
        .await;
}

/// Juliet logs in and takes messages.
async fn come(node: &Node) -> Client {
    let mut juliet = Client::log_in(node, "juliet@localhost/play")
        .await
        .expect("bound");
    juliet.send("<presence/>").await.expect("sent");
    juliet
}

/// The number in the next message.
async fn number(client: &mut Client) -> usize {
    next_number(client).await.expect("a message")
}

async fn next_number(client: &mut Client) -> Option<usize> {
    loop {
        match client.receive().await.expect("it goes on") {
            Received::Text(text) if text.starts_with("<message") => {
                let (_, body) = text.split_once("<body>")?;
                let (number, _) = body.split_once(':')?;
                return number.parse().ok();
            }
            Received::Text(_) => {}
            Received::End | Received::Nothing => return None,
        }
    }
}
