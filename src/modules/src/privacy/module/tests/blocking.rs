//! XEP-0191.

use super::*;

/// §3.2 to §3.5: list, block, unblock, unblock all; pushes to those who asked for the list.
#[test]
fn addresses_are_blocked_and_unblocked() {
    perform(
        "
        Window is juliet@capulet.lit/window
        Tomb is juliet@capulet.lit/tomb
        Juliet: <iq type='get' id='l1'><blocklist xmlns='urn:xmpp:blocking'/></iq>
        Juliet gets: <iq type='result' id='l1' from='*' to='*'><blocklist xmlns='urn:xmpp:blocking'/></iq>
        Window: <iq type='get' id='l2'><blocklist xmlns='urn:xmpp:blocking'/></iq>
        Window gets: <iq type='result' id='l2' from='*' to='*'><blocklist xmlns='urn:xmpp:blocking'/></iq>

        Juliet: <iq type='set' id='b1'><block xmlns='urn:xmpp:blocking'>
            <item jid='romeo@montague.lit'/><item jid='Iago@Shakespeare.lit'/></block></iq>
        Juliet gets: <iq type='set' id='{p1}' from='juliet@capulet.lit' to='juliet@capulet.lit/balcony'>
            <block xmlns='urn:xmpp:blocking'>
              <item jid='romeo@montague.lit'/><item jid='iago@shakespeare.lit'/></block></iq>
        Juliet gets: <iq type='result' id='b1' from='*' to='*'/>
        Juliet: <iq type='result' id='{p1}'/>
        Window gets: <iq type='set' id='*' from='juliet@capulet.lit' to='juliet@capulet.lit/window'>
            <block xmlns='urn:xmpp:blocking'>
              <item jid='romeo@montague.lit'/><item jid='iago@shakespeare.lit'/></block></iq>
        Tomb gets nothing

        Tomb: <iq type='get' id='l3' to='juliet@capulet.lit'><blocklist xmlns='urn:xmpp:blocking'/></iq>
        Tomb gets: <iq type='result' id='l3' from='*' to='*'><blocklist xmlns='urn:xmpp:blocking'>
            <item jid='romeo@montague.lit'/><item jid='iago@shakespeare.lit'/></blocklist></iq>

        Tomb: <iq type='set' id='u1'><unblock xmlns='urn:xmpp:blocking'>
            <item jid='iago@shakespeare.lit'/></unblock></iq>
        Tomb gets: <iq type='set' id='*' from='*' to='*'>
            <unblock xmlns='urn:xmpp:blocking'><item jid='iago@shakespeare.lit'/></unblock></iq>
        Tomb gets: <iq type='result' id='u1' from='*' to='*'/>
        Juliet gets: <iq type='set' id='*' from='*' to='*'>
            <unblock xmlns='urn:xmpp:blocking'><item jid='iago@shakespeare.lit'/></unblock></iq>
        Juliet: <iq type='set' id='u2'><unblock xmlns='urn:xmpp:blocking'/></iq>
        Juliet gets: <iq type='set' id='*' from='*' to='*'><unblock xmlns='urn:xmpp:blocking'/></iq>
        Juliet gets: <iq type='result' id='u2' from='*' to='*'/>
        Juliet: <iq type='get' id='l4'><blocklist xmlns='urn:xmpp:blocking'/></iq>
        Juliet gets: <iq type='result' id='l4' from='*' to='*'><blocklist xmlns='urn:xmpp:blocking'/></iq>
        ",
    );
}

