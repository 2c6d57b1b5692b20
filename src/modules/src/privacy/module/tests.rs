//! Plays from the examples of XEP-0016 and XEP-0191.

mod blocking;
mod effects;
mod lists;
mod stored;

use std::sync::Arc;

use router::check::Stage;
use router::{Module, Plan, PlanError};
use xmpp::BareJid;

use super::super::{ContactList, Contacts, Subscription};
use super::*;

config::settings! {
    /// None.
    struct NoSettings {}
}

/// Everybody's roster: Juliet and Romeo see each other, the Nurse sees Juliet, Juliet sees the
/// Friar.
struct Friends;

struct Roster(BareJid);

impl Roster {
    fn contacts(&self) -> Vec<(BareJid, Subscription, &'static str)> {
        let both = Subscription::Both;
        let contacts: &[(&str, Subscription, &'static str)] = match self.0.as_ref() {
            "juliet@capulet.lit" => &[
                ("romeo@montague.lit", both, "Lovers"),
                ("nurse@capulet.lit", Subscription::From, "House"),
                ("friar@verona.lit", Subscription::To, ""),
                ("tybalt@capulet.lit", Subscription::None, "House"),
            ],
            "romeo@montague.lit" => &[("juliet@capulet.lit", both, "Lovers")],
            "nurse@capulet.lit" => &[("juliet@capulet.lit", Subscription::To, "")],
            _ => &[],
        };
        let contacts = contacts.iter();
        contacts
            .map(|(jid, state, group)| (jid.parse().unwrap(), *state, *group))
            .collect()
    }
}

impl Contacts for Roster {
    fn subscription(&self, contact: &BareJid) -> Subscription {
        let contacts = self.contacts().into_iter();
        let mut of = contacts.filter(|(jid, ..)| jid == contact);
        of.next().map_or(Subscription::None, |(_, state, _)| state)
    }

    fn each_group(&self, contact: &BareJid, see: &mut dyn FnMut(&str)) {
        for (jid, _, group) in self.contacts() {
            if jid == *contact {
                see(group);
            }
        }
    }
}

impl ContactList for Roster {
    fn each(&self, see: &mut dyn FnMut(&BareJid, Subscription)) {
        for (jid, state, _) in self.contacts() {
            see(&jid, state);
        }
    }

    fn has_group(&self, group: &str) -> bool {
        self.contacts().iter().any(|(_, _, of)| *of == group)
    }
}

impl Module for Friends {
    const NAME: &'static str = "friends";
    type Config = NoSettings;

    fn plan(_: Arc<NoSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.account_slot(|_, account| async move {
            let roster: Box<dyn ContactList> = Box::new(Roster(account));
            Ok(roster)
        });
        Ok(Self)
    }
}

fn perform(play: &str) {
    perform_with(PrivacySettings::default(), play);
}

fn perform_with(settings: PrivacySettings, play: &str) {
    Stage::perform(
        |stage| {
            stage
                .with::<Friends>(NoSettings::default())
                .with::<Privacy>(settings)
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
