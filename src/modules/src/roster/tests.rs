//! Plays of RFC 6121, sections 2 to 4, with its people.

use router::check::check;

use super::*;

fn perform(play: &str) {
    check::<Roster>(RosterSettings::default(), play);
}

/// §2.2, §2.3, §2.4, §2.5.
#[test]
fn contacts_are_added_changed_and_removed_and_those_who_asked_are_told() {
    perform(
        "
        Phone is juliet@capulet.lit/phone
        Tablet is juliet@capulet.lit/tablet
        Juliet: <iq type='get' id='g1'><query xmlns='jabber:iq:roster'/></iq>
        Juliet gets: <iq type='result' id='g1' from='juliet@capulet.lit' to='juliet@capulet.lit/balcony'><query xmlns='jabber:iq:roster'/></iq>
        Phone: <iq type='get' id='g2'><query xmlns='jabber:iq:roster'/></iq>
        Phone gets: <iq type='result' id='g2' from='juliet@capulet.lit' to='juliet@capulet.lit/phone'><query xmlns='jabber:iq:roster'/></iq>
        Juliet: <iq type='set' id='s1'><query xmlns='jabber:iq:roster'><item jid='nurse@capulet.lit' name='Nurse'><group>Servants</group></item></query></iq>
        Juliet gets:
          <iq type='set' id='*' from='juliet@capulet.lit' to='juliet@capulet.lit/balcony'>
            <query xmlns='jabber:iq:roster' ver='1'><item jid='nurse@capulet.lit' name='Nurse' subscription='none'><group>Servants</group></item></query>
          </iq>
        Juliet gets: <iq type='result' id='s1' from='juliet@capulet.lit' to='juliet@capulet.lit/balcony'/>
        Phone gets:
          <iq type='set' id='*' from='juliet@capulet.lit' to='juliet@capulet.lit/phone'>
            <query xmlns='jabber:iq:roster' ver='1'><item jid='nurse@capulet.lit' name='Nurse' subscription='none'><group>Servants</group></item></query>
          </iq>
        # A push is answered (§2.1.6), and nobody is told of it.
        Phone: <iq type='result' id='x' to='juliet@capulet.lit'/>
        Tablet gets nothing
        # The same contact in other letters is the same.
        Phone: <iq type='set' id='s2'><query xmlns='jabber:iq:roster'><item jid='NURSE@capulet.lit' name='Angelica'/></query></iq>
        Phone gets:
          <iq type='set' id='*' from='juliet@capulet.lit' to='juliet@capulet.lit/phone'>
            <query xmlns='jabber:iq:roster' ver='2'><item jid='nurse@capulet.lit' name='Angelica' subscription='none'/></query>
          </iq>
        Phone gets: <iq type='result' id='s2' from='juliet@capulet.lit' to='juliet@capulet.lit/phone'/>
        Juliet gets: <iq type='set' id='*' from='juliet@capulet.lit' to='juliet@capulet.lit/balcony'><query xmlns='jabber:iq:roster' ver='2'><**/></query></iq>
        Tablet: <iq type='get' id='g3'><query xmlns='jabber:iq:roster'/></iq>
        Tablet gets:
          <iq type='result' id='g3' from='juliet@capulet.lit' to='juliet@capulet.lit/tablet'>
            <query xmlns='jabber:iq:roster'><item jid='nurse@capulet.lit' name='Angelica' subscription='none'/></query>
          </iq>
        Tablet: <iq type='set' id='s3'><query xmlns='jabber:iq:roster'><item jid='nurse@capulet.lit' subscription='remove'/></query></iq>
        Tablet gets:
          <iq type='set' id='*' from='juliet@capulet.lit' to='juliet@capulet.lit/tablet'>
            <query xmlns='jabber:iq:roster' ver='3'><item jid='nurse@capulet.lit' subscription='remove'/></query>
          </iq>
        Tablet gets: <iq type='result' id='s3' from='juliet@capulet.lit' to='juliet@capulet.lit/tablet'/>
        Juliet gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='3'><**/></query></iq>
        Tablet: <iq type='set' id='s4'><query xmlns='jabber:iq:roster'><item jid='nurse@capulet.lit' subscription='remove'/></query></iq>
        Tablet gets: <iq type='error' id='s4' from='*' to='*'><query xmlns='jabber:iq:roster'><**/></query><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        ",
    );
}

