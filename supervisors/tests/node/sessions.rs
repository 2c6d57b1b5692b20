//! Sessions under supervision: what clients see when parts of the node fall.

use std::sync::Arc;
use std::time::Duration;

use crate::stage::{CLOSING, HEADER, LOGIN, Node, PEER, Wishes, stream_error};
use actors::InboxLimits;
use router::{ConnectionFacts, Control, Inbox, Session, Undelivered};
use tokio::time::Instant;
use xmpp::{Stanza, StreamCondition};

const END: &str = "</stream:stream>";

#[tokio::test(start_paused = true)]
async fn two_clients_chat_and_their_presence_is_told() {
    let node = Node::start().await;
    let (mut romeo, mut juliet) = (node.login("romeo").await, node.login("juliet").await);
    romeo.message("juliet@localhost/here", "Soft!").await;
    let got = juliet.until("</message>").await;
    assert!(got.contains("from='romeo@localhost/here'"), "{got}");
    assert!(got.contains("<body>Soft!</body>"), "{got}");
    juliet.send("<presence/>").await;
    juliet.until("<presence").await;
    romeo.message("juliet@localhost", "But soft").await;
    juliet.until("<body>But soft</body>").await;
    assert_eq!(node.look("node/sessions/0").child_count, 2);
    assert_eq!(
        node.look("node/sessions/0/juliet@localhost/here").kind,
        "session"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_its_client_closes_is_closed_by_us_and_the_session_is_gone() {
    let node = Node::start().await;
    let mut romeo = node.login("romeo").await;
    romeo.send(END).await;
    assert_eq!(romeo.rest().await, END);
    node.until(|node| node.router.directory().is_empty()).await;
    node.until(|node| node.look("node/sessions/0").child_count == 0)
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_killed_session_says_so_with_whole_frames_and_its_presence_goes() {
    let node = Node::start().await;
    let mut romeo = node.login("romeo").await;
    let mut juliet = node.login("juliet").await;
    // Room for a few bytes only: the frame under way is still in the outbox when the kill comes.
    let mut slow = node.connect_with(40);
    slow.login("nurse").await;
    slow.send("<presence to='juliet@localhost/here'/>").await;
    juliet.until("<presence").await;
    romeo
        .message("nurse@localhost/here", "a frame that does not fit")
        .await;
    romeo
        .message("juliet@localhost/here", "the one before has been handled")
        .await;
    juliet.until("</message>").await;
    let nurse = node.session("nurse@localhost/here");
    nurse.kill();
    nurse.wait(None).await.expect("it dies");
    let got = slow.rest().await;
    let error = stream_error(StreamCondition::InternalServerError);
    assert!(
        got.ends_with(&format!("</body></message>{error}{END}")),
        "{got}"
    );
    let gone = juliet.until("/>").await;
    assert!(
        gone.contains("type='unavailable'") && gone.contains("nurse@localhost/here"),
        "{gone}"
    );
    node.until(|node| node.router.directory().len() == 2).await;
    // Nobody else notices.
    romeo.message("juliet@localhost/here", "Still here").await;
    juliet.until("Still here").await;
    node.login("nurse").await;
}

/// A bug of ours, on the way of whoever sends it something.
struct Bug;

impl Inbox for Bug {
    fn deliver(&self, _: Stanza) -> Result<(), Undelivered> {
        panic!("told to");
    }

    fn control(&self, _: Control) {}
}

#[tokio::test(start_paused = true)]
async fn a_session_that_panics_says_so_with_whole_frames_and_its_presence_goes() {
    let node = Node::start().await;
    let mut juliet = node.login("juliet").await;
    let mut romeo = node.connect_with(40);
    romeo.login("romeo").await;
    romeo.send("<presence to='juliet@localhost/here'/>").await;
    juliet.until("<presence").await;
    let nurse = "nurse@localhost".parse().expect("an account");
    let facts = ConnectionFacts {
        peer: PEER,
        encrypted: false,
        transport: "tcp",
    };
    let _bug = Session::open(&node.router, &nurse, Some("bug"), facts, Arc::new(Bug))
        .await
        .expect("it binds");
    juliet
        .message("romeo@localhost/here", "a frame that does not fit")
        .await;
    juliet
        .message("juliet@localhost/here", "the one before has been handled")
        .await;
    juliet.until("</message>").await;
    romeo.message("nurse@localhost/bug", "Fie!").await;
    let got = romeo.rest().await;
    let error = stream_error(StreamCondition::InternalServerError);
    assert!(
        got.ends_with(&format!("</body></message>{error}{END}")),
        "{got}"
    );
    let gone = juliet.until("/>").await;
    assert!(
        gone.contains("type='unavailable'") && gone.contains("romeo@localhost/here"),
        "{gone}"
    );
    // Nobody else notices, and he may come back.
    juliet.message("juliet@localhost/here", "Still here").await;
    juliet.until("Still here").await;
    node.login("romeo").await;
    assert_eq!(node.service.roll.falls().failed, 1);
}

#[tokio::test(start_paused = true)]
async fn a_killed_supervisor_takes_its_sessions_along_and_the_next_one_serves() {
    let node = Node::start().await;
    let mut romeo = node.login("romeo").await;
    let before = node.cell("node/sessions/0");
    before.kill();
    let got = romeo.rest().await;
    assert!(
        got.ends_with(&(stream_error(StreamCondition::InternalServerError) + END)),
        "{got}"
    );
    node.until(|node| node.router.directory().is_empty()).await;
    node.until(|node| {
        node.service
            .shards
            .next()
            .is_some_and(|cell| cell.get_id() != before.get_id())
    })
    .await;
    let mut romeo = node.login("romeo").await;
    romeo.message("romeo@localhost/here", "to myself").await;
    romeo.until("to myself").await;
    assert_eq!(node.look("node/sessions").children[0].restarts, 1);
}

#[tokio::test(start_paused = true)]
async fn while_one_supervisor_is_away_the_others_take_its_sessions() {
    let node = Node::with(Wishes {
        shards: 3,
        ..Wishes::default()
    })
    .await;
    node.cell("node/sessions/1").kill();
    for name in ["romeo", "juliet", "nurse"] {
        node.login(name).await;
    }
}

#[tokio::test(start_paused = true)]
async fn without_any_supervisor_binding_fails_and_may_be_tried_again() {
    let node = Node::start().await;
    let mut romeo = node.connect();
    romeo.open().await;
    romeo.authenticate("romeo", "secret").await;
    romeo.until("<success").await;
    romeo.open().await;
    node.cell("node/sessions/0").kill();
    node.cell("node/sessions/0")
        .wait(None)
        .await
        .expect("it dies");
    romeo.bind().await;
    let refused = romeo.until("</iq>").await;
    assert!(refused.contains("<internal-server-error"), "{refused}");
    node.until(|node| node.service.shards.next().is_some())
        .await;
    romeo.bind().await;
    assert!(romeo.until("</iq>").await.contains("romeo@localhost/here"));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_closed_at_the_mark_and_slows_nobody() {
    let node = Node::with(Wishes {
        high_water: 4_000,
        ..Wishes::default()
    })
    .await;
    let mut romeo = node.login("romeo").await;
    let mut juliet = node.login("juliet").await;
    let mut deaf = node.connect_with(600);
    deaf.login("nurse").await;
    let begin = Instant::now();
    for n in 0..60 {
        romeo
            .message(
                "nurse@localhost/here",
                &format!("number {n} of what she never reads"),
            )
            .await;
        romeo
            .message(
                "juliet@localhost/here",
                &format!("<{n}>").replace(['<', '>'], "|"),
            )
            .await;
        juliet.until(&format!("|{n}|")).await;
    }
    assert_eq!(begin.elapsed(), Duration::ZERO, "nobody waited");
    node.until(|node| node.router.directory().len() == 2).await;
    let got = deaf.rest().await;
    assert!(got.contains("number 0 of"), "{got}");
    assert!(!got.contains("number 59 of"), "it was closed before: {got}");
    // What came up to the mark, then the reason.
    assert!(got.contains("<policy-violation"), "{got}");
}

#[tokio::test(start_paused = true)]
async fn a_full_mailbox_closes_the_session_even_when_its_actor_is_stuck() {
    let inbox = InboxLimits {
        bytes: 2_000,
        stanzas: 1_000,
    };
    let node = Node::with(Wishes {
        inbox,
        ..Wishes::default()
    })
    .await;
    let mut romeo = node.login("romeo").await;
    // Many stanzas in one read: they are routed before the receiver runs at all.
    let many: String = (0..60)
        .map(|n| {
            format!(
                "<message to='romeo@localhost/here' type='chat'><body>number {n}</body></message>"
            )
        })
        .collect();
    romeo.send(&many).await;
    let got = romeo.rest().await;
    assert!(got.contains("<policy-violation"), "{got}");
    assert!(got.ends_with(END), "{got}");
    node.until(|node| node.router.directory().is_empty()).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_log_in_is_sent_away() {
    let node = Node::start().await;
    let begin = Instant::now();
    let mut silent = node.connect();
    let mut slow = node.connect();
    slow.open().await;
    assert_eq!(node.service.door.inside(), 2);
    let got = slow.rest().await;
    assert!(got.contains("<connection-timeout"), "{got}");
    assert!(got.ends_with(END), "{got}");
    // Without a stream there is still an answer: a header of ours goes before the error.
    assert!(silent.rest().await.contains("<connection-timeout"));
    assert_eq!(begin.elapsed(), LOGIN);
    drop((silent, slow));
    node.until(|node| node.service.door.inside() == 0).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_close_its_side_is_cut_off() {
    let node = Node::start().await;
    let mut romeo = node.login("romeo").await;
    let begin = Instant::now();
    romeo.send("<a").await;
    romeo.send("<").await;
    let got = romeo.until(END).await;
    assert!(got.contains("<not-well-formed"), "{got}");
    // The client keeps its side open: the connection goes all the same.
    node.stopping.all_gone().await;
    assert_eq!(begin.elapsed(), CLOSING);
}

#[tokio::test(start_paused = true)]
async fn a_bad_stanza_ends_the_stream_after_the_good_ones_before_it() {
    let node = Node::start().await;
    let mut romeo = node.login("romeo").await;
    romeo
        .send("<message to='romeo@localhost/here'><body>good</body></message><message from='juliet@localhost' to='romeo@localhost/here'/>")
        .await;
    let got = romeo.rest().await;
    assert!(got.contains("<invalid-from"), "{got}");
    assert!(got.ends_with(END), "{got}");
}

#[tokio::test(start_paused = true)]
async fn the_newer_session_of_a_resource_replaces_the_older_one() {
    let node = Node::start().await;
    let mut older = node.login("romeo").await;
    let mut newer = node.login("romeo").await;
    assert!(
        older
            .rest()
            .await
            .ends_with(&(stream_error(StreamCondition::Conflict) + END))
    );
    newer.message("romeo@localhost/here", "it is I").await;
    newer.until("it is I").await;
    assert_eq!(node.router.directory().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_withdraws_the_presence() {
    let node = Node::start().await;
    let mut juliet = node.login("juliet").await;
    let mut romeo = node.login("romeo").await;
    romeo.send("<presence to='juliet@localhost/here'/>").await;
    juliet.until("/>").await;
    drop(romeo);
    let gone = juliet.until("/>").await;
    assert!(gone.contains("type='unavailable'"), "{gone}");
    node.until(|node| node.router.directory().len() == 1).await;
}

#[tokio::test(start_paused = true)]
async fn failed_logins_are_slowed_down() {
    let node = Node::start().await;
    let mut times = Vec::new();
    for _ in 0..3 {
        let mut guesser = node.connect();
        guesser.open().await;
        for _ in 0..2 {
            let begin = Instant::now();
            guesser.authenticate("romeo", "guess").await;
            guesser.until("</failure>").await;
            times.push(begin.elapsed().as_millis());
        }
    }
    assert_eq!(times, [0, 0, 0, 500, 1_000, 2_000]);
}

#[tokio::test(start_paused = true)]
async fn bytes_between_login_and_the_new_stream_are_taken_in_order() {
    let node = Node::start().await;
    let mut romeo = node.connect();
    romeo.open().await;
    romeo.authenticate("romeo", "secret").await;
    romeo.until("<success").await;
    // A client in a hurry sends all it has to say at once.
    romeo.send(HEADER).await;
    romeo.bind().await;
    romeo.message("romeo@localhost/here", "at once").await;
    romeo.until("at once").await;
}

#[tokio::test(start_paused = true)]
async fn at_shutdown_every_stream_is_told_and_those_in_negotiation_too() {
    let node = Node::start().await;
    let mut romeo = node.login("romeo").await;
    let mut juliet = node.login("juliet").await;
    let mut early = node.connect();
    early.open().await;
    let Node {
        tree,
        router,
        stopping,
        service,
    } = node;
    drop(service);
    stopping.stop();
    tree.shutdown().await;
    let told = stream_error(StreamCondition::SystemShutdown) + END;
    for client in [&mut romeo, &mut juliet, &mut early] {
        let got = client.rest().await;
        assert!(got.ends_with(&told), "{got}");
    }
    assert!(router.directory().is_empty());
    drop((romeo, juliet, early));
    stopping.all_gone().await;
}

#[tokio::test(start_paused = true)]
async fn quiet_sessions_are_ended_and_those_that_are_heard_are_not() {
    use actors::idle::{IdleArgs, IdleWatch};
    let node = Node::start().await;
    let mut quiet = node.login("romeo").await;
    let mut heard = node.login("juliet").await;
    let timeout = Duration::from_secs(80);
    let args = IdleArgs {
        router: node.router.clone(),
        timeout,
        roll: node.service.roll.clone(),
    };
    let _watch = ractor::Actor::spawn(None, IdleWatch, args)
        .await
        .expect("starts");
    let begin = Instant::now();
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_secs(9)).await;
        // White space is enough to be heard (RFC 6120 §4.6.1).
        heard.send(" ").await;
    }
    let got = quiet.rest().await;
    assert!(got.contains("<connection-timeout"), "{got}");
    assert!(
        begin.elapsed() <= timeout + timeout / 4,
        "after {:?}",
        begin.elapsed()
    );
    heard.message("juliet@localhost/here", "still here").await;
    heard.until("still here").await;
}
