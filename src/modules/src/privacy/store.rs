//! What a store of privacy lists does.

use std::sync::Arc;

use store::{Apply, Pending};
use xmpp::BareJid;

use super::lists::Lists;

/// The lists that an account shall have from now on; without any it is forgotten.
#[derive(Debug, Clone)]
pub struct PrivacyWrite {
    /// Whose they are.
    pub account: BareJid,
    /// All of them.
    pub lists: Arc<Lists>,
}

/// Where privacy lists are kept. What is written is what shall be, so a batch may be applied
/// twice.
///
/// # Errors
/// Every call may fail with what the database says.
pub trait PrivacyStore: Apply<PrivacyWrite> + 'static {
    /// The lists of an account; none if it never had any.
    fn lists<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Lists>;
}