/// §2.1.3, §2.1.5, §2.3.3.
#[test]
fn bad_sets_are_refused_and_change_nothing() {
    let long = "x".repeat(2_000);
    let cases = [
        ("<query xmlns='jabber:iq:roster'/>", "modify", "bad-request"),
        (
            "<query xmlns='jabber:iq:roster'><item jid='a@b.lit'/><item jid='c@b.lit'/></query>",
            "modify",
            "bad-request",
        ),
        (
            "<query xmlns='jabber:iq:roster'><item/></query>",
            "modify",
            "bad-request",
        ),
        (
            "<query xmlns='jabber:iq:roster'><item jid='@b.lit'/></query>",
            "modify",
            "bad-request",
        ),
        (
            "<query xmlns='jabber:iq:roster'><item jid='a@b.lit'><group>A</group><group>A</group></item></query>",
            "modify",
            "bad-request",
        ),
        (
            "<query xmlns='jabber:iq:roster'><item jid='a@b.lit'><group/></item></query>",
            "modify",
            "not-acceptable",
        ),
        (
            &format!("<query xmlns='jabber:iq:roster'><item jid='a@b.lit' name='{long}'/></query>"),
            "modify",
            "not-acceptable",
        ),
        (
            &format!(
                "<query xmlns='jabber:iq:roster'><item jid='a@b.lit'><group>{long}</group></item></query>"
            ),
            "modify",
            "not-acceptable",
        ),
        // Oneself.
        (
            "<query xmlns='jabber:iq:roster'><item jid='romeo@montague.lit'/></query>",
            "cancel",
            "not-allowed",
        ),
    ];
    let steps = cases.map(|(query, kind, condition)| {
        // What is very long is not sent back.
        let back = if query.len() > 1_000 { "" } else { query };
        format!(
            "
        Romeo: <iq type='set' id='s'>{query}</iq>
        Romeo gets:
          <iq type='error' id='s' from='romeo@montague.lit' to='romeo@montague.lit/orchard'>
            {back}
            <error type='{kind}'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </iq>"
        )
    });
    perform(&format!(
        "{}
        Romeo: <iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>
        Romeo gets: <iq type='result' id='g' from='*' to='*'><query xmlns='jabber:iq:roster'/></iq>
        Romeo: <iq type='set' id='o' to='juliet@capulet.lit'><query xmlns='jabber:iq:roster'><item jid='a@b.lit'/></query></iq>
        Romeo gets:
          <iq type='error' id='o' from='juliet@capulet.lit' to='*'>
            <query xmlns='jabber:iq:roster'><item jid='a@b.lit'/></query>
            <error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </iq>
        ",
        steps.concat()
    ));
}

#[test]
fn a_roster_has_an_end() {
    check::<Roster>(
        RosterSettings {
            max_items: 1,
            ..RosterSettings::default()
        },
        "
        Romeo: <iq type='set' id='a'><query xmlns='jabber:iq:roster'><item jid='a@b.lit'/></query></iq>
        Romeo gets: <iq type='result' id='a' from='*' to='*'/>
        Romeo: <iq type='set' id='b'><query xmlns='jabber:iq:roster'><item jid='b@b.lit'/></query></iq>
        Romeo gets:
          <iq type='error' id='b' from='*' to='*'>
            <query xmlns='jabber:iq:roster'><item jid='b@b.lit'/></query>
            <error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </iq>
        # What is there can be changed.
        Romeo: <iq type='set' id='c'><query xmlns='jabber:iq:roster'><item jid='a@b.lit' name='A'/></query></iq>
        Romeo gets: <iq type='result' id='c' from='*' to='*'/>
        Romeo: <presence type='subscribe' to='juliet@capulet.lit'/>
        Romeo gets:
          <presence type='error' from='juliet@capulet.lit' to='*'>
            <error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </presence>
        # What adds nobody is not refused, whoever says it.
        Romeo: <presence type='unsubscribe' to='juliet@capulet.lit'/>
        Romeo gets nothing
        Juliet: <presence type='unsubscribe' to='romeo@montague.lit'/>
        Juliet gets nothing
        ",
    );
}

