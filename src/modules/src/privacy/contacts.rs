//! What privacy lists know of the roster.

use router::Account;
use xmpp::BareJid;

use super::rule::{Contacts, Strangers, Subscription};

/// The roster of an account, as far as presence and rules need it.
pub trait ContactList: Contacts + Send + Sync {
    /// Shows each contact with its subscription.
    fn each(&self, see: &mut dyn FnMut(&BareJid, Subscription));

    /// Whether some contact is in `group`.
    fn has_group(&self, group: &str) -> bool;
}

/// Nobody is a contact; of groups nothing is known, so none is missed.
impl ContactList for Strangers {
    fn each(&self, _: &mut dyn FnMut(&BareJid, Subscription)) {}

    fn has_group(&self, _: &str) -> bool {
        true
    }
}

/// The roster of `account`, if one is kept.
pub(super) fn of(account: &Account) -> &dyn ContactList {
    account
        .slot::<Box<dyn ContactList>>()
        .map_or(&Strangers, |contacts| &**contacts)
}
