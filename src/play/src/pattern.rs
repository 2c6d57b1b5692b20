//! Values with wildcards, and what was captured so far.

use std::collections::HashMap;
use std::fmt;

use quick_xml::escape::escape;

use crate::xml::plain;

/// The value of an attribute, or a text: literal pieces and holes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Value(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    /// `*`: anything, even nothing; only ever the whole value.
    Any,
    /// `{name}`, `{_}`: at least one character.
    Hole(String),
}

impl Value {
    pub(crate) fn literal(text: String) -> Value {
        match text.is_empty() {
            true => Value(Vec::new()),
            false => Value(vec![Piece::Literal(text)]),
        }
    }

    /// From text as it is written, references and all.
    pub(crate) fn pattern(raw: &str) -> Result<Value, String> {
        if raw == "*" {
            return Ok(Value(vec![Piece::Any]));
        }
        let mut pieces = Vec::new();
        let mut rest = raw;
        while let Some((before, name, after)) = next_hole(rest) {
            if !before.is_empty() {
                pieces.push(Piece::Literal(plain(before)?));
            } else if matches!(pieces.last(), Some(Piece::Hole(_))) {
                return Err(format!(
                    "{raw:?}: nothing between two holes tells where one ends"
                ));
            }
            pieces.push(Piece::Hole(name.to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(plain(rest)?));
        }
        Ok(Value(pieces))
    }

    /// The text, when there are no holes in it.
    fn as_literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Piece::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether `came`, which is literal, fits; captures on the way.
    pub(crate) fn fits(&self, came: &Value, captured: &mut Captured) -> bool {
        let came = came.as_literal().unwrap_or_default();
        let mut trial = captured.clone();
        let fits = fits(&self.0, came, &mut trial);
        if fits {
            *captured = trial;
        }
        fits
    }
}

fn fits(pieces: &[Piece], came: &str, captured: &mut Captured) -> bool {
    match pieces {
        [] => came.is_empty(),
        [Piece::Any, ..] => true,
        [Piece::Literal(text), rest @ ..] => came
            .strip_prefix(text.as_str())
            .is_some_and(|came| fits(rest, came, captured)),
        [Piece::Hole(name), rest @ ..] => {
            let ends = came.char_indices().map(|(at, c)| at + c.len_utf8());
            ends.into_iter().any(|end| {
                let mut trial = captured.clone();
                let agreed =
                    trial.agree(name, &came[..end]) && fits(rest, &came[end..], &mut trial);
                if agreed {
                    *captured = trial;
                }
                agreed
            })
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => f.write_str(&escape(text.as_str()))?,
                Piece::Any => f.write_str("*")?,
                Piece::Hole(name) => write!(f, "{{{name}}}")?,
            }
        }
        Ok(())
    }
}

/// Text before the first `{name}`, the name, and the text after it.
fn next_hole(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let open = from + text[from..].find('{')?;
        let close = open + text[open..].find('}')?;
        let name = &text[open + 1..close];
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
        if !name.is_empty() && name.chars().all(is_name) {
            return Some((&text[..open], name, &text[close + 1..]));
        }
        from = open + 1;
    }
}

/// Values by the names that a play gave them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Captured(HashMap<String, String>);

impl Captured {
    /// Keeps a value under a name, or compares it with the one kept. `_` agrees with everything.
    fn agree(&mut self, name: &str, value: &str) -> bool {
        if name == "_" {
            return true;
        }
        self.0
            .entry(name.to_owned())
            .or_insert_with(|| value.to_owned())
            == value
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Replaces every `{name}` by its value, made fit for XML by `dress`.
    ///
    /// # Errors
    ///
    /// The name that nothing was captured for.
    pub(crate) fn fill(
        &self,
        text: &str,
        dress: impl Fn(&str) -> String,
    ) -> Result<String, String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, name, after)) = next_hole(rest) {
            out.push_str(before);
            let value = self.get(name);
            out.push_str(&dress(
                value.ok_or_else(|| format!("nothing was captured as {{{name}}}"))?,
            ));
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, came: &str, captured: &mut Captured) -> bool {
        Value::pattern(pattern)
            .expect("a pattern")
            .fits(&Value::literal(came.to_owned()), captured)
    }

    #[test]
    fn stars_match_anything_and_escaped_stars_themselves() {
        let none = &mut Captured::default();
        assert!(fits("*", "", none) && fits("*", "x", none));
        assert!(fits("&#42;", "*", none) && !fits("&#42;", "x", none));
        assert!(fits("a*b", "a*b", none) && !fits("a*b", "axb", none));
    }

    #[test]
    fn holes_capture_within_a_value_and_must_agree_later() {
        let captured = &mut Captured::default();
        assert!(fits(
            "romeo@localhost/{resource}",
            "romeo@localhost/r1",
            captured
        ));
        assert_eq!(captured.get("resource"), Some("r1"));
        assert!(fits("{resource}", "r1", captured) && !fits("{resource}", "r2", captured));
        assert!(!fits("{empty}", "", captured));
        assert_eq!(
            captured.get("empty"),
            None,
            "what did not fit captures nothing"
        );
        assert!(fits("{_}-{_}", "a-b", captured) && fits("{_}", "else", captured));
    }

    #[test]
    fn a_hole_may_hold_what_follows_it() {
        let captured = &mut Captured::default();
        assert!(fits("{a}-x", "1-2-x", captured));
        assert_eq!(captured.get("a"), Some("1-2"));
    }

    #[test]
    fn braces_that_are_no_names_are_text() {
        let none = &mut Captured::default();
        assert!(fits("{\"a\": 1}", "{\"a\": 1}", none));
        assert_eq!(
            none.fill("{\"a\":{}}", str::to_owned),
            Ok("{\"a\":{}}".to_owned())
        );
        assert!(none.fill("{id}", str::to_owned).is_err());
    }
}
