//! What the schema answers, over a node in memory.

mod memory;

use admin::api::Presence;
use async_graphql::{Request, Variables, value};
use memory::{Kept, Memory};
use serde_json::{Value, json};

/// Asks and returns `data`, or the errors as `code: message`.
async fn ask(node: &Memory, query: &str) -> Result<Value, Vec<String>> {
    ask_with(node, Request::new(query)).await
}

async fn ask_with(node: &Memory, request: Request) -> Result<Value, Vec<String>> {
    let answer = serde_json::to_value(node.schema().execute(request).await).expect("JSON");
    match answer["errors"].as_array() {
        None => Ok(answer["data"].clone()),
        Some(errors) => Err(errors
            .iter()
            .map(|e| {
                let code = e["extensions"]["code"].as_str().unwrap_or("-");
                format!("{code}: {}", e["message"].as_str().unwrap_or_default())
            })
            .collect()),
    }
}

/// The one refusal that is expected.
async fn refusal(node: &Memory, query: &str) -> String {
    let mut errors = ask(node, query).await.expect_err("a refusal");
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.remove(0)
}

#[tokio::test]
async fn accounts_are_registered_changed_checked_and_removed() {
    let node = Memory::default();
    let made = ask(
        &node,
        r#"mutation { account { register(account: "Alice@localhost", password: "pencil") { account registered } } }"#,
    )
    .await;
    assert_eq!(
        made,
        Ok(
            json!({"account": {"register": {"account": "alice@localhost", "registered": "2026-03-01T12:00:00Z"}}})
        ),
        "the address as the node writes it"
    );
    assert_eq!(
        refusal(
            &node,
            r#"mutation { account { register(account: "alice@localhost", password: "pencil") { account } } }"#
        )
        .await,
        "ALREADY_EXISTS: there is an account `alice@localhost` already"
    );
    let check =
        r#"{ account { checkPassword(account: "alice@localhost", password: "pen") { account } } }"#;
    assert_eq!(
        refusal(&node, check).await,
        "REFUSED: that is not the password of `alice@localhost`"
    );
    ask(
        &node,
        r#"mutation { account { changePassword(account: "alice@localhost", password: "pen") { account } } }"#,
    )
    .await
    .expect("changed");
    ask(&node, check).await.expect("the new password");
    ask(
        &node,
        r#"mutation { account { unregister(account: "alice@localhost") { account } } }"#,
    )
    .await
    .expect("removed");
    assert_eq!(
        refusal(&node, check).await,
        "NOT_FOUND: there is no account `alice@localhost`"
    );
}

#[tokio::test]
async fn addresses_that_name_no_account_are_invalid() {
    let node = Memory::default();
    for (address, why) in [
        (
            "localhost",
            "INVALID: `localhost` names a domain; an account is written `localpart@domain`",
        ),
        (
            "alice@localhost/desk",
            "INVALID: `alice@localhost/desk` names a session; the address of an account has no resource (`alice@localhost`)",
        ),
        (
            "alice@elsewhere.example",
            "INVALID: the domain of `alice@elsewhere.example` is not served here",
        ),
    ] {
        let query = format!(
            r#"mutation {{ account {{ register(account: "{address}", password: "pencil") {{ account }} }} }}"#
        );
        assert_eq!(refusal(&node, &query).await, why);
    }
    let query = r#"mutation { account { unregister(account: "a b@@localhost") { account } } }"#;
    let why = refusal(&node, query).await;
    assert!(
        why.starts_with("INVALID: `a b@@localhost` is no JID: "),
        "{why}"
    );
}

#[tokio::test]
async fn a_refused_secret_is_not_repeated() {
    let node = Memory::default();
    let query = r#"mutation { account { register(account: "a@localhost", password: 987654321) { account } } }"#;
    let why = refusal(&node, query).await;
    assert!(!why.contains("987654321"), "{why}");
    let request = Request::new(
        "mutation($p: Secret!) { account { register(account: \"a@localhost\", password: $p) { account } } }",
    )
    .variables(Variables::from_value(value!({"p": 987654321})));
    let why = ask_with(&node, request)
        .await
        .expect_err("a refusal")
        .join("");
    assert!(!why.contains("987654321"), "{why}");
}

