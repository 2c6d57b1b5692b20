//! What every store of private data does, in memory and in SQLite.

mod place;

use modules::private::{MemPrivate, PrivateStore, PrivateWrite, SqlPrivate};
use xmpp::BareJid;

place::conformance! {
    dyn PrivateStore: MemPrivate::default(), SqlPrivate::new;
    of_nothing_there_is_nothing
    what_was_put_there_is_there
    the_last_of_a_namespace_counts
    a_batch_may_be_applied_twice
    long_elements_are_kept_whole
    an_account_is_forgotten
    accounts_and_domains_are_apart
    a_large_batch_is_taken
}

const ROMEO: &str = "romeo@montague.lit";

fn jid(text: &str) -> BareJid {
    text.parse().unwrap()
}

fn put(account: &str, namespace: &str, elements: &str) -> PrivateWrite {
    PrivateWrite::Put {
        account: jid(account),
        namespace: namespace.to_owned(),
        elements: elements.to_owned().into(),
    }
}

async fn get(store: &dyn PrivateStore, account: &str, namespace: &str) -> Option<String> {
    let elements = store.elements(&jid(account), namespace).await.unwrap();
    elements.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

async fn sizes(store: &dyn PrivateStore, account: &str) -> Vec<(String, u64)> {
    let mut sizes = store.sizes(&jid(account)).await.unwrap();
    sizes.sort();
    sizes
}

async fn of_nothing_there_is_nothing(store: &dyn PrivateStore) {
    assert_eq!(get(store, ROMEO, "a:b").await, None);
    assert_eq!(sizes(store, ROMEO).await, []);
    store
        .apply(&[PrivateWrite::Forget(jid(ROMEO))])
        .await
        .unwrap();
    store.apply(&[]).await.unwrap();
}

async fn what_was_put_there_is_there(store: &dyn PrivateStore) {
    let batch = [
        put(ROMEO, "a:b", "<x xmlns='a:b'>'\u{1F339}\"</x>"),
        put(ROMEO, "A:B", "<x xmlns='A:B'/>"),
        put(ROMEO, "", ""),
    ];
    store.apply(&batch).await.unwrap();
    assert_eq!(
        get(store, ROMEO, "a:b").await.as_deref(),
        Some("<x xmlns='a:b'>'\u{1F339}\"</x>")
    );
    assert_eq!(
        get(store, ROMEO, "A:B").await.as_deref(),
        Some("<x xmlns='A:B'/>")
    );
    assert_eq!(get(store, ROMEO, "").await.as_deref(), Some(""));
    assert_eq!(get(store, ROMEO, "a:").await, None);
    let wanted = [("", 0), ("A:B", 16), ("a:b", 25)];
    let wanted = wanted.map(|(namespace, size)| (namespace.to_owned(), size));
    assert_eq!(sizes(store, ROMEO).await, wanted);
}

async fn the_last_of_a_namespace_counts(store: &dyn PrivateStore) {
    let batch = [
        put(ROMEO, "a", "<x xmlns='a'/><y xmlns='a'/>"),
        put(ROMEO, "a", "<z/>"),
    ];
    store.apply(&batch).await.unwrap();
    assert_eq!(get(store, ROMEO, "a").await.as_deref(), Some("<z/>"));
    store.apply(&batch[..1]).await.unwrap();
    assert_eq!(
        get(store, ROMEO, "a").await.as_deref(),
        Some("<x xmlns='a'/><y xmlns='a'/>")
    );
}

async fn a_batch_may_be_applied_twice(store: &dyn PrivateStore) {
    let batch = [
        put(ROMEO, "a", "1"),
        PrivateWrite::Forget(jid(ROMEO)),
        put(ROMEO, "b", "2"),
    ];
    for _ in 0..2 {
        store.apply(&batch).await.unwrap();
        assert_eq!(get(store, ROMEO, "a").await, None);
        assert_eq!(get(store, ROMEO, "b").await.as_deref(), Some("2"));
    }
}

async fn long_elements_are_kept_whole(store: &dyn PrivateStore) {
    let long: String = (0..40_000).map(|n| format!("<x>{n}</x>")).collect();
    store.apply(&[put(ROMEO, "a", &long)]).await.unwrap();
    assert_eq!(get(store, ROMEO, "a").await.as_deref(), Some(&*long));
    assert_eq!(
        sizes(store, ROMEO).await,
        [("a".to_owned(), long.len() as u64)]
    );
    // A shorter one leaves nothing of it behind.
    store.apply(&[put(ROMEO, "a", "<x/>")]).await.unwrap();
    assert_eq!(get(store, ROMEO, "a").await.as_deref(), Some("<x/>"));
}

async fn an_account_is_forgotten(store: &dyn PrivateStore) {
    let batch = [
        put(ROMEO, "a", "1"),
        put(ROMEO, "b", "2"),
        put("r@montague.lit", "a", "3"),
    ];
    store.apply(&batch).await.unwrap();
    store
        .apply(&[PrivateWrite::Forget(jid(ROMEO))])
        .await
        .unwrap();
    assert_eq!(sizes(store, ROMEO).await, []);
    assert_eq!(get(store, ROMEO, "a").await, None);
    assert_eq!(
        get(store, "r@montague.lit", "a").await.as_deref(),
        Some("3")
    );
}

async fn accounts_and_domains_are_apart(store: &dyn PrivateStore) {
    let batch = [put(ROMEO, "a", "1"), put("romeo@capulet.lit", "a", "2")];
    store.apply(&batch).await.unwrap();
    assert_eq!(get(store, ROMEO, "a").await.as_deref(), Some("1"));
    assert_eq!(
        get(store, "romeo@capulet.lit", "a").await.as_deref(),
        Some("2")
    );
    store
        .apply(&[PrivateWrite::Forget(jid("romeo@capulet.lit"))])
        .await
        .unwrap();
    assert_eq!(get(store, ROMEO, "a").await.as_deref(), Some("1"));
    assert_eq!(sizes(store, "romeo@capulet.lit").await, []);
}

async fn a_large_batch_is_taken(store: &dyn PrivateStore) {
    let name = |n: u32| format!("user{}@montague.lit", n % 100);
    let batch: Vec<_> = (0..512)
        .map(|n| put(&name(n), &format!("ns:{}", n / 100), "<x/>"))
        .collect();
    store.apply(&batch).await.unwrap();
    for n in 0..512 {
        let there = get(store, &name(n), &format!("ns:{}", n / 100)).await;
        assert_eq!(there.as_deref(), Some("<x/>"), "{n}");
    }
}
