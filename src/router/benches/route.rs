//! What it costs from a session that has a stanza to the inbox of another, without any module, and
//! what a session then does with it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use divan::Bencher;
use parking_lot::Mutex;
use router::{
    Clock, ConnectionFacts, Control, Host, HostType, Inbox, Router, RouterSettings, Session,
    Undelivered,
};
use xmpp::{BareJid, Jid, MessageType, Stanza};

fn main() {
    divan::main();
}

/// Keeps the last stanza.
#[derive(Default)]
struct Sink(Mutex<Option<Stanza>>);

impl Inbox for Sink {
    fn deliver(&self, stanza: Stanza) -> Result<(), Undelivered> {
        *self.0.lock() = Some(stanza);
        Ok(())
    }

    fn control(&self, _: Control) {}
}

fn open(router: &Router, jid: &str) -> (Session, Arc<Sink>) {
    let jid: Jid = jid.parse().expect("an address");
    let sink = Arc::new(Sink::default());
    let facts = ConnectionFacts {
        peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        encrypted: false,
        transport: "bench",
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let (account, inbox) = (jid.to_bare(), sink.clone());
    let opening = Session::open(router, &account, jid.resource(), facts, inbox);
    let session = runtime.block_on(opening).expect("it is bound");
    (session, sink)
}

fn router() -> Router {
    let router = Router::new(RouterSettings::default(), Clock::system());
    let domain: BareJid = "localhost".parse().expect("a domain");
    router.serve(Host::new(domain, HostType::new("bench")));
    router
}

fn message(to: &str) -> Stanza {
    let to: Jid = to.parse().expect("an address");
    let from: Jid = "romeo@localhost/orchard".parse().expect("an address");
    Stanza::message(MessageType::Chat)
        .from(from)
        .to(to)
        .leaf("body", &"x".repeat(100))
        .build()
}

/// The sender's fold, `route()`, the receiver's inbox, by how many sessions there are beside them.
#[divan::bench(args = [0, 10_000])]
fn one_to_one(bencher: Bencher<'_, '_>, others: u32) {
    let router = router();
    let _others: Vec<_> = (0..others)
        .map(|number| open(&router, &format!("u{number}@localhost/there")))
        .collect();
    let (mut romeo, _) = open(&router, "romeo@localhost/orchard");
    let (_juliet, sink) = open(&router, "juliet@localhost/balcony");
    let message = message("juliet@localhost/balcony");
    let mut out = Vec::new();
    bencher.bench_local(|| romeo.handle(message.clone(), &mut out));
    assert!(out.is_empty() && sink.0.lock().is_some(), "it came");
}

/// The receiver's fold.
#[divan::bench]
fn session_fold(bencher: Bencher<'_, '_>) {
    let router = router();
    let (mut juliet, _) = open(&router, "juliet@localhost/balcony");
    let message = message("juliet@localhost/balcony");
    bencher.bench_local(|| juliet.deliver(message.clone()));
}

/// What the benches above count besides: a clone of the stanza.
#[divan::bench]
fn clone(bencher: Bencher<'_, '_>) {
    let message = message("juliet@localhost/balcony");
    bencher.bench_local(|| message.clone());
}
