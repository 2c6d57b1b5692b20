//! Accounts without sessions, sessions that come back, accounts that are removed.

use std::time::Duration;

use super::*;

/// The block remains in force (XEP-0191 §3.3) for who is away, and for the next session.
#[test]
fn a_block_outlives_the_session() {
    perform(
        "
        Juliet: <iq type='set' id='b1'><block xmlns='urn:xmpp:blocking'><item jid='romeo@montague.lit'/></block></iq>
        Juliet gets: <iq type='result' id='b1' from='*' to='*'/>
        Juliet closes
        T: 60s
        Romeo: <message to='juliet@capulet.lit' id='m1' type='chat'/>
        Romeo gets: <message from='juliet@capulet.lit' to='*' id='m1' type='error'>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        Romeo: <iq to='juliet@capulet.lit' id='i1' type='get'><blocklist xmlns='urn:xmpp:blocking'/></iq>
        Romeo gets: <iq from='juliet@capulet.lit' to='*' id='i1' type='error'><blocklist xmlns='urn:xmpp:blocking'/>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        T: 60s
        Juliet: <iq type='get' id='l1'><blocklist xmlns='urn:xmpp:blocking'/></iq>
        Juliet gets: <iq type='result' id='l1' from='*' to='*'><blocklist xmlns='urn:xmpp:blocking'>
            <item jid='romeo@montague.lit'/></blocklist></iq>
        ",
    );
}

/// XEP-0016 §2.2, rule 1: only for the duration of the session.
#[test]
fn an_active_list_ends_with_its_session() {
    perform(
        "
        Juliet: <iq type='set' id='e1'><query xmlns='jabber:iq:privacy'><list name='x'>
            <item action='deny' order='1'/></list></query></iq>
        Juliet gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:privacy'><list name='x'/></query></iq>
        Juliet gets: <iq type='result' id='e1' from='*' to='*'/>
        Juliet: <iq type='set' id='a1'><query xmlns='jabber:iq:privacy'><active name='x'/></query></iq>
        Juliet gets: <iq type='result' id='a1' from='*' to='*'/>
        Juliet closes
        Juliet: <iq type='get' id='n1'><query xmlns='jabber:iq:privacy'/></iq>
        Juliet gets: <iq type='result' id='n1' from='*' to='*'><query xmlns='jabber:iq:privacy'><list name='x'/></query></iq>
        Romeo: <message to='juliet@capulet.lit/balcony' id='m1'/>
        Juliet gets: <message from='romeo@montague.lit/orchard' to='*' id='m1'/>
        ",
    );
}

/// An account that is removed leaves nothing to one of the same name, not even in the memory of
/// those who are sending to it.
#[test]
fn a_removed_account_leaves_no_lists() {
    let removes = |stage: Stage| {
        let stage = stage
            .with::<Roster>(RosterSettings::default())
            .with::<Privacy>(PrivacySettings::default());
        let router = stage.router().clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(30)).await;
            let juliet = "juliet@capulet.lit".parse().unwrap();
            router.remove_account(&juliet).await.unwrap();
        });
        stage
    };
    for last_words in ["", "Romeo: <message to='juliet@capulet.lit' type='chat'/>"] {
        let answer = match last_words {
            "" => "",
            _ => {
                "Romeo gets: <message from='*' to='*' type='error'><error type='cancel'>\
                 <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
            }
        };
        Stage::perform(
            removes,
            &format!(
                "
        Juliet: <iq type='set' id='b1'><block xmlns='urn:xmpp:blocking'><item jid='romeo@montague.lit'/></block></iq>
        Juliet gets: <iq type='result' id='b1' from='*' to='*'/>
        Juliet closes
        T: 25s
        {last_words}
        {answer}
        T: 8s
        Juliet: <iq type='get' id='l1'><blocklist xmlns='urn:xmpp:blocking'/></iq>
        Juliet gets: <iq type='result' id='l1' from='*' to='*'><blocklist xmlns='urn:xmpp:blocking'/></iq>
        Romeo: <message to='juliet@capulet.lit/balcony' id='m1'/>
        Juliet gets: <message from='romeo@montague.lit/orchard' to='*' id='m1'/>
        "
            ),
        );
    }
}
