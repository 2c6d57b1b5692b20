//! What the check of privacy lists costs.

use std::hint::black_box;

use divan::Bencher;
use modules::privacy::{Item, Lists, Rules, Strangers, Traffic};
use xmpp::Jid;

fn main() {
    divan::main();
}

fn jid(text: &str) -> Jid {
    text.parse().expect("an address")
}

fn blocked(count: u32) -> Rules {
    let items = (0..count).map(|n| Item::block(n, jid(&format!("user{n}@montague.lit"))));
    Rules::new(items.collect()).expect("different orders")
}

fn mixed(count: u32) -> Rules {
    let items = (0..count).map(|n| {
        Item::block(
            n,
            jid(&match n % 4 {
                0 => format!("user{n}@montague.lit"),
                1 => format!("user{n}@montague.lit/orchard"),
                2 => format!("host{n}.lit"),
                _ => format!("rooms.lit/nick{n}"),
            }),
        )
    });
    Rules::new(items.collect()).expect("different orders")
}

fn check(bencher: Bencher<'_, '_>, rules: &Rules, who: &str) {
    let who = jid(who);
    bencher.bench(|| rules.check(black_box(&who), Traffic::MessageIn, &Strangers));
}

#[divan::bench]
fn no_list(bencher: Bencher<'_, '_>) {
    let none = Lists::default();
    bencher.bench(|| black_box(&none).in_force(None).is_some());
}

/// By how many are blocked.
#[divan::bench(args = [1, 1000, 10_000])]
fn a_stranger(bencher: Bencher<'_, '_>, count: u32) {
    check(bencher, &blocked(count), "juliet@capulet.lit/balcony");
}

#[divan::bench(args = [1000, 10_000])]
fn one_who_is_blocked(bencher: Bencher<'_, '_>, count: u32) {
    check(bencher, &blocked(count), "user500@montague.lit/orchard");
}

/// Rules with addresses of all four forms.
#[divan::bench(args = [1000])]
fn a_stranger_to_all_forms(bencher: Bencher<'_, '_>, count: u32) {
    check(bencher, &mixed(count), "juliet@capulet.lit/balcony");
}

#[divan::bench(args = [1000])]
fn read_and_compile(bencher: Bencher<'_, '_>, count: u32) {
    let stored = blocked(count).as_bytes().to_vec();
    bencher
        .with_inputs(|| stored.clone())
        .bench_local_values(|stored| Rules::from_bytes(stored).is_ok());
}
