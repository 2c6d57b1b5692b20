//! Plays from the examples of XEP-0016 and XEP-0191.

mod blocking;
mod effects;
mod lists;
mod stored;

use router::check::Stage;

use super::*;
use crate::roster::{Roster, RosterSettings};

/// What goes before a play: Juliet and Romeo see each other's presence, the Nurse sees Juliet's.
/// Romeo is one of her Lovers, the Nurse and Tybalt are of the House.
const FRIENDS: &str = "
        Nurse is nurse@capulet.lit/kitchen
        Tybalt is tybalt@capulet.lit/hall
        Romeo: <presence to='juliet@capulet.lit' type='subscribe'/>
        Juliet: <presence to='romeo@montague.lit' type='subscribed'/>
        Juliet: <presence to='romeo@montague.lit' type='subscribe'/>
        Romeo: <presence to='juliet@capulet.lit' type='subscribed'/>
        Nurse: <presence to='juliet@capulet.lit' type='subscribe'/>
        Juliet: <presence to='nurse@capulet.lit' type='subscribed'/>
        Juliet: <iq type='set' id='f1'><query xmlns='jabber:iq:roster'><item jid='romeo@montague.lit'><group>Lovers</group></item></query></iq>
        Juliet gets: <iq type='result' id='f1' from='*' to='*'/>
        Juliet: <iq type='set' id='f2'><query xmlns='jabber:iq:roster'><item jid='nurse@capulet.lit'><group>House</group></item></query></iq>
        Juliet gets: <iq type='result' id='f2' from='*' to='*'/>
        Juliet: <iq type='set' id='f3'><query xmlns='jabber:iq:roster'><item jid='tybalt@capulet.lit'><group>House</group></item></query></iq>
        Juliet gets: <iq type='result' id='f3' from='*' to='*'/>
";

fn perform(play: &str) {
    perform_with(PrivacySettings::default(), play);
}

fn perform_with(settings: PrivacySettings, play: &str) {
    Stage::perform(
        |stage| {
            stage
                .with::<Roster>(RosterSettings::default())
                .with::<Privacy>(settings.clone())
        },
        play,
    );
}

#[test]
fn bounds_that_make_no_sense_are_refused() {
    let settings = PrivacySettings {
        max_lists: 0,
        max_items: 1_048_576,
        ..PrivacySettings::default()
    };
    let mut problems = config::Problems::default();
    config::Setting::check(&settings, &mut problems);
    assert_eq!(
        problems.lines(),
        [
            "max_lists: 0 is too little: write 1 or more",
            "max_items: 1048576 is too much: write 1048575 or less",
        ]
    );
}