#[test]
fn a_roster_does_not_grow_without_end_by_names_and_groups() {
    let name = "x".repeat(1_000);
    check::<Roster>(
        RosterSettings {
            max_size: Size::kib(2),
            ..RosterSettings::default()
        },
        &format!(
            "
        Romeo: <iq type='set' id='a'><query xmlns='jabber:iq:roster'><item jid='a@b.lit' name='{name}'/></query></iq>
        Romeo gets: <iq type='result' id='a' from='*' to='*'/>
        Romeo: <iq type='set' id='b'><query xmlns='jabber:iq:roster'><item jid='b@b.lit' name='{name}'/></query></iq>
        Romeo gets: <iq type='error' id='b' from='*' to='*'><error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        Romeo: <iq type='set' id='c'><query xmlns='jabber:iq:roster'><item jid='a@b.lit' name='A'/></query></iq>
        Romeo gets: <iq type='result' id='c' from='*' to='*'/>
        Romeo: <iq type='set' id='d'><query xmlns='jabber:iq:roster'><item jid='b@b.lit' name='{name}'/></query></iq>
        Romeo gets: <iq type='result' id='d' from='*' to='*'/>
        "
        ),
    );
}

/// §2.6.
#[test]
fn who_knows_a_version_is_told_what_has_changed_since() {
    perform(
        "
        Romeo: <iq type='get' id='g0'><query xmlns='jabber:iq:roster' ver=''/></iq>
        Romeo gets: <iq type='result' id='g0' from='*' to='*'><query xmlns='jabber:iq:roster' ver='0'/></iq>
        Romeo: <iq type='set' id='a'><query xmlns='jabber:iq:roster'><item jid='a@b.lit'/></query></iq>
        Romeo gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='1'><**/></query></iq>
        Romeo gets: <iq type='result' id='a' from='*' to='*'/>
        Romeo: <iq type='set' id='b'><query xmlns='jabber:iq:roster'><item jid='b@b.lit'/></query></iq>
        Romeo gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='2'><**/></query></iq>
        Romeo gets: <iq type='result' id='b' from='*' to='*'/>
        Romeo: <iq type='set' id='c'><query xmlns='jabber:iq:roster'><item jid='a@b.lit' subscription='remove'/></query></iq>
        Romeo gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='3'><**/></query></iq>
        Romeo gets: <iq type='result' id='c' from='*' to='*'/>
        Romeo closes
        # All of it is loaded again.
        T: 60s
        Again is romeo@montague.lit/garden
        Again: <iq type='get' id='g1'><query xmlns='jabber:iq:roster' ver='1'/></iq>
        Again gets: <iq type='result' id='g1' from='*' to='*'/>
        Again gets: <iq type='set' id='*' from='romeo@montague.lit' to='romeo@montague.lit/garden'><query xmlns='jabber:iq:roster' ver='2'><item jid='b@b.lit' subscription='none'/></query></iq>
        Again gets: <iq type='set' id='*' from='romeo@montague.lit' to='romeo@montague.lit/garden'><query xmlns='jabber:iq:roster' ver='3'><item jid='a@b.lit' subscription='remove'/></query></iq>
        Again: <iq type='get' id='g2'><query xmlns='jabber:iq:roster' ver='3'/></iq>
        Again gets: <iq type='result' id='g2' from='*' to='*'/>
        Again: <iq type='get' id='g3'><query xmlns='jabber:iq:roster' ver='of another server'/></iq>
        Again gets: <iq type='result' id='g3' from='*' to='*'><query xmlns='jabber:iq:roster' ver='3'><item jid='b@b.lit' subscription='none'/></query></iq>
        Again: <iq type='get' id='g4'><query xmlns='jabber:iq:roster'/></iq>
        Again gets: <iq type='result' id='g4' from='*' to='*'><query xmlns='jabber:iq:roster'><item jid='b@b.lit' subscription='none'/></query></iq>
        ",
    );
}

