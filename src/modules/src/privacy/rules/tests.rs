use proptest::prelude::*;
use proptest::sample::select;
use xmpp::BareJid;

use super::super::rule::{Strangers, Subject};
use super::*;
use Action::{Allow, Deny};
use Subscription::{Both, From, To};
use Traffic::{IqIn, MessageIn, Other as Else, PresenceIn, PresenceOut};

const ALL: [Traffic; 5] = [MessageIn, IqIn, PresenceIn, PresenceOut, Else];

/// A roster with one of each.
struct Roster;

impl Contacts for Roster {
    fn subscription(&self, contact: &BareJid) -> Subscription {
        match contact.as_ref() {
            "benvolio@montague.lit" => Both,
            "nurse@capulet.lit" => To,
            "paris@verona.lit" => From,
            _ => Subscription::None,
        }
    }

    fn each_group(&self, contact: &BareJid, see: &mut dyn FnMut(&str)) {
        if contact.as_ref() == "benvolio@montague.lit" {
            see("Friends");
        }
        if contact.domain() != "verona.lit" && contact.localpart().is_some() {
            see(match contact.domain() {
                "capulet.lit" => "Enemies",
                _ => "Kin",
            });
        }
    }
}

fn jid(text: &str) -> Jid {
    text.parse().unwrap()
}

fn item(order: u32, action: Action, subject: Subject, kinds: &[Traffic]) -> Item {
    Item {
        order,
        action,
        kinds: Kinds::of(kinds.iter().copied()),
        subject,
    }
}

/// `deny jid a@b message iq`, and so on: action, type, value, kinds.
fn rules(lines: &[&str]) -> Rules {
    let items = lines.iter().enumerate().map(|(order, line)| {
        let mut words = line.split(' ');
        let action = match words.next().unwrap() {
            "allow" => Allow,
            "deny" => Deny,
            other => panic!("{other}"),
        };
        let subject = match words.next().unwrap() {
            "anybody" => Subject::Anybody,
            "jid" => Subject::Jid(jid(words.next().unwrap())),
            "group" => Subject::Group(words.next().unwrap().to_owned()),
            state => Subject::Subscription(Subscription::of(state).unwrap()),
        };
        let kinds: Vec<Traffic> = words
            .map(|word| match word {
                "message" => MessageIn,
                "iq" => IqIn,
                "presence-in" => PresenceIn,
                "presence-out" => PresenceOut,
                other => panic!("{other}"),
            })
            .collect();
        item(order as u32, action, subject, &kinds)
    });
    Rules::new(items.collect()).unwrap()
}

/// Whom the rules let through, of the traffic that is given.
fn verdicts(lines: &[&str], traffic: Traffic, cases: &[(&str, Action)]) {
    let rules = rules(lines);
    for (who, wanted) in cases {
        let verdict = rules.check(&jid(who), traffic, &Roster);
        assert_eq!(verdict, *wanted, "{lines:?}: {traffic:?} of {who}");
    }
}

/// XEP-0016 §2.1, the four forms of addresses.
#[test]
fn an_address_matches_all_that_belong_to_it() {
    verdicts(
        &["deny jid tybalt@capulet.lit/tomb"],
        MessageIn,
        &[
            ("tybalt@capulet.lit/tomb", Deny),
            ("tybalt@capulet.lit/hall", Allow),
            ("tybalt@capulet.lit", Allow),
            ("capulet.lit", Allow),
            ("capulet.lit/tomb", Allow),
        ],
    );
    verdicts(
        &["deny jid tybalt@capulet.lit"],
        MessageIn,
        &[
            ("tybalt@capulet.lit", Deny),
            ("tybalt@capulet.lit/tomb", Deny),
            ("juliet@capulet.lit/tomb", Allow),
            ("tybalt@montague.lit", Allow),
            ("capulet.lit", Allow),
        ],
    );
    verdicts(
        &["deny jid capulet.lit/tomb"],
        MessageIn,
        &[
            ("capulet.lit/tomb", Deny),
            ("capulet.lit", Allow),
            ("capulet.lit/hall", Allow),
            // An occupant in any room of a service.
            ("hall@capulet.lit/tomb", Deny),
            ("hall@capulet.lit/hall", Allow),
        ],
    );
    verdicts(
        &["deny jid capulet.lit"],
        MessageIn,
        &[
            ("capulet.lit", Deny),
            ("capulet.lit/tomb", Deny),
            ("tybalt@capulet.lit", Deny),
            ("tybalt@capulet.lit/tomb", Deny),
            ("rooms.capulet.lit", Allow),
            ("a@let.lit", Allow),
        ],
    );
}

