//! Plays of messages of the day.

use router::check::Stage;

use super::{perform, settings};
use crate::announce::{Announce, LONGEST};
use crate::undertaker::{Undertaker, UndertakerSettings};

/// Romeo may announce, Benvolio and Juliet are online.
const THREE_ARE_HERE: &str = "
    Romeo: <presence/>
    Romeo gets: <presence from='romeo@montague.lit/orchard' to='*'/>
    Benvolio is benvolio@montague.lit/street
    Benvolio: <presence/>
    Benvolio gets: <presence from='benvolio@montague.lit/street' to='*'/>
    Juliet: <presence/>
    Juliet gets: <presence from='juliet@capulet.lit/balcony' to='*'/>
";

/// Romeo posts it, and those of his domain hear it.
const POSTED: &str = "
    Romeo: <message to='montague.lit/announce/motd'><subject>Today</subject><body>Be merry</body></message>
    Romeo gets: <message from='montague.lit' to='romeo@montague.lit' id='*'><subject>Today</subject><body>Be merry</body></message>
    Benvolio gets: <message from='montague.lit' to='benvolio@montague.lit' id='*'><subject>Today</subject><body>Be merry</body></message>
    Juliet gets nothing
";

/// `who` comes online, and hears `body` or nothing.
fn comes(who: &str, jid: &str, body: &str) -> String {
    let (bare, _) = jid.split_once('/').expect("a full JID");
    let (_, domain) = bare.split_once('@').expect("an account");
    let hears = match body {
        "" => format!("    {who} gets nothing\n"),
        body => format!(
            "    {who} gets: <message from='{domain}' to='{bare}' id='*'>{body}</message>\n    {who} gets nothing\n"
        ),
    };
    format!(
        "\n    {who} is {jid}\n    {who}: <presence/>\n    {who} gets: <presence from='{jid}' to='*'/>\n{hears}"
    )
}

const MERRY: &str = "<subject>Today</subject><body>Be merry</body>";

#[test]
fn everybody_hears_it_once_now_or_later() {
    let play = [
        THREE_ARE_HERE,
        POSTED,
        &comes("Mercutio", "mercutio@montague.lit/street", MERRY),
        "    Mercutio closes\n",
        // A second time, and somebody who heard it when it was posted.
        &comes("Mercutio", "mercutio@montague.lit/street", ""),
        "    Benvolio closes\n",
        &comes("Benvolio", "benvolio@montague.lit/home", ""),
        // Of another domain.
        &comes("Nurse", "nurse@capulet.lit/kitchen", ""),
    ];
    perform(&play.concat());
}

/// One whose sessions take no messages is not online yet.
#[test]
fn it_waits_for_a_session_that_takes_messages() {
    let phone = "
    Phone is mercutio@montague.lit/phone
    Phone: <presence><priority>-1</priority></presence>
    Phone gets: <presence *><priority>-1</priority></presence>
";
    let rest = "
    Phone gets nothing
    Phone: <presence><priority>1</priority></presence>
    Phone gets: <presence *><priority>1</priority></presence>
    Phone gets: <message from='montague.lit' to='mercutio@montague.lit' id='*'><subject>Today</subject><body>Be merry</body></message>
    Phone: <presence><show>away</show></presence>
    Phone gets: <presence *><show>away</show></presence>
    Phone gets nothing
";
    perform(&[THREE_ARE_HERE, phone, POSTED, rest].concat());
}

#[test]
fn an_update_is_for_those_who_come_online() {
    let update = "
    Romeo: <message type='headline' to='montague.lit/announce/motd/update'><body>Be sad</body></message>
    Romeo gets nothing
    Benvolio gets nothing
    Benvolio: <presence><show>away</show></presence>
    Benvolio gets: <presence *><show>away</show></presence>
    Benvolio gets nothing
    Benvolio closes
";
    let sad = "
    Benvolio is benvolio@montague.lit/street
    Benvolio: <presence/>
    Benvolio gets: <presence from='benvolio@montague.lit/street' to='*'/>
    Benvolio gets: <message type='headline' from='montague.lit' to='benvolio@montague.lit' id='*'><body>Be sad</body></message>
    Benvolio closes
";
    let play = [
        THREE_ARE_HERE,
        POSTED,
        update,
        sad,
        &comes("Benvolio", "benvolio@montague.lit/street", ""),
    ];
    perform(&play.concat());
    // What is not there yet is updated, too.
    perform(&[THREE_ARE_HERE, update, sad].concat());
}

