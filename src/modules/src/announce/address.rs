//! The addresses below a domain that take announcements.

/// What is to be done with a message to such an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// Everybody who is online gets it.
    Online,
    /// The same, and it becomes the message of the day.
    Post,
    /// It becomes the message of the day: those who come online from now on get it.
    Replace,
    /// There is no message of the day any more.
    Delete,
}

/// What a resource of a domain means, and whether for all domains.
pub(super) fn deed(resource: &str) -> Option<(Deed, bool)> {
    let words = resource.strip_prefix("announce/")?;
    let (words, everywhere) = match words.strip_prefix("all-hosts/") {
        Some(words) => (words, true),
        None => (words, false),
    };
    let deed = match words {
        "online" => Deed::Online,
        "motd" => Deed::Post,
        "motd/update" => Deed::Replace,
        "motd/delete" => Deed::Delete,
        _ => return None,
    };
    Some((deed, everywhere))
}
