//! How the node stops.

use crate::{Span, settings};

settings! {
    /// How the node stops in order, after SIGTERM or SIGINT. A second signal stops it at once.
    pub struct Shutdown {
        /// After so long the node ends even if something is still open.
        deadline: Span = Span::seconds(30),
    }
    check |shutdown, problems| {
        problems.at_least("deadline", shutdown.deadline, Span::seconds(1));
    }
}
