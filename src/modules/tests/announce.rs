//! What every store of messages of the day does, in memory and in SQLite.

mod place;

use modules::announce::{MemMotd, Motd, MotdStore, MotdWrite, SqlMotd};
use xmpp::BareJid;

use MotdWrite::{Delete, Remove, Set};

place::conformance! {
    dyn MotdStore: MemMotd::default(), SqlMotd::new;
    a_domain_has_one_or_none
    a_long_one_is_kept_whole
    the_last_one_that_was_told_counts
    an_account_is_removed
    accounts_and_domains_are_apart
    a_large_batch_is_taken
}

fn jid(text: &str) -> BareJid {
    text.parse().unwrap()
}

fn motd(domain: &str, id: &str) -> Motd {
    Motd {
        domain: domain.into(),
        id: id.into(),
        since: i64::MAX - 7,
        message: format!("<message><body>{id} \u{1F339}</body></message>").into(),
    }
}

fn told(account: &str, id: &str) -> MotdWrite {
    MotdWrite::Seen(jid(account), id.into())
}

async fn all(store: &dyn MotdStore) -> Vec<Motd> {
    let mut all = store.motds().await.unwrap();
    all.sort_by(|a, b| a.domain.cmp(&b.domain));
    all
}

async fn seen(store: &dyn MotdStore, account: &str) -> Option<String> {
    store.seen(&jid(account)).await.unwrap()
}

async fn a_domain_has_one_or_none(store: &dyn MotdStore) {
    assert_eq!(all(store).await, []);
    let batch = [Set(motd("x", "1")), Set(motd("y", "1")), Delete("z".into())];
    for _ in 0..2 {
        store.apply(&batch).await.unwrap();
        assert_eq!(all(store).await, [motd("x", "1"), motd("y", "1")]);
    }
    let batch = [
        Set(motd("x", "2")),
        Delete("x".into()),
        Set(motd("x", "3")),
        Delete("y".into()),
    ];
    for _ in 0..2 {
        store.apply(&batch).await.unwrap();
        assert_eq!(all(store).await, [motd("x", "3")]);
    }
}

async fn a_long_one_is_kept_whole(store: &dyn MotdStore) {
    let long = Motd {
        message: vec![b'x'; 60_000].into(),
        ..motd("x", "AAAAAAAAAAAAAAAAAAAA")
    };
    store.apply(&[Set(long.clone())]).await.unwrap();
    assert_eq!(all(store).await, [long]);
}

async fn the_last_one_that_was_told_counts(store: &dyn MotdStore) {
    assert_eq!(seen(store, "a@x").await, None);
    // It needn't be there any more.
    let batch = [told("a@x", "1"), told("a@x", "2")];
    for _ in 0..2 {
        store.apply(&batch).await.unwrap();
        assert_eq!(seen(store, "a@x").await.as_deref(), Some("2"));
    }
    store.apply(&[told("a@x", "3")]).await.unwrap();
    assert_eq!(seen(store, "a@x").await.as_deref(), Some("3"));
    store.apply(&[Delete("x".into())]).await.unwrap();
    assert_eq!(seen(store, "a@x").await.as_deref(), Some("3"));
}

async fn an_account_is_removed(store: &dyn MotdStore) {
    let batch = [told("a@x", "1"), told("b@x", "1"), Remove(jid("a@x"))];
    store.apply(&batch).await.unwrap();
    assert_eq!(seen(store, "a@x").await, None);
    assert_eq!(seen(store, "b@x").await.as_deref(), Some("1"));
    let batch = [Remove(jid("b@x")), told("b@x", "2"), Remove(jid("c@x"))];
    store.apply(&batch).await.unwrap();
    assert_eq!(seen(store, "b@x").await.as_deref(), Some("2"));
}

async fn accounts_and_domains_are_apart(store: &dyn MotdStore) {
    let batch = [told("a@x", "1"), told("a@y", "2"), told("b@x", "3")];
    store.apply(&batch).await.unwrap();
    for (account, id) in [("a@x", "1"), ("a@y", "2"), ("b@x", "3")] {
        assert_eq!(seen(store, account).await.as_deref(), Some(id));
    }
}

async fn a_large_batch_is_taken(store: &dyn MotdStore) {
    let batch: Vec<_> = (0..1234).map(|n| told(&format!("u{n}@x"), "1")).collect();
    store.apply(&batch).await.unwrap();
    assert_eq!(seen(store, "u1233@x").await.as_deref(), Some("1"));
}
