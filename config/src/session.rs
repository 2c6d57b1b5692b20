//! Rules about sessions.

use crate::{choices, settings};

choices! {
    /// What happens when a client asks for a resource that its account has bound already
    /// (RFC 6120 §7.7.2.2).
    pub enum OnConflict {
        /// The older session ends with `<conflict/>`.
        Replace = replace,
        /// The newer one gets a `conflict` error and may ask for another resource.
        Refuse = refuse,
        /// The newer one gets a resource made by the server.
        Rename = rename,
    }
}

settings! {
    /// Rules about sessions.
    pub struct Sessions {
        /// What happens when a client asks for a resource that is in use: replace (the older
        /// session ends with `<conflict/>`), refuse (the newer client gets an error) or rename
        /// (the newer client gets a resource made by the server).
        on_conflict: OnConflict = OnConflict::Replace,
        /// Sessions that an account may have at a time; one more is refused with
        /// `resource-constraint`.
        max_per_account: u32 = 32,
        /// Addresses that a session may send directed presence to; one more is answered with
        /// `resource-constraint`.
        max_directed: u32 = 512,
    }
    check |sessions, problems| {
        problems.at_least("max_per_account", sessions.max_per_account, 1);
    }
}
