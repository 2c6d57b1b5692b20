use super::super::rule::{Action, Kinds, Subject, Traffic};
use super::*;

fn jid(text: &str) -> Jid {
    text.parse().unwrap()
}

fn jids(texts: &[&str]) -> Vec<Jid> {
    texts.iter().map(|text| jid(text)).collect()
}

fn fall_through(order: u32) -> Item {
    Item {
        order,
        action: Action::Allow,
        kinds: Kinds::ALL,
        subject: Subject::Anybody,
    }
}

fn with(items: Vec<Item>) -> Lists {
    let lists = Lists::default().with("public", Rules::new(items).unwrap());
    lists.with_default(Some("public")).unwrap()
}

/// Name, and order and address of each block, 0 for another rule.
fn shown(lists: &Lists) -> (String, Vec<(u32, String)>) {
    let list = lists.default_list().unwrap();
    let items = list.rules.items().map(|item| {
        let jid = item.blocks().map_or("-".to_owned(), Jid::to_string);
        (item.order, jid)
    });
    (list.name.as_ref().to_owned(), items.collect())
}

fn items(of: &[(u32, &str)]) -> Vec<(u32, String)> {
    of.iter().map(|(n, jid)| (*n, (*jid).to_owned())).collect()
}

/// XEP-0191 §5, 1: without other lists the block list is the default list.
#[test]
fn blocking_makes_a_default_list() {
    let lists = Lists::default()
        .block(&jids(&["romeo@montague.net", "iago@shakespeare.lit"]))
        .unwrap();
    let blocked = ["romeo@montague.net", "iago@shakespeare.lit"];
    assert_eq!(lists.blocked(), blocked);
    let wanted = items(&[(1, blocked[0]), (2, blocked[1])]);
    assert_eq!(shown(&lists), ("blocking".into(), wanted));

    let more = lists
        .block(&jids(&["iago@shakespeare.lit", "a@b", "a@b"]))
        .unwrap();
    assert_eq!(more.blocked(), [blocked[0], blocked[1], "a@b"]);
    assert_eq!(lists.blocked(), blocked, "the value before is what it was");
}

#[test]
fn who_is_unblocked_last_takes_the_list_along() {
    let lists = Lists::default().block(&jids(&["a@b", "c@d"])).unwrap();
    let one = lists.unblock(Some(&jids(&["a@b", "x@y"]))).unwrap();
    assert_eq!(one.blocked(), ["c@d"]);
    assert!(one.unblock(Some(&jids(&["c@d"]))).unwrap().is_empty());
    assert!(lists.unblock(None).unwrap().is_empty());
    assert!(Lists::default().unblock(None).unwrap().is_empty());
}

/// XEP-0191 §5: blocked addresses come first in the list.
#[test]
fn blocks_go_in_front_of_other_rules() {
    let lists = with(vec![fall_through(68)]).block(&jids(&["a@b", "c@d"]));
    let lists = lists.unwrap();
    let wanted = items(&[(1, "a@b"), (2, "c@d"), (68, "-")]);
    assert_eq!(shown(&lists), ("public".into(), wanted));
    let left = lists.unblock(None).unwrap();
    assert_eq!(shown(&left).1, items(&[(68, "-")]));
}

#[test]
fn without_room_in_front_all_are_numbered_anew() {
    let lists = with(vec![fall_through(0)]).block(&jids(&["a@b"])).unwrap();
    assert_eq!(shown(&lists).1, items(&[(1, "a@b"), (2, "-")]));
    let lists = lists.block(&jids(&["c@d"])).unwrap();
    let wanted = items(&[(1, "a@b"), (2, "c@d"), (3, "-")]);
    assert_eq!(shown(&lists).1, wanted);

    let last = Item::block(u32::MAX, jid("a@b"));
    let lists = with(vec![last]).block(&jids(&["c@d"])).unwrap();
    assert_eq!(shown(&lists).1, items(&[(1, "a@b"), (2, "c@d")]));
}

/// XEP-0191 §5, 2 and 3: of the default list, only what blocks an address altogether.
#[test]
fn the_block_list_shows_blocks_alone() {
    let narrow = Item {
        kinds: Kinds::of([Traffic::MessageIn]),
        ..Item::block(3, jid("paris@verona.lit"))
    };
    let lists = with(vec![
        Item::block(1, jid("tybalt@capulet.lit")),
        fall_through(2),
        narrow,
        Item::block(5, jid("capulet.lit/tomb")),
        Item::block(9, jid("tybalt@capulet.lit")),
    ]);
    assert_eq!(lists.blocked(), ["tybalt@capulet.lit", "capulet.lit/tomb"]);
    let left = lists.unblock(Some(&jids(&["tybalt@capulet.lit"]))).unwrap();
    assert_eq!(left.blocked(), ["capulet.lit/tomb"], "both rules are gone");
    assert_eq!(left.default_list().unwrap().rules.len(), 3);
}

/// XEP-0191 §5, 4: another default list brings another block list.
#[test]
fn the_block_list_is_that_of_the_default_list() {
    let other = Rules::new(vec![Item::block(1, jid("c@d"))]).unwrap();
    let lists = Lists::default().block(&jids(&["a@b"])).unwrap();
    let lists = lists.with("other", other);
    assert_eq!(lists.blocked(), ["a@b"]);
    let changed = lists.with_default(Some("other")).unwrap();
    assert_eq!(changed.blocked(), ["c@d"]);
    let none = lists.with_default(None).unwrap();
    assert!(none.blocked().is_empty());
    // What was blocked once must not come back with the next block.
    let fresh = none.block(&jids(&["e@f"])).unwrap();
    assert_eq!(fresh.blocked(), ["e@f"]);
    assert_eq!(&*fresh.default_list().unwrap().name, "blocking-2");
    assert_eq!(fresh.all().len(), 3);
}

#[test]
fn the_default_stays_when_another_list_goes() {
    let rules = |who: &str| Rules::new(vec![Item::block(1, jid(who))]).unwrap();
    let lists = Lists::default()
        .with("a", rules("a@a"))
        .with("b", rules("b@b"))
        .with("c", rules("c@c"));
    let lists = lists.with_default(Some("b")).unwrap();
    assert_eq!(lists.without("a").unwrap().blocked(), ["b@b"]);
    assert_eq!(lists.without("c").unwrap().blocked(), ["b@b"]);
    assert!(lists.without("b").unwrap().default_list().is_none());
    assert_eq!(lists.without("d").unwrap_err(), UnknownList);
    assert_eq!(lists.with_default(Some("d")).unwrap_err(), UnknownList);
}

/// XEP-0016 §2.2, rules 1 and 2.
#[test]
fn an_active_list_takes_the_place_of_the_default_one() {
    let rules = |who: &str| Rules::new(vec![Item::block(1, jid(who))]).unwrap();
    let lists = with(vec![fall_through(1)]).with("special", rules("a@a"));
    let name = |active| lists.in_force(active).map(|list| &*list.name);
    assert_eq!(name(None), Some("public"));
    assert_eq!(name(Some("special")), Some("special"));
    assert_eq!(name(Some("gone")), Some("public"));
    assert!(Lists::default().in_force(None).is_none());
}
