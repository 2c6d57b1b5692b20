//! Plays of XEP-0012.

use router::check::{Stage, check};

use super::{Last, LastSettings};
use crate::roster::{Roster, RosterSettings};

fn play(play: &str) {
    check::<Last>(LastSettings::default(), play);
}

/// With rosters, and Romeo subscribed to Juliet's presence.
fn contacts(play: &str) {
    let all = |stage: Stage| {
        stage
            .with::<Roster>(RosterSettings::default())
            .with::<Last>(LastSettings::default())
    };
    let subscribed = "
Romeo: <presence type='subscribe' to='juliet@capulet.lit'/>
Romeo gets nothing
Juliet: <presence type='subscribed' to='romeo@montague.lit'/>
Juliet gets nothing
";
    Stage::perform(all, &(subscribed.to_owned() + &unindented(play)));
}

fn unindented(play: &str) -> String {
    play.lines()
        .map(|line| line.strip_prefix("        ").unwrap_or(line))
        .fold(String::new(), |all, line| all + line + "\n")
}

/// XEP-0012 §3, examples 3 and 6.
#[test]
fn a_contact_learns_how_long_somebody_has_been_away() {
    contacts(
        "
        Juliet: <presence/>
        Juliet gets: <presence *><**/></presence>
        Romeo: <iq type='get' id='last0' to='juliet@capulet.lit'><query xmlns='jabber:iq:last'/></iq>
        Romeo gets: <iq type='result' id='last0' from='juliet@capulet.lit' to='romeo@montague.lit/orchard'><query xmlns='jabber:iq:last' seconds='0'/></iq>
        Juliet: <presence type='unavailable'><status>Heading Home</status></presence>
        Juliet gets: <presence *><**/></presence>
        # Connected is not away.
        T: 60s
        Romeo: <iq type='get' id='last0' to='juliet@capulet.lit'><query xmlns='jabber:iq:last'/></iq>
        Romeo gets: <iq type='result' id='last0' from='juliet@capulet.lit' to='romeo@montague.lit/orchard'><query xmlns='jabber:iq:last' seconds='0'/></iq>
        Juliet closes
        T: 903s
        Romeo: <iq type='get' id='last1' to='juliet@capulet.lit'><query xmlns='jabber:iq:last'/></iq>
        Romeo gets: <iq type='result' id='last1' from='juliet@capulet.lit' to='romeo@montague.lit/orchard'><query xmlns='jabber:iq:last' seconds='903'>Heading Home</query></iq>
        # Who may know it of her tells nothing of himself by that.
        Juliet: <iq type='get' id='last2' to='romeo@montague.lit'><query xmlns='jabber:iq:last'/></iq>
        Juliet gets:
          <iq type='error' id='last2' from='romeo@montague.lit' to='juliet@capulet.lit/balcony'>
            <query xmlns='jabber:iq:last'/>
            <error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </iq>
        ",
    );
}

/// An old farewell does not stand for a later one, and the last session counts.
#[test]
fn who_is_cut_off_says_nothing() {
    contacts(
        "
        Phone is juliet@capulet.lit/phone
        Juliet: <presence/>
        Juliet gets: <presence *><**/></presence>
        Juliet: <presence type='unavailable'><status>Heading Home</status></presence>
        Juliet gets: <presence *><**/></presence>
        Juliet: <presence/>
        Juliet gets: <presence *><**/></presence>
        Juliet is cut off
        T: 100s
        Romeo: <iq type='get' id='l' to='juliet@capulet.lit'><query xmlns='jabber:iq:last'/></iq>
        Romeo gets: <iq type='result' id='l' from='juliet@capulet.lit' to='*'><query xmlns='jabber:iq:last' seconds='0'/></iq>
        Phone is cut off
        T: 100s
        Romeo: <iq type='get' id='l' to='juliet@capulet.lit'><query xmlns='jabber:iq:last'/></iq>
        Romeo gets: <iq type='result' id='l' from='juliet@capulet.lit' to='*'><query xmlns='jabber:iq:last' seconds='100'/></iq>
        ",
    );
}