#[tokio::test]
async fn accounts_are_listed_in_pages() {
    let node = Memory::default().with_accounts(&[
        "carol@localhost",
        "bob@example.org",
        "alice@localhost",
        "bob@localhost",
    ]);
    let page = ask(
        &node,
        "{ account { list(limit: 3) { accounts { account } total next } } }",
    )
    .await;
    assert_eq!(
        page,
        Ok(json!({"account": {"list": {
            "accounts": [{"account": "bob@example.org"}, {"account": "alice@localhost"}, {"account": "bob@localhost"}],
            "total": 4,
            "next": "bob@localhost",
        }}}))
    );
    let page = ask(
        &node,
        r#"{ account { list(limit: 3, after: "bob@localhost") { accounts { account } total next } } }"#,
    )
    .await;
    assert_eq!(
        page,
        Ok(
            json!({"account": {"list": {"accounts": [{"account": "carol@localhost"}], "total": 4, "next": null}}})
        )
    );
    let page = ask(
        &node,
        r#"{ account { list(domain: "EXAMPLE.org", limit: 1) { accounts { account } total next } } }"#,
    )
    .await;
    assert_eq!(
        page,
        Ok(
            json!({"account": {"list": {"accounts": [{"account": "bob@example.org"}], "total": 1, "next": null}}})
        ),
        "a full page that is the last has no next"
    );
    for limit in ["0", "10001"] {
        let query = format!("{{ account {{ list(limit: {limit}) {{ total }} }} }}");
        assert_eq!(
            refusal(&node, &query).await,
            format!("INVALID: a page has 1 to 10000 entries, not {limit}")
        );
    }
}

const IMPORT: &str = "mutation($batch: [ImportAccount!]!) { account { importBatch(accounts: $batch) \
                      { imported failed { index account code message } } } }";

#[tokio::test]
async fn each_account_of_a_batch_stands_for_itself() {
    let node = Memory::default().with_accounts(&["old@localhost"]);
    let sha1 = format!("4096:c2FsdA==:{0}:{0}", "A".repeat(27) + "=");
    let batch = value!({"batch": [
        {"account": "new@localhost", "password": "pencil"},
        {"account": "no jid@@", "password": "pencil"},
        {"account": "old@localhost", "password": "pencil"},
        {"account": "keys@localhost", "scramSha1": sha1.clone()},
        {"account": "both@localhost", "password": "pencil", "scramSha1": sha1.clone()},
        {"account": "none@localhost"},
        {"account": "long@localhost", "scramSha256": sha1},
        {"account": "cut@localhost", "scramSha512": "4096:c2FsdA=="},
        {"account": "rounds@localhost", "scramSha1": "0:c2FsdA==:AA==:AA=="},
        {"account": "base@localhost", "scramSha1": "4096:c2FsdA==:!:AA=="},
        {"account": "salt@localhost", "scramSha1": "4096::AA==:AA=="},
    ]});
    let request = Request::new(IMPORT).variables(Variables::from_value(batch));
    let answer = ask_with(&node, request).await.expect("an answer");
    let result = &answer["account"]["importBatch"];
    assert_eq!(result["imported"], 2);
    let failed: Vec<String> = result["failed"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|f| format!("{} {} {}", f["index"], f["code"], f["message"]).replace('"', ""))
        .collect();
    assert!(
        failed[0].starts_with("1 INVALID `no jid@@` is no JID: "),
        "{failed:?}"
    );
    assert_eq!(
        failed[1..],
        [
            "2 ALREADY_EXISTS there is an account `old@localhost` already",
            "4 INVALID both a password and keys are given; one of them is enough",
            "5 INVALID neither a password nor keys are given",
            "6 INVALID keys for SCRAM-SHA-256: the stored key has 20 bytes, not 32",
            "7 INVALID keys for SCRAM-SHA-512: `iterations:salt:stored_key:server_key` is expected, 4 parts, not 2",
            "8 INVALID keys for SCRAM-SHA-1: the iterations are a number from 1 to 10000000",
            "9 INVALID keys for SCRAM-SHA-1: the stored key is not base64",
            "10 INVALID keys for SCRAM-SHA-1: the salt is empty",
        ]
    );
    let key = ("localhost".to_owned(), "keys".to_owned());
    assert_eq!(
        node.lock().accounts.get(&key),
        Some(&Kept::Keys([true, false, false]))
    );
}

#[tokio::test]
async fn a_batch_has_an_upper_bound() {
    let node = Memory::default();
    let entry = value!({"account": "a@localhost", "password": "pencil"});
    let batch = value!({"batch": vec![entry; admin::schema::MAX_BATCH + 1]});
    let request = Request::new(IMPORT).variables(Variables::from_value(batch));
    assert_eq!(
        ask_with(&node, request).await,
        Err(vec![
            "INVALID: a batch has at most 1000 accounts, not 1001".to_owned()
        ])
    );
    assert!(node.lock().accounts.is_empty());
}

