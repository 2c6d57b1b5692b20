//! XEP-0016, and what it is to XEP-0191.

use super::*;

/// §2.3 to §2.8 in the words of the examples: names, lists, active, default, edit, remove.
#[test]
fn lists_are_kept_and_chosen() {
    perform(
        "
        Romeo: <iq type='set' id='e1'><query xmlns='jabber:iq:privacy'><list name='public'>
            <item type='jid' value='tybalt@example.com' action='deny' order='1'/>
            <item action='allow' order='2'/></list></query></iq>
        Romeo gets: <iq type='set' id='{p1}' from='romeo@montague.lit' to='romeo@montague.lit/orchard'>
            <query xmlns='jabber:iq:privacy'><list name='public'/></query></iq>
        Romeo gets: <iq type='result' id='e1' from='*' to='*'/>
        Romeo: <iq type='result' id='{p1}'/>
        Romeo: <iq type='set' id='e2'><query xmlns='jabber:iq:privacy'><list name='private'>
            <item type='subscription' value='both' action='allow' order='10'/>
            <item action='deny' order='15'/></list></query></iq>
        Romeo gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:privacy'><list name='private'/></query></iq>
        Romeo gets: <iq type='result' id='e2' from='*' to='*'/>
        Romeo: <iq type='set' id='d1'><query xmlns='jabber:iq:privacy'><default name='public'/></query></iq>
        Romeo gets: <iq type='result' id='d1' from='*' to='*'/>
        Romeo: <iq type='set' id='a1'><query xmlns='jabber:iq:privacy'><active name='private'/></query></iq>
        Romeo gets: <iq type='result' id='a1' from='*' to='*'/>

        Romeo: <iq type='get' id='getlist1'><query xmlns='jabber:iq:privacy'/></iq>
        Romeo gets: <iq type='result' id='getlist1' from='*' to='romeo@montague.lit/orchard'><query xmlns='jabber:iq:privacy'>
            <active name='private'/><default name='public'/><list name='public'/><list name='private'/></query></iq>
        Romeo: <iq type='get' id='getlist2'><query xmlns='jabber:iq:privacy'><list name='private'/></query></iq>
        Romeo gets: <iq type='result' id='getlist2' from='*' to='*'><query xmlns='jabber:iq:privacy'><list name='private'>
            <item type='subscription' value='both' action='allow' order='10'/>
            <item action='deny' order='15'/></list></query></iq>

        Romeo: <iq type='set' id='e3'><query xmlns='jabber:iq:privacy'><list name='public'>
            <item action='allow' order='68'/>
            <item type='jid' value='paris@example.org' action='deny' order='5'/></list></query></iq>
        Romeo gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:privacy'><list name='public'/></query></iq>
        Romeo gets: <iq type='result' id='e3' from='*' to='*'/>
        Romeo: <iq type='get' id='getlist3'><query xmlns='jabber:iq:privacy'><list name='public'/></query></iq>
        Romeo gets: <iq type='result' id='getlist3' from='*' to='*'><query xmlns='jabber:iq:privacy'><list name='public'>
            <item type='jid' value='paris@example.org' action='deny' order='5'/>
            <item action='allow' order='68'/></list></query></iq>

        Romeo: <iq type='set' id='a2'><query xmlns='jabber:iq:privacy'><active/></query></iq>
        Romeo gets: <iq type='result' id='a2' from='*' to='*'/>
        Romeo: <iq type='set' id='d2'><query xmlns='jabber:iq:privacy'><default/></query></iq>
        Romeo gets: <iq type='result' id='d2' from='*' to='*'/>
        Romeo: <iq type='set' id='r1'><query xmlns='jabber:iq:privacy'><list name='private'/></query></iq>
        Romeo gets: <iq type='result' id='r1' from='*' to='*'/>
        Romeo: <iq type='get' id='getlist4'><query xmlns='jabber:iq:privacy'/></iq>
        Romeo gets: <iq type='result' id='getlist4' from='*' to='*'><query xmlns='jabber:iq:privacy'><list name='public'/></query></iq>
        ",
    );
}

