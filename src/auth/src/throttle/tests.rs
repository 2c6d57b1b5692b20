use super::*;
use std::net::{Ipv4Addr, Ipv6Addr};
use tokio::time::advance;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

fn throttle() -> Throttle {
    Throttle::new(ThrottleSettings {
        capacity: 3,
        ..ThrottleSettings::default()
    })
}

fn jid(name: &str) -> BareJid {
    format!("{name}@localhost").parse().unwrap()
}

fn address(n: u8) -> IpAddr {
    Ipv4Addr::new(198, 51, 100, n).into()
}

fn fail(throttle: &Throttle, times: u32, account: &BareJid, address: IpAddr) -> Duration {
    let waits = (0..times).map(|_| throttle.failed(Some(account), address));
    waits.last().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn each_failure_past_the_free_ones_doubles_the_wait() {
    let (throttle, romeo) = (throttle(), jid("romeo"));
    let waits: Vec<u128> = (0..12)
        .map(|n| throttle.failed(Some(&romeo), address(n)).as_millis())
        .collect();
    assert_eq!(
        waits,
        [
            0, 0, 0, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000
        ]
    );
    assert_eq!(throttle.delay_for(Some(&romeo), HERE).as_secs(), 30);
    assert_eq!(throttle.delay_for(None, HERE).as_secs(), 0);
    assert_eq!(throttle.delay_for(Some(&jid("juliet")), HERE).as_secs(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_address_pays_for_all_its_accounts() {
    let throttle = throttle();
    let waits = (0..14).map(|n| throttle.failed(Some(&jid(&format!("a{n}"))), HERE));
    let waits: Vec<u128> = waits.map(|wait| wait.as_millis()).collect();
    assert_eq!(waits[..12], [0; 12]);
    assert_eq!(waits[12..], [500, 1000]);
    assert_eq!(throttle.delay_for(None, HERE).as_millis(), 1000);
    assert_eq!(throttle.delay_for(None, THERE).as_millis(), 0);
    assert_eq!(throttle.failed(None, HERE).as_millis(), 2000);
}

#[tokio::test(start_paused = true)]
async fn time_heals() {
    let (throttle, romeo) = (throttle(), jid("romeo"));
    let forget_after = ThrottleSettings::default().forget_after;
    fail(&throttle, 5, &romeo, HERE);
    advance(forget_after - Duration::from_millis(1)).await;
    assert_eq!(throttle.delay_for(Some(&romeo), HERE).as_millis(), 1000);
    advance(Duration::from_millis(1)).await;
    assert_eq!(throttle.delay_for(Some(&romeo), HERE).as_millis(), 0);
    assert_eq!(fail(&throttle, 4, &romeo, HERE).as_millis(), 500);
}

#[tokio::test(start_paused = true)]
async fn a_login_clears_the_account_and_not_the_address() {
    let (throttle, romeo) = (throttle(), jid("romeo"));
    fail(&throttle, 13, &romeo, HERE);
    throttle.succeeded(&romeo);
    assert_eq!(throttle.delay_for(Some(&romeo), THERE).as_millis(), 0);
    assert_eq!(throttle.delay_for(Some(&romeo), HERE).as_millis(), 500);
}

#[tokio::test(start_paused = true)]
async fn the_oldest_makes_room_and_no_more_is_kept() {
    let throttle = throttle();
    let names = ["a", "b", "c"].map(jid);
    for name in &names {
        fail(&throttle, 4, name, HERE);
    }
    fail(&throttle, 1, &names[0], HERE);
    fail(&throttle, 1, &jid("d"), HERE);
    let wait = |name| throttle.delay_for(Some(name), THERE).as_millis();
    assert_eq!(
        [wait(&names[0]), wait(&names[1]), wait(&names[2])],
        [1000, 0, 500]
    );
    for n in 0..100 {
        fail(&throttle, 1, &jid(&n.to_string()), address(n));
        throttle.succeeded(&jid(&(n / 2).to_string()));
    }
    let tables = throttle.tables.lock().unwrap();
    for table in [&tables.accounts, &tables.addresses] {
        assert!(table.entries.len() <= 3);
        assert_eq!(table.entries.len(), table.order.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_made_up_account_does_not_push_an_address_out() {
    let throttle = throttle();
    for n in 0..100 {
        throttle.failed(Some(&jid(&n.to_string())), HERE);
    }
    assert_eq!(throttle.delay_for(None, HERE).as_secs(), 30);
}

#[test]
fn an_ipv6_host_is_its_network() {
    let of = |text: &str| prefix(text.parse().unwrap());
    assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2::"));
    assert_ne!(of("2001:db8:1:2::"), of("2001:db8:1:3::"));
    assert_eq!(of("::ffff:192.0.2.1"), HERE);
    assert_eq!(of("::1"), IpAddr::V6(Ipv6Addr::UNSPECIFIED));
}
