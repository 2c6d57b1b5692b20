//! What a user does.

use config::settings;

use super::Step;

settings! {
    /// What a user does from coming to going.
    pub(crate) struct Session {
        /// What it is called in reports.
        name: String,
        /// How many of all users play this one, in proportion to the others.
        weight: u32 = 1,
        /// What the user does, one after the other.
        steps: Vec<Step>,
    }
    check |session, problems| {
        if session.name.is_empty() {
            problems.error("name", "a session has no name", "write name: \"…\"");
        }
        if session.steps.is_empty() {
            problems.error("steps", "a session has no steps", "write steps: [connect, authenticate, …]");
        }
    }
}
