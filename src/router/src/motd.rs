//! Messages of the day, as whoever runs the node sees them.

use std::sync::Arc;

use xmpp::{BareJid, Stanza};

use crate::accounts::AccountAnswer;

/// The message of the day of a domain.
#[derive(Debug, Clone)]
pub struct MessageOfTheDay {
    /// The domain.
    pub domain: BareJid,
    /// When it was set: milliseconds since 1970, UTC.
    pub since: i64,
    /// A message without addresses.
    pub message: Stanza,
}

/// What can be asked of the module that keeps messages of the day, of one domain or of all.
pub trait MessagesOfTheDay: Send + Sync + 'static {
    /// Those that there are, by their domains.
    fn list(&self, domain: Option<BareJid>) -> AccountAnswer<Vec<MessageOfTheDay>>;

    /// Keeps `message`, which has no addresses, in the place of what is there. Everybody who is
    /// online is told it now and everybody else later, or all of them `later`. Says how many
    /// accounts were told.
    ///
    /// # Errors
    /// `not-acceptable` when it is too long, `resource-constraint` when it can't be kept now.
    fn post(&self, domain: Option<BareJid>, message: Stanza, later: bool) -> AccountAnswer<usize>;

    /// Keeps none any more.
    ///
    /// # Errors
    /// `resource-constraint` when it can't be done now.
    fn delete(&self, domain: Option<BareJid>) -> AccountAnswer<()>;
}

/// [`MessagesOfTheDay`] as a module offers them ([`Plan::offer`](crate::Plan::offer)).
pub struct MotdService(pub Arc<dyn MessagesOfTheDay>);
