//! The bearer secret that opens the interface.

use std::{fmt, sync::Arc};

use subtle::ConstantTimeEq;

/// The secret that every admin request has to show. `Debug` hides it.
#[derive(Clone)]
pub struct AdminSecret(Arc<str>);

impl AdminSecret {
    /// Takes the secret as the node keeps it; surrounding white space (the
    /// last line feed of a file) is no part of it. `None` when nothing is
    /// left: an empty secret would open the door to everybody.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| AdminSecret(text.into()))
    }

    /// Whether `shown` is the secret, in time that tells nothing but the length.
    pub fn matches(&self, shown: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(shown).into()
    }
}

impl fmt::Debug for AdminSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminSecret(***)")
    }
}
