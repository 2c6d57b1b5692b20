use super::super::rule::{Action, Item, Kinds};
use super::*;

const BOUNDS: Bounds = Bounds { lists: 3, items: 2 };

fn rules(jids: &[&str]) -> Rules {
    let items = jids.iter().zip(1..);
    let items = items.map(|(jid, order)| Item::block(order, jid.parse().unwrap()));
    Rules::new(items.collect()).unwrap()
}

/// `public` is the default list.
fn lists() -> Lists {
    let lists = Lists::default()
        .with("public", rules(&["tybalt@example.com"]))
        .with("private", rules(&["paris@example.org"]));
    lists.with_default(Some("public")).unwrap()
}

fn condition<T>(changed: Result<T, StanzaError>) -> Option<Condition> {
    changed.err().map(|error| error.condition)
}

/// XEP-0016 §2.2, rule 11, §2.5 and §2.8: what is done while other sessions are there.
#[test]
fn a_list_that_holds_for_another_session_stays() {
    const FINE: Option<Condition> = None;
    const CONFLICT: Option<Condition> = Some(Condition::Conflict);
    const NOT_FOUND: Option<Condition> = Some(Condition::ItemNotFound);
    type Case<'a> = (&'a [Option<&'a str>], [Option<Condition>; 6]);
    let cases: [Case<'_>; 5] = [
        // Remove public, private, nothing; default private, none, public.
        (&[], [FINE, FINE, NOT_FOUND, FINE, FINE, FINE]),
        (
            &[None],
            [CONFLICT, FINE, NOT_FOUND, CONFLICT, CONFLICT, FINE],
        ),
        (
            &[Some("private")],
            [FINE, CONFLICT, NOT_FOUND, FINE, FINE, FINE],
        ),
        (
            &[Some("private"), Some("public")],
            [CONFLICT, CONFLICT, NOT_FOUND, CONFLICT, CONFLICT, FINE],
        ),
        // An active list that is gone is none.
        (
            &[Some("gone")],
            [CONFLICT, FINE, NOT_FOUND, CONFLICT, CONFLICT, FINE],
        ),
    ];
    for (others, wanted) in cases {
        let others: Vec<Option<Arc<str>>> = others.iter().map(|o| o.map(Arc::from)).collect();
        let lists = lists();
        let said = [
            condition(lists.remove("public", &others)),
            condition(lists.remove("private", &others)),
            condition(lists.remove("The Empty Set", &others)),
            condition(lists.choose_default(Some("private"), &others)),
            condition(lists.choose_default(None, &others)),
            condition(lists.choose_default(Some("public"), &others)),
        ];
        assert_eq!(said, wanted, "{others:?}");
        let unknown = lists.choose_default(Some("The Empty Set"), &others);
        assert_eq!(condition(unknown), NOT_FOUND);
    }
}

#[test]
fn without_a_default_list_one_is_chosen_freely() {
    let lists = lists().with_default(None).unwrap();
    let chosen = lists.choose_default(Some("private"), &[None]).unwrap();
    assert_eq!(chosen.blocked(), ["paris@example.org"]);
}

/// XEP-0016 §2.1: a group that is not in the roster.
#[test]
fn a_rule_about_an_unknown_group_is_refused() {
    let about = |group: &str| {
        let item = Item {
            order: 4,
            action: Action::Deny,
            kinds: Kinds::ALL,
            subject: Subject::Group(group.to_owned()),
        };
        let rules = Rules::new(vec![item]).unwrap();
        lists().put("x", rules, BOUNDS, |group| group == "Enemies")
    };
    assert_eq!(condition(about("Enemies")), None);
    assert_eq!(condition(about("Friends")), Some(Condition::ItemNotFound));
}

#[test]
fn an_account_keeps_so_much_and_no_more() {
    let any = |_: &str| true;
    let three = lists().put("third", rules(&["a@b"]), BOUNDS, any).unwrap();
    let fourth = three.put("fourth", rules(&["a@b"]), BOUNDS, any);
    assert_eq!(condition(fourth), Some(Condition::ResourceConstraint));
    let again = three.put("third", rules(&["c@d"]), BOUNDS, any);
    assert_eq!(condition(again), None, "one that is there can be replaced");

    let block = |jids: &[&str]| {
        let jids: Vec<_> = jids.iter().map(|jid| jid.parse().unwrap()).collect();
        lists().block(&jids).unwrap().within(BOUNDS)
    };
    assert_eq!(condition(block(&["a@b"])), None);
    let third = block(&["a@b", "c@d"]);
    assert_eq!(condition(third), Some(Condition::ResourceConstraint));
}
