//! RFC 6121 §8.5, Table 1: what becomes of each kind of stanza for each kind of address, with
//! nobody there who would store it.

use router::check::Stage;

/// Who of Juliet's is there.
const SITUATIONS: [(&str, &str); 5] = [
    ("nobody", ""),
    ("a session that is not available", "One connects"),
    (
        "a session of negative priority",
        "One: <presence><priority>-1</priority></presence>
        One gets: <presence from='juliet@capulet.lit/one' to='*'><priority>-1</priority></presence>",
    ),
    (
        "one that is more available than the other",
        "One: <presence><priority>5</priority></presence>
        One gets: <presence from='juliet@capulet.lit/one' to='*'><priority>5</priority></presence>
        Two: <presence/>
        Two gets all of:
          <presence from='juliet@capulet.lit/two' to='*'/>
          <presence from='juliet@capulet.lit/one' to='*'><priority>5</priority></presence>
        One gets: <presence from='juliet@capulet.lit/two' to='*'/>",
    ),
    (
        "two that are as available",
        "One: <presence/>
        One gets: <presence from='juliet@capulet.lit/one' to='*'/>
        Two: <presence/>
        Two gets all of:
          <presence from='juliet@capulet.lit/two' to='*'/>
          <presence from='juliet@capulet.lit/one' to='*'/>
        One gets: <presence from='juliet@capulet.lit/two' to='*'/>",
    ),
];

/// What becomes of it.
#[derive(Clone, Copy)]
enum Fate {
    /// The sessions of these numbers get it.
    To(&'static [&'static str]),
    /// Its sender gets `service-unavailable`.
    Bounced,
    /// Nobody hears of it.
    Silent,
}

use Fate::{Bounced, Silent, To};

const ONE: Fate = To(&["One"]);
const BOTH: Fate = To(&["One", "Two"]);

/// A stanza, and its fates in the five situations: to the bare JID, and to `juliet@capulet.lit/one`;
/// at last to a resource that is not there when two are as available.
type Row = (&'static str, [Fate; 5], [Fate; 5], Fate);

const TABLE: [Row; 12] = [
    (
        "<message id='m'%/>",
        [Bounced, Bounced, Bounced, ONE, BOTH],
        [Bounced, ONE, ONE, ONE, ONE],
        BOTH,
    ),
    (
        "<message type='chat' id='m'%/>",
        [Bounced, Bounced, Bounced, ONE, BOTH],
        [Bounced, ONE, ONE, ONE, ONE],
        BOTH,
    ),
    (
        "<message type='groupchat' id='m'%/>",
        [Bounced; 5],
        [Bounced, ONE, ONE, ONE, ONE],
        Bounced,
    ),
    (
        "<message type='headline' id='m'%/>",
        [Silent, Silent, Silent, BOTH, BOTH],
        [Silent, ONE, ONE, ONE, ONE],
        Silent,
    ),
    (
        "<message type='error' id='m'%/>",
        [Silent; 5],
        [Silent, ONE, ONE, ONE, ONE],
        Silent,
    ),
    (
        "<presence id='m'%/>",
        [Silent, Silent, ONE, BOTH, BOTH],
        [Silent, ONE, ONE, ONE, ONE],
        Silent,
    ),
    (
        "<presence type='unavailable' id='m'%/>",
        [Silent, Silent, ONE, BOTH, BOTH],
        [Silent, ONE, ONE, ONE, ONE],
        Silent,
    ),
    (
        "<presence type='error' id='m'%/>",
        [Silent; 5],
        [Silent, ONE, ONE, ONE, ONE],
        Silent,
    ),
    (
        "<iq type='get' id='m'%><q xmlns='a:b'/></iq>",
        [Bounced; 5],
        [Bounced, ONE, ONE, ONE, ONE],
        Bounced,
    ),
    (
        "<iq type='set' id='m'%><q xmlns='a:b'/></iq>",
        [Bounced; 5],
        [Bounced, ONE, ONE, ONE, ONE],
        Bounced,
    ),
    (
        "<iq type='result' id='m'%/>",
        [Silent; 5],
        [Silent, ONE, ONE, ONE, ONE],
        Silent,
    ),
    (
        "<iq type='error' id='m'%/>",
        [Silent; 5],
        [Silent, ONE, ONE, ONE, ONE],
        Silent,
    ),
];

/// A play of one cell.
fn play(stanza: &str, to: &str, situation: &str, fate: Fate) -> String {
    let sent = stanza.replace('%', &format!(" to='{to}'"));
    let came = stanza.replace(
        '%',
        &format!(" from='romeo@montague.lit/orchard' to='{to}'"),
    );
    let name = &stanza[1..stanza.find(' ').unwrap_or(1)];
    let steps: String = match fate {
        To(who) => who
            .iter()
            .map(|who| format!("{who} gets: {came}\n        "))
            .chain(["Romeo gets nothing".to_owned()])
            .collect(),
        Bounced => format!(
            "Romeo gets: <{name} type='error' id='m' from='{to}' to='*'><**/><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></{name}>"
        ),
        Silent => "Romeo gets nothing".to_owned(),
    };
    let others: String = match situation {
        "" => String::new(),
        some => ["One", "Two"]
            .into_iter()
            .filter(|who| some.contains(&format!("{who} ")) || some.contains(&format!("{who}:")))
            .map(|who| format!("\n        {who} gets nothing"))
            .collect(),
    };
    let introduced: String = ["One", "Two"]
        .into_iter()
        .filter(|who| {
            situation.contains(&format!("{who}:")) || situation.contains(&format!("{who} "))
        })
        .map(|who| {
            format!(
                "{who} is juliet@capulet.lit/{}\n        ",
                who.to_lowercase()
            )
        })
        .collect();
    let situation = situation.replace("One connects", "");
    format!(
        "
        {introduced}{situation}
        Romeo: {sent}
        {steps}{others}
        "
    )
}

#[test]
fn every_cell_of_the_table_holds() {
    for (stanza, bare, full, elsewhere) in TABLE {
        let bare = SITUATIONS.iter().zip(bare);
        let bare = bare.map(|(situation, fate)| (situation, "juliet@capulet.lit", fate));
        let full = SITUATIONS.iter().zip(full);
        let full = full.map(|(situation, fate)| (situation, "juliet@capulet.lit/one", fate));
        let elsewhere = [(&SITUATIONS[4], "juliet@capulet.lit/elsewhere", elsewhere)];
        for ((words, situation), to, fate) in bare.chain(full).chain(elsewhere) {
            println!("{stanza} to {to}: {words}");
            Stage::perform(|stage| stage, &play(stanza, to, situation, fate));
        }
    }
}