#[tokio::test]
async fn sessions_are_listed_and_kicked() {
    let node = Memory::default()
        .with_session("bob@localhost/desk", Presence::Away)
        .with_session("alice@localhost/desk", Presence::Available)
        .with_session("alice@localhost/phone", Presence::None);
    let page = ask(
        &node,
        r#"{ session { list(of: "alice@localhost", limit: 1) { sessions { jid peer tls since idle priority presence } total next } } }"#,
    )
    .await;
    assert_eq!(
        page,
        Ok(json!({"session": {"list": {
            "sessions": [{
                "jid": "alice@localhost/desk", "peer": "127.0.0.1", "tls": true,
                "since": "2026-03-01T12:00:00Z", "idle": 75, "priority": 5, "presence": "AVAILABLE",
            }],
            "total": 2,
            "next": "alice@localhost/desk",
        }}}))
    );
    let kick = r#"mutation { session { kick(jid: "alice@localhost", reason: "maintenance") { kicked } } }"#;
    assert_eq!(
        ask(&node, kick).await,
        Ok(
            json!({"session": {"kick": {"kicked": ["alice@localhost/desk", "alice@localhost/phone"]}}})
        )
    );
    assert_eq!(node.lock().reasons, [Some("maintenance".to_owned())]);
    assert_eq!(
        refusal(&node, kick).await,
        "NOT_FOUND: `alice@localhost` has no session"
    );
    assert_eq!(
        refusal(
            &node,
            r#"mutation { session { kick(jid: "localhost") { kicked } } }"#
        )
        .await,
        "INVALID: `localhost` names a domain; name a session or an account"
    );
    assert_eq!(node.lock().sessions.len(), 1, "nobody else was touched");
}

#[tokio::test]
async fn actors_are_shown_and_killed() {
    let node = Memory::default().with_actors(&["node", "node/pools", "node/pools/db"]);
    let tree = ask(
        &node,
        r#"{ actor { tree(path: "node/pools") { actors { name path depth } } } }"#,
    )
    .await;
    assert_eq!(
        tree,
        Ok(json!({"actor": {"tree": {"actors": [
            {"name": "pools", "path": "node/pools", "depth": 0},
            {"name": "db", "path": "node/pools/db", "depth": 1},
        ]}}}))
    );
    let show = ask(
        &node,
        r#"{ actor { show(path: "node/pools/db") { name path figures { name value } } } }"#,
    )
    .await;
    assert_eq!(
        show,
        Ok(json!({"actor": {"show": {
            "name": "db", "path": "node/pools/db",
            "figures": [{"name": "connections", "value": "3"}],
        }}}))
    );
    ask(
        &node,
        r#"mutation { actor { kill(path: "node/pools/db") { path restarts } } }"#,
    )
    .await
    .expect("killed");
    assert_eq!(node.lock().actors[2].restarts.0, 1);
    assert_eq!(
        refusal(
            &node,
            r#"mutation { actor { kill(path: "node/x") { path } } }"#
        )
        .await,
        "NOT_FOUND: there is no actor `node/x`"
    );
}

#[tokio::test]
async fn the_node_tells_how_it_does_and_reloads_certificates() {
    let node = Memory::default();
    let status = ask(
        &node,
        "{ status { version process started uptime memory domains sessions listeners { kind address tls connections } } }",
    )
    .await;
    assert_eq!(
        status,
        Ok(json!({"status": {
            "version": "0.0.0", "process": 4711, "started": "2026-03-01T12:00:00Z", "uptime": 93784,
            "memory": 12 << 20, "domains": ["example.org", "localhost"], "sessions": 0,
            "listeners": [{"kind": "c2s", "address": "127.0.0.1:5222", "tls": "STARTTLS", "connections": 2}],
        }}))
    );
    let reload = "mutation { tls { reload { certificates { domain selfSigned expires } } } }";
    assert_eq!(
        ask(&node, reload).await,
        Ok(json!({"tls": {"reload": {"certificates": [
            {"domain": "localhost", "selfSigned": true, "expires": "2026-03-01T12:00:00Z"},
        ]}}}))
    );
    node.lock().broken_tls = Some("localhost.pem: no certificate in it".to_owned());
    assert_eq!(
        refusal(&node, reload).await,
        "REFUSED: localhost.pem: no certificate in it"
    );
}

