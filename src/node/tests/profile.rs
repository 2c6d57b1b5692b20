//! What accounts tell of themselves and keep for themselves, over real sockets and a database that
//! is killed.

mod stage;

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use stage::{Node, NodeStage};
use store::{FILE_NAME, Pool, PoolSettings};

/// XEP-0054, XEP-0049, XEP-0153: what a client was told is kept outlives the node.
#[tokio::test]
async fn vcards_and_private_data_outlive_a_node_that_is_killed() {
    let mut stage = NodeStage::perform(
        "
        Romeo logs in
        Romeo: <iq type='set' id='v'><vCard xmlns='vcard-temp'><FN>Romeo</FN><PHOTO><TYPE>image/png</TYPE><BINVAL>aGVsbG8=</BINVAL></PHOTO></vCard></iq>
        Romeo gets: <iq type='result' id='v' from='romeo@localhost' to='romeo@localhost/play'/>
        Romeo: <iq type='set' id='p'><query xmlns='jabber:iq:private'><diary xmlns='quill:prefs'>Soft!</diary></query></iq>
        Romeo gets: <iq type='result' id='p' from='romeo@localhost' to='romeo@localhost/play'/>
        ",
    )
    .await;
    stage.clear();
    stage.node.kill_and_restart().await;
    stage
        .act(
            "
            Juliet logs in
            Juliet: <iq type='get' id='v' to='romeo@localhost'><vCard xmlns='vcard-temp'/></iq>
            Juliet gets: <iq type='result' id='v' from='romeo@localhost' to='juliet@localhost/play'><vCard xmlns='vcard-temp'><FN>Romeo</FN><PHOTO><TYPE>image/png</TYPE><BINVAL>aGVsbG8=</BINVAL></PHOTO></vCard></iq>
            Juliet: <iq type='set' id='s' to='vjud.localhost'><query xmlns='jabber:iq:search'><x xmlns='jabber:x:data' type='submit'><field var='fn'><value>rom*</value></field></x></query></iq>
            Juliet gets: <iq type='result' id='s' from='vjud.localhost' to='juliet@localhost/play'><query xmlns='jabber:iq:search'><x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>jabber:iq:search</value></field><reported><**/></reported><item><field var='jid'><value>romeo@localhost</value></field><**/></item></x></query></iq>
            Romeo logs in
            Romeo: <iq type='get' id='p'><query xmlns='jabber:iq:private'><diary xmlns='quill:prefs'/></query></iq>
            Romeo gets: <iq type='result' id='p' from='romeo@localhost' to='romeo@localhost/play'><query xmlns='jabber:iq:private'><diary xmlns='quill:prefs'>Soft!</diary></query></iq>
            Romeo: <presence/>
            Romeo gets: <presence from='romeo@localhost/play' to='romeo@localhost'><x xmlns='vcard-temp:x:update'><photo>aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d</photo></x></presence>
            ",
        )
        .await;
    assert!(!stage.node.log().contains("ERROR"), "{}", stage.node.log());
}

/// RFC 6120 §4.9.3.14: larger than a stanza may be, the stream ends before the vCard is looked at.
#[tokio::test]
async fn a_photo_of_five_mebibytes_ends_the_stream_and_changes_nothing() {
    let mut stage = NodeStage::perform(
        "
        Phone is romeo@localhost/phone
        Phone logs in
        Phone: <iq type='set' id='v'><vCard xmlns='vcard-temp'><FN>Romeo</FN></vCard></iq>
        Phone gets: <iq type='result' id='v' from='romeo@localhost' to='romeo@localhost/phone'/>
        Romeo logs in
        ",
    )
    .await;
    let photo = "QUJD".repeat(5 * 256 * 1024);
    let vcard = format!(
        "<iq type='set' id='v'><vCard xmlns='vcard-temp'><PHOTO><BINVAL>{photo}</BINVAL></PHOTO></vCard></iq>"
    );
    let romeo = stage.client("Romeo").expect("connected");
    // The node may hang up before it has read all of it.
    let _ = romeo.send_bytes(vcard.as_bytes()).await;
    let told = romeo.rest().await.expect("the end of the connection");
    let told = String::from_utf8_lossy(&told).into_owned();
    assert!(
        told.contains("policy-violation") || told.is_empty(),
        "{told}"
    );
    stage
        .act(
            "
            Phone: <iq type='get' id='w'><vCard xmlns='vcard-temp'/></iq>
            Phone gets: <iq type='result' id='w' from='romeo@localhost' to='romeo@localhost/phone'><vCard xmlns='vcard-temp'><FN>Romeo</FN></vCard></iq>
            Romeo logs in
            ",
        )
        .await;
}

