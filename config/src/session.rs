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
    }
}
