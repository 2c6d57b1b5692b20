//! The small modules: one XEP, one file.
//!
//! Each is told to the node in its registry alone. How to add one is on one page, in
//! CONTRIBUTING.md.

pub mod announce;
pub mod caps;
pub mod contact;
pub mod disco;
pub mod last;
pub mod offline;
mod owners;
mod patience;
mod pieces;
pub mod ping;
pub mod privacy;
pub mod private;
pub mod register;
pub mod roster;
pub mod session_request;
pub mod time;
#[cfg(test)]
mod undertaker;
pub mod vcard;
pub mod version;
pub mod welcome;
