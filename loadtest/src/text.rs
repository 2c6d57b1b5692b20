//! Texts that grow.

use std::fmt::{Arguments, Write};

/// Adds to a text, which takes all that is written to it.
pub(crate) fn put(text: &mut String, what: Arguments<'_>) {
    // There is nothing that could fail but what is formatted, and none of ours does.
    let _ = text.write_fmt(what);
}
