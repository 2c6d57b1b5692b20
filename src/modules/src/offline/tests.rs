//! Plays of XEP-0160.

use config::{Size, Span};
use router::check::{Stage, check};

use super::{Offline, OfflineSettings};
use crate::undertaker::{Undertaker, UndertakerSettings};

fn play(play: &str) {
    check::<Offline>(OfflineSettings::default(), play);
}

/// XEP-0160 §2, examples 1 to 3.
#[test]
fn a_message_waits_and_is_stamped() {
    play(
        "
        Romeo: <message id='m1' to='juliet@capulet.lit'><body>O blessed, blessed night!</body></message>
        Romeo gets nothing
        T: 90s
        Juliet connects
        Juliet gets nothing
        Juliet: <presence><priority>1</priority></presence>
        Juliet gets:
          <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'><priority>1</priority></presence>
          <message id='m1' from='romeo@montague.lit/orchard' to='juliet@capulet.lit'>
            <body>O blessed, blessed night!</body>
            <delay xmlns='urn:xmpp:delay' from='capulet.lit' stamp='2026-02-14T12:00:00Z'/>
          </message>
        Juliet gets nothing
        Romeo gets nothing
        ",
    );
}

/// XEP-0160 §2: a negative priority takes no messages; each is delivered once.
#[test]
fn who_takes_no_messages_leaves_them_to_others() {
    play(
        "
        Phone is juliet@capulet.lit/phone
        Juliet: <presence><priority>-1</priority></presence>
        Juliet gets: <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'><priority>-1</priority></presence>
        Romeo: <message type='chat' id='m1' to='juliet@capulet.lit'><body>1</body></message>
        Romeo: <message type='chat' id='m2' to='juliet@capulet.lit/chamber'><body>2</body></message>
        Romeo gets nothing
        Juliet gets nothing
        Phone: <presence/>
        Phone gets:
          <presence from='juliet@capulet.lit/phone' to='juliet@capulet.lit'/>
          <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'><priority>-1</priority></presence>
          <message type='chat' id='m1' from='romeo@montague.lit/orchard' to='juliet@capulet.lit'>
            <body>1</body><delay xmlns='urn:xmpp:delay' from='capulet.lit' stamp='*'/>
          </message>
          <message type='chat' id='m2' from='romeo@montague.lit/orchard' to='juliet@capulet.lit/chamber'>
            <body>2</body><delay xmlns='urn:xmpp:delay' from='capulet.lit' stamp='*'/>
          </message>
        Juliet gets: <presence from='juliet@capulet.lit/phone' to='juliet@capulet.lit'/>
        Juliet: <presence/>
        Juliet gets: <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'/>
        Juliet gets nothing
        ",
    );
}

/// The priority may rise later (XEP-0160 §2: `next sends non-negative available presence`).
#[test]
fn messages_come_when_the_priority_rises() {
    play(
        "
        Juliet: <presence><priority>-5</priority></presence>
        Juliet gets: <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'><priority>-5</priority></presence>
        Romeo: <message id='m1' to='juliet@capulet.lit'><body>1</body></message>
        Juliet gets nothing
        Juliet: <presence><priority>0</priority></presence>
        Juliet gets:
          <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'><priority>0</priority></presence>
          <message id='m1' from='romeo@montague.lit/orchard' to='juliet@capulet.lit'>
            <body>1</body><delay xmlns='urn:xmpp:delay' from='capulet.lit' stamp='*'/>
          </message>
        ",
    );
}

/// XEP-0160 §3, and XEP-0334 §4.
#[test]
fn what_does_not_wait_is_dropped_or_answered() {
    play(
        "
        Romeo: <message type='chat' to='juliet@capulet.lit'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>
        Romeo: <message type='headline' to='juliet@capulet.lit'><body>News</body></message>
        Romeo: <message type='error' id='e' to='juliet@capulet.lit'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        Romeo gets nothing
        Romeo: <message type='groupchat' id='g' to='juliet@capulet.lit'><body>All!</body></message>
        Romeo gets:
          <message type='error' id='g' from='juliet@capulet.lit' to='romeo@montague.lit/orchard'>
            <body>All!</body>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </message>
        Romeo: <message type='chat' id='n' to='juliet@capulet.lit'><body>Psst</body><no-store xmlns='urn:xmpp:hints'/></message>
        Romeo gets:
          <message type='error' id='n' from='juliet@capulet.lit' to='romeo@montague.lit/orchard'>
            <body>Psst</body><no-store xmlns='urn:xmpp:hints'/>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </message>
        Juliet: <presence/>
        Juliet gets: <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'/>
        Juliet gets nothing
        ",
    );
}

