//! What privacy lists know of the roster.

use router::Account;
use xmpp::BareJid;

use super::rule::{Contacts, Subscription};
use crate::roster;
use crate::roster::subscription::State;

/// The roster of an account. Without one nobody is a contact.
#[derive(Clone, Copy)]
pub(super) struct Roster<'a>(Option<&'a roster::Contacts>);

/// The roster of `account`.
pub(super) fn of(account: &Account) -> Roster<'_> {
    Roster(roster::Contacts::of(account))
}

impl From<State> for Subscription {
    fn from(state: State) -> Self {
        match (state.to(), state.from()) {
            (false, false) => Self::None,
            (true, false) => Self::To,
            (false, true) => Self::From,
            (true, true) => Self::Both,
        }
    }
}

impl Contacts for Roster<'_> {
    fn subscription(&self, contact: &BareJid) -> Subscription {
        let state = self.0.map(|roster| roster.state(contact.as_str()));
        state.unwrap_or_default().into()
    }

    fn each_group(&self, contact: &BareJid, see: &mut dyn FnMut(&str)) {
        if let Some(roster) = self.0 {
            roster.each_group(contact.as_str(), see);
        }
    }
}

impl Roster<'_> {
    /// Those who see the account's presence or whose it sees.
    pub(super) fn subscribed(self) -> Vec<(BareJid, Subscription)> {
        let mut subscribed = Vec::new();
        if let Some(roster) = self.0 {
            roster.each(|contact, state| {
                let subscription = Subscription::from(state);
                if subscription != Subscription::None {
                    subscribed.push((contact.clone(), subscription));
                }
            });
        }
        subscribed
    }

    /// Whether somebody is in `group`. Where no rosters are kept none is missed.
    pub(super) fn has_group(self, group: &str) -> bool {
        self.0.is_none_or(|roster| roster.has_group(group))
    }
}