/// §3.3: what a blocked address sends, and what is sent to it.
#[test]
fn nothing_passes_either_way() {
    perform(&format!(
        "{FRIENDS}
        Romeo: <presence/>
        Romeo gets: <presence from='romeo@montague.lit/orchard' to='*'/>
        Juliet: <presence/>
        Juliet gets: <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'/>
        Juliet gets: <presence from='romeo@montague.lit/orchard' to='*'/>
        Romeo gets: <presence from='juliet@capulet.lit/balcony' to='romeo@montague.lit'/>
        Juliet: <iq type='set' id='b1'><block xmlns='urn:xmpp:blocking'><item jid='romeo@montague.lit'/></block></iq>
        Juliet gets: <presence from='romeo@montague.lit/orchard' to='*' type='unavailable'/>
        Juliet gets: <iq type='result' id='b1' from='*' to='*'/>
        Romeo gets: <presence from='juliet@capulet.lit/balcony' to='romeo@montague.lit' type='unavailable'/>

        Romeo: <presence to='juliet@capulet.lit'/>
        Romeo: <presence to='juliet@capulet.lit' type='subscribe'/>
        Romeo: <presence to='juliet@capulet.lit/balcony'/>
        Romeo gets nothing
        Romeo: <message to='juliet@capulet.lit/balcony' id='m1'><body>Hist!</body></message>
        Romeo gets: <message from='juliet@capulet.lit/balcony' to='*' id='m1' type='error'><body>Hist!</body>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        Romeo: <message to='juliet@capulet.lit' id='m2'><body>Hist!</body></message>
        Romeo gets: <message from='juliet@capulet.lit' to='*' id='m2' type='error'><body>Hist!</body>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        Romeo: <iq to='juliet@capulet.lit/balcony' id='i1' type='get'><query xmlns='jabber:iq:version'/></iq>
        Romeo gets: <iq from='juliet@capulet.lit/balcony' to='*' id='i1' type='error'><query xmlns='jabber:iq:version'/>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        Romeo: <iq to='juliet@capulet.lit/balcony' id='i2' type='result'/>
        Romeo: <message to='juliet@capulet.lit/balcony' type='error'/>
        Romeo gets nothing
        Juliet gets nothing

        Juliet: <message to='romeo@montague.lit' id='m3' type='chat'><body>Can you hear me now?</body></message>
        Juliet gets: <message from='romeo@montague.lit' to='*' id='m3' type='error'>
            <body>Can you hear me now?</body>
            <error type='cancel'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
              <blocked xmlns='urn:xmpp:blocking:errors'/></error></message>
        Juliet: <iq to='romeo@montague.lit/orchard' id='i3' type='get'><query xmlns='jabber:iq:version'/></iq>
        Juliet gets: <iq from='romeo@montague.lit/orchard' to='*' id='i3' type='error'><query xmlns='jabber:iq:version'/>
            <error type='cancel'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
              <blocked xmlns='urn:xmpp:blocking:errors'/></error></iq>
        Juliet: <presence to='romeo@montague.lit/orchard' id='p1'/>
        Juliet gets: <presence from='romeo@montague.lit/orchard' to='*' id='p1' type='error'>
            <error type='cancel'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
              <blocked xmlns='urn:xmpp:blocking:errors'/></error></presence>
        Juliet: <iq to='romeo@montague.lit/orchard' id='i4' type='result'/>
        Juliet gets nothing
        Romeo gets nothing
        "
    ));
}

/// What a client sends behind its request is judged by what it has asked for.
#[test]
fn a_block_holds_for_the_very_next_stanza() {
    perform(
        "
        Romeo connects
        Juliet: <iq type='set' id='b1'><block xmlns='urn:xmpp:blocking'><item jid='romeo@montague.lit'/></block></iq>
        Juliet: <message to='romeo@montague.lit/orchard' id='m1'/>
        Juliet gets: <message from='*' to='*' id='m1' type='error'>
            <error type='cancel'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
              <blocked xmlns='urn:xmpp:blocking:errors'/></error></message>
        Juliet gets: <iq type='result' id='b1' from='*' to='*'/>
        Romeo gets nothing
        Juliet: <iq type='set' id='u1'><unblock xmlns='urn:xmpp:blocking'><item jid='romeo@montague.lit'/></unblock></iq>
        Juliet: <message to='romeo@montague.lit/orchard' id='m2'/>
        Juliet gets: <iq type='result' id='u1' from='*' to='*'/>
        Romeo gets: <message from='juliet@capulet.lit/balcony' to='*' id='m2'/>
        ",
    );
}

/// §6: whole domains, and a single resource.
#[test]
fn domains_and_resources_are_blocked() {
    perform(
        "
        Tybalt is tybalt@capulet.lit/hall
        Street is tybalt@capulet.lit/street
        Romeo: <iq type='set' id='b1'><block xmlns='urn:xmpp:blocking'><item jid='capulet.lit'/></block></iq>
        Romeo gets: <iq type='result' id='b1' from='*' to='*'/>
        Tybalt: <message to='romeo@montague.lit/orchard' id='m1'/>
        Tybalt gets: <message from='*' to='*' id='m1' type='error'>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        Romeo: <iq to='capulet.lit' id='i1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>
        Romeo gets: <iq from='capulet.lit' to='*' id='i1' type='error'><ping xmlns='urn:xmpp:ping'/>
            <error type='cancel'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
              <blocked xmlns='urn:xmpp:blocking:errors'/></error></iq>
        Romeo: <iq type='set' id='u1'><unblock xmlns='urn:xmpp:blocking'/></iq>
        Romeo gets: <iq type='result' id='u1' from='*' to='*'/>

        Romeo: <iq type='set' id='b2'><block xmlns='urn:xmpp:blocking'><item jid='tybalt@capulet.lit/hall'/></block></iq>
        Romeo gets: <iq type='result' id='b2' from='*' to='*'/>
        Tybalt: <message to='romeo@montague.lit/orchard' id='m2'/>
        Tybalt gets: <message from='*' to='*' id='m2' type='error'>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        Street: <message to='romeo@montague.lit/orchard' id='m3'/>
        Romeo gets: <message from='tybalt@capulet.lit/street' to='*' id='m3'/>
        ",
    );
}

