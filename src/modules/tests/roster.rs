//! What every store of rosters does, in memory and in SQLite.

mod place;

use modules::roster::item::Item;
use modules::roster::mem::MemRosters;
use modules::roster::sql::SqlRosters;
use modules::roster::store::{Kept, RosterStore, RosterWrite};
use modules::roster::subscription::State;
use xmpp::BareJid;

place::conformance! {
    dyn RosterStore: MemRosters::default(), SqlRosters::new;
    who_never_had_contacts_has_none
    what_was_written_is_there
    the_last_write_of_a_contact_counts
    contacts_are_forgotten
    an_account_is_forgotten_and_no_other
    every_state_is_kept
    a_large_batch_is_taken
}

fn jid(text: &str) -> BareJid {
    text.parse().unwrap()
}

fn contact(number: i32, address: &str) -> Kept {
    let item = Item {
        version: 7,
        listed: true,
        words: Item::pack("Name <&> \u{1F339}", ["Freunde", "Ärzte & Co"]),
        ..Item::new(jid(address), number)
    };
    Kept {
        item,
        removed: false,
        request: None,
    }
}

fn put(account: &str, kept: &Kept) -> RosterWrite {
    RosterWrite::Put(jid(account), kept.clone())
}

async fn is(store: &dyn RosterStore, account: &str, wanted: &[&Kept]) {
    let mut kept = store.load(&jid(account)).await.unwrap();
    kept.sort_by_key(|kept| kept.item.number);
    assert_eq!(kept.iter().collect::<Vec<_>>(), wanted, "{account}");
}

async fn who_never_had_contacts_has_none(store: &dyn RosterStore) {
    is(store, "romeo@montague.lit", &[]).await;
}

async fn what_was_written_is_there(store: &dyn RosterStore) {
    let plain = Kept {
        item: Item::new(jid("capulet.lit"), 1),
        removed: true,
        request: None,
    };
    let asks = Kept {
        request: Some("<presence type='subscribe'/>".into()),
        ..contact(2, "nurse@capulet.lit")
    };
    let named = Kept {
        item: Item {
            approved: true,
            words: Item::pack("", ["only a group"]),
            ..contact(3, "a@b.lit").item
        },
        ..contact(3, "a@b.lit")
    };
    let batch = [&plain, &asks, &named].map(|kept| put("romeo@montague.lit", kept));
    store.apply(&batch).await.unwrap();
    is(store, "romeo@montague.lit", &[&plain, &asks, &named]).await;
}

async fn the_last_write_of_a_contact_counts(store: &dyn RosterStore) {
    let (old, mut new) = (
        contact(1, "nurse@capulet.lit"),
        contact(1, "nurse@capulet.lit"),
    );
    new.item.version = 8;
    new.item.words = "Angelica".into();
    let batch = [
        put("romeo@montague.lit", &old),
        put("romeo@montague.lit", &new),
    ];
    store.apply(&batch).await.unwrap();
    is(store, "romeo@montague.lit", &[&new]).await;
    // Twice is once.
    store.apply(&batch).await.unwrap();
    is(store, "romeo@montague.lit", &[&new]).await;
}

async fn contacts_are_forgotten(store: &dyn RosterStore) {
    let (a, b) = (contact(1, "a@b.lit"), contact(2, "b@b.lit"));
    let romeo = "romeo@montague.lit";
    let batch = [
        put(romeo, &a),
        put(romeo, &b),
        RosterWrite::Forget(jid(romeo), vec![1, 5]),
    ];
    store.apply(&batch).await.unwrap();
    is(store, romeo, &[&b]).await;
    let batch = [RosterWrite::Forget(jid(romeo), vec![2]), put(romeo, &a)];
    store.apply(&batch).await.unwrap();
    is(store, romeo, &[&a]).await;
}

async fn an_account_is_forgotten_and_no_other(store: &dyn RosterStore) {
    let kept = contact(1, "a@b.lit");
    let accounts = [
        "romeo@montague.lit",
        "romeo@capulet.lit",
        "juliet@montague.lit",
    ];
    store
        .apply(&accounts.map(|account| put(account, &kept)))
        .await
        .unwrap();
    let remove = RosterWrite::Remove(jid(accounts[0]));
    store.apply(&[remove]).await.unwrap();
    is(store, accounts[0], &[]).await;
    is(store, accounts[1], &[&kept]).await;
    is(store, accounts[2], &[&kept]).await;
}

async fn every_state_is_kept(store: &dyn RosterStore) {
    let states = (0..9).filter_map(State::of_number).zip(1..);
    let kept: Vec<Kept> = states
        .map(|(state, number)| {
            let mut kept = contact(number, &format!("c{number}@b.lit"));
            kept.item.state = state;
            kept
        })
        .collect();
    let batch: Vec<_> = kept
        .iter()
        .map(|kept| put("romeo@montague.lit", kept))
        .collect();
    store.apply(&batch).await.unwrap();
    is(
        store,
        "romeo@montague.lit",
        &kept.iter().collect::<Vec<_>>(),
    )
    .await;
}

async fn a_large_batch_is_taken(store: &dyn RosterStore) {
    let kept: Vec<Kept> = (1..=512)
        .map(|n| contact(n, &format!("c{n}@b.lit")))
        .collect();
    let batch: Vec<_> = kept
        .iter()
        .map(|kept| put("romeo@montague.lit", kept))
        .collect();
    store.apply(&batch).await.unwrap();
    is(
        store,
        "romeo@montague.lit",
        &kept.iter().collect::<Vec<_>>(),
    )
    .await;
}
