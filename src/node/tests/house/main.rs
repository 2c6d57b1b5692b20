//! The house rules that can be checked by looking: who may know whom, how long a file may be, what a
//! thing may be called. `ARCHITECTURE.md` says why each of them stands.

mod documents;
mod files;
mod graph;
mod layers;
mod manifests;
mod shape;

/// Fails with all that breaks a rule.
#[track_caller]
pub(crate) fn none(broken: &[String], rule: &str) {
    assert!(broken.is_empty(), "{rule}\n  {}\n", broken.join("\n  "));
}
