use router::check::{Stage, check};

use super::*;
use crate::undertaker::{Undertaker, UndertakerSettings};

fn perform(play: &str) {
    check::<Private>(PrivateSettings::default(), play);
}

/// XEP-0049 §2.3, examples 1 and 2.
#[test]
fn a_client_finds_again_what_it_has_put_there() {
    perform(
        "
        Romeo: <iq type='set' id='1001'><query xmlns='jabber:iq:private'><diary xmlns='quill:prefs'><ink>red</ink><p:blot xmlns:p='a:b' p:at='3'/></diary></query></iq>
        Romeo gets: <iq type='result' from='romeo@montague.lit' to='romeo@montague.lit/orchard' id='1001'/>
        Phone is romeo@montague.lit/phone
        Phone: <iq type='get' id='1002' to='romeo@montague.lit'><query xmlns='jabber:iq:private'><diary xmlns='quill:prefs'/></query></iq>
        Phone gets:
          <iq type='result' from='romeo@montague.lit' to='romeo@montague.lit/phone' id='1002'>
            <query xmlns='jabber:iq:private'>
              <diary xmlns='quill:prefs'><ink>red</ink><p:blot xmlns:p='a:b' p:at='3'/></diary>
            </query>
          </iq>
        ",
    );
}

#[test]
fn what_was_never_put_there_is_empty() {
    perform(
        "
        Romeo: <iq type='get' id='1'><query xmlns='jabber:iq:private'><p:storage xmlns:p='storage:bookmarks'/></query></iq>
        Romeo gets: <iq type='result' from='*' to='*' id='1'><query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'/></query></iq>
        ",
    );
}

/// XEP-0049 §2.3: elements of one namespace belong together; others stay.
#[test]
fn a_namespace_is_replaced_whole() {
    perform(
        "
        Romeo: <iq type='set' id='1'><query xmlns='jabber:iq:private'><a xmlns='x:1'>1</a> <b xmlns='x:1'/><c xmlns='x:2'/></query></iq>
        Romeo gets: <iq type='result' from='*' to='*' id='1'/>
        Romeo: <iq type='get' id='2'><query xmlns='jabber:iq:private'><any xmlns='x:1'/></query></iq>
        Romeo gets: <iq type='result' from='*' to='*' id='2'><query xmlns='jabber:iq:private'><a xmlns='x:1'>1</a><b xmlns='x:1'/></query></iq>
        Romeo: <iq type='set' id='3'><query xmlns='jabber:iq:private'><b xmlns='x:1'>2</b></query></iq>
        Romeo gets: <iq type='result' from='*' to='*' id='3'/>
        Romeo: <iq type='get' id='4'><query xmlns='jabber:iq:private'><a xmlns='x:1'/></query></iq>
        Romeo gets: <iq type='result' from='*' to='*' id='4'><query xmlns='jabber:iq:private'><b xmlns='x:1'>2</b></query></iq>
        Romeo: <iq type='get' id='5'><query xmlns='jabber:iq:private'><c xmlns='x:2'/></query></iq>
        Romeo gets: <iq type='result' from='*' to='*' id='5'><query xmlns='jabber:iq:private'><c xmlns='x:2'/></query></iq>
        ",
    );
}

/// Prefixes may be declared around the element, and texts inside may belong to the query's
/// namespace: what is given back means what was sent.
#[test]
fn an_element_means_the_same_when_it_comes_back() {
    perform(
        "
        Romeo: <iq type='set' id='1' xmlns:q='x:1'><query xmlns='jabber:iq:private' xmlns:r='x:2'><q:a r:at='1'><r:b/><c/></q:a></query></iq>
        Romeo gets: <iq type='result' from='*' to='*' id='1' */>
        Romeo: <iq type='get' id='2'><query xmlns='jabber:iq:private'><a xmlns='x:1'/></query></iq>
        Romeo gets:
          <iq type='result' from='*' to='*' id='2'>
            <query xmlns='jabber:iq:private'>
              <q:a xmlns:q='x:1' xmlns:r='x:2' r:at='1'><r:b/><c/></q:a>
            </query>
          </iq>
        ",
    );
}

/// XEP-0049 §2.3, example 3; that there is no such account can't be told.
#[test]
fn nobody_sees_or_changes_what_is_somebody_elses() {
    for (kind, who) in [
        ("set", "juliet@capulet.lit"),
        ("get", "juliet@capulet.lit"),
        ("get", "nobody@capulet.lit"),
    ] {
        perform(&format!(
            "
            Romeo: <iq type='{kind}' id='1003' to='{who}'><query xmlns='jabber:iq:private'><diary xmlns='quill:prefs'/></query></iq>
            Romeo gets:
              <iq type='error' id='1003' from='{who}' to='romeo@montague.lit/orchard'>
                <query xmlns='jabber:iq:private'><diary xmlns='quill:prefs'/></query>
                <error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
              </iq>
            "
        ));
    }
}

