//! What a message costs from its sender's session to its receiver's inbox with the modules that most
//! nodes have, and there in the receiver's session: each hook of theirs runs.

mod stage;

use divan::Bencher;
use stage::{Stage, stanza};

fn main() {
    divan::main();
}

const CHAT: &str = "<message to='friend0@localhost/there' type='chat' id='c1234'><body>The quick brown fox jumps over the lazy dog, and then it does so once more, since it was that nice.</body></message>";

/// The sender's fold, `route()` with the account's fold, the receiver's inbox.
#[divan::bench]
fn sender_to_inbox(bencher: Bencher<'_, '_>) {
    let stage = Stage::new();
    let (mut romeo, friends) = stage.contacts(1);
    let message = stanza(&romeo.session, CHAT);
    let (before, mut out) = (friends[0].came(), Vec::new());
    bencher.bench_local(|| romeo.session.handle(message.clone(), &mut out));
    assert!(out.is_empty() && friends[0].came() > before, "it came");
}

/// The receiver's fold.
#[divan::bench]
fn inbox_to_client(bencher: Bencher<'_, '_>) {
    let stage = Stage::new();
    let (romeo, mut friends) = stage.contacts(1);
    let message = stanza(&romeo.session, CHAT);
    bencher.bench_local(|| friends[0].session.deliver(message.clone()));
}