/// What Juliet and Romeo do alike.
fn settles_in(who: &str, contact: &str) -> String {
    let said = [
        "<iq type='set' id='1'><vCard xmlns='vcard-temp'><FN>Somebody</FN></vCard></iq>",
        "<iq type='set' id='2'><query xmlns='jabber:iq:private'><diary xmlns='quill:prefs'/></query></iq>",
        &format!(
            "<iq type='set' id='3'><query xmlns='jabber:iq:roster'><item jid='{contact}'/></query></iq>"
        ),
        "<iq type='set' id='4'><block xmlns='urn:xmpp:blocking'><item jid='paris@localhost'/></block></iq>",
    ];
    let mut play = format!("{who} logs in\n");
    for (said, id) in said.iter().zip(1..) {
        play += &format!("{who}: {said}\n");
        play += &format!("{who} gets: <iq type='result' id='{id}' from='*' to='*'/>\n");
    }
    play
}

/// The tables that have a row of an account of this name.
async fn tables_with(pool: &Pool, localpart: &str) -> BTreeSet<String> {
    let ask = async |sql: String| {
        let ask = Statement::from_string(DbBackend::Sqlite, sql);
        let rows = pool.reader().query_all_raw(ask).await.expect("rows");
        rows.iter()
            .map(|row| row.try_get_by_index::<String>(0).expect("a text"))
            .collect::<Vec<_>>()
    };
    let tables = ask(
        "SELECT t.name FROM sqlite_master t, pragma_table_info(t.name) c \
         WHERE t.type = 'table' AND c.name = 'localpart'"
            .to_owned(),
    );
    let mut with = BTreeSet::new();
    for table in tables.await {
        let rows = ask(format!(
            "SELECT localpart FROM {table} WHERE localpart = '{localpart}'"
        ));
        if !rows.await.is_empty() {
            with.insert(table);
        }
    }
    with
}

/// An account that is removed leaves a row in no table, whichever there are.
#[tokio::test]
async fn no_table_keeps_a_row_of_an_account_that_is_removed() {
    let play = settles_in("Romeo", "benvolio@localhost")
        + &settles_in("Juliet", "nurse@localhost")
        + "Romeo: <presence/>\n\
           Romeo gets: <presence *><**/></presence>\n\
           Juliet: <presence/>\n\
           Juliet gets: <presence *><**/></presence>\n\
           Juliet: <message to='localhost/announce/motd'><body>Be merry</body></message>\n\
           Romeo gets: <message *><body>Be merry</body></message>\n\
           Juliet gets: <message *><body>Be merry</body></message>\n\
           Romeo: <presence type='unavailable'/>\n\
           Romeo gets: <presence *><**/></presence>\n\
           Juliet: <presence type='unavailable'/>\n\
           Juliet gets: <presence *><**/></presence>\n\
           Romeo: <message to='juliet@localhost'><body>Hist!</body></message>\n\
           Juliet: <message to='romeo@localhost'><body>Sweet!</body></message>\n\
           Romeo gets nothing\n\
           Juliet gets nothing\n";
    let settings = "modules: (announce: (admins: [\"juliet@localhost\"]))";
    let mut stage = NodeStage::new(Node::start_with(settings).await);
    stage.act(&play).await;
    let removed = stage
        .node
        .graphql(r#"mutation { account { unregister(account: "romeo@localhost") { account } } }"#)
        .await
        .expect("removed");
    assert!(!removed.contains("errors"), "{removed}");
    stage.clear();
    // Whatever is still in a queue will not be written any more.
    stage.node.kill_and_restart().await;
    let file = stage.node.data().join(FILE_NAME);
    let pool = Pool::open(&file, PoolSettings::default())
        .await
        .expect("the database");
    let romeos = tables_with(&pool, "romeo").await;
    assert_eq!(romeos, BTreeSet::new());
    let juliets = tables_with(&pool, "juliet").await;
    for table in [
        "account",
        "motd_seen",
        "offline_message",
        "privacy_list",
        "private_storage",
        "vcard",
        "vcard_field",
    ] {
        assert!(juliets.contains(table), "{table} is not in {juliets:?}");
    }
    assert!(
        juliets.iter().any(|table| table.starts_with("roster")),
        "{juliets:?}"
    );
}
