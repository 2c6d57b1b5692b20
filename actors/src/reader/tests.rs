use std::net::{IpAddr, Ipv4Addr};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use router::{ConnectionFacts, Host, HostType, Router, RouterSettings, Session};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use super::*;
use crate::InboxLimits;
use crate::io::Io;
use crate::outlet::Outlet;
use crate::pipe::{Pipe, pipe};
use crate::turns::AT_ONCE;
use crate::wire::WireLimits;

/// Stands where the session's actor is and only hands on what it gets.
struct Hand;

impl Actor for Hand {
    type Msg = SessionMsg;
    type State = UnboundedSender<SessionMsg>;
    type Arguments = UnboundedSender<SessionMsg>;

    async fn pre_start(
        &self,
        _: ActorRef<SessionMsg>,
        to: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(to)
    }

    async fn handle(
        &self,
        _: ActorRef<SessionMsg>,
        message: SessionMsg,
        to: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        // A test that has seen enough doesn't listen any more.
        let _ = to.send(message);
        Ok(())
    }
}

const HEADER: &[u8] =
    b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

struct Stage {
    client: Pipe,
    got: UnboundedReceiver<SessionMsg>,
    actor: ActorRef<SessionMsg>,
    _session: Session,
}

async fn stage(room: usize) -> Stage {
    stage_among(room, Turns::default()).await
}

/// One of several who take turns.
async fn stage_among(room: usize, turns: Turns) -> Stage {
    let (client, server) = pipe(room);
    let (source, sink) = Io::Pipe(server).split();
    let wire = Wire::new(sink, WireLimits::default());
    let limits = InboxLimits {
        bytes: 1_000,
        stanzas: 10,
    };
    let inbox = SessionInbox::new(Outlet::Wire(wire.clone()), limits, Arc::default());
    let (to, got) = unbounded_channel();
    let (actor, _) = Actor::spawn(None, Hand, to).await.expect("starts");
    inbox.open(actor.clone());

    let router = Router::new(RouterSettings::default(), Clock::system());
    let domain = "localhost".parse().expect("a domain");
    router.serve(Host::new(domain, HostType::new("default")));
    let account = "romeo@localhost".parse().expect("an account");
    let facts = ConnectionFacts {
        peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        encrypted: false,
        transport: "tcp",
    };
    let session = Session::open(&router, &account, None, facts, inbox.clone())
        .await
        .expect("binds");
    let limits = xml::Limits {
        stanza: 10_000,
        header: 1_000,
        depth: 8,
        attributes: 8,
        namespaces: 8,
    };
    let mut framer = Framer::new(limits);
    let mut rest = BytesMut::from(HEADER);
    framer.next(&mut rest).expect("a good header");
    let reader = Reader {
        wire,
        source,
        framer,
        rest,
        link: Link(inbox),
        entry: session.entry().clone(),
        clock: router.clock().clone(),
        turns,
    };
    tokio::spawn(reader.run());
    Stage {
        client,
        got,
        actor,
        _session: session,
    }
}

impl Stage {
    async fn batch(&mut self) -> Batch {
        match self.got.recv().await.expect("the reader lives") {
            SessionMsg::Input(batch) => batch,
            _ => panic!("not a batch"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_read_while_the_actor_is_behind() {
    let mut stage = stage(40).await;
    stage.client.write_all(b"<presence/>").await.expect("room");
    let first = stage.batch().await;
    assert_eq!(first.elements.len(), 1);
    // The pipe holds 40 bytes, and as long as the batch lives nobody takes them out.
    let many = b"<presence/>".repeat(6);
    let sending = tokio::spawn({
        let mut client = stage.client.clone();
        async move { client.write_all(&many).await }
    });
    let more = timeout(std::time::Duration::from_secs(3600), stage.got.recv()).await;
    assert!(more.is_err(), "it waits");
    assert!(!sending.is_finished(), "so does the client");
    drop(first);
    let mut seen = 0;
    while seen < 6 {
        seen += stage.batch().await.elements.len();
    }
    sending.await.expect("no panic").expect("all sent");
}

#[tokio::test(start_paused = true)]
async fn who_sends_without_a_pause_takes_turns_and_who_says_little_does_not() {
    let turns = Turns::new(1);
    let mut floods = Vec::new();
    for _ in 0..2 {
        let mut stage = stage_among(100_000, turns.clone()).await;
        let many = b"<presence/>".repeat(6_000);
        stage.client.write_all(&many).await.expect("room");
        floods.push(stage);
    }
    // So much comes at once.
    for stage in &mut floods {
        let mut bytes = 0;
        while bytes < AT_ONCE - b"<presence/>".len() {
            bytes += stage.batch().await.elements.len() * b"<presence/>".len();
        }
    }
    let mut in_turn = floods[0].batch().await;
    for round in 0..3 {
        // The other one waits as long as that lasts.
        let (this, other) = (round % 2, (round + 1) % 2);
        let more = timeout(
            std::time::Duration::from_secs(3600),
            floods[other].got.recv(),
        )
        .await;
        assert!(more.is_err(), "round {round}");
        let mut little = stage_among(1_000, turns.clone()).await;
        little.client.write_all(b"<presence/>").await.expect("room");
        assert_eq!(little.batch().await.elements.len(), 1);
        drop(in_turn);
        in_turn = floods[other].batch().await;
        assert!(floods[this].got.try_recv().is_err(), "round {round}");
    }
    drop(in_turn);
    // When both are through, nobody has a turn.
    for mut stage in floods {
        tokio::spawn(async move { while stage.got.recv().await.is_some() {} });
    }
    while turns.free() == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_dies_with_its_actor_lets_the_reader_go_on_and_out() {
    let mut stage = stage(40).await;
    stage.client.write_all(b"<presence/>").await.expect("room");
    let held = stage.batch().await;
    stage.actor.kill();
    stage.actor.wait(None).await.expect("it dies");
    drop(held);
    stage
        .client
        .write_all(b"<presence/>")
        .await
        .expect("the reader drains");
    stage.client.shutdown(std::net::Shutdown::Write);
    // Nobody reads or waits any more when the other end of the pipe is dropped.
    while stage.client.try_write(b"x").is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_stream_comes_after_what_was_sent_before_it() {
    let mut stage = stage(1_000).await;
    stage
        .client
        .write_all(b"<presence/> <presence/></stream:stream>")
        .await
        .expect("room");
    assert_eq!(stage.batch().await.elements.len(), 2);
    let last = stage.got.recv().await;
    assert!(matches!(last, Some(SessionMsg::Ended(Ending::Closed))));
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_told_from_one_that_was_closed() {
    let mut stage = stage(1_000).await;
    stage.client.write_all(b"<presence").await.expect("room");
    stage.client.shutdown(std::net::Shutdown::Write);
    let last = stage.got.recv().await;
    assert!(matches!(last, Some(SessionMsg::Ended(Ending::Lost))));
}

#[tokio::test(start_paused = true)]
async fn bad_bytes_are_told_after_the_good_ones() {
    for (bytes, condition) in [
        (&b"<presence/><a><"[..], StreamCondition::NotWellFormed),
        (b"<presence/><!-- x -->", StreamCondition::RestrictedXml),
    ] {
        let mut stage = stage(1_000).await;
        stage.client.write_all(bytes).await.expect("room");
        stage.client.write_all(b"<<").await.expect("room");
        assert_eq!(stage.batch().await.elements.len(), 1);
        match stage.got.recv().await {
            Some(SessionMsg::Close(error)) => assert_eq!(error.condition, condition),
            _ => panic!("no error"),
        }
    }
}
