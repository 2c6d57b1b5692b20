//! What every store of vCards does, in memory and in SQLite.

mod place;

use modules::vcard::{
    Field, Fields, MemVcard, PhotoHash, SqlVcard, VcardStore, VcardWrite, Wanted,
};
use xmpp::BareJid;

place::conformance! {
    dyn VcardStore: MemVcard::default(), SqlVcard::new;
    who_has_none_has_none
    what_was_put_there_is_there
    the_last_one_counts
    a_long_one_is_kept_whole
    an_account_is_forgotten
    accounts_and_domains_are_apart
    people_are_found_by_what_they_are
    people_are_found_by_how_it_begins
    all_that_is_wanted_counts
    so_many_are_found_and_no_more
    who_has_changed_is_found_no_more
    a_large_batch_is_taken
}

const ROMEO: &str = "romeo@montague.lit";
const HASH: &str = "01b87fcd030b72895ff8e88db57ec525450f000d";

fn jid(text: &str) -> BareJid {
    text.parse().unwrap()
}

fn put(account: &str, card: &str, photo: Option<&str>, fields: &[(Field, &str)]) -> VcardWrite {
    let fields = fields
        .iter()
        .map(|(field, value)| (*field, (*value).to_owned()));
    VcardWrite::Put {
        account: jid(account),
        card: card.to_owned().into(),
        photo: photo.map(|hash| hash.parse().unwrap()),
        fields: fields.collect(),
    }
}

async fn apply(store: &dyn VcardStore, batch: &[VcardWrite]) {
    store.apply(batch).await.unwrap();
}

async fn card(store: &dyn VcardStore, account: &str) -> Option<String> {
    let card = store.card(&jid(account)).await.unwrap();
    card.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

async fn photo(store: &dyn VcardStore, account: &str) -> Option<PhotoHash> {
    store.photo(&jid(account)).await.unwrap()
}

async fn found(store: &dyn VcardStore, wanted: &[(Field, &str)]) -> Vec<String> {
    let wanted: Vec<Wanted> = wanted
        .iter()
        .map(|(field, text)| Wanted::new(*field, text).unwrap())
        .collect();
    let found = store.search("montague.lit", &wanted, 9).await.unwrap();
    let found = found.iter().map(|found| found.account.to_string());
    found.collect()
}

async fn who_has_none_has_none(store: &dyn VcardStore) {
    assert_eq!(card(store, ROMEO).await, None);
    assert_eq!(photo(store, ROMEO).await, None);
    assert_eq!(found(store, &[(Field::Nick, "r*")]).await, [""; 0]);
    apply(store, &[VcardWrite::Forget(jid(ROMEO))]).await;
    apply(store, &[]).await;
}

async fn what_was_put_there_is_there(store: &dyn VcardStore) {
    let fields = [
        (Field::FullName, "Romeo \u{1F339}"),
        (Field::Nick, "Ro'meo"),
    ];
    apply(
        store,
        &[put(ROMEO, "<vCard>'\u{1F339}</vCard>", Some(HASH), &fields)],
    )
    .await;
    assert_eq!(
        card(store, ROMEO).await.as_deref(),
        Some("<vCard>'\u{1F339}</vCard>")
    );
    assert_eq!(photo(store, ROMEO).await.unwrap().to_string(), HASH);
    let wanted = [Wanted::new(Field::Nick, "RO'MEO").unwrap()];
    let found = store.search("montague.lit", &wanted, 9).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].account, jid(ROMEO));
    let fields = fields.map(|(field, value)| (field, value.to_owned()));
    assert_eq!(found[0].fields, Fields::from(fields));
}