/// Each request that the XEP names an error for.
#[test]
fn requests_that_can_not_be_met_are_refused() {
    let refused = |set: bool, content: &str, kind: &str, condition: &str| {
        let iq = if set { "set" } else { "get" };
        let text = match condition {
            "bad-request" => {
                "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>*</text>"
            }
            _ => "",
        };
        perform(&format!(
            "
            Juliet: <iq type='{iq}' id='1'><query xmlns='jabber:iq:privacy'>{content}</query></iq>
            Juliet gets: <iq type='error' id='1' from='*' to='*'><query xmlns='jabber:iq:privacy'>{content}</query>
                <error type='{kind}'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>{text}</error></iq>
            "
        ));
    };
    let empty = |element: &str| format!("<{element} name='The Empty Set'/>");
    refused(false, &empty("list"), "cancel", "item-not-found");
    refused(true, &empty("list"), "cancel", "item-not-found");
    refused(true, &empty("active"), "cancel", "item-not-found");
    refused(true, &empty("default"), "cancel", "item-not-found");
    refused(
        false,
        "<list name='public'/><list name='private'/>",
        "modify",
        "bad-request",
    );
    refused(
        true,
        "<list name='public'/><list name='private'/>",
        "modify",
        "bad-request",
    );
    let twice =
        "<list name='x'><item action='deny' order='1'/><item action='allow' order='1'/></list>";
    refused(true, twice, "modify", "bad-request");
    let group = |name: &str| {
        format!("<list name='x'><item type='group' value='{name}' action='deny' order='1'/></list>")
    };
    refused(true, &group("Enemies"), "cancel", "item-not-found");
    perform(&format!(
        "{FRIENDS}
        Juliet: <iq type='set' id='1'><query xmlns='jabber:iq:privacy'>{}</query></iq>
        Juliet gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:privacy'><list name='x'/></query></iq>
        Juliet gets: <iq type='result' id='1' from='*' to='*'/>
        ",
        group("House")
    ));
}

/// §2.2, rule 11: a list that holds for another resource, and pushes to all of them.
#[test]
fn a_list_in_use_by_another_resource_is_not_taken_away() {
    perform(
        "
        Home is romeo@montague.lit/home
        Romeo: <iq type='set' id='e1'><query xmlns='jabber:iq:privacy'><list name='public'>
            <item action='allow' order='2'/></list></query></iq>
        Romeo gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:privacy'><list name='public'/></query></iq>
        Romeo gets: <iq type='result' id='e1' from='*' to='*'/>
        Home gets: <iq type='set' id='*' from='romeo@montague.lit' to='romeo@montague.lit/home'>
            <query xmlns='jabber:iq:privacy'><list name='public'/></query></iq>
        Romeo: <iq type='set' id='d1'><query xmlns='jabber:iq:privacy'><default name='public'/></query></iq>
        Romeo gets: <iq type='result' id='d1' from='*' to='*'/>
        Romeo: <iq type='set' id='d2'><query xmlns='jabber:iq:privacy'><default/></query></iq>
        Romeo gets: <iq type='error' id='d2' from='*' to='*'><query xmlns='jabber:iq:privacy'><default/></query>
            <error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        Romeo: <iq type='set' id='r1'><query xmlns='jabber:iq:privacy'><list name='public'/></query></iq>
        Romeo gets: <iq type='error' id='r1' from='*' to='*'><query xmlns='jabber:iq:privacy'><list name='public'/></query>
            <error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        Home gets nothing
        Home closes
        Romeo: <iq type='set' id='r2'><query xmlns='jabber:iq:privacy'><list name='public'/></query></iq>
        Romeo gets: <iq type='result' id='r2' from='*' to='*'/>
        ",
    );
}

