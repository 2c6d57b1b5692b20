//! Limits before trust: who may connect, and how fast.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::vitals::lock;

/// Counts the connections that haven't logged in yet, by address and in all; one for the whole
/// node.
pub struct Door {
    per_address: u32,
    in_all: u32,
    inside: Mutex<Inside>,
    refused: AtomicU64,
}

#[derive(Default)]
struct Inside {
    count: u32,
    by_address: HashMap<IpAddr, u32>,
}

impl Door {
    /// A door that lets in so many at a time.
    #[must_use]
    pub fn new(per_address: u32, in_all: u32) -> Arc<Self> {
        Arc::new(Self {
            per_address,
            in_all,
            inside: Mutex::default(),
            refused: AtomicU64::new(0),
        })
    }

    /// Lets a connection from `address` in, if there is room. It counts as long as its pass
    /// lives.
    #[must_use]
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Pass> {
        let address = one_address(address);
        let mut inside = lock(&self.inside);
        let here = inside.by_address.get(&address).copied().unwrap_or(0);
        if here >= self.per_address || inside.count >= self.in_all {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        inside.by_address.insert(address, here + 1);
        inside.count += 1;
        Some(Pass {
            door: self.clone(),
            address,
        })
    }

    /// How many are inside.
    #[must_use]
    pub fn inside(&self) -> u32 {
        lock(&self.inside).count
    }

    /// How many were refused.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

/// What counts as one address: with IPv6 everybody has a /64.
fn one_address(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

/// A connection that hasn't logged in yet.
pub struct Pass {
    door: Arc<Door>,
    address: IpAddr,
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut inside = lock(&self.door.inside);
        inside.count -= 1;
        if let Some(here) = inside.by_address.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                inside.by_address.remove(&self.address);
            }
        }
    }
}

/// Lets so many through in a second, a tenth of a second's worth of them in one go.
pub(crate) struct Rate {
    /// The time that one costs.
    each: Duration,
    /// How far ahead of the clock one may be.
    ahead: Duration,
    /// When all that came through would have been due.
    due: Instant,
}

impl Rate {
    pub(crate) fn new(per_second: u32) -> Self {
        let each = Duration::from_secs(1) / per_second.max(1);
        Self {
            each,
            ahead: Duration::from_millis(100).max(each),
            due: Instant::now(),
        }
    }

    /// Waits until the next one may come through.
    pub(crate) async fn pass(&mut self) {
        let now = Instant::now();
        self.due = self.due.max(now);
        if self.due > now + self.ahead {
            sleep_until(self.due - self.ahead).await;
        }
        self.due += self.each;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_door_opens_when_somebody_leaves() {
        let door = Door::new(2, 3);
        let [a, b] = ["192.0.2.1", "192.0.2.2"].map(|ip| ip.parse().expect("an address"));
        let first = door.enter(a).expect("room");
        let _second = door.enter(a).expect("room");
        assert!(door.enter(a).is_none(), "too many of one address");
        let _third = door.enter(b).expect("room");
        assert!(door.enter(b).is_none(), "too many in all");
        drop(first);
        door.enter(b).expect("room again");
        assert_eq!((door.inside(), door.refused()), (2, 2));
    }

    #[test]
    fn neighbours_of_ipv6_are_one_and_mapped_addresses_are_ipv4() {
        let door = Door::new(1, 9);
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        let _six = door.enter(ip("2001:db8::1")).expect("room");
        assert!(door.enter(ip("2001:db8::ffff:2")).is_none());
        door.enter(ip("2001:db8:0:1::1")).expect("another network");
        let _four = door.enter(ip("::ffff:192.0.2.1")).expect("room");
        assert!(door.enter(ip("192.0.2.1")).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_is_kept_in_the_long_run() {
        let mut rate = Rate::new(100);
        let start = Instant::now();
        for _ in 0..500 {
            rate.pass().await;
        }
        let took = start.elapsed().as_millis();
        assert!((4_800..=5_000).contains(&took), "{took} ms");
    }
}