/// What was removed is remembered for a while; who has missed more gets the whole.
#[test]
fn old_versions_are_answered_with_the_whole_roster() {
    let mut play = String::new();
    for n in 0..70 {
        play.push_str(&format!(
            "
        Romeo: <iq type='set' id='a{n}'><query xmlns='jabber:iq:roster'><item jid='a{n}@b.lit'/></query></iq>
        Romeo gets: <iq type='result' id='a{n}' from='*' to='*'/>
        Romeo: <iq type='set' id='r{n}'><query xmlns='jabber:iq:roster'><item jid='a{n}@b.lit' subscription='remove'/></query></iq>
        Romeo gets: <iq type='result' id='r{n}' from='*' to='*'/>"
        ));
    }
    play.push_str(
        "
        Romeo closes
        T: 60s
        Again is romeo@montague.lit/garden
        Again: <iq type='get' id='g1'><query xmlns='jabber:iq:roster' ver='3'/></iq>
        Again gets: <iq type='result' id='g1' from='*' to='*'><query xmlns='jabber:iq:roster' ver='140'/></iq>
        Again: <iq type='get' id='g2'><query xmlns='jabber:iq:roster' ver='139'/></iq>
        Again gets: <iq type='result' id='g2' from='*' to='*'/>
        Again gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='140'><item jid='a69@b.lit' subscription='remove'/></query></iq>
        Again gets nothing
        ",
    );
    perform(&play);
}

/// §3.1, §4.2, §4.3, §4.5.
#[test]
fn a_subscription_is_asked_for_and_granted_and_presence_flows() {
    perform(
        "
        Romeo: <iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>
        Romeo gets: <iq type='result' id='g' from='*' to='*'><query xmlns='jabber:iq:roster'/></iq>
        Romeo: <presence/>
        Romeo gets: <presence from='romeo@montague.lit/orchard' to='romeo@montague.lit'/>
        Juliet: <iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>
        Juliet gets: <iq type='result' id='g' from='*' to='*'><query xmlns='jabber:iq:roster'/></iq>
        Juliet: <presence><show>away</show></presence>
        Juliet gets: <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'><show>away</show></presence>
        Romeo: <presence type='subscribe' id='q' to='juliet@capulet.lit/any'><status>It is the east</status></presence>
        Romeo gets: <iq type='set' id='*' from='romeo@montague.lit' to='romeo@montague.lit/orchard'><query xmlns='jabber:iq:roster' ver='1'><item jid='juliet@capulet.lit' subscription='none' ask='subscribe'/></query></iq>
        Juliet gets: <presence type='subscribe' id='q' from='romeo@montague.lit' to='juliet@capulet.lit'><status>It is the east</status></presence>
        # §3.1.4: nothing is in her roster before she answers, and she is not asked twice.
        Romeo: <presence type='subscribe' to='juliet@capulet.lit'/>
        Juliet gets nothing
        Juliet: <presence type='subscribed' to='romeo@montague.lit'/>
        Juliet gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='1'><item jid='romeo@montague.lit' subscription='from'/></query></iq>
        Romeo gets: <presence type='subscribed' from='juliet@capulet.lit' to='romeo@montague.lit'/>
        Romeo gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='2'><item jid='juliet@capulet.lit' subscription='to'/></query></iq>
        Romeo gets: <presence from='juliet@capulet.lit/balcony' to='romeo@montague.lit'><show>away</show></presence>
        # The other way round.
        Juliet: <presence type='subscribe' to='romeo@montague.lit'/>
        Juliet gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='2'><item jid='romeo@montague.lit' subscription='from' ask='subscribe'/></query></iq>
        Romeo gets: <presence type='subscribe' from='juliet@capulet.lit' to='romeo@montague.lit'/>
        Romeo: <presence type='subscribed' to='juliet@capulet.lit'/>
        Romeo gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='3'><item jid='juliet@capulet.lit' subscription='both'/></query></iq>
        Juliet gets: <presence type='subscribed' from='romeo@montague.lit' to='juliet@capulet.lit'/>
        Juliet gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='3'><item jid='romeo@montague.lit' subscription='both'/></query></iq>
        Juliet gets: <presence from='romeo@montague.lit/orchard' to='juliet@capulet.lit'/>
        # §4.4 and §4.5: changes, and the end.
        Juliet: <presence><show>dnd</show></presence>
        Juliet gets: <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'><show>dnd</show></presence>
        Romeo gets: <presence from='juliet@capulet.lit/balcony' to='romeo@montague.lit'><show>dnd</show></presence>
        Juliet crashes
        Romeo gets: <presence type='unavailable' from='juliet@capulet.lit/balcony' to='romeo@montague.lit'/>
        # §4.3: who comes sees who is there.
        Tablet is juliet@capulet.lit/tablet
        Tablet: <presence/>
        Tablet gets all of:
          <presence from='juliet@capulet.lit/tablet' to='juliet@capulet.lit'/>
          <presence from='romeo@montague.lit/orchard' to='juliet@capulet.lit/tablet'/>
        Romeo gets: <presence from='juliet@capulet.lit/tablet' to='romeo@montague.lit'/>
        Tablet is cut off
        Romeo gets: <presence type='unavailable' from='juliet@capulet.lit/tablet' to='romeo@montague.lit'/>
        ",
    );
}

