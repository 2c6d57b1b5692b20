//! Presence when lists change: XEP-0191 §3.3 and §3.4, XEP-0016 §2.10 and §2.11.

use super::*;

/// Everybody is there and knows it.
const THERE: &str = "
        Romeo: <presence/>
        Romeo gets: <presence from='romeo@montague.lit/orchard' to='*'/>
        Nurse: <presence/>
        Nurse gets: <presence from='nurse@capulet.lit/kitchen' to='*'/>
        Tybalt: <presence/>
        Tybalt gets: <presence from='tybalt@capulet.lit/hall' to='*'/>
        Juliet: <presence><status>here</status></presence>
        Juliet gets: <presence from='juliet@capulet.lit/balcony' to='*'><status>here</status></presence>
        Juliet gets: <presence from='romeo@montague.lit/orchard' to='*'/>
        Romeo gets: <presence from='juliet@capulet.lit/balcony' to='*'><status>here</status></presence>
        Nurse gets: <presence from='juliet@capulet.lit/balcony' to='*'><status>here</status></presence>
";

fn there(play: &str) {
    perform(&format!("{FRIENDS}{THERE}{play}"));
}

/// Only contacts that see each other learn of it.
#[test]
fn who_is_blocked_sees_the_user_leave_and_come_back() {
    there(
        "
        Juliet: <iq type='set' id='b1'><block xmlns='urn:xmpp:blocking'>
            <item jid='romeo@montague.lit'/><item jid='nurse@capulet.lit'/><item jid='tybalt@capulet.lit'/></block></iq>
        Romeo gets: <presence from='juliet@capulet.lit/balcony' to='romeo@montague.lit' type='unavailable'/>
        Nurse gets: <presence from='juliet@capulet.lit/balcony' to='nurse@capulet.lit' type='unavailable'/>
        Tybalt gets nothing
        Juliet gets: <presence from='romeo@montague.lit/orchard' to='juliet@capulet.lit/balcony' type='unavailable'/>
        Juliet gets: <iq type='result' id='b1' from='*' to='*'/>
        Juliet gets nothing

        Juliet: <iq type='set' id='u1'><unblock xmlns='urn:xmpp:blocking'/></iq>
        Juliet gets: <presence from='romeo@montague.lit/orchard' to='juliet@capulet.lit/balcony'/>
        Juliet gets: <iq type='result' id='u1' from='*' to='*'/>
        Romeo gets: <presence from='juliet@capulet.lit/balcony' to='romeo@montague.lit'><status>here</status></presence>
        Nurse gets: <presence from='juliet@capulet.lit/balcony' to='nurse@capulet.lit'><status>here</status></presence>
        Tybalt gets nothing
        Juliet gets nothing
        ",
    );
}

#[test]
fn a_domain_takes_all_its_contacts_along() {
    there(
        "
        Juliet: <iq type='set' id='b1'><block xmlns='urn:xmpp:blocking'><item jid='montague.lit'/></block></iq>
        Romeo gets: <presence from='juliet@capulet.lit/balcony' to='romeo@montague.lit' type='unavailable'/>
        Nurse gets nothing
        ",
    );
}

/// A resource of a contact by its own address.
#[test]
fn a_blocked_resource_sees_the_user_leave() {
    there(
        "
        Study is romeo@montague.lit/study
        Study: <presence/>
        Study gets: <presence from='romeo@montague.lit/study' to='*'/>
        Study gets: <presence from='romeo@montague.lit/orchard' to='*'/>
        Romeo gets: <presence from='romeo@montague.lit/study' to='*'/>
        Study gets: <presence from='juliet@capulet.lit/balcony' to='*'><status>here</status></presence>
        Juliet gets: <presence from='romeo@montague.lit/study' to='*'/>
        Juliet: <iq type='set' id='b1'><block xmlns='urn:xmpp:blocking'><item jid='romeo@montague.lit/orchard'/></block></iq>
        Romeo gets: <presence from='juliet@capulet.lit/balcony' to='romeo@montague.lit/orchard' type='unavailable'/>
        Study gets nothing
        Juliet gets: <presence from='romeo@montague.lit/orchard' to='*' type='unavailable'/>
        Juliet gets: <iq type='result' id='b1' from='*' to='*'/>
        Juliet gets nothing
        ",
    );
}

/// Whoever was sent presence in particular is owed its end, contact or not.
#[test]
fn directed_presence_is_taken_back() {
    there(
        "
        Juliet: <presence to='tybalt@capulet.lit/hall'/>
        Tybalt gets: <presence from='juliet@capulet.lit/balcony' to='tybalt@capulet.lit/hall'/>
        Juliet: <iq type='set' id='b1'><block xmlns='urn:xmpp:blocking'><item jid='tybalt@capulet.lit'/></block></iq>
        Tybalt gets: <presence from='juliet@capulet.lit/balcony' to='tybalt@capulet.lit/hall' type='unavailable'/>
        Juliet gets: <iq type='result' id='b1' from='*' to='*'/>
        Juliet: <iq type='set' id='u1'><unblock xmlns='urn:xmpp:blocking'/></iq>
        Juliet gets: <iq type='result' id='u1' from='*' to='*'/>
        Tybalt gets nothing
        ",
    );
}