/// XEP-0160 §2, step 3.
#[test]
fn one_too_many_is_refused() {
    let settings = OfflineSettings {
        max_messages: 2,
        ..OfflineSettings::default()
    };
    check::<Offline>(
        settings,
        "
        Romeo: <message id='m1' to='juliet@capulet.lit'><body>1</body></message>
        Romeo: <message id='m2' to='juliet@capulet.lit'><body>2</body></message>
        Romeo gets nothing
        Romeo: <message id='m3' to='juliet@capulet.lit'><body>3</body></message>
        Romeo gets:
          <message type='error' id='m3' from='juliet@capulet.lit' to='romeo@montague.lit/orchard'>
            <body>3</body>
            <error type='cancel'>
              <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
              <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>*</text>
            </error>
          </message>
        Romeo: <message id='n1' to='nurse@capulet.lit'><body>1</body></message>
        Romeo gets nothing
        Juliet: <presence/>
        Juliet gets:
          <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'/>
          <message id='m1' from='romeo@montague.lit/orchard' to='juliet@capulet.lit'><body>1</body><delay xmlns='urn:xmpp:delay' from='capulet.lit' stamp='*'/></message>
          <message id='m2' from='romeo@montague.lit/orchard' to='juliet@capulet.lit'><body>2</body><delay xmlns='urn:xmpp:delay' from='capulet.lit' stamp='*'/></message>
        Juliet gets nothing
        Juliet closes
        Romeo: <message id='m4' to='juliet@capulet.lit'><body>4</body></message>
        Romeo gets nothing
        ",
    );
}

#[test]
fn too_many_bytes_are_refused() {
    let settings = OfflineSettings {
        max_bytes: Size::kib(1),
        ..OfflineSettings::default()
    };
    let large = "x".repeat(1024);
    check::<Offline>(
        settings,
        &format!(
            "
            Romeo: <message id='m1' to='juliet@capulet.lit'><body>{large}</body></message>
            Romeo gets: <message type='error' id='m1' from='juliet@capulet.lit' to='romeo@montague.lit/orchard'><**/></message>
            Romeo: <message id='m2' to='juliet@capulet.lit'><body>x</body></message>
            Romeo gets nothing
            "
        ),
    );
}

#[test]
fn what_has_expired_is_not_delivered() {
    let settings = OfflineSettings {
        expiry: Some(Span::hours(1)),
        ..OfflineSettings::default()
    };
    check::<Offline>(
        settings,
        "
        Romeo: <message id='m1' to='juliet@capulet.lit'><body>1</body></message>
        T: 59m
        Romeo: <message id='m2' to='juliet@capulet.lit'><body>2</body></message>
        T: 2m
        Juliet: <presence/>
        Juliet gets:
          <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'/>
          <message id='m2' from='romeo@montague.lit/orchard' to='juliet@capulet.lit'>
            <body>2</body><delay xmlns='urn:xmpp:delay' from='capulet.lit' stamp='2026-02-14T12:59:00Z'/>
          </message>
        Juliet gets nothing
        ",
    );
}

/// DESIGN, order: what comes while stored messages are written waits for its turn.
#[test]
fn nothing_is_overtaken_while_messages_are_delivered() {
    play(
        "
        Romeo: <message id='m1' to='juliet@capulet.lit'><body>1</body></message>
        Romeo gets nothing
        Juliet: <presence/>
        Romeo: <message id='m2' to='juliet@capulet.lit'><body>2</body></message>
        Romeo gets nothing
        Romeo: <message id='m3' to='juliet@capulet.lit/balcony'><body>3</body></message>
        Juliet gets:
          <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'/>
          <message id='m1' from='romeo@montague.lit/orchard' to='juliet@capulet.lit'><body>1</body><delay xmlns='urn:xmpp:delay' from='capulet.lit' stamp='*'/></message>
          <message id='m2' from='romeo@montague.lit/orchard' to='juliet@capulet.lit'><body>2</body></message>
          <message id='m3' from='romeo@montague.lit/orchard' to='juliet@capulet.lit/balcony'><body>3</body></message>
        Juliet gets nothing
        ",
    );
}

