//! Announcements: what everybody is told.

use async_graphql::SimpleObject;

use super::Answer;
use crate::scalar::Time;

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its subject, if it has one.
    pub subject: Option<String>,
    /// Its text; never empty.
    pub text: String,
}

/// The message of the day of a domain.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct Motd {
    /// The domain.
    pub domain: String,
    /// When it was set.
    pub since: Time,
    /// Its subject.
    pub subject: Option<String>,
    /// Its text.
    pub text: Option<String>,
}

/// The announcements of a node, to one domain when it is given, else to all.
///
/// Every method refuses with `INVALID` when the domain is not served here. Those about the message
/// of the day refuse with `REFUSED` when the node does not keep any, and with `UNAVAILABLE` when the
/// store is.
pub trait Announcements: Send + Sync {
    /// Says it to everybody who is online, and how many accounts these were. `INVALID` when it is
    /// too long.
    fn say<'a>(&'a self, domain: Option<&'a str>, notice: Notice) -> Answer<'a, u64>;

    /// The messages of the day, in the order of their domains.
    fn motds<'a>(&'a self, domain: Option<&'a str>) -> Answer<'a, Vec<Motd>>;

    /// Makes it the message of the day. Unless it is for `later`, everybody who is online is told
    /// it now; says how many accounts these were. `INVALID` when it is too long.
    fn set_motd<'a>(
        &'a self,
        domain: Option<&'a str>,
        notice: Notice,
        later: bool,
    ) -> Answer<'a, u64>;

    /// Deletes the messages of the day and returns what was deleted. `NOT_FOUND` when there is none.
    fn delete_motd<'a>(&'a self, domain: Option<&'a str>) -> Answer<'a, Vec<Motd>>;
}
