//! What a store of vCards does.

use bytes::Bytes;
use store::{Apply, Pending};
use xmpp::BareJid;

use super::field::{Fields, Wanted};
use super::photo::PhotoHash;

/// What shall be kept from now on.
#[derive(Debug, Clone)]
pub enum VcardWrite {
    /// This vCard.
    Put {
        /// Whose it is.
        account: BareJid,
        /// The element, to be put where `jabber:client` is the default namespace.
        card: Bytes,
        /// What is its photo, if it has one.
        photo: Option<PhotoHash>,
        /// What the account is found by; nothing if it does not want to be.
        fields: Fields,
    },
    /// Nothing of this account.
    Forget(BareJid),
}

/// Somebody who was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Whose vCard it is.
    pub account: BareJid,
    /// All that it can be found by.
    pub fields: Fields,
}

/// Where vCards are kept. A batch may be applied twice.
///
/// # Errors
/// Every call may fail with what the database says.
pub trait VcardStore: Apply<VcardWrite> + 'static {
    /// The vCard of an account.
    fn card<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Option<Bytes>>;

    /// What is the photo of an account, if it has one.
    fn photo<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Option<PhotoHash>>;

    /// Accounts of a domain that are all of what is wanted, at most `limit`, in the order of the
    /// first field. Nobody, if nothing is wanted.
    fn search<'a>(
        &'a self,
        domain: &'a str,
        wanted: &'a [Wanted],
        limit: u64,
    ) -> Pending<'a, Vec<Found>>;
}