#[test]
fn a_session_without_presence_has_none_to_take_back() {
    perform(
        "
        Romeo: <presence/>
        Romeo gets: <presence from='romeo@montague.lit/orchard' to='*'/>
        Juliet: <iq type='set' id='b1'><block xmlns='urn:xmpp:blocking'><item jid='romeo@montague.lit'/></block></iq>
        Juliet gets: <iq type='result' id='b1' from='*' to='*'/>
        Romeo gets nothing
        Juliet: <iq type='set' id='u1'><unblock xmlns='urn:xmpp:blocking'/></iq>
        Juliet gets: <iq type='result' id='u1' from='*' to='*'/>
        Romeo gets nothing
        Juliet gets nothing
        ",
    );
}

/// XEP-0016 §2.10 and §2.11: one direction at a time, for the session whose list is active.
#[test]
fn lists_hide_either_direction_of_presence() {
    there(
        "
        Window is juliet@capulet.lit/window
        Window: <presence/>
        Window gets: <presence from='juliet@capulet.lit/window' to='*'/>
        Window gets: <presence from='juliet@capulet.lit/balcony' to='*'><status>here</status></presence>
        Juliet gets: <presence from='juliet@capulet.lit/window' to='*'/>
        Window gets: <presence from='romeo@montague.lit/orchard' to='*'/>
        Romeo gets: <presence from='juliet@capulet.lit/window' to='*'/>
        Nurse gets: <presence from='juliet@capulet.lit/window' to='*'/>
        Window: <iq type='set' id='e1'><query xmlns='jabber:iq:privacy'><list name='out'>
            <item type='group' value='Lovers' action='deny' order='1'><presence-out/></item></list></query></iq>
        Window gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:privacy'><list name='out'/></query></iq>
        Window gets: <iq type='result' id='e1' from='*' to='*'/>
        Juliet gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:privacy'><list name='out'/></query></iq>
        Window: <iq type='set' id='a1'><query xmlns='jabber:iq:privacy'><active name='out'/></query></iq>
        Window gets: <iq type='result' id='a1' from='*' to='*'/>
        Romeo gets: <presence from='juliet@capulet.lit/window' to='romeo@montague.lit' type='unavailable'/>
        Nurse gets nothing

        Window: <iq type='set' id='e2'><query xmlns='jabber:iq:privacy'><list name='out'>
            <item type='subscription' value='both' action='deny' order='1'><presence-in/></item></list></query></iq>
        Window gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:privacy'><list name='out'/></query></iq>
        Romeo gets: <presence from='juliet@capulet.lit/window' to='romeo@montague.lit'/>
        Window gets: <presence from='romeo@montague.lit/orchard' to='juliet@capulet.lit/window' type='unavailable'/>
        Window gets: <iq type='result' id='e2' from='*' to='*'/>
        Juliet gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:privacy'><list name='out'/></query></iq>
        Juliet gets nothing

        Romeo: <presence><status>hist</status></presence>
        Juliet gets: <presence from='romeo@montague.lit/orchard' to='*'><status>hist</status></presence>
        Window gets nothing
        ",
    );
}

/// Who comes while he is blocked, and who leaves.
#[test]
fn presence_passes_by_who_is_blocked() {
    perform(&format!(
        "{FRIENDS}
        Romeo: <presence/>
        Romeo gets: <presence from='romeo@montague.lit/orchard' to='*'/>
        Juliet: <iq type='set' id='b1'><block xmlns='urn:xmpp:blocking'><item jid='romeo@montague.lit'/></block></iq>
        Juliet gets: <iq type='result' id='b1' from='*' to='*'/>
        Juliet: <presence/>
        Juliet gets: <presence from='juliet@capulet.lit/balcony' to='*'/>
        Romeo: <presence><show>away</show></presence>
        Romeo gets: <presence from='romeo@montague.lit/orchard' to='*'><show>away</show></presence>
        Juliet gets nothing
        Romeo gets nothing
        Juliet: <iq type='set' id='u1'><unblock xmlns='urn:xmpp:blocking'/></iq>
        Juliet gets: <presence from='romeo@montague.lit/orchard' to='juliet@capulet.lit/balcony'><show>away</show></presence>
        Juliet gets: <iq type='result' id='u1' from='*' to='*'/>
        Romeo gets: <presence from='juliet@capulet.lit/balcony' to='romeo@montague.lit'/>
        "
    ));
}

/// XEP-0016 §2.2, rule 4: before subscriptions are handled. What a blocked contact says of them
/// changes nothing.
#[test]
fn subscriptions_of_who_is_blocked_are_not_heard() {
    there(
        "
        Juliet: <iq type='get' id='r1'><query xmlns='jabber:iq:roster'/></iq>
        Juliet gets: <iq type='result' id='r1' from='*' to='*'><query xmlns='jabber:iq:roster'><**/></query></iq>
        Juliet: <iq type='set' id='b1'><block xmlns='urn:xmpp:blocking'><item jid='romeo@montague.lit'/><item jid='tybalt@capulet.lit'/></block></iq>
        Juliet gets: <presence from='romeo@montague.lit/orchard' to='*' type='unavailable'/>
        Juliet gets: <iq type='result' id='b1' from='*' to='*'/>
        Romeo gets: <presence from='juliet@capulet.lit/balcony' to='*' type='unavailable'/>
        Romeo: <presence to='juliet@capulet.lit' type='unsubscribed'/>
        Tybalt: <presence to='juliet@capulet.lit' type='subscribe'/>
        Juliet gets nothing
        Juliet: <presence to='romeo@montague.lit' type='unsubscribe' id='s1'/>
        Juliet gets: <presence from='romeo@montague.lit' to='*' type='error' id='s1'>
            <error type='cancel'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
              <blocked xmlns='urn:xmpp:blocking:errors'/></error></presence>
        Juliet gets nothing
        Tybalt gets nothing
        ",
    );
}