#[test]
fn nobody_hears_what_was_deleted() {
    for delete in ["<body>No more</body>", ""] {
        let delete = format!(
            "
    # He is writing.
    Romeo: <message type='chat' to='montague.lit/announce/motd/delete'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>
    Romeo gets nothing
    {}
    Romeo: <message to='montague.lit/announce/motd/delete'>{delete}</message>
    Romeo gets nothing
    Benvolio gets nothing
    {}",
            comes("Mercutio", "mercutio@montague.lit/street", MERRY),
            comes("Tybalt", "tybalt@montague.lit/street", ""),
        );
        perform(&[THREE_ARE_HERE, POSTED, &delete].concat());
    }
}

#[test]
fn it_may_be_for_all_domains() {
    let play = "
    Romeo: <message to='montague.lit/announce/all-hosts/motd'><body>Peace</body></message>
    Romeo gets: <message from='montague.lit' to='romeo@montague.lit' id='*'><body>Peace</body></message>
    Benvolio gets: <message from='montague.lit' to='benvolio@montague.lit' id='*'><body>Peace</body></message>
    Juliet gets: <message from='capulet.lit' to='juliet@capulet.lit' id='*'><body>Peace</body></message>
";
    let update = "
    Romeo: <message to='capulet.lit/announce/all-hosts/motd/update'><body>War</body></message>
    Romeo gets nothing
    Juliet gets nothing
    Juliet closes
";
    let delete = "
    Romeo: <message to='capulet.lit/announce/all-hosts/motd/delete'/>
    Romeo gets nothing
";
    let play = [
        THREE_ARE_HERE,
        play,
        &comes("Nurse", "nurse@capulet.lit/kitchen", "<body>Peace</body>"),
        update,
        &comes("Juliet", "juliet@capulet.lit/tomb", "<body>War</body>"),
        &comes("Mercutio", "mercutio@montague.lit/tomb", "<body>War</body>"),
        delete,
        &comes("Peter", "peter@capulet.lit/kitchen", ""),
        &comes("Abram", "abram@montague.lit/street", ""),
    ];
    perform(&play.concat());
}

#[test]
fn only_administrators_post_update_and_delete() {
    let mut play = [THREE_ARE_HERE, POSTED].concat();
    for word in ["motd", "motd/update", "motd/delete"] {
        for hosts in ["", "all-hosts/"] {
            let to = format!("montague.lit/announce/{hosts}{word}");
            play += &format!(
                "
    Juliet: <message id='a1' to='{to}'><body>Romeo!</body></message>
    Juliet gets:
      <message type='error' id='a1' from='{to}' to='juliet@capulet.lit/balcony'>
        <body>Romeo!</body>
        <error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
      </message>
"
            );
        }
    }
    play += "    Benvolio gets nothing\n";
    play += &comes("Mercutio", "mercutio@montague.lit/street", MERRY);
    perform(&play);
}

/// Ours: it must fit into one row. What is only said may be as long as a stanza.
#[test]
fn it_is_no_book() {
    let book = "x".repeat(LONGEST);
    perform(&format!(
        "{THREE_ARE_HERE}
    Romeo: <message id='a1' to='capulet.lit/announce/motd'><body>{book}</body></message>
    Romeo gets:
      <message type='error' id='a1' from='capulet.lit/announce/motd' to='*'>
        <error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><**/></error>
      </message>
    Juliet gets nothing
    Romeo: <message id='a2' to='capulet.lit/announce/online'><body>{book}</body></message>
    Juliet gets: <message from='capulet.lit' to='*' id='*'><body>{book}</body></message>
"
    ));
}

/// Who takes the name of an account that is no more is somebody else.
#[test]
fn an_account_that_is_removed_leaves_nothing() {
    let buried = "
    Benvolio closes
    Juliet: <iq type='set' id='b' to='montague.lit'><bury xmlns='check:undertaker' jid='benvolio@montague.lit'/></iq>
    Juliet gets: <iq type='result' from='*' to='*' id='b'/>
";
    let again = comes("Again", "benvolio@montague.lit/street", MERRY);
    let all = |stage: Stage| {
        stage
            .with::<Announce>(settings())
            .with::<Undertaker>(UndertakerSettings {})
    };
    Stage::perform_alone(all, &[THREE_ARE_HERE, POSTED, buried, &again].concat());
}