#[tokio::test]
async fn everybody_is_told() {
    let node = Memory::default().with_session("alice@localhost/desk", Presence::Available);
    let said = ask(
        &node,
        r#"mutation { announce { online(text: "Noon", domain: "LOCALHOST") { told } } }"#,
    )
    .await;
    assert_eq!(said, Ok(json!({"announce": {"online": {"told": 1}}})));
    {
        let said = &node.lock().said;
        assert_eq!(said.len(), 1);
        assert_eq!(said[0].0.as_deref(), Some("localhost"));
        assert_eq!((&said[0].1.subject, &*said[0].1.text), (&None, "Noon"));
    }
    for (domain, why) in [
        (
            "elsewhere.example",
            "INVALID: `elsewhere.example` is not served here",
        ),
        ("alice@localhost", "INVALID: `alice@localhost` is no domain"),
    ] {
        let query = format!(
            r#"mutation {{ announce {{ online(text: "Noon", domain: "{domain}") {{ told }} }} }}"#
        );
        assert_eq!(refusal(&node, &query).await, why);
    }
    assert_eq!(
        refusal(
            &node,
            r#"mutation { announce { online(text: "") { told } } }"#
        )
        .await,
        "INVALID: there is nothing to be said: the text is empty"
    );
}

#[tokio::test]
async fn the_message_of_the_day_is_set_shown_and_deleted() {
    let node = Memory::default().with_session("alice@localhost/desk", Presence::Available);
    let show = "{ announce { motd { messages { domain since subject text } } } }";
    assert_eq!(
        ask(&node, show).await,
        Ok(json!({"announce": {"motd": {"messages": []}}}))
    );
    let set = r#"mutation { announce {
        everywhere: setMotd(text: "Be merry", subject: "Today") { told }
        there: setMotd(text: "Be sad", domain: "example.org", later: true) { told }
    } }"#;
    assert_eq!(
        ask(&node, set).await,
        Ok(json!({"announce": {"everywhere": {"told": 1}, "there": {"told": 0}}}))
    );
    assert_eq!(
        ask(&node, show).await,
        Ok(json!({"announce": {"motd": {"messages": [
            {"domain": "example.org", "since": "2026-03-01T12:00:00Z", "subject": null, "text": "Be sad"},
            {"domain": "localhost", "since": "2026-03-01T12:00:00Z", "subject": "Today", "text": "Be merry"},
        ]}}}))
    );
    let delete =
        r#"mutation { announce { deleteMotd(domain: "localhost") { messages { text } } } }"#;
    assert_eq!(
        ask(&node, delete).await,
        Ok(json!({"announce": {"deleteMotd": {"messages": [{"text": "Be merry"}]}}}))
    );
    assert_eq!(
        refusal(&node, delete).await,
        "NOT_FOUND: there is no message of the day"
    );
}

#[tokio::test]
async fn the_cluster_shows_its_nodes_and_links_and_forgets_one() {
    let node = Memory::default().in_cluster();
    let shown = ask(
        &node,
        "{ cluster { status { cluster node quorum sessions } nodes { nodes { node state version sessions } }
           links { links { node up roundTripMillis lastError } } } }",
    )
    .await;
    assert_eq!(
        shown,
        Ok(json!({"cluster": {
            "status": {"cluster": "mungo", "node": "a", "quorum": true, "sessions": 5},
            "nodes": {"nodes": [
                {"node": "a", "state": "ITSELF", "version": "0.0.0", "sessions": 2},
                {"node": "b", "state": "JOINED", "version": "0.0.0", "sessions": 3},
                {"node": "c", "state": "MISSING", "version": null, "sessions": 0},
            ]},
            "links": {"links": [
                {"node": "b", "up": true, "roundTripMillis": 85, "lastError": null},
                {"node": "c", "up": false, "roundTripMillis": null, "lastError": "connection refused"},
            ]},
        }}))
    );
    let forget = r#"mutation { cluster { forget(node: "c") { node } } }"#;
    let forgotten = ask(&node, forget).await;
    assert_eq!(forgotten, Ok(json!({"cluster": {"forget": {"node": "c"}}})));
    assert_eq!(
        refusal(&node, forget).await,
        "NOT_FOUND: there is no node `c`"
    );
}

#[tokio::test]
async fn a_node_alone_has_no_cluster_to_show() {
    let node = Memory::default();
    assert_eq!(
        refusal(&node, "{ cluster { nodes { nodes { node } } } }").await,
        "REFUSED: the node is part of no cluster"
    );
}