/// §3.1.3: a request for somebody who is away waits, as it is, over restarts of the account.
#[test]
fn a_request_is_shown_at_each_login_until_it_is_answered() {
    perform(
        "
        Romeo: <iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>
        Romeo gets: <iq type='result' id='g' from='*' to='*'><query xmlns='jabber:iq:roster'/></iq>
        Romeo: <presence type='subscribe' to='juliet@capulet.lit'><status>Soft!</status></presence>
        Romeo gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='1'><item jid='juliet@capulet.lit' subscription='none' ask='subscribe'/></query></iq>
        T: 60s
        Juliet: <presence/>
        Juliet gets all of:
          <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'/>
          <presence type='subscribe' from='romeo@montague.lit' to='juliet@capulet.lit'><status>Soft!</status></presence>
        Juliet: <iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>
        Juliet gets: <iq type='result' id='g' from='*' to='*'><query xmlns='jabber:iq:roster'/></iq>
        Juliet closes
        T: 60s
        Phone is juliet@capulet.lit/phone
        Phone: <presence/>
        Phone gets all of:
          <presence from='juliet@capulet.lit/phone' to='juliet@capulet.lit'/>
          <presence type='subscribe' from='romeo@montague.lit' to='juliet@capulet.lit'><status>Soft!</status></presence>
        Phone: <presence type='unsubscribed' to='romeo@montague.lit'/>
        Romeo gets: <presence type='unsubscribed' from='juliet@capulet.lit' to='romeo@montague.lit'/>
        Romeo gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='2'><item jid='juliet@capulet.lit' subscription='none'/></query></iq>
        Phone closes
        T: 60s
        Again is juliet@capulet.lit/again
        Again: <presence/>
        Again gets: <presence from='juliet@capulet.lit/again' to='juliet@capulet.lit'/>
        Again gets nothing
        ",
    );
}