/// XEP-0016 §2.2, rules 5 and 6: order counts, not how narrow a rule is.
#[test]
fn the_first_rule_that_matches_decides() {
    verdicts(
        &["allow jid nurse@capulet.lit", "deny jid capulet.lit"],
        MessageIn,
        &[
            ("nurse@capulet.lit/kitchen", Allow),
            ("tybalt@capulet.lit", Deny),
        ],
    );
    verdicts(
        &["deny jid capulet.lit", "allow jid nurse@capulet.lit"],
        MessageIn,
        &[("nurse@capulet.lit/kitchen", Deny)],
    );
    verdicts(
        &["deny both", "allow jid benvolio@montague.lit"],
        MessageIn,
        &[("benvolio@montague.lit", Deny)],
    );
    verdicts(
        &[
            "allow group Friends",
            "deny anybody",
            "allow jid tybalt@capulet.lit",
        ],
        MessageIn,
        &[
            ("benvolio@montague.lit/a", Allow),
            ("tybalt@capulet.lit", Deny),
        ],
    );
}

/// XEP-0016 §2.1: exact states, and strangers have none.
#[test]
fn subscriptions_match_exactly() {
    let of = [
        ("benvolio@montague.lit/a", "both"),
        ("nurse@capulet.lit", "to"),
        ("paris@verona.lit/b", "from"),
        ("tybalt@capulet.lit", "none"),
        ("verona.lit", "none"),
    ];
    for state in ["both", "to", "from", "none"] {
        for (who, has) in of {
            let wanted = if state == has { Deny } else { Allow };
            verdicts(&[&format!("deny {state}")], IqIn, &[(who, wanted)]);
        }
    }
}

/// XEP-0016 §2.8 to §2.12: each example by its kinds.
#[test]
fn kinds_narrow_a_rule_down() {
    let cases: &[(&str, &[Traffic])] = &[
        ("", &ALL),
        (" message", &[MessageIn]),
        (" iq", &[IqIn]),
        (" presence-in", &[PresenceIn]),
        (" presence-out", &[PresenceOut]),
        (" message presence-in", &[MessageIn, PresenceIn]),
        // All that can be named is not all there is: subscriptions still pass.
        (" message iq presence-in presence-out", &ALL[..4]),
    ];
    for subject in ["jid tybalt@capulet.lit", "group Enemies", "none", "anybody"] {
        for (kinds, denied) in cases {
            let line = format!("deny {subject}{kinds}");
            for traffic in ALL {
                let wanted = match denied.contains(&traffic) {
                    true => Deny,
                    false => Allow,
                };
                verdicts(&[&line], traffic, &[("tybalt@capulet.lit/tomb", wanted)]);
            }
        }
    }
}

#[test]
fn rules_about_one_address_go_kind_by_kind() {
    let lines = [
        "allow jid tybalt@capulet.lit message",
        "deny jid tybalt@capulet.lit message iq",
        "allow jid tybalt@capulet.lit presence-in",
        "deny jid tybalt@capulet.lit",
    ];
    for (traffic, wanted) in [
        (MessageIn, Allow),
        (IqIn, Deny),
        (PresenceIn, Allow),
        (PresenceOut, Deny),
        (Else, Deny),
    ] {
        verdicts(&lines, traffic, &[("tybalt@capulet.lit", wanted)]);
    }
}

/// XEP-0016 §2.2, rule 7.
#[test]
fn what_no_rule_matches_passes() {
    verdicts(&[], MessageIn, &[("tybalt@capulet.lit", Allow)]);
    verdicts(
        &["deny jid verona.lit", "deny both"],
        MessageIn,
        &[("tybalt@capulet.lit", Allow)],
    );
}

#[test]
fn what_stanzas_are_to_rules() {
    use xmpp::{IqType, Kind, MessageType, PresenceType};
    let message = Kind::Message(MessageType::Error);
    assert_eq!(Traffic::incoming(message), MessageIn);
    assert_eq!(Traffic::outgoing(message), Else);
    let iq = Kind::Iq(IqType::Result);
    assert_eq!(Traffic::incoming(iq), IqIn);
    assert_eq!(Traffic::outgoing(iq), Else);
    for kind in [PresenceType::Available, PresenceType::Unavailable] {
        assert_eq!(Traffic::incoming(Kind::Presence(kind)), PresenceIn);
        assert_eq!(Traffic::outgoing(Kind::Presence(kind)), PresenceOut);
    }
    for kind in [
        PresenceType::Subscribe,
        PresenceType::Subscribed,
        PresenceType::Unsubscribe,
        PresenceType::Unsubscribed,
        PresenceType::Probe,
        PresenceType::Error,
    ] {
        assert_eq!(Traffic::incoming(Kind::Presence(kind)), Else);
        assert_eq!(Traffic::outgoing(Kind::Presence(kind)), Else);
    }
}

#[test]
fn equal_orders_are_no_list() {
    let twice = vec![
        Item::block(7, jid("a@x")),
        Item::block(3, jid("b@x")),
        Item::block(7, jid("c@x")),
    ];
    assert_eq!(Rules::new(twice).unwrap_err(), BadRules::SameOrder);
}

