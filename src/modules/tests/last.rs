//! What every store of last activities does, in memory and in SQLite.

mod place;

use modules::last::{LastStore, LastWrite, Left, MemLast, SqlLast};
use xmpp::BareJid;

use LastWrite::Remove;

place::conformance! {
    dyn LastStore: MemLast::default(), SqlLast::new;
    the_last_one_counts
    an_account_is_removed
    accounts_and_domains_are_apart
    a_large_batch_is_taken
}

fn jid(text: &str) -> BareJid {
    text.parse().unwrap()
}

fn left(at: i64) -> Left {
    Left {
        at,
        status: format!("since {at} \u{1F339}"),
    }
}

fn leaves(account: &str, at: i64) -> LastWrite {
    LastWrite::Left(jid(account), left(at))
}

async fn last(store: &dyn LastStore, account: &str) -> Option<Left> {
    store.last(&jid(account)).await.unwrap()
}

async fn the_last_one_counts(store: &dyn LastStore) {
    let juliet = "juliet@capulet.lit";
    assert_eq!(last(store, juliet).await, None);
    store.apply(&[leaves(juliet, 3)]).await.unwrap();
    assert_eq!(last(store, juliet).await, Some(left(3)));
    // The clock of a machine may be set back.
    let batch = [leaves(juliet, 9), leaves(juliet, 2)];
    for _ in 0..2 {
        store.apply(&batch).await.unwrap();
        assert_eq!(last(store, juliet).await, Some(left(2)));
    }
}

async fn an_account_is_removed(store: &dyn LastStore) {
    let batch = [leaves("a@x", 1), leaves("b@x", 1), Remove(jid("a@x"))];
    store.apply(&batch).await.unwrap();
    assert_eq!(last(store, "a@x").await, None);
    assert_eq!(last(store, "b@x").await, Some(left(1)));
    let batch = [Remove(jid("b@x")), leaves("b@x", 2), Remove(jid("c@x"))];
    store.apply(&batch).await.unwrap();
    assert_eq!(last(store, "b@x").await, Some(left(2)));
}

async fn accounts_and_domains_are_apart(store: &dyn LastStore) {
    let batch = [leaves("a@x", 1), leaves("a@y", 2), leaves("b@x", 3)];
    store.apply(&batch).await.unwrap();
    assert_eq!(last(store, "a@x").await, Some(left(1)));
    assert_eq!(last(store, "a@y").await, Some(left(2)));
    assert_eq!(last(store, "b@x").await, Some(left(3)));
}

async fn a_large_batch_is_taken(store: &dyn LastStore) {
    let batch: Vec<_> = (0..1234).map(|n| leaves(&format!("u{n}@x"), n)).collect();
    store.apply(&batch).await.unwrap();
    assert_eq!(last(store, "u1233@x").await, Some(left(1233)));
}