/// §3.2 and §3.3, and §2.5: who takes back what was granted is no longer seen.
#[test]
fn subscriptions_end_and_with_them_presence() {
    let befriended = "
        Romeo: <iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>
        Romeo gets: <iq type='result' id='g' from='*' to='*'><query xmlns='jabber:iq:roster'/></iq>
        Romeo: <presence/>
        Romeo gets: <presence from='romeo@montague.lit/orchard' to='romeo@montague.lit'/>
        Juliet: <iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>
        Juliet gets: <iq type='result' id='g' from='*' to='*'><query xmlns='jabber:iq:roster'/></iq>
        Juliet: <presence/>
        Juliet gets: <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'/>
        Romeo: <presence type='subscribe' to='juliet@capulet.lit'/>
        Juliet: <presence type='subscribed' to='romeo@montague.lit'/>
        Juliet: <presence type='subscribe' to='romeo@montague.lit'/>
        Romeo: <presence type='subscribed' to='juliet@capulet.lit'/>
        Romeo gets all of:
          <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='1'><**/></query></iq>
          <presence type='subscribed' from='juliet@capulet.lit' to='*'/>
          <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='2'><**/></query></iq>
          <presence from='juliet@capulet.lit/balcony' to='*'/>
          <presence type='subscribe' from='juliet@capulet.lit' to='*'/>
          <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='3'><**/></query></iq>
        Juliet gets all of:
          <presence type='subscribe' from='romeo@montague.lit' to='*'/>
          <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='1'><**/></query></iq>
          <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='2'><**/></query></iq>
          <presence type='subscribed' from='romeo@montague.lit' to='*'/>
          <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='3'><**/></query></iq>
          <presence from='romeo@montague.lit/orchard' to='*'/>";
    // §3.2: Juliet takes it back.
    perform(&format!(
        "{befriended}
        Juliet: <presence type='unsubscribed' to='romeo@montague.lit'/>
        Juliet gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='4'><item jid='romeo@montague.lit' subscription='to'/></query></iq>
        Romeo gets: <presence type='unsubscribed' from='juliet@capulet.lit' to='romeo@montague.lit'/>
        Romeo gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='4'><item jid='juliet@capulet.lit' subscription='from'/></query></iq>
        Romeo gets: <presence type='unavailable' from='juliet@capulet.lit/balcony' to='romeo@montague.lit'/>
        Juliet: <presence><show>xa</show></presence>
        Romeo gets nothing
        "
    ));
    // §3.3: Romeo no longer wants it.
    perform(&format!(
        "{befriended}
        Romeo: <presence type='unsubscribe' to='juliet@capulet.lit'/>
        Romeo gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='4'><item jid='juliet@capulet.lit' subscription='from'/></query></iq>
        Juliet gets: <presence type='unsubscribe' from='romeo@montague.lit' to='juliet@capulet.lit'/>
        Juliet gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='4'><item jid='romeo@montague.lit' subscription='to'/></query></iq>
        Romeo gets: <presence type='unavailable' from='juliet@capulet.lit/balcony' to='romeo@montague.lit'/>
        Romeo gets nothing
        "
    ));
    // §2.5: Romeo removes her.
    perform(&format!(
        "{befriended}
        Romeo: <iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='juliet@capulet.lit' subscription='remove'/></query></iq>
        Romeo gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='4'><item jid='juliet@capulet.lit' subscription='remove'/></query></iq>
        Romeo gets: <presence type='unavailable' from='juliet@capulet.lit/balcony' to='romeo@montague.lit'/>
        Romeo gets: <iq type='result' id='r' from='*' to='*'/>
        Juliet gets: <presence type='unsubscribe' from='romeo@montague.lit' to='juliet@capulet.lit'/>
        Juliet gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='4'><item jid='romeo@montague.lit' subscription='to'/></query></iq>
        Juliet gets: <presence type='unsubscribed' from='romeo@montague.lit' to='juliet@capulet.lit'/>
        Juliet gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='5'><item jid='romeo@montague.lit' subscription='none'/></query></iq>
        Juliet gets: <presence type='unavailable' from='romeo@montague.lit/orchard' to='juliet@capulet.lit'/>
        "
    ));
}

