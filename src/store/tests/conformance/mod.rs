//! What every [`AccountStore`] does.

use std::time::{Duration, SystemTime};
use store::{AccountKeys, AccountStore, Added, Keys, StoreErrorKind};
use xmpp::BareJid;

/// Makes a module of tests out of an async function that gives a `Place`.
#[macro_export]
macro_rules! account_store_conformance {
    ($place:ident) => {
        mod $place {
            $crate::account_store_conformance! { $place:
                what_was_created_is_there
                a_second_one_of_a_name_is_refused
                keys_are_replaced_whole
                removed_is_gone
                a_batch_names_those_that_existed
                a_large_batch_is_taken
                lists_go_page_by_page
                domains_are_apart
                of_rivals_one_wins
            }
        }
    };
    ($place:ident: $($case:ident)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                let place = super::$place().await;
                $crate::conformance::$case(place.store.as_ref()).await;
            }
        )*
    };
}

fn jid(text: &str) -> BareJid {
    text.parse().unwrap()
}

/// Different for each `seed`.
fn keys(seed: u8) -> AccountKeys {
    let of = |length| {
        Some(Keys {
            salt: vec![seed; 16],
            iterations: 4096 + u32::from(seed),
            stored_key: vec![seed ^ 1; length],
            server_key: vec![seed ^ 2; length],
        })
    };
    AccountKeys {
        sha1: of(20),
        sha256: of(32),
        sha512: of(64),
    }
}

async fn page(
    store: &dyn AccountStore,
    domain: Option<&str>,
    after: Option<&str>,
    limit: u64,
) -> Vec<String> {
    let after = after.map(jid);
    let page = store.list(domain, after.as_ref(), limit).await.unwrap();
    page.iter().map(|account| account.jid.to_string()).collect()
}

pub(crate) async fn what_was_created_is_there(store: &dyn AccountStore) {
    let romeo = jid("romeo@montague.example");
    assert!(!store.exists(&romeo).await.unwrap());
    assert_eq!(store.keys(&romeo).await.unwrap(), None);

    let before = SystemTime::now() - Duration::from_millis(1);
    let account = store.create(&romeo, keys(1)).await.unwrap();
    assert_eq!(account.jid, romeo);
    assert!(account.created_at >= before && account.created_at <= SystemTime::now());

    assert!(store.exists(&romeo).await.unwrap());
    assert_eq!(store.keys(&romeo).await.unwrap(), Some(keys(1)));
    assert_eq!(store.list(None, None, 9).await.unwrap(), [account]);

    let some = AccountKeys {
        sha1: None,
        ..keys(2)
    };
    let juliet = jid("juliet@capulet.example");
    store.create(&juliet, some.clone()).await.unwrap();
    assert_eq!(store.keys(&juliet).await.unwrap(), Some(some));
}

pub(crate) async fn a_second_one_of_a_name_is_refused(store: &dyn AccountStore) {
    let romeo = jid("romeo@montague.example");
    store.create(&romeo, keys(1)).await.unwrap();
    let error = store.create(&romeo, keys(2)).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Exists);
    assert_eq!(store.keys(&romeo).await.unwrap(), Some(keys(1)));
}

pub(crate) async fn keys_are_replaced_whole(store: &dyn AccountStore) {
    let romeo = jid("romeo@montague.example");
    let error = store.replace_keys(&romeo, keys(1)).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Missing);
    assert!(!store.exists(&romeo).await.unwrap());

    store.create(&romeo, keys(1)).await.unwrap();
    let row = store.list(None, None, 1).await.unwrap();
    let only = AccountKeys {
        sha256: keys(2).sha256,
        ..AccountKeys::default()
    };
    store.replace_keys(&romeo, only.clone()).await.unwrap();
    assert_eq!(store.keys(&romeo).await.unwrap(), Some(only));
    let after = store.list(None, None, 1).await.unwrap();
    assert_eq!(after, row, "the day of registration stays");
}

pub(crate) async fn removed_is_gone(store: &dyn AccountStore) {
    let (romeo, benvolio) = (jid("romeo@montague.example"), jid("b@montague.example"));
    store.create(&romeo, keys(1)).await.unwrap();
    store.create(&benvolio, keys(2)).await.unwrap();
    store.remove(&romeo).await.unwrap();
    assert!(!store.exists(&romeo).await.unwrap());
    assert!(store.exists(&benvolio).await.unwrap());
    let error = store.remove(&romeo).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Missing);
    store.create(&romeo, keys(3)).await.unwrap();
    assert_eq!(store.keys(&romeo).await.unwrap(), Some(keys(3)));
}