async fn the_last_one_counts(store: &dyn VcardStore) {
    let batch = [
        put(
            ROMEO,
            "1",
            Some(HASH),
            &[(Field::Nick, "a"), (Field::Last, "b")],
        ),
        VcardWrite::Forget(jid(ROMEO)),
        put(ROMEO, "2", None, &[(Field::Nick, "c")]),
    ];
    for _ in 0..2 {
        apply(store, &batch).await;
        assert_eq!(card(store, ROMEO).await.as_deref(), Some("2"));
        assert_eq!(photo(store, ROMEO).await, None);
        assert_eq!(found(store, &[(Field::Nick, "c")]).await, [ROMEO]);
        assert_eq!(found(store, &[(Field::Last, "b")]).await, [""; 0]);
    }
}

async fn a_long_one_is_kept_whole(store: &dyn VcardStore) {
    let long: String = (0..40_000).map(|n| format!("<x>{n}</x>")).collect();
    apply(store, &[put(ROMEO, &long, Some(HASH), &[])]).await;
    assert_eq!(card(store, ROMEO).await.as_deref(), Some(&*long));
    assert!(photo(store, ROMEO).await.is_some());
    apply(store, &[put(ROMEO, "short", None, &[])]).await;
    assert_eq!(card(store, ROMEO).await.as_deref(), Some("short"));
}

async fn an_account_is_forgotten(store: &dyn VcardStore) {
    let fields = [(Field::Nick, "a")];
    apply(
        store,
        &[
            put(ROMEO, "1", Some(HASH), &fields),
            put("b@montague.lit", "2", None, &fields),
        ],
    )
    .await;
    apply(store, &[VcardWrite::Forget(jid(ROMEO))]).await;
    assert_eq!(card(store, ROMEO).await, None);
    assert_eq!(photo(store, ROMEO).await, None);
    assert_eq!(found(store, &fields).await, ["b@montague.lit"]);
}

async fn accounts_and_domains_are_apart(store: &dyn VcardStore) {
    let other = "romeo@capulet.lit";
    let fields = [(Field::Nick, "a"), (Field::Last, "b")];
    apply(
        store,
        &[
            put(ROMEO, "1", None, &fields),
            put(other, "2", Some(HASH), &fields),
        ],
    )
    .await;
    assert_eq!(card(store, ROMEO).await.as_deref(), Some("1"));
    assert_eq!(photo(store, ROMEO).await, None);
    assert_eq!(card(store, other).await.as_deref(), Some("2"));
    assert_eq!(found(store, &fields).await, [ROMEO]);
    apply(store, &[VcardWrite::Forget(jid(ROMEO))]).await;
    assert_eq!(card(store, other).await.as_deref(), Some("2"));
    assert_eq!(found(store, &fields).await, [""; 0]);
}

/// Montagues, and one who is not of Verona.
async fn people(store: &dyn VcardStore) {
    let of = |who: &str, first: &str, town: &str| {
        let fields = [
            (Field::User, who),
            (Field::First, first),
            (Field::Last, "Montague"),
            (Field::Locality, town),
        ];
        put(&format!("{who}@montague.lit"), "<vCard/>", None, &fields)
    };
    let batch = [
        of("romeo", "Romeo", "Verona"),
        of("benvolio", "Benvolio", "Verona"),
        of("rosaline", "Rosaline", "Mantua"),
        of("ue", "Übel_%", "Verona Süd"),
    ];
    apply(store, &batch).await;
}

async fn people_are_found_by_what_they_are(store: &dyn VcardStore) {
    people(store).await;
    assert_eq!(found(store, &[(Field::First, "romeo")]).await, [ROMEO]);
    assert_eq!(
        found(store, &[(Field::First, "ÜBEL_%")]).await,
        ["ue@montague.lit"]
    );
    // The beginning is not the whole, and what is in one field is not in another.
    for (field, text) in [
        (Field::First, "rom"),
        (Field::Last, "romeo"),
        (Field::First, "_____"),
        (Field::First, "%"),
    ] {
        assert_eq!(found(store, &[(field, text)]).await, [""; 0], "{text}");
    }
}