/// §5: one's own resources and one's own server stay within reach, whatever is blocked.
#[test]
fn nobody_blocks_oneself() {
    perform(
        "
        Window is juliet@capulet.lit/window
        Tybalt is tybalt@capulet.lit/hall
        Juliet: <iq type='set' id='b1'><block xmlns='urn:xmpp:blocking'>
            <item jid='juliet@capulet.lit'/><item jid='juliet@capulet.lit/window'/><item jid='capulet.lit'/></block></iq>
        Juliet gets: <iq type='result' id='b1' from='*' to='*'/>
        Juliet: <message to='juliet@capulet.lit/window' id='m1'/>
        Window gets: <message from='juliet@capulet.lit/balcony' to='*' id='m1'/>
        Juliet: <presence/>
        Juliet gets: <presence from='juliet@capulet.lit/balcony' to='*'/>
        Window: <presence/>
        Window gets: <presence from='juliet@capulet.lit/window' to='*'/>
        Window gets: <presence from='juliet@capulet.lit/balcony' to='*'/>
        Juliet gets: <presence from='juliet@capulet.lit/window' to='*'/>
        Juliet: <iq to='capulet.lit' id='i1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>
        Juliet gets: <iq from='capulet.lit' to='*' id='i1' type='error'><ping xmlns='urn:xmpp:ping'/>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        Tybalt: <message to='juliet@capulet.lit/balcony' id='m2'/>
        Tybalt gets: <message from='*' to='*' id='m2' type='error'>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        Juliet gets nothing
        ",
    );
}

/// One occupant is blocked, the room and its other occupants are not.
#[test]
fn an_occupant_is_blocked_without_losing_the_room() {
    perform(
        "
        Troll is room@montague.lit/troll
        Bard is room@montague.lit/bard
        Juliet: <presence to='room@montague.lit/bard'/>
        Bard gets: <presence from='juliet@capulet.lit/balcony' to='room@montague.lit/bard'/>
        Juliet: <iq type='set' id='b1'><block xmlns='urn:xmpp:blocking'><item jid='room@montague.lit/troll'/></block></iq>
        Juliet gets: <iq type='result' id='b1' from='*' to='*'/>
        Troll: <message to='juliet@capulet.lit/balcony' type='groupchat'/>
        Juliet gets nothing
        Bard: <message to='juliet@capulet.lit/balcony' type='groupchat'/>
        Juliet gets: <message from='room@montague.lit/bard' to='*' type='groupchat'/>
        Bard gets nothing
        ",
    );
}

/// §3.3 and the errors of RFC 6120.
#[test]
fn requests_that_are_none_are_refused() {
    let refused = |request: &str, error: &str| {
        perform(&format!(
            "
            Juliet: <iq type='set' id='1'>{request}</iq>
            Juliet gets: <iq type='error' id='1' from='*' to='*'>{request}<error type='modify'>
                <{error} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
            "
        ));
    };
    let block = |item: &str| format!("<block xmlns='urn:xmpp:blocking'>{item}</block>");
    refused(&block(""), "bad-request");
    refused(&block("<item/>"), "bad-request");
    refused(&block("<item jid='@'/>"), "jid-malformed");
    refused("<blocklist xmlns='urn:xmpp:blocking'/>", "bad-request");
}

#[test]
fn a_block_list_is_nobody_elses_business() {
    perform(
        "
        Romeo: <iq type='get' id='l1' to='juliet@capulet.lit'><blocklist xmlns='urn:xmpp:blocking'/></iq>
        Romeo gets: <iq type='error' id='l1' from='juliet@capulet.lit' to='*'><blocklist xmlns='urn:xmpp:blocking'/>
            <error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        ",
    );
}

#[test]
fn a_block_list_has_its_bound() {
    let settings = PrivacySettings {
        max_items: 2,
        ..PrivacySettings::default()
    };
    perform_with(
        settings,
        "
        Juliet: <iq type='set' id='b1'><block xmlns='urn:xmpp:blocking'><item jid='a@x'/><item jid='b@x'/></block></iq>
        Juliet gets: <iq type='result' id='b1' from='*' to='*'/>
        Juliet: <iq type='set' id='b2'><block xmlns='urn:xmpp:blocking'><item jid='c@x'/></block></iq>
        Juliet gets: <iq type='error' id='b2' from='*' to='*'><block xmlns='urn:xmpp:blocking'><item jid='c@x'/></block>
            <error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
              <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>*</text></error></iq>
        Juliet: <iq type='get' id='l1'><blocklist xmlns='urn:xmpp:blocking'/></iq>
        Juliet gets: <iq type='result' id='l1' from='*' to='*'><blocklist xmlns='urn:xmpp:blocking'>
            <item jid='a@x'/><item jid='b@x'/></blocklist></iq>
        ",
    );
}