pub(crate) async fn a_batch_names_those_that_existed(store: &dyn AccountStore) {
    use Added::{Existed, New};
    assert_eq!(store.create_many(vec![]).await.unwrap(), []);
    let (a, b, c) = (jid("a@x.example"), jid("b@x.example"), jid("c@x.example"));
    store.create(&b, keys(1)).await.unwrap();
    let batch = vec![
        (a.clone(), keys(2)),
        (b.clone(), keys(3)),
        (c.clone(), keys(4)),
        (a.clone(), keys(5)),
    ];
    let added = store.create_many(batch).await.unwrap();
    assert_eq!(added, [New, Existed, New, Existed]);
    assert_eq!(store.keys(&a).await.unwrap(), Some(keys(2)));
    assert_eq!(store.keys(&b).await.unwrap(), Some(keys(1)));
    assert_eq!(store.keys(&c).await.unwrap(), Some(keys(4)));

    let again = store.create_many(vec![(c, keys(6))]).await.unwrap();
    assert_eq!(again, [Existed]);
}

pub(crate) async fn a_large_batch_is_taken(store: &dyn AccountStore) {
    let batch = (0..2345).map(|n| (jid(&format!("u{n}@x.example")), keys(n as u8)));
    let added = store.create_many(batch.collect()).await.unwrap();
    assert_eq!(added, [Added::New; 2345]);
    assert_eq!(store.count(None).await.unwrap(), 2345);
    let last = store.keys(&jid("u2344@x.example")).await.unwrap();
    assert_eq!(last, Some(keys(2344_u32 as u8)));
}

pub(crate) async fn lists_go_page_by_page(store: &dyn AccountStore) {
    for name in ["d@x", "a@x", "é@x", "c@x", "b@x", "ab@x", "z@w", "a@y"] {
        store.create(&jid(name), keys(1)).await.unwrap();
    }
    let x = Some("x");
    assert_eq!(page(store, x, None, 3).await, ["a@x", "ab@x", "b@x"]);
    assert_eq!(page(store, x, Some("b@x"), 3).await, ["c@x", "d@x", "é@x"]);
    assert!(page(store, x, Some("é@x"), 3).await.is_empty());
    assert_eq!(
        page(store, x, Some("bb@x"), 1).await,
        ["c@x"],
        "a page may begin behind somebody who is gone"
    );
    assert!(page(store, x, None, 0).await.is_empty());
    assert_eq!(page(store, x, None, u64::MAX).await.len(), 6);

    assert_eq!(page(store, None, None, 2).await, ["z@w", "a@x"]);
    assert_eq!(page(store, None, Some("d@x"), 9).await, ["é@x", "a@y"]);
}

pub(crate) async fn domains_are_apart(store: &dyn AccountStore) {
    for account in ["a@x.example", "b@x.example", "a@y.example"] {
        store.create(&jid(account), keys(1)).await.unwrap();
    }
    assert_eq!(store.count(Some("x.example")).await.unwrap(), 2);
    assert_eq!(store.count(Some("y.example")).await.unwrap(), 1);
    assert_eq!(store.count(Some("z.example")).await.unwrap(), 0);
    assert_eq!(store.count(None).await.unwrap(), 3);
    store.remove(&jid("a@y.example")).await.unwrap();
    assert!(store.exists(&jid("a@x.example")).await.unwrap());
}

pub(crate) async fn of_rivals_one_wins(store: &dyn AccountStore) {
    let romeo = jid("romeo@montague.example");
    let rivals = tokio::join!(
        store.create(&romeo, keys(1)),
        store.create(&romeo, keys(2)),
        store.create(&romeo, keys(3)),
    );
    let won = [rivals.0.is_ok(), rivals.1.is_ok(), rivals.2.is_ok()];
    let winner = won.iter().position(|won| *won).expect("one wins");
    assert_eq!(won.iter().filter(|won| **won).count(), 1);
    let stored = store.keys(&romeo).await.unwrap();
    assert_eq!(stored, Some(keys(winner as u8 + 1)));
}
