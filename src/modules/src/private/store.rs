//! What a store of private data does.

use bytes::Bytes;
use store::{Apply, Pending};
use xmpp::BareJid;

/// What shall be kept from now on.
#[derive(Debug, Clone)]
pub enum PrivateWrite {
    /// These elements, one after another, and no others of their namespace.
    Put {
        /// Whose they are.
        account: BareJid,
        /// The namespace of each of them.
        namespace: String,
        /// The elements, to be put where `jabber:iq:private` is the default namespace.
        elements: Bytes,
    },
    /// Nothing of this account.
    Forget(BareJid),
}

/// Where private data is kept. A batch may be applied twice.
///
/// # Errors
/// Every call may fail with what the database says.
pub trait PrivateStore: Apply<PrivateWrite> + 'static {
    /// The elements that an account has put there, of one namespace.
    fn elements<'a>(
        &'a self,
        account: &'a BareJid,
        namespace: &'a str,
    ) -> Pending<'a, Option<Bytes>>;

    /// The namespaces of which something is kept for an account, in any order, each with the bytes
    /// that its elements take.
    fn sizes<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Vec<(String, u64)>>;
}