/// §2.2, rules 1, 2 and 8: each session by its own list, and by what that list says now.
#[test]
fn an_active_list_holds_for_its_session_alone() {
    perform(
        "
        Home is romeo@montague.lit/home
        Tybalt is tybalt@capulet.lit/hall
        Romeo: <iq type='set' id='e1'><query xmlns='jabber:iq:privacy'><list name='special'>
            <item type='jid' value='tybalt@capulet.lit' action='deny' order='7'><message/></item></list></query></iq>
        Romeo gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:privacy'><list name='special'/></query></iq>
        Romeo gets: <iq type='result' id='e1' from='*' to='*'/>
        Home gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:privacy'><list name='special'/></query></iq>
        Romeo: <iq type='set' id='a1'><query xmlns='jabber:iq:privacy'><active name='special'/></query></iq>
        Romeo gets: <iq type='result' id='a1' from='*' to='*'/>
        Romeo: <presence/>
        Romeo gets: <presence from='romeo@montague.lit/orchard' to='*'/>
        Home: <presence/>
        Home gets: <presence from='romeo@montague.lit/home' to='*'/>
        Home gets: <presence from='romeo@montague.lit/orchard' to='*'/>
        Romeo gets: <presence from='romeo@montague.lit/home' to='*'/>

        Tybalt: <message to='romeo@montague.lit/orchard' id='m1'/>
        Tybalt gets: <message from='romeo@montague.lit/orchard' to='*' id='m1' type='error'>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        Tybalt: <message to='romeo@montague.lit/home' id='m2'/>
        Home gets: <message from='tybalt@capulet.lit/hall' to='*' id='m2'/>
        Tybalt: <message to='romeo@montague.lit' id='m3' type='chat'/>
        Home gets: <message from='tybalt@capulet.lit/hall' to='*' id='m3' type='chat'/>
        Tybalt: <message to='romeo@montague.lit/gone' id='m3b' type='chat'/>
        Home gets: <message from='tybalt@capulet.lit/hall' to='*' id='m3b' type='chat'/>
        Romeo gets nothing
        Home closes
        Romeo gets: <presence from='romeo@montague.lit/home' to='*' type='unavailable'/>
        Tybalt: <message to='romeo@montague.lit' id='m4' type='chat'/>
        Tybalt gets: <message from='romeo@montague.lit' to='*' id='m4' type='error'>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        Romeo: <message to='tybalt@capulet.lit/hall' id='m5'/>
        Tybalt gets: <message from='romeo@montague.lit/orchard' to='*' id='m5'/>

        Romeo: <iq type='set' id='e2'><query xmlns='jabber:iq:privacy'><list name='special'>
            <item type='jid' value='paris@verona.lit' action='deny' order='7'/></list></query></iq>
        Romeo gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:privacy'><list name='special'/></query></iq>
        Romeo gets: <iq type='result' id='e2' from='*' to='*'/>
        Tybalt: <message to='romeo@montague.lit' id='m6' type='chat'/>
        Romeo gets: <message from='tybalt@capulet.lit/hall' to='*' id='m6' type='chat'/>
        ",
    );
}

/// §2.9 and §2.12, by subscription and group.
#[test]
fn rules_ask_the_roster() {
    perform(&format!(
        "{FRIENDS}
        Paris is paris@capulet.lit/hall
        Juliet: <iq type='set' id='e1'><query xmlns='jabber:iq:privacy'><list name='x'>
            <item type='subscription' value='none' action='deny' order='5'><message/></item>
            <item type='group' value='Lovers' action='deny' order='7'><iq/></item></list></query></iq>
        Juliet gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:privacy'><list name='x'/></query></iq>
        Juliet gets: <iq type='result' id='e1' from='*' to='*'/>
        Juliet: <iq type='set' id='d1'><query xmlns='jabber:iq:privacy'><default name='x'/></query></iq>
        Juliet gets: <iq type='result' id='d1' from='*' to='*'/>

        Romeo: <message to='juliet@capulet.lit/balcony' id='m1'/>
        Juliet gets: <message from='romeo@montague.lit/orchard' to='*' id='m1'/>
        Tybalt: <message to='juliet@capulet.lit/balcony' id='m2'/>
        Tybalt gets: <message from='*' to='*' id='m2' type='error'>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        Paris: <message to='juliet@capulet.lit/balcony' id='m3'/>
        Paris gets: <message from='*' to='*' id='m3' type='error'>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        Romeo: <iq to='juliet@capulet.lit/balcony' id='i1' type='get'><q xmlns='a:b'/></iq>
        Romeo gets: <iq from='*' to='*' id='i1' type='error'><q xmlns='a:b'/>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        Tybalt: <iq to='juliet@capulet.lit/balcony' id='i2' type='get'><q xmlns='a:b'/></iq>
        Juliet gets: <iq from='tybalt@capulet.lit/hall' to='*' id='i2' type='get'><q xmlns='a:b'/></iq>
        "
    ));
}