/// XEP-0012 §4: a contact may ask the client, and gets what RFC 6121 says when it is not there.
#[test]
fn a_contact_asks_a_client() {
    contacts(
        "
        Romeo: <iq type='get' id='l1' to='juliet@capulet.lit/balcony'><query xmlns='jabber:iq:last'/></iq>
        Juliet gets: <iq type='get' id='l1' from='romeo@montague.lit/orchard' to='juliet@capulet.lit/balcony'><query xmlns='jabber:iq:last'/></iq>
        Romeo: <iq type='get' id='l2' to='juliet@capulet.lit/tomb'><query xmlns='jabber:iq:last'/></iq>
        Romeo gets:
          <iq type='error' id='l2' from='juliet@capulet.lit/tomb' to='romeo@montague.lit/orchard'>
            <query xmlns='jabber:iq:last'/>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </iq>
        ",
    );
}

/// XEP-0012 §5, examples 12 and 13.
#[test]
fn a_server_tells_how_long_it_has_been_running() {
    play(
        "
        T: 123456s
        Romeo: <iq type='get' id='last3' to='capulet.lit'><query xmlns='jabber:iq:last'/></iq>
        Romeo gets: <iq type='result' id='last3' from='capulet.lit' to='romeo@montague.lit/orchard'><query xmlns='jabber:iq:last' seconds='123456'/></iq>
        Romeo: <iq type='set' id='s' to='capulet.lit'><query xmlns='jabber:iq:last' seconds='1'/></iq>
        Romeo gets:
          <iq type='error' id='s' from='capulet.lit' to='*'>
            <query xmlns='jabber:iq:last' seconds='1'/>
            <error type='cancel'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </iq>
        ",
    );
}

/// XEP-0012 §3: who is here has been away for no time.
#[test]
fn an_account_that_is_here_is_not_away() {
    play(
        "
        Romeo connects
        T: 60s
        Romeo: <iq type='get' id='l'><query xmlns='jabber:iq:last'/></iq>
        Romeo gets: <iq type='result' id='l' from='romeo@montague.lit' to='*'><query xmlns='jabber:iq:last' seconds='0'/></iq>
        Romeo: <iq type='set' id='s'><query xmlns='jabber:iq:last' seconds='1'/></iq>
        Romeo gets:
          <iq type='error' id='s' from='romeo@montague.lit' to='*'>
            <query xmlns='jabber:iq:last' seconds='1'/>
            <error type='cancel'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </iq>
        ",
    );
}

/// XEP-0012 §3 and §4, examples 5 and 9: nothing is told to strangers, whether there is somebody or
/// not.
#[test]
fn strangers_are_told_nothing() {
    let mut all = String::from("Juliet: <presence/>\nJuliet gets: <presence *><**/></presence>\n");
    for to in [
        "juliet@capulet.lit",
        "juliet@capulet.lit/balcony",
        "juliet@capulet.lit/tomb",
        "nurse@capulet.lit",
    ] {
        all += &format!(
            "Romeo: <iq type='get' id='l' to='{to}'><query xmlns='jabber:iq:last'/></iq>
Romeo gets:
  <iq type='error' id='l' from='{to}' to='romeo@montague.lit/orchard'>
    <query xmlns='jabber:iq:last'/>
    <error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
  </iq>
"
        );
    }
    play(&(all + "Juliet gets nothing\n"));
}

/// XEP-0012 §4: to a session of one's own.
#[test]
fn a_query_to_a_session_is_for_its_client() {
    play(
        "
        Phone is romeo@montague.lit/phone
        Romeo: <iq type='get' id='l' to='romeo@montague.lit/phone'><query xmlns='jabber:iq:last'/></iq>
        Phone gets: <iq type='get' id='l' from='romeo@montague.lit/orchard' to='romeo@montague.lit/phone'><query xmlns='jabber:iq:last'/></iq>
        Phone: <iq type='result' id='l' to='romeo@montague.lit/orchard'><query xmlns='jabber:iq:last' seconds='123'/></iq>
        Romeo gets: <iq type='result' id='l' from='romeo@montague.lit/phone' to='romeo@montague.lit/orchard'><query xmlns='jabber:iq:last' seconds='123'/></iq>
        ",
    );
}