/// Nothing is forgotten before it was written: a connection that dies before costs nothing.
#[test]
fn what_was_not_written_comes_again() {
    play(
        "
        Romeo: <message id='m1' to='juliet@capulet.lit'><body>1</body></message>
        Romeo: <message id='m2' to='juliet@capulet.lit'><body>2</body></message>
        Juliet: <presence/>
        Romeo gets nothing
        Juliet is cut off
        Romeo: <message id='m3' to='juliet@capulet.lit'><body>3</body></message>
        Juliet: <presence/>
        Juliet gets:
          <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'/>
          <message id='m1' from='romeo@montague.lit/orchard' to='juliet@capulet.lit'><body>1</body><delay xmlns='urn:xmpp:delay' from='capulet.lit' stamp='*'/></message>
          <message id='m2' from='romeo@montague.lit/orchard' to='juliet@capulet.lit'><body>2</body><delay xmlns='urn:xmpp:delay' from='capulet.lit' stamp='*'/></message>
          <message id='m3' from='romeo@montague.lit/orchard' to='juliet@capulet.lit'><body>3</body><delay xmlns='urn:xmpp:delay' from='capulet.lit' stamp='*'/></message>
        Juliet gets nothing
        ",
    );
}

/// The other session of the account goes on where one has died.
#[test]
fn another_session_takes_over() {
    play(
        "
        Phone is juliet@capulet.lit/phone
        Romeo: <message id='m1' to='juliet@capulet.lit'><body>1</body></message>
        Juliet: <presence/>
        Romeo gets nothing
        Phone: <presence/>
        Phone gets:
          <presence from='juliet@capulet.lit/phone' to='juliet@capulet.lit'/>
          <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'/>
        Phone gets nothing
        Juliet is cut off
        Phone gets:
          <message id='m1' from='romeo@montague.lit/orchard' to='juliet@capulet.lit'><body>1</body><delay xmlns='urn:xmpp:delay' from='capulet.lit' stamp='*'/></message>
          <presence type='unavailable' from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'/>
        Phone gets nothing
        ",
    );
}

/// More than is read, or delivered, at once.
#[test]
fn many_come_in_their_order() {
    let mut lines = String::new();
    for n in 0..250 {
        lines += &format!("Romeo: <message to='juliet@capulet.lit'><body>{n}</body></message>\n");
    }
    lines += "Romeo gets nothing\nJuliet: <presence/>\nJuliet gets: <presence *><**/></presence>\n";
    for n in 0..250 {
        lines += &format!("Juliet gets: <message *><body>{n}</body><*/></message>\n");
    }
    play(&(lines + "Juliet gets nothing\n"));
}

/// XEP-0203 §5: nobody dates a message in the name of the receiver's server.
#[test]
fn a_forged_stamp_is_cut() {
    play(
        "
        Romeo:
          <message id='m1' to='juliet@capulet.lit'>
            <delay xmlns='urn:xmpp:delay' from='capulet.lit' stamp='1597-01-01T00:00:00Z'/>
            <delay xmlns='urn:xmpp:delay' from='montague.lit' stamp='1598-01-01T00:00:00Z'/>
          </message>
        Juliet: <presence/>
        Juliet gets:
          <presence *><**/></presence>
          <message id='m1' from='romeo@montague.lit/orchard' to='juliet@capulet.lit'>
            <delay xmlns='urn:xmpp:delay' from='montague.lit' stamp='1598-01-01T00:00:00Z'/>
            <delay xmlns='urn:xmpp:delay' from='capulet.lit' stamp='2026-02-14T12:00:00Z'/>
          </message>
        ",
    );
}

/// XEP-0160 §4.
#[test]
fn the_server_says_that_it_keeps_messages() {
    Stage::perform(
        |stage| {
            stage
                .with::<crate::disco::Disco>(crate::disco::DiscoSettings::default())
                .with::<Offline>(OfflineSettings::default())
        },
        "
        Juliet: <iq type='get' id='d' to='capulet.lit'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>
        Juliet gets:
          <iq type='result' id='d' from='capulet.lit' to='juliet@capulet.lit/balcony'>
            <query xmlns='http://jabber.org/protocol/disco#info'><feature var='msgoffline'/><**/></query>
          </iq>
        ",
    );
}

/// A removed account leaves nothing to the next one of its name.
#[test]
fn a_removed_account_leaves_no_messages() {
    Stage::perform(
        |stage| {
            stage
                .with::<Undertaker>(UndertakerSettings::default())
                .with::<Offline>(OfflineSettings::default())
        },
        "
        Romeo: <message to='juliet@capulet.lit'><body>1</body></message>
        Romeo: <message to='nurse@capulet.lit'><body>1</body></message>
        Romeo gets nothing
        Romeo: <iq type='get' id='b' to='montague.lit'><bury xmlns='check:undertaker' jid='juliet@capulet.lit'/></iq>
        Romeo gets: <iq type='result' id='b' from='montague.lit' to='romeo@montague.lit/orchard'/>
        Juliet: <presence/>
        Juliet gets: <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'/>
        Juliet gets nothing
        Nurse is nurse@capulet.lit/kitchen
        Nurse: <presence/>
        Nurse gets: <presence *><**/></presence><message *><body>1</body><*/></message>
        ",
    );
}