/// XEP-0191 §5: the block list is the default list, whichever protocol changes it.
#[test]
fn one_list_is_seen_through_both_protocols() {
    perform(
        "
        Window is juliet@capulet.lit/window
        Window: <iq type='get' id='l1'><blocklist xmlns='urn:xmpp:blocking'/></iq>
        Window gets: <iq type='result' id='l1' from='*' to='*'><blocklist xmlns='urn:xmpp:blocking'/></iq>
        Juliet: <iq type='get' id='n1'><query xmlns='jabber:iq:privacy'/></iq>
        Juliet gets: <iq type='result' id='n1' from='*' to='*'><query xmlns='jabber:iq:privacy'/></iq>

        Window: <iq type='set' id='b1'><block xmlns='urn:xmpp:blocking'><item jid='a@x'/></block></iq>
        Window gets: <iq type='set' id='*' from='*' to='*'><block xmlns='urn:xmpp:blocking'><item jid='a@x'/></block></iq>
        Window gets: <iq type='result' id='b1' from='*' to='*'/>
        Juliet gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:privacy'><list name='blocking'/></query></iq>
        Juliet: <iq type='get' id='n2'><query xmlns='jabber:iq:privacy'/></iq>
        Juliet gets: <iq type='result' id='n2' from='*' to='*'><query xmlns='jabber:iq:privacy'>
            <default name='blocking'/><list name='blocking'/></query></iq>

        Juliet: <iq type='set' id='e1'><query xmlns='jabber:iq:privacy'><list name='blocking'>
            <item type='jid' value='b@x' action='deny' order='3'/>
            <item type='jid' value='c@x' action='deny' order='4'><message/></item>
            <item action='allow' order='5'/></list></query></iq>
        Juliet gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:privacy'><list name='blocking'/></query></iq>
        Juliet gets: <iq type='result' id='e1' from='*' to='*'/>
        Window gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:privacy'><list name='blocking'/></query></iq>
        Window gets: <iq type='set' id='*' from='*' to='*'><unblock xmlns='urn:xmpp:blocking'><item jid='a@x'/></unblock></iq>
        Window gets: <iq type='set' id='*' from='*' to='*'><block xmlns='urn:xmpp:blocking'><item jid='b@x'/></block></iq>
        Window: <iq type='get' id='l2'><blocklist xmlns='urn:xmpp:blocking'/></iq>
        Window gets: <iq type='result' id='l2' from='*' to='*'><blocklist xmlns='urn:xmpp:blocking'><item jid='b@x'/></blocklist></iq>

        Window: <iq type='set' id='u1'><unblock xmlns='urn:xmpp:blocking'/></iq>
        Window gets: <iq type='set' id='*' from='*' to='*'><unblock xmlns='urn:xmpp:blocking'/></iq>
        Window gets: <iq type='result' id='u1' from='*' to='*'/>
        Juliet gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:privacy'><list name='blocking'/></query></iq>
        Juliet: <iq type='get' id='g1'><query xmlns='jabber:iq:privacy'><list name='blocking'/></query></iq>
        Juliet gets: <iq type='result' id='g1' from='*' to='*'><query xmlns='jabber:iq:privacy'><list name='blocking'>
            <item type='jid' value='c@x' action='deny' order='4'><message/></item>
            <item action='allow' order='5'/></list></query></iq>
        ",
    );
}

/// An operator who wants the simple protocol alone.
#[test]
fn either_protocol_can_be_switched_off() {
    let settings = PrivacySettings {
        lists: false,
        ..PrivacySettings::default()
    };
    perform_with(
        settings,
        "
        Juliet: <iq type='get' id='n1'><query xmlns='jabber:iq:privacy'/></iq>
        Juliet gets: <iq type='error' id='n1' from='*' to='*'><query xmlns='jabber:iq:privacy'/>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        Juliet: <iq type='get' id='l1'><blocklist xmlns='urn:xmpp:blocking'/></iq>
        Juliet gets: <iq type='result' id='l1' from='*' to='*'><blocklist xmlns='urn:xmpp:blocking'/></iq>
        ",
    );
}
