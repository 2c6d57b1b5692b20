//! What contacts cost: loaded, shown to a client, told of presence.

mod stage;

use divan::Bencher;
use divan::counter::ItemsCount;
use stage::{Stage, stanza};

fn main() {
    divan::main();
}

/// A session is opened and closed: all that modules keep of the account is loaded, its roster among
/// it, from memory.
#[divan::bench(args = [0, 10, 50])]
fn open_and_load(bencher: Bencher<'_, '_>, contacts: u32) {
    let stage = Stage::new();
    let (romeo, _friends) = stage.contacts(contacts);
    drop(romeo);
    bencher.bench_local(|| stage.open("romeo@localhost/orchard"));
}

/// A client gets its roster.
#[divan::bench(args = [0, 10, 50])]
fn answer(bencher: Bencher<'_, '_>, contacts: u32) {
    let stage = Stage::new();
    let (mut romeo, _friends) = stage.contacts(contacts);
    let query = "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>";
    assert_eq!(romeo.say(query).len(), 1, "it is answered at once");
    let query = stanza(&romeo.session, query);
    let mut out = Vec::new();
    bencher.bench_local(|| {
        out.clear();
        romeo.session.handle(query.clone(), &mut out);
    });
}

/// A presence goes to so many contacts who are there: per presence, and per delivery.
#[divan::bench(args = [10, 50])]
fn fan_out(bencher: Bencher<'_, '_>, contacts: u32) {
    let stage = Stage::new();
    let (mut romeo, friends) = stage.contacts(contacts);
    let away = stanza(&romeo.session, "<presence><show>away</show></presence>");
    let (before, mut out) = (friends[0].came(), Vec::new());
    bencher.counter(ItemsCount::new(contacts)).bench_local(|| {
        out.clear();
        romeo.session.handle(away.clone(), &mut out);
    });
    assert!(
        friends.iter().all(|friend| friend.came() > 0),
        "all are told"
    );
    assert!(friends[0].came() > before, "each time");
}
