//! What every store of waiting messages does, in memory and in SQLite.

mod place;

use bytes::Bytes;
use modules::offline::{Head, Line, MemOffline, OfflineStore, OfflineWrite, SqlOffline, Waiting};
use xmpp::BareJid;

use OfflineWrite::{Forget, Keep, Remove};

place::conformance! {
    dyn OfflineStore: MemOffline::default(), SqlOffline::new;
    what_is_kept_is_read_in_order
    a_page_is_read_and_no_more
    what_was_delivered_is_forgotten
    a_write_may_come_twice
    writes_count_in_their_order
    an_account_is_removed_whole
    accounts_and_domains_are_apart
    heads_say_who_sent
    what_has_expired_is_purged_bit_by_bit
    a_large_batch_is_taken
    bytes_stay_as_they_are
    a_large_message_is_purged_whole
}

fn jid(text: &str) -> BareJid {
    text.parse().unwrap()
}

fn juliet() -> BareJid {
    jid("juliet@capulet.lit")
}

fn message(id: i64) -> Waiting {
    Waiting {
        id,
        stored_at: 1_000 + id,
        expires_at: None,
        sender: format!("romeo@montague.lit/{id}"),
        stanza: Bytes::from(format!("<message><body>{id}</body></message>")),
    }
}

fn expiring(id: i64, at: i64) -> Waiting {
    Waiting {
        expires_at: Some(at),
        ..message(id)
    }
}

async fn keep(store: &dyn OfflineStore, account: &BareJid, ids: impl IntoIterator<Item = i64>) {
    let batch: Vec<_> = ids
        .into_iter()
        .map(|id| Keep(account.clone(), message(id)))
        .collect();
    store.apply(&batch).await.unwrap();
}

async fn ids(store: &dyn OfflineStore, account: &BareJid) -> Vec<i64> {
    let lines = store.lines(account).await.unwrap();
    lines.iter().map(|line| line.id).collect()
}

async fn what_is_kept_is_read_in_order(store: &dyn OfflineStore) {
    assert_eq!(store.lines(&juliet()).await.unwrap(), []);
    assert_eq!(store.read(&juliet(), 0, i64::MAX).await.unwrap(), []);
    let (late, early) = (expiring(9, 5_000), message(-3));
    let batch = [Keep(juliet(), late.clone()), Keep(juliet(), early.clone())];
    store.apply(&batch).await.unwrap();
    let all = store.read(&juliet(), i64::MIN, i64::MAX).await.unwrap();
    assert_eq!(all, [early.clone(), late.clone()]);
    let line = |message: &Waiting| Line {
        id: message.id,
        size: message.stanza.len(),
        expires_at: message.expires_at,
    };
    let lines = store.lines(&juliet()).await.unwrap();
    assert_eq!(lines, [line(&early), line(&late)]);
}

async fn a_page_is_read_and_no_more(store: &dyn OfflineStore) {
    keep(store, &juliet(), [1, 3, 5, 7]).await;
    let page = store.read(&juliet(), 2, 5).await.unwrap();
    assert_eq!(page, [message(3), message(5)]);
    assert_eq!(store.read(&juliet(), 8, 9).await.unwrap(), []);
}

async fn what_was_delivered_is_forgotten(store: &dyn OfflineStore) {
    keep(store, &juliet(), 1..=4).await;
    let forget = Forget(juliet(), vec![1, 2, 77]);
    store.apply(&[forget]).await.unwrap();
    assert_eq!(ids(store, &juliet()).await, [3, 4]);
}

async fn a_write_may_come_twice(store: &dyn OfflineStore) {
    let other = Waiting {
        stanza: Bytes::from_static(b"<message/>"),
        ..message(1)
    };
    let batch = [
        Keep(juliet(), message(1)),
        Keep(juliet(), message(2)),
        Keep(juliet(), other),
        Forget(juliet(), vec![2]),
    ];
    for _ in 0..2 {
        store.apply(&batch).await.unwrap();
        let all = store.read(&juliet(), 0, 9).await.unwrap();
        assert_eq!(all, [message(1)], "the first to come stays");
    }
}

async fn writes_count_in_their_order(store: &dyn OfflineStore) {
    let batch = [
        Keep(juliet(), message(1)),
        Remove(juliet()),
        Keep(juliet(), message(2)),
        Forget(juliet(), vec![2]),
        Keep(juliet(), message(3)),
    ];
    store.apply(&batch).await.unwrap();
    assert_eq!(ids(store, &juliet()).await, [3]);
    store.apply(&[]).await.unwrap();
}

async fn an_account_is_removed_whole(store: &dyn OfflineStore) {
    let nurse = jid("nurse@capulet.lit");
    keep(store, &juliet(), 1..=3).await;
    keep(store, &nurse, 1..=3).await;
    store.apply(&[Remove(juliet())]).await.unwrap();
    assert_eq!(store.lines(&juliet()).await.unwrap(), []);
    assert_eq!(ids(store, &nurse).await, [1, 2, 3]);
}

