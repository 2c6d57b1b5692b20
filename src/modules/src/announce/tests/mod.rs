//! Plays of announcements.

use router::check::Stage;

use super::*;

mod desk;
mod failing;
mod motd;

fn settings() -> AnnounceSettings {
    AnnounceSettings {
        admins: vec!["Friar@verona.lit".into(), "romeo@montague.lit".into()],
    }
}

fn perform(play: &str) {
    // Alone: an announcement reaches those whose home is the node that makes it.
    Stage::perform_alone(|stage| stage.with::<Announce>(settings()), play);
}

#[test]
fn administrators_are_accounts() {
    let settings = AnnounceSettings {
        admins: vec![
            "admin@example.org".into(),
            "example.org".into(),
            "admin@example.org/home".into(),
        ],
    };
    let mut problems = Problems::default();
    config::Setting::check(&settings, &mut problems);
    let mend = "write it without a resource, such as \"admin@example.org\"";
    let wrong = ["example.org", "admin@example.org/home"]
        .map(|admin| format!("\"{admin}\" is not the address of an account: {mend}"));
    assert_eq!(problems.lines().len(), 2);
    for (line, wrong) in problems.lines().iter().zip(wrong) {
        assert!(line.ends_with(&wrong), "{line}");
    }
}

const ALL_ARE_HERE: &str = "
        Romeo: <presence/>
        Romeo gets: <presence from='romeo@montague.lit/orchard' to='romeo@montague.lit'/>
        Phone is romeo@montague.lit/phone
        Phone: <presence><priority>-1</priority></presence>
        Phone gets all of:
          <presence from='romeo@montague.lit/phone' to='*'><priority>-1</priority></presence>
          <presence from='romeo@montague.lit/orchard' to='*'/>
        Romeo gets: <presence from='romeo@montague.lit/phone' to='*'><priority>-1</priority></presence>
        Benvolio is benvolio@montague.lit/street
        Benvolio: <presence/>
        Benvolio gets: <presence from='benvolio@montague.lit/street' to='*'/>
        Mercutio is mercutio@montague.lit/street
        Juliet: <presence/>
        Juliet gets: <presence from='juliet@capulet.lit/balcony' to='*'/>
    ";

#[test]
fn an_administrator_tells_everybody_of_a_domain_who_is_online() {
    perform(&format!(
        "{ALL_ARE_HERE}
        Romeo: <message type='chat' id='a1' to='montague.lit/announce/online' xml:lang='en'>
            <subject>Tonight</subject><body>The server rests</body><body xml:lang='it'>Il server riposa</body>
            <request xmlns='urn:xmpp:receipts'/>
          </message>
        Romeo gets:
          <message from='montague.lit' to='romeo@montague.lit' id='{{a}}' xml:lang='en'>
            <subject>Tonight</subject><body>The server rests</body><body xml:lang='it'>Il server riposa</body>
          </message>
        Benvolio gets:
          <message from='montague.lit' to='benvolio@montague.lit' id='{{a}}' xml:lang='en'>
            <subject>Tonight</subject><body>The server rests</body><body xml:lang='it'>Il server riposa</body>
          </message>
        # Not for messages, not available, of another domain.
        Phone gets nothing
        Mercutio gets nothing
        Juliet gets nothing
        "
    ));
}

#[test]
fn a_headline_stays_one_and_reaches_all_domains() {
    perform(&format!(
        "{ALL_ARE_HERE}
        Romeo: <message type='headline' to='capulet.lit/announce/all-hosts/online'><body>Down at noon</body></message>
        Romeo gets: <message type='headline' from='montague.lit' to='romeo@montague.lit' id='*'><body>Down at noon</body></message>
        Benvolio gets: <message type='headline' from='montague.lit' to='benvolio@montague.lit' id='*'><body>Down at noon</body></message>
        Juliet gets: <message type='headline' from='capulet.lit' to='juliet@capulet.lit' id='*'><body>Down at noon</body></message>
        Mercutio gets nothing
        "
    ));
}

#[test]
fn nobody_else_announces_and_nothing_else_is_announced() {
    perform(&format!(
        "{ALL_ARE_HERE}
        Juliet: <message id='a1' to='montague.lit/announce/online'><body>Romeo!</body></message>
        Juliet gets:
          <message type='error' id='a1' from='montague.lit/announce/online' to='juliet@capulet.lit/balcony'>
            <body>Romeo!</body>
            <error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </message>
        Juliet: <message id='a2' to='montague.lit/announce/all-hosts/online'/>
        Juliet gets:
          <message type='error' id='a2' from='montague.lit/announce/all-hosts/online' to='*'>
            <error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </message>
        # He is writing.
        Romeo: <message type='chat' to='montague.lit/announce/online'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>
        Romeo gets nothing
        Romeo: <message id='a3' to='montague.lit/announce/nothing'><body>?</body></message>
        Romeo gets:
          <message type='error' id='a3' from='montague.lit/announce/nothing' to='*'>
            <body>?</body>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </message>
        Romeo: <message id='a4' type='groupchat' to='montague.lit/announce/online'><body>?</body></message>
        Romeo gets:
          <message type='error' id='a4' from='montague.lit/announce/online' to='*'>
            <body>?</body>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </message>
        Benvolio gets nothing
        "
    ));
}

/// What does not fit is refused: the first is out before the others, which wait.
#[test]
fn announcements_do_not_pile_up() {
    let say = "
        Romeo: <message to='capulet.lit/announce/online'><body>Hear!</body></message>"
        .repeat(WAITING);
    perform(&format!(
        "{ALL_ARE_HERE}{say}
        Romeo: <message id='a2' to='capulet.lit/announce/online'><body>Hear!</body></message>
        Romeo gets:
          <message type='error' id='a2' from='capulet.lit/announce/online' to='*'>
            <body>Hear!</body>
            <error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </message>
        Romeo gets nothing
        Romeo: <message to='montague.lit/announce/online'><body>Hear!</body></message>
        Benvolio gets: <message from='montague.lit' to='*' id='*'><body>Hear!</body></message>
        "
    ));
}
