//! SASLprep (RFC 4013): what user names and passwords look like before they are compared or hashed.

use std::borrow::Cow;

use stringprep::tables;
use unicode_normalization::UnicodeNormalization;

/// What the prepared string is for (RFC 3454 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// It will be kept, as the password of a new account: code points that Unicode 3.2 does not
    /// assign are refused, because their normalisation may change.
    Stored,
    /// It is compared with something kept, as the password of a login: unassigned code points
    /// pass (and simply match nothing that was prepared as [`Use::Stored`]).
    Query,
}

/// Why SASLprep refuses a string (RFC 4013 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SaslPrepError {
    /// A code point of the tables that §2.3 lists.
    #[error("the character U+{:04X} is not allowed in user names and passwords", *.0 as u32)]
    Prohibited(char),
    /// Right-to-left text mixed with left-to-right text, or not at both ends (RFC 3454 §6).
    #[error("right-to-left and left-to-right text are mixed in a way that is not allowed")]
    Bidirectional,
    /// A code point that Unicode 3.2 does not assign, in a string that is to be stored.
    #[error("the character U+{:04X} is too new to be stored in a password", *.0 as u32)]
    Unassigned(char),
    /// Nothing is left, or nothing was there.
    #[error("it is empty")]
    Empty,
}

/// Prepares `text`: maps, normalises (NFKC), then checks it.
///
/// Printable ASCII comes back as it is, without an allocation.
///
/// # Errors
/// [`SaslPrepError`] says which rule of RFC 4013 the string breaks; an empty result is refused
/// too, as RFC 4616 and RFC 5802 ask.
pub fn saslprep(text: &str, purpose: Use) -> Result<Cow<'_, str>, SaslPrepError> {
    if text.is_empty() {
        return Err(SaslPrepError::Empty);
    }
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Ok(Cow::Borrowed(text));
    }
    let prepared: String = text
        .chars()
        .map(|c| {
            if tables::non_ascii_space_character(c) {
                ' '
            } else {
                c
            }
        })
        .filter(|&c| !tables::commonly_mapped_to_nothing(c))
        .nfkc()
        .collect();
    if prepared.is_empty() {
        return Err(SaslPrepError::Empty);
    }
    if let Some(c) = prepared.chars().find(|&c| is_prohibited(c)) {
        return Err(SaslPrepError::Prohibited(c));
    }
    check_bidirectional(&prepared)?;
    if purpose == Use::Stored
        && let Some(c) = prepared.chars().find(|&c| tables::unassigned_code_point(c))
    {
        return Err(SaslPrepError::Unassigned(c));
    }
    Ok(Cow::Owned(prepared))
}

/// The tables of RFC 4013 §2.3.
fn is_prohibited(c: char) -> bool {
    tables::non_ascii_space_character(c)
        || tables::ascii_control_character(c)
        || tables::non_ascii_control_character(c)
        || tables::private_use(c)
        || tables::non_character_code_point(c)
        || tables::surrogate_code(c)
        || tables::inappropriate_for_plain_text(c)
        || tables::inappropriate_for_canonical_representation(c)
        || tables::change_display_properties_or_deprecated(c)
        || tables::tagging_character(c)
}

/// RFC 3454 §6: a string with right-to-left characters has no left-to-right ones, and begins
/// and ends with a right-to-left one.
fn check_bidirectional(text: &str) -> Result<(), SaslPrepError> {
    if !text.contains(tables::bidi_r_or_al) {
        return Ok(());
    }
    let enclosed = text.starts_with(tables::bidi_r_or_al) && text.ends_with(tables::bidi_r_or_al);
    if text.contains(tables::bidi_l) || !enclosed {
        return Err(SaslPrepError::Bidirectional);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(text: &str) -> Result<String, SaslPrepError> {
        saslprep(text, Use::Stored).map(Cow::into_owned)
    }

    /// RFC 4013 §3.
    #[test]
    fn the_examples_of_the_rfc() {
        assert_eq!(stored("I\u{AD}X").as_deref(), Ok("IX"));
        assert_eq!(stored("user").as_deref(), Ok("user"));
        assert_eq!(stored("USER").as_deref(), Ok("USER"));
        assert_eq!(stored("\u{AA}").as_deref(), Ok("a"));
        assert_eq!(stored("\u{2168}").as_deref(), Ok("IX"));
        assert_eq!(stored("\u{7}"), Err(SaslPrepError::Prohibited('\u{7}')));
        assert_eq!(stored("\u{627}1"), Err(SaslPrepError::Bidirectional));
    }

    #[test]
    fn each_prohibited_table_has_its_say() {
        for c in [
            '\u{7F}',
            '\u{80}',
            '\u{6DD}',
            '\u{E000}',
            '\u{FFFE}',
            '\u{FFF9}',
            '\u{2FF0}',
            '\u{200E}',
            '\u{E0001}',
        ] {
            assert_eq!(stored(&format!("a{c}b")), Err(SaslPrepError::Prohibited(c)));
        }
    }

    #[test]
    fn spaces_become_one_kind_of_space() {
        assert_eq!(stored("a\u{A0}b\u{3000}c").as_deref(), Ok("a b c"));
    }

    #[test]
    fn right_to_left_text_is_welcome_when_it_is_alone() {
        assert_eq!(stored("\u{627}1\u{628}").as_deref(), Ok("\u{627}1\u{628}"));
        assert_eq!(stored("\u{627}a\u{628}"), Err(SaslPrepError::Bidirectional));
    }

    #[test]
    fn new_characters_may_be_asked_for_but_not_stored() {
        let emoji = "\u{1F600}";
        assert_eq!(stored(emoji), Err(SaslPrepError::Unassigned('\u{1F600}')));
        assert_eq!(saslprep(emoji, Use::Query).as_deref(), Ok(emoji));
    }

    #[test]
    fn nothing_is_no_password() {
        assert_eq!(stored(""), Err(SaslPrepError::Empty));
        assert_eq!(stored("\u{AD}"), Err(SaslPrepError::Empty));
    }
}