async fn people_are_found_by_how_it_begins(store: &dyn VcardStore) {
    people(store).await;
    assert_eq!(
        found(store, &[(Field::First, "RO*")]).await,
        [ROMEO, "rosaline@montague.lit"]
    );
    assert_eq!(
        found(store, &[(Field::First, "üb*")]).await,
        ["ue@montague.lit"]
    );
    assert_eq!(found(store, &[(Field::First, "romeo*")]).await, [ROMEO]);
    assert_eq!(
        found(store, &[(Field::Locality, "verona *")]).await,
        ["ue@montague.lit"]
    );
    for nobody in ["romeo *", "%*", "_*", "zz*"] {
        assert_eq!(
            found(store, &[(Field::First, nobody)]).await,
            [""; 0],
            "{nobody}"
        );
    }
}

async fn all_that_is_wanted_counts(store: &dyn VcardStore) {
    people(store).await;
    let wanted = [(Field::Last, "montague"), (Field::Locality, "verona")];
    assert_eq!(
        found(store, &wanted).await,
        ["benvolio@montague.lit", ROMEO]
    );
    let wanted = [
        (Field::Last, "m*"),
        (Field::Locality, "verona*"),
        (Field::User, "u*"),
    ];
    assert_eq!(found(store, &wanted).await, ["ue@montague.lit"]);
    let wanted = [(Field::Last, "montague"), (Field::Nick, "r*")];
    assert_eq!(found(store, &wanted).await, [""; 0]);
    assert_eq!(store.search("montague.lit", &[], 9).await.unwrap(), []);
}

async fn so_many_are_found_and_no_more(store: &dyn VcardStore) {
    people(store).await;
    let wanted = [Wanted::new(Field::User, "r*").unwrap()];
    for limit in [0, 1, 2, 3, u64::MAX] {
        let found = store.search("montague.lit", &wanted, limit).await.unwrap();
        assert_eq!(found.len() as u64, limit.min(2));
    }
}

async fn who_has_changed_is_found_no_more(store: &dyn VcardStore) {
    people(store).await;
    apply(
        store,
        &[put(ROMEO, "<vCard/>", None, &[(Field::Last, "Capulet")])],
    )
    .await;
    assert_eq!(found(store, &[(Field::First, "romeo")]).await, [""; 0]);
    assert_eq!(found(store, &[(Field::Last, "capulet")]).await, [ROMEO]);
}

/// A node that starts knows of photos that an earlier one has written.
#[tokio::test]
async fn photos_of_before_are_found() {
    let (pool, _folder) = place::database().await;
    let batch = [
        put("a@x", "<vCard/>", Some(HASH), &[]),
        put("b@x", "<vCard/>", None, &[]),
    ];
    store::Apply::apply(&SqlVcard::new(pool.clone()), &batch)
        .await
        .unwrap();
    let now = SqlVcard::new(pool);
    assert_eq!(photo(&now, "a@x").await.unwrap().to_string(), HASH);
    assert_eq!(photo(&now, "b@x").await, None);
    let batch = [
        put("b@x", "<vCard/>", Some(HASH), &[]),
        VcardWrite::Forget(jid("a@x")),
    ];
    store::Apply::apply(&now, &batch).await.unwrap();
    assert_eq!(photo(&now, "b@x").await.unwrap().to_string(), HASH);
    assert_eq!(photo(&now, "a@x").await, None);
}

async fn a_large_batch_is_taken(store: &dyn VcardStore) {
    let name = |n: u32| format!("user{n}@montague.lit");
    let nick = |n: u32| format!("nick{:03}", n % 100);
    let batch: Vec<_> = (0..512)
        .map(|n| put(&name(n), "<vCard/>", None, &[(Field::Nick, &nick(n))]))
        .collect();
    apply(store, &batch).await;
    assert_eq!(card(store, &name(511)).await.as_deref(), Some("<vCard/>"));
    let wanted = [Wanted::new(Field::Nick, "nick011").unwrap()];
    let found = store.search("montague.lit", &wanted, 99).await.unwrap();
    assert_eq!(found.len(), 6);
}
