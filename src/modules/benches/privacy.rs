//! What the check of privacy lists costs: `cargo bench -p modules`.
//!
//! Without `--bench`, as in `cargo test --all-targets`, each is run once to see that it works.

use std::hint::black_box;
use std::time::Instant;

use modules::privacy::{Item, Lists, Rules, Strangers, Traffic};
use xmpp::Jid;

/// Prints the fastest and the median of 31 runs, each long enough for the clock.
#[allow(clippy::print_stdout)]
fn bench(name: &str, mut call: impl FnMut()) {
    if !std::env::args().any(|arg| arg == "--bench") {
        return call();
    }
    let mut run = |calls: u32| {
        let start = Instant::now();
        (0..calls).for_each(|_| call());
        start.elapsed()
    };
    let mut calls = 1000;
    while run(calls).as_millis() < 5 {
        calls *= 2;
    }
    let mut runs: Vec<f64> = (0..31)
        .map(|_| run(calls).as_nanos() as f64 / f64::from(calls))
        .collect();
    runs.sort_by(f64::total_cmp);
    println!(
        "{name:<32} {:>9.1} ns, median {:>9.1} ns",
        runs[0], runs[15]
    );
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

fn main() {
    let stranger = jid("juliet@capulet.lit/balcony");
    let enemy = jid("user500@montague.lit/orchard");
    let check = |rules: &Rules, who: &Jid| {
        _ = black_box(rules.check(black_box(who), Traffic::MessageIn, &Strangers));
    };

    let none = Lists::default();
    bench("no list", || {
        _ = black_box(black_box(&none).in_force(None).is_some());
    });
    for count in [1, 1000, 10_000] {
        let rules = blocked(count);
        bench(&format!("{count} blocked, a stranger"), || {
            check(&rules, &stranger);
        });
        bench(&format!("{count} blocked, one of them"), || {
            check(&rules, &enemy);
        });
    }
    let rules = mixed(1000);
    bench("1000 of all forms, a stranger", || check(&rules, &stranger));
    let stored = blocked(1000).as_bytes().to_vec();
    bench("read and compile 1000", || {
        _ = black_box(Rules::from_bytes(black_box(&stored).clone()).is_ok());
    });
}