/// §3.4.
#[test]
fn a_subscription_is_approved_before_it_is_asked_for() {
    perform(
        "
        Juliet: <iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>
        Juliet gets: <iq type='result' id='g' from='*' to='*'><query xmlns='jabber:iq:roster'/></iq>
        Juliet: <presence type='subscribed' to='romeo@montague.lit'/>
        Juliet gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='1'><item jid='romeo@montague.lit' subscription='none' approved='true'/></query></iq>
        Juliet: <presence/>
        Juliet gets: <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'/>
        Romeo: <iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>
        Romeo gets: <iq type='result' id='g' from='*' to='*'><query xmlns='jabber:iq:roster'/></iq>
        Romeo: <presence/>
        Romeo gets: <presence from='romeo@montague.lit/orchard' to='romeo@montague.lit'/>
        Romeo: <presence type='subscribe' to='juliet@capulet.lit'/>
        Romeo gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='1'><**/></query></iq>
        Romeo gets: <presence type='subscribed' from='juliet@capulet.lit' to='romeo@montague.lit'/>
        Romeo gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='2'><item jid='juliet@capulet.lit' subscription='to'/></query></iq>
        Romeo gets: <presence from='juliet@capulet.lit/balcony' to='romeo@montague.lit'/>
        # She is told that he sees her, not that he asked.
        Juliet gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='2'><item jid='romeo@montague.lit' subscription='from'/></query></iq>
        Juliet gets nothing
        # §3.4.2: taken back before it was used, it does not hold.
        Juliet: <presence type='subscribed' to='nurse@capulet.lit'/>
        Juliet gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='3'><item jid='nurse@capulet.lit' subscription='none' approved='true'/></query></iq>
        Juliet: <presence type='unsubscribed' to='nurse@capulet.lit'/>
        Juliet gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='4'><item jid='nurse@capulet.lit' subscription='none'/></query></iq>
        Nurse is nurse@capulet.lit/kitchen
        Nurse: <presence type='subscribe' to='juliet@capulet.lit'/>
        Juliet gets: <presence type='subscribe' from='nurse@capulet.lit' to='juliet@capulet.lit'/>
        ",
    );
}

/// Nobody learns anything without a subscription; odd addresses (§3.1.2, §8.5).
#[test]
fn nothing_is_told_to_those_who_may_not_know() {
    perform(
        "
        Juliet: <presence/>
        Juliet gets: <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'/>
        # A client must not probe (§4.3); nothing comes of it.
        Romeo: <presence type='probe' to='juliet@capulet.lit'/>
        Romeo gets nothing
        # To oneself.
        Romeo: <presence type='subscribe' to='romeo@montague.lit'/>
        Romeo gets nothing
        # A bare domain may be a contact.
        Romeo: <iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>
        Romeo gets: <iq type='result' id='g' from='*' to='*'><query xmlns='jabber:iq:roster'/></iq>
        Romeo: <presence type='subscribe' to='capulet.lit'/>
        Romeo gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='1'><item jid='capulet.lit' subscription='none' ask='subscribe'/></query></iq>
        # Presence to nobody in particular and to a resource that is not there.
        Romeo: <presence to='juliet@capulet.lit/gone'/>
        Romeo gets nothing
        Juliet gets nothing
        # What was never asked for is not granted (§3.1.6).
        Romeo: <presence type='subscribed' to='juliet@capulet.lit'/>
        Juliet gets nothing
        ",
    );
}

/// Presence effects do not double: who had directed presence and is a contact is told once.
#[test]
fn a_contact_with_directed_presence_is_told_once_that_somebody_leaves() {
    perform(
        "
        Juliet: <presence type='subscribed' to='romeo@montague.lit'/>
        Romeo: <presence type='subscribe' to='juliet@capulet.lit'/>
        Romeo: <presence/>
        Romeo gets: <presence from='romeo@montague.lit/orchard' to='romeo@montague.lit'/>
        Juliet: <presence/>
        Juliet gets: <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'/>
        Romeo gets: <presence from='juliet@capulet.lit/balcony' to='romeo@montague.lit'/>
        Juliet: <presence to='romeo@montague.lit'><show>chat</show></presence>
        Romeo gets: <presence from='juliet@capulet.lit/balcony' to='romeo@montague.lit'><show>chat</show></presence>
        Juliet closes
        Romeo gets: <presence type='unavailable' from='juliet@capulet.lit/balcony' to='romeo@montague.lit'/>
        Romeo gets nothing
        ",
    );
}
