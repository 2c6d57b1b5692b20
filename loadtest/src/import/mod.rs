//! Scenarios of Tsung with its plug-in `ts_jabber`, as ours.
//!
//! What has no counterpart is said, with its line, and stands as a comment in its place: a scenario that
//! quietly does less than the one it was made of would measure something else.

mod load;
mod sessions;
mod tree;
mod write;

use crate::failure::Failure;

/// A scenario that was made of another.
#[derive(Debug)]
pub(crate) struct Imported {
    /// The scenario.
    pub(crate) text: String,
    /// What it could not be given: the line in the other one, and what stands there.
    pub(crate) missing: Vec<Missing>,
}

/// Something that has no counterpart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Missing {
    /// From 1.
    pub(crate) line: usize,
    /// What stands there, and what was done instead.
    pub(crate) what: String,
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// Makes one of the text of a Tsung file; `name` is what it is called in the comment above it.
///
/// # Errors
/// The file is not well-formed, or has no session for `ts_jabber`.
pub(crate) fn import(name: &str, text: &str) -> Result<Imported, Failure> {
    let top = tree::read(text).map_err(Failure::NoTsung)?;
    let mut missing = Vec::new();
    let load = load::Load::of(&top, &mut missing);
    let sessions = sessions::sessions(&top, &mut missing);
    if sessions.is_empty() {
        let what = "there is no session of the type ts_jabber";
        return Err(Failure::NoTsung(what.to_owned()));
    }
    missing.sort_by_key(|missing| missing.line);
    Ok(Imported {
        text: write::scenario(name, &load, &sessions),
        missing,
    })
}

#[cfg(test)]
mod tests;