#[test]
fn damaged_bytes_are_seen() {
    let rules = rules(&["deny jid a@x", "allow group Friends", "deny none iq"]);
    let good = rules.as_bytes();
    assert!(Rules::from_bytes(good.to_vec()).is_ok());
    for cut in 1..good.len() {
        // A cut between two items leaves a shorter list.
        if let Ok(shorter) = Rules::from_bytes(good[..cut].to_vec()) {
            let count = shorter.len();
            assert!(shorter.items().eq(rules.items().take(count)), "{cut}");
        }
    }
    let twice = [good, good].concat();
    assert_eq!(Rules::from_bytes(twice).unwrap_err(), BadRules::Damaged);
    assert_eq!(
        Rules::from_bytes(vec![0; 7]).unwrap_err(),
        BadRules::Damaged,
        "a rule about no kind of stanza"
    );
}

/// The roster is only asked when its answer can matter.
#[test]
fn an_address_in_front_asks_no_roster() {
    struct Panics;
    impl Contacts for Panics {
        fn subscription(&self, _: &BareJid) -> Subscription {
            panic!("asked")
        }
        fn each_group(&self, _: &BareJid, _: &mut dyn FnMut(&str)) {
            panic!("asked")
        }
    }
    let rules = rules(&["deny jid a@x", "allow none iq", "deny group Friends iq"]);
    assert_eq!(rules.check(&jid("a@x/r"), IqIn, &Panics), Deny);
    assert_eq!(rules.check(&jid("b@x/r"), MessageIn, &Panics), Allow);
}

/// What XEP-0016 §2.2 says, word for word.
fn first_match(items: &[Item], who: &Jid, traffic: Traffic) -> Action {
    let mut items: Vec<&Item> = items.iter().collect();
    items.sort_by_key(|item| item.order);
    let matches = |item: &&&Item| {
        let of = |jid: &Jid| {
            jid.domain() == who.domain()
                && (jid.localpart().is_none() || jid.localpart() == who.localpart())
                && (jid.resource().is_none() || jid.resource() == who.resource())
        };
        item.kinds.has(traffic)
            && match &item.subject {
                Subject::Anybody => true,
                Subject::Jid(jid) => of(jid),
                Subject::Group(group) => {
                    let mut is_in = false;
                    Roster.each_group(&who.to_bare(), &mut |of| is_in |= of == group);
                    is_in
                }
                Subject::Subscription(state) => *state == Roster.subscription(&who.to_bare()),
            }
    };
    items.iter().find(matches).map_or(Allow, |item| item.action)
}

const PEOPLE: [&str; 9] = [
    "benvolio@montague.lit",
    "benvolio@montague.lit/a",
    "nurse@capulet.lit/a",
    "nurse@capulet.lit/b",
    "paris@verona.lit",
    "verona.lit",
    "verona.lit/a",
    "capulet.lit/a",
    "montague.lit",
];

fn any_item() -> impl Strategy<Value = (Action, Subject, Kinds)> {
    let subject = prop_oneof![
        6 => select(&PEOPLE[..]).prop_map(|who| Subject::Jid(jid(who))),
        1 => select(&Subscription::ALL[..]).prop_map(Subject::Subscription),
        1 => select(&["Friends", "Enemies", "Kin", "Nobody"][..])
            .prop_map(|group| Subject::Group(group.to_owned())),
        1 => Just(Subject::Anybody),
    ];
    let kinds = proptest::collection::vec(select(&ALL[..4]), 0..3).prop_map(Kinds::of);
    (select(&[Allow, Deny][..]), subject, kinds)
}

proptest! {
    #[test]
    fn the_compiled_check_says_what_the_list_says(
        items in proptest::collection::vec(any_item(), 0..24),
        backwards: bool,
    ) {
        let orders = 0..items.len() as u32;
        let mut items: Vec<Item> = items
            .into_iter()
            .zip(orders)
            .map(|((action, subject, kinds), order)| Item { order, action, kinds, subject })
            .collect();
        if backwards {
            items.reverse();
        }
        let rules = Rules::new(items.clone()).unwrap();
        let again = Rules::from_bytes(rules.as_bytes().to_vec()).unwrap();
        prop_assert!(again.items().eq(rules.items()));
        for who in PEOPLE.map(jid) {
            for traffic in ALL {
                let wanted = first_match(&items, &who, traffic);
                prop_assert_eq!(again.check(&who, traffic, &Roster), wanted);
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        if let Ok(rules) = Rules::from_bytes(bytes.clone()) {
            prop_assert_eq!(rules.as_bytes(), &bytes[..]);
            let _ = rules.check(&jid("a@b/c"), MessageIn, &Strangers);
        }
    }
}