async fn accounts_and_domains_are_apart(store: &dyn OfflineStore) {
    let elsewhere = jid("juliet@montague.lit");
    keep(store, &juliet(), [1, 2]).await;
    keep(store, &elsewhere, [2, 3]).await;
    store
        .apply(&[Forget(elsewhere.clone(), vec![1, 2])])
        .await
        .unwrap();
    assert_eq!(ids(store, &juliet()).await, [1, 2]);
    assert_eq!(ids(store, &elsewhere).await, [3]);
}

async fn heads_say_who_sent(store: &dyn OfflineStore) {
    let nobody = Waiting {
        sender: String::new(),
        ..message(2)
    };
    let batch = [Keep(juliet(), nobody), Keep(juliet(), message(1))];
    store.apply(&batch).await.unwrap();
    let head = |id, sender: &str| Head {
        id,
        sender: sender.to_owned(),
    };
    let heads = store.heads(&juliet()).await.unwrap();
    assert_eq!(heads, [head(1, "romeo@montague.lit/1"), head(2, "")]);
}

async fn what_has_expired_is_purged_bit_by_bit(store: &dyn OfflineStore) {
    let nurse = jid("nurse@capulet.lit");
    let batch = [
        Keep(juliet(), expiring(1, 100)),
        Keep(juliet(), expiring(2, 200)),
        Keep(juliet(), message(3)),
        Keep(nurse.clone(), expiring(1, 100)),
    ];
    store.apply(&batch).await.unwrap();
    assert_eq!(store.purge(99, 10).await.unwrap(), 0);
    assert_eq!(store.purge(100, 1).await.unwrap(), 1);
    assert_eq!(store.purge(100, 10).await.unwrap(), 1);
    assert_eq!(store.purge(100, 10).await.unwrap(), 0);
    assert_eq!(ids(store, &juliet()).await, [2, 3]);
    assert!(ids(store, &nurse).await.is_empty());
    assert_eq!(store.purge(i64::MAX, 10).await.unwrap(), 1);
    assert_eq!(ids(store, &juliet()).await, [3]);
}

async fn a_large_batch_is_taken(store: &dyn OfflineStore) {
    keep(store, &juliet(), 0..2345).await;
    assert_eq!(ids(store, &juliet()).await.len(), 2345);
    let most = (0..2344).collect();
    store.apply(&[Forget(juliet(), most)]).await.unwrap();
    assert_eq!(ids(store, &juliet()).await, [2344]);
}

async fn bytes_stay_as_they_are(store: &dyn OfflineStore) {
    let bytes: Vec<u8> = (0..=255).cycle().take(200_000).collect();
    let large = Waiting {
        stanza: bytes.into(),
        sender: "\u{1F339}@capulet.lit".into(),
        ..message(1)
    };
    store.apply(&[Keep(juliet(), large.clone())]).await.unwrap();
    assert_eq!(store.read(&juliet(), 1, 1).await.unwrap(), [large]);
    let lines = store.lines(&juliet()).await.unwrap();
    assert_eq!((lines.len(), lines[0].size), (1, 200_000));
    assert_eq!(store.heads(&juliet()).await.unwrap().len(), 1);
    store
        .apply(&[Keep(juliet(), expiring(2, 50))])
        .await
        .unwrap();
    assert_eq!(store.purge(60, 10).await.unwrap(), 1);
    store.apply(&[Forget(juliet(), vec![1])]).await.unwrap();
    assert_eq!(store.read(&juliet(), 0, 9).await.unwrap(), []);
}

async fn a_large_message_is_purged_whole(store: &dyn OfflineStore) {
    let large = Waiting {
        stanza: vec![b'x'; 200_000].into(),
        ..expiring(1, 100)
    };
    store.apply(&[Keep(juliet(), large)]).await.unwrap();
    assert_eq!(store.purge(100, 10).await.unwrap(), 1);
    assert_eq!(store.read(&juliet(), 0, 9).await.unwrap(), []);
}

/// The node was started again.
#[tokio::test]
async fn a_store_that_is_opened_anew_finds_what_waits() {
    let (pool, _folder) = place::database().await;
    let before = SqlOffline::new(pool.clone());
    keep(&before, &juliet(), 1..=2).await;
    let after = SqlOffline::new(pool);
    assert!(ids(&after, &jid("nurse@capulet.lit")).await.is_empty());
    assert_eq!(ids(&after, &juliet()).await, [1, 2]);
    keep(&after, &jid("nurse@capulet.lit"), [7]).await;
    assert_eq!(ids(&after, &jid("nurse@capulet.lit")).await, [7]);
}
