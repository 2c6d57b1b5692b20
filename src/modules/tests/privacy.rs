//! What every store of privacy lists does, in memory and in SQLite.

mod place;

use std::sync::Arc;

use modules::privacy::{
    Action, Item, Kinds, Lists, MemPrivacy, PrivacyStore, PrivacyWrite, Rules, SqlPrivacy, Subject,
    Subscription, Traffic,
};
use xmpp::BareJid;

place::conformance! {
    dyn PrivacyStore: MemPrivacy::default(), SqlPrivacy::new;
    who_never_had_lists_has_none
    what_was_written_is_there
    the_last_write_counts
    the_default_is_kept
    a_long_list_is_kept_whole
    an_account_is_forgotten
    accounts_and_domains_are_apart
    a_large_batch_is_taken
}

fn jid(text: &str) -> BareJid {
    text.parse().unwrap()
}

fn blocked(jids: &[&str]) -> Rules {
    let items = jids.iter().zip(1..);
    let items = items.map(|(jid, order)| Item::block(order, jid.parse().unwrap()));
    Rules::new(items.collect()).unwrap()
}

fn write(account: &str, lists: &Lists) -> PrivacyWrite {
    PrivacyWrite {
        account: jid(account),
        lists: Arc::new(lists.clone()),
    }
}

/// Name, whether it is the default, and the rules of each list.
fn shown(lists: &Lists) -> Vec<(String, bool, Vec<Item>)> {
    let default = lists.default_list().map(|list| &list.name);
    let shown = lists.all().iter().map(|list| {
        let is_default = Some(&list.name) == default;
        (
            list.name.to_string(),
            is_default,
            list.rules.items().collect(),
        )
    });
    shown.collect()
}

async fn is(store: &dyn PrivacyStore, account: &str, wanted: &Lists) {
    let lists = store.lists(&jid(account)).await.unwrap();
    assert_eq!(shown(&lists), shown(wanted), "{account}");
}

async fn who_never_had_lists_has_none(store: &dyn PrivacyStore) {
    is(store, "romeo@montague.lit", &Lists::default()).await;
}

async fn what_was_written_is_there(store: &dyn PrivacyStore) {
    let subjects = [
        Subject::Jid("tybalt@capulet.lit/tomb".parse().unwrap()),
        Subject::Group("Feinde \u{1F5E1}".to_owned()),
        Subject::Subscription(Subscription::From),
        Subject::Anybody,
    ];
    let items = subjects.into_iter().zip([0, 7, 70_000, u32::MAX]);
    let items = items.map(|(subject, order)| Item {
        order,
        action: if order == 7 {
            Action::Allow
        } else {
            Action::Deny
        },
        kinds: Kinds::of(if order == 7 {
            vec![Traffic::IqIn]
        } else {
            vec![]
        }),
        subject,
    });
    let lists = Lists::default()
        .with("zuerst", Rules::new(items.collect()).unwrap())
        .with("A 'public' list", blocked(&["paris@verona.lit"]));
    store
        .apply(&[write("romeo@montague.lit", &lists)])
        .await
        .unwrap();
    is(store, "romeo@montague.lit", &lists).await;
}

async fn the_last_write_counts(store: &dyn PrivacyStore) {
    let two = Lists::default()
        .with("a", blocked(&["a@x"]))
        .with("b", blocked(&["b@x"]));
    let one = two.without("a").unwrap().with("b", blocked(&["c@x"]));
    let batch = [
        write("romeo@montague.lit", &two),
        write("romeo@montague.lit", &one),
    ];
    for _ in 0..2 {
        store.apply(&batch).await.unwrap();
        is(store, "romeo@montague.lit", &one).await;
    }
    store.apply(&batch[..1]).await.unwrap();
    is(store, "romeo@montague.lit", &two).await;
}

async fn the_default_is_kept(store: &dyn PrivacyStore) {
    let lists = Lists::default()
        .with("a", blocked(&["a@x"]))
        .with("b", blocked(&["b@x"]));
    for default in [Some("b"), Some("a"), None] {
        let lists = lists.with_default(default).unwrap();
        store
            .apply(&[write("romeo@montague.lit", &lists)])
            .await
            .unwrap();
        is(store, "romeo@montague.lit", &lists).await;
    }
}

async fn a_long_list_is_kept_whole(store: &dyn PrivacyStore) {
    let names: Vec<String> = (0..5000)
        .map(|n| format!("somebody{n}@long.example"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let lists = Lists::default()
        .with("before", blocked(&["a@x"]))
        .with("long", blocked(&names))
        .with("after", blocked(&["b@x"]));
    let lists = lists.with_default(Some("long")).unwrap();
    store
        .apply(&[write("romeo@montague.lit", &lists)])
        .await
        .unwrap();
    is(store, "romeo@montague.lit", &lists).await;
    // A shorter one leaves nothing of it behind.
    let short = lists.with("long", blocked(&["c@x"]));
    store
        .apply(&[write("romeo@montague.lit", &short)])
        .await
        .unwrap();
    is(store, "romeo@montague.lit", &short).await;
}

async fn an_account_is_forgotten(store: &dyn PrivacyStore) {
    let lists = Lists::default().with("a", blocked(&["a@x"]));
    let none = Lists::default();
    let batch = [
        write("a@x", &lists),
        write("b@x", &lists),
        write("a@x", &none),
        write("c@x", &none),
    ];
    store.apply(&batch).await.unwrap();
    is(store, "a@x", &none).await;
    is(store, "b@x", &lists).await;
    store.apply(&[write("b@x", &none)]).await.unwrap();
    is(store, "b@x", &none).await;
}

async fn accounts_and_domains_are_apart(store: &dyn PrivacyStore) {
    let of = |who: &str| Lists::default().with(who, blocked(&[who]));
    let accounts = ["a@x", "a@y", "b@x", "x"];
    let batch: Vec<_> = accounts.iter().map(|who| write(who, &of(who))).collect();
    store.apply(&batch).await.unwrap();
    for who in accounts {
        is(store, who, &of(who)).await;
    }
}

async fn a_large_batch_is_taken(store: &dyn PrivacyStore) {
    let lists = Lists::default().with("a", blocked(&["a@x", "b@x"]));
    let batch: Vec<_> = (0..600)
        .map(|n| write(&format!("u{n}@x"), &lists))
        .collect();
    store.apply(&batch).await.unwrap();
    is(store, "u599@x", &lists).await;
}

/// A node that starts knows of lists that an earlier one has written.
#[tokio::test]
async fn lists_of_before_are_found() {
    let (pool, _folder) = place::database().await;
    let lists = Lists::default().with("a", blocked(&["a@x"]));
    let before = SqlPrivacy::new(pool.clone());
    let batch = [write("a@x", &lists), write("b@x", &Lists::default())];
    store::Apply::apply(&before, &batch).await.unwrap();

    let now = SqlPrivacy::new(pool);
    is(&now, "a@x", &lists).await;
    is(&now, "b@x", &Lists::default()).await;
    store::Apply::apply(&now, &[write("b@x", &lists)])
        .await
        .unwrap();
    is(&now, "b@x", &lists).await;
}