/// XEP-0049 §2.3: each element needs a namespace of its own, and there must be one.
#[test]
fn what_is_no_element_of_its_own_namespace_is_not_acceptable() {
    for kind in ["get", "set"] {
        for inside in ["", "text", "<a/>", "<a xmlns=''/>"] {
            perform(&format!(
                "
                Romeo: <iq type='{kind}' id='1'><query xmlns='jabber:iq:private'>{inside}</query></iq>
                Romeo gets:
                  <iq type='error' id='1' from='romeo@montague.lit' to='*'>
                    <query xmlns='jabber:iq:private'>{inside}</query>
                    <error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
                  </iq>
                "
            ));
        }
    }
    // Nothing is half done.
    perform(
        "
        Romeo: <iq type='set' id='1'><query xmlns='jabber:iq:private'><a xmlns='x:1'>1</a><b/></query></iq>
        Romeo gets: <iq type='error' id='1' *><**/></iq>
        Romeo: <iq type='get' id='2'><query xmlns='jabber:iq:private'><a xmlns='x:1'/></query></iq>
        Romeo gets: <iq type='result' from='*' to='*' id='2'><query xmlns='jabber:iq:private'><a xmlns='x:1'/></query></iq>
        Romeo: <iq type='get' id='3'><query xmlns='jabber:iq:private'><a xmlns='x:1'/><b xmlns='x:2'/></query></iq>
        Romeo gets:
          <iq type='error' id='3' from='*' to='*'>
            <query xmlns='jabber:iq:private'><a xmlns='x:1'/><b xmlns='x:2'/></query>
            <error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><**/></error>
          </iq>
        ",
    );
}

/// Ours: the XEP knows no limits.
#[test]
fn an_account_keeps_so_much_and_no_more() {
    let settings = PrivateSettings {
        max_size: Size::of(40),
        max_total: Size::of(60),
        max_namespaces: 2,
    };
    check::<Private>(
        settings,
        "
        Romeo: <iq type='set' id='1'><query xmlns='jabber:iq:private'><a xmlns='x:1'>1234567890123456789012</a></query></iq>
        Romeo gets: <iq type='error' id='1' from='*' to='*'><**/><error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><**/></error></iq>
        Romeo: <iq type='set' id='2'><query xmlns='jabber:iq:private'><a xmlns='x:1'>123456789012345678901</a></query></iq>
        Romeo gets: <iq type='result' from='*' to='*' id='2'/>
        Romeo: <iq type='set' id='3'><query xmlns='jabber:iq:private'><a xmlns='x:2'>12</a></query></iq>
        Romeo gets: <iq type='error' id='3' from='*' to='*'><**/><error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><**/></error></iq>
        Romeo: <iq type='set' id='4'><query xmlns='jabber:iq:private'><a xmlns='x:2'>1</a></query></iq>
        Romeo gets: <iq type='result' from='*' to='*' id='4'/>
        Romeo: <iq type='set' id='5'><query xmlns='jabber:iq:private'><a xmlns='x:1'/></query></iq>
        Romeo gets: <iq type='result' from='*' to='*' id='5'/>
        Romeo: <iq type='set' id='6'><query xmlns='jabber:iq:private'><a xmlns='x:3'/></query></iq>
        Romeo gets: <iq type='error' id='6' from='*' to='*'><**/><error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><**/></error></iq>
        Romeo: <iq type='get' id='7'><query xmlns='jabber:iq:private'><a xmlns='x:3'/></query></iq>
        Romeo gets: <iq type='result' from='*' to='*' id='7'><query xmlns='jabber:iq:private'><a xmlns='x:3'/></query></iq>
        ",
    );
}

#[test]
fn an_account_that_is_removed_leaves_nothing() {
    Stage::perform(
        |stage| {
            stage
                .with::<Private>(PrivateSettings::default())
                .with::<Undertaker>(UndertakerSettings {})
        },
        "
        Romeo: <iq type='set' id='1'><query xmlns='jabber:iq:private'><a xmlns='x:1'>1</a></query></iq>
        Romeo gets: <iq type='result' from='*' to='*' id='1'/>
        Romeo closes
        Juliet: <iq type='set' id='2' to='montague.lit'><bury xmlns='check:undertaker' jid='romeo@montague.lit'/></iq>
        Juliet gets: <iq type='result' from='*' to='*' id='2'/>
        Benvolio is romeo@montague.lit/again
        Benvolio: <iq type='get' id='3'><query xmlns='jabber:iq:private'><a xmlns='x:1'/></query></iq>
        Benvolio gets: <iq type='result' from='*' to='*' id='3'><query xmlns='jabber:iq:private'><a xmlns='x:1'/></query></iq>
        ",
    );
}

#[tokio::test]
async fn what_is_not_on_disk_yet_is_not_said_to_be_done() {
    let store = Arc::new(MemPrivate::default());
    let private = Arc::new(Private {
        store: store.clone(),
        writer: Arc::new(StoreWriter::new(1)),
        settings: Arc::default(),
    });
    let romeo: BareJid = "romeo@montague.lit".parse().expect("an account");
    let query = Element::parse(b"<query xmlns='jabber:iq:private'><a xmlns='x:1'/></query>");
    let query = query.expect("a query");
    let answer = tokio::spawn({
        let (private, romeo, query) = (private.clone(), romeo.clone(), query.clone());
        async move { private.put(&romeo, &query).await }
    });
    while private.writer.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(!answer.is_finished());
    // One more than may wait.
    let full = private.put(&romeo, &query).await.expect_err("an error");
    assert_eq!(full.condition, Condition::ResourceConstraint);

    private.writer.run(std::future::ready(()), &*store).await;
    assert_eq!(answer.await.expect("an answer"), Ok(None));
    let kept = store.elements(&romeo, "x:1").await.expect("an answer");
    assert_eq!(kept.as_deref(), Some(&b"<a xmlns='x:1'/>"[..]));
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let settings = PrivateSettings {
        max_size: Size::kib(2),
        max_total: Size::kib(1),
        max_namespaces: 0,
    };
    let mut problems = config::Problems::default();
    config::Setting::check(&settings, &mut problems);
    let lines = problems.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("max_total"), "{lines:?}");
    assert!(lines[1].starts_with("max_namespaces"), "{lines:?}");
}
