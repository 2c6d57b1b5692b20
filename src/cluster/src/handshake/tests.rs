use proptest::prelude::*;

use super::*;
use crate::link::LinkLimits;
use crate::node::{Boot, NodeName};

fn greeting(name: &str, boot: u64) -> Greeting {
    Greeting {
        cluster: "verona".into(),
        us: NodeId {
            name: NodeName::new(name).unwrap(),
            boot: Boot(boot),
        },
        cookie: Cookie::new("secret"),
        versions: (1, 2),
        features: 0b11,
        clock: Millis(1_000),
        nonce: [u8::try_from(boot).unwrap(); 32],
        binding: None,
    }
}

/// How a handshake ends for the caller and for the called one.
fn meet(caller: Greeting, called: Greeting, read: usize) -> [Result<Met, String>; 2] {
    let sides = [(Side::Caller, caller), (Side::Called, called)];
    let mut said = [BytesMut::new(), BytesMut::new()];
    let mut at = 0;
    let mut sides = sides.map(|(side, ours)| {
        let members = Members::new(ours.us.clone(), LinkLimits::default(), Millis(0));
        at += 1;
        (
            Handshake::new(side, ours, &mut said[at - 1]),
            members,
            BytesMut::new(),
            None,
        )
    });
    for turn in 0..10_000 {
        let (us, them) = (turn % 2, 1 - turn % 2);
        let len = read.min(said[them].len());
        let came = said[them].split_to(len);
        let (handshake, members, buffer, end) = &mut sides[us];
        buffer.extend_from_slice(&came);
        if end.is_none() {
            let met = handshake.received(Millis(0), buffer, &mut said[us], members);
            *end = met.map_err(|refusal| refusal.to_string()).transpose();
        }
    }
    sides.map(|(_, _, _, end)| end.unwrap_or_else(|| Err("silence".into())))
}

fn refused(caller: Greeting, called: Greeting) -> [String; 2] {
    meet(caller, called, 1_000).map(|end| end.unwrap_err())
}

#[test]
fn two_nodes_meet_whatever_the_reads_and_whoever_calls() {
    for read in [1, 2, 7, 1_000] {
        for (one, two) in [("a", "b"), ("b", "a")] {
            let [caller, called] = meet(greeting(one, 1), greeting(two, 2), read);
            let (caller, called) = (caller.unwrap(), called.unwrap());
            assert_eq!(caller.peer.name.as_str(), two);
            assert_eq!(called.peer.name.as_str(), one);
            assert_eq!((caller.version, caller.features), (2, 3));
            assert_eq!(caller.link.lock().id(), called.link.lock().id());
        }
    }
}

#[test]
fn whoever_does_not_fit_is_told_what_to_do() {
    let with = |change: fn(&mut Greeting)| {
        let mut other = greeting("b", 2);
        change(&mut other);
        refused(greeting("a", 1), other)
    };
    let [caller, called] = with(|g| g.cookie = Cookie::new("guess"));
    assert!(
        caller.contains("cookie") && called.contains("cookie"),
        "{caller} {called}"
    );
    let [caller, called] = with(|g| g.binding = Some([1; 32]));
    assert!(
        caller.contains("cookie") && called.contains("cookie"),
        "{caller} {called}"
    );
    let [caller, called] = with(|g| g.cluster = "mantua".into());
    assert!(
        caller.contains("mantua") && called.contains("verona"),
        "{caller} {called}"
    );
    let [caller, called] = with(|g| g.versions = (3, 4));
    assert!(
        caller.contains("upgrade") && called.contains("upgrade"),
        "{caller} {called}"
    );
    let [caller, called] = refused(greeting("a", 1), greeting("a", 2));
    assert!(
        caller.contains("of its own") && called.contains("of its own"),
        "{caller} {called}"
    );
    let [caller, _] = refused(greeting("a", 1), greeting("a", 1));
    assert!(caller.contains("this very node"), "{caller}");
}

#[test]
fn clocks_that_differ_by_more_than_a_minute_are_worth_a_warning() {
    let mut late = greeting("b", 2);
    late.clock = Millis(61_001);
    let [caller, _] = meet(greeting("a", 1), late.clone(), 99);
    assert_eq!(caller.unwrap().clocks_apart, Some(Millis(60_001)));
    late.clock = Millis(61_000);
    let [caller, _] = meet(greeting("a", 1), late, 99);
    assert_eq!(caller.unwrap().clocks_apart, None);
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_waited_for(bytes in proptest::collection::vec(any::<u8>(), 0..80), framed: bool) {
        let mut out = BytesMut::new();
        let ours = greeting("a", 1);
        let mut members = Members::new(ours.us.clone(), LinkLimits::default(), Millis(0));
        let mut handshake = Handshake::new(Side::Called, ours, &mut out);
        let mut came = BytesMut::new();
        if framed {
            words::put(&mut came, words::HELLO, &bytes);
        } else {
            came.extend_from_slice(&bytes);
        }
        let met = handshake.received(Millis(0), &mut came, &mut out, &mut members);
        prop_assert!(!matches!(met, Ok(Some(_))));
        prop_assert_eq!(members.members().count(), 0);
    }
}
