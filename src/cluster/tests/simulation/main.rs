//! Several nodes in one process: joins, deaths, restarts, splits, heals, delays, lost connections, logins and
//! logouts in an order that a seed decides. After each healing everything must be right again.
//!
//! A failing seed is printed; `SEED=n cargo test -p cluster --test simulation` replays it.

mod node;
mod random;
mod world;

use random::Random;
use world::World;

const SCHEDULES: u64 = 10_000;

#[test]
fn every_schedule_ends_well() {
    if let Ok(seed) = std::env::var("SEED") {
        return run(seed.parse().expect("SEED is a number"));
    }
    for seed in 0..SCHEDULES {
        let ended = std::panic::catch_unwind(|| run(seed));
        assert!(ended.is_ok(), "replay it with SEED={seed}");
    }
}

fn run(seed: u64) {
    let mut random = Random::new(seed);
    let nodes = 2 + random.below(3);
    let mut world = World::new(random, nodes);
    for _ in 0..2 {
        for _ in 0..25 {
            world.mishap();
        }
        world.heal();
        world.check();
    }
}
