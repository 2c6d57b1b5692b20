//! Documents with parameters: what one changes from one use to the next stands at their top.
//!
//! The key `parameters` holds names and values in braces. Where a string is `"$name"` and nothing
//! else, the value stands in its place as it is written there, a number as a number; in a longer
//! string its text goes in. `$$` is a dollar.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::path::Path as FilePath;

use ron::extensions::Extensions;
use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::explain::nearest;
use crate::load::ConfigError;
use crate::outline::Outline;
use crate::setting::quote;
use crate::source::{Fault, Source};
use crate::{Path, Problem, Setting, Settings, Severity, Shape};

/// The key that holds them.
const KEY: &str = "parameters";

/// The value of a parameter, as text: `8`, `true` or the inside of a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter(pub String);

impl<'de> Deserialize<'de> for Parameter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsText;
        impl Visitor<'_> for AsText {
            type Value = Parameter;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, a string, true or false")
            }
            fn visit_bool<E: Error>(self, value: bool) -> Result<Parameter, E> {
                Ok(Parameter(value.to_string()))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Parameter, E> {
                Ok(Parameter(value.to_string()))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Parameter, E> {
                Ok(Parameter(value.to_string()))
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<Parameter, E> {
                Ok(Parameter(value.to_string()))
            }
            fn visit_str<E: Error>(self, value: &str) -> Result<Parameter, E> {
                Ok(Parameter(value.to_owned()))
            }
        }
        deserializer.deserialize_any(AsText)
    }
}

impl Setting for Parameter {
    fn expects() -> String {
        "a number, a string in double quotes, true or false".into()
    }
    fn shape(&self) -> Shape {
        Shape::Value {
            text: quote(&self.0),
            expects: Self::expects(),
        }
    }
}

/// A document that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Document<T> {
    /// What it says.
    pub value: T,
    /// What is hardly meant.
    pub warnings: Vec<Problem>,
}

/// Reads and checks a document whose top is a section with the key `parameters`, a map of
/// [`Parameter`]s. `set` has values for some of them, by name, that count instead of what is written;
/// `help` says where to look when nothing better can be said.
///
/// # Errors
/// All that is wrong with it; of what can't be read at all, the first. Names that are no parameter.
pub fn read_document<T: Settings>(
    text: &str,
    file: &FilePath,
    set: &BTreeMap<String, String>,
    help: &'static str,
) -> Result<Document<T>, ConfigError> {
    let text = text.trim_start_matches('\u{feff}');
    let written = Source::new(text, file, T::blank(), help);
    let Filled {
        text: filled,
        moved,
        problems: found,
    } = fill(&written, set);
    let (mut warnings, problems): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|problem| problem.severity == Severity::Warning);
    if !problems.is_empty() {
        return Err(ConfigError { problems });
    }
    let source = Source {
        text: &filled,
        file,
        outline: Outline::of(&filled),
        shape: T::blank(),
        help,
        edits: Edits {
            written: Some(text),
            moved,
        },
    };
    let value = source.read::<T>(&filled, Extensions::UNWRAP_VARIANT_NEWTYPES)?;
    warnings.extend(source.check(&value)?);
    Ok(Document { value, warnings })
}

/// What was written in place of parameters.
#[derive(Debug, Default)]
pub(crate) struct Edits<'a> {
    /// The text before; `None` if nothing was written.
    pub(crate) written: Option<&'a str>,
    /// Places before and after, in the order of the text.
    moved: Vec<(Range<usize>, Range<usize>)>,
}

impl Edits<'_> {
    /// Where this place was before.
    pub(crate) fn before(&self, at: Range<usize>) -> Range<usize> {
        let start = self.offset(at.start, false);
        start..self.offset(at.end, true).max(start)
    }

    fn offset(&self, offset: usize, end: bool) -> usize {
        let mut shift = (0, 0);
        for (old, new) in &self.moved {
            if offset < new.start {
                break;
            }
            if offset < new.end || (offset == new.end && end) {
                return if end { old.end } else { old.start };
            }
            shift = (new.end, old.end);
        }
        offset - shift.0 + shift.1
    }
}

/// A text with values in the places of parameters.
struct Filled {
    text: String,
    moved: Vec<(Range<usize>, Range<usize>)>,
    problems: Vec<Problem>,
}

fn fill(written: &Source<'_>, set: &BTreeMap<String, String>) -> Filled {
    let mut problems = Vec::new();
    let parameters = parameters(written, set, &mut problems);
    let mut used = BTreeSet::new();
    let mut changes: Vec<(Range<usize>, String)> = Vec::new();
    for (path, at) in written.outline.leaves() {
        let raw = &written.text[at.clone()];
        let change = match path.0.first() {
            Some(crate::Step::Key(key)) if key == KEY => match path.0.get(1) {
                Some(crate::Step::Key(name)) if set.contains_key(name) => {
                    parameters.get(name).cloned()
                }
                _ => None,
            },
            _ if raw.starts_with('"') && raw.contains('$') => {
                match filled(raw, &parameters, &mut used) {
                    Ok(text) => Some(text),
                    Err(name) => {
                        let known: Vec<&str> = parameters.keys().map(String::as_str).collect();
                        problems.push(written.problem(Fault {
                            at: at.clone(),
                            field: path.clone(),
                            what: format!("there is no parameter `{name}`"),
                            mend: known_instead(&name, &known, "$"),
                        }));
                        None
                    }
                }
            }
            _ => None,
        };
        changes.extend(change.map(|text| (at, text)));
    }
    for name in parameters.keys().filter(|name| !used.contains(*name)) {
        let field = Path::default().key(KEY).key(name);
        if let Some(at) = written.outline.key(&field) {
            let fault = Fault {
                at,
                field,
                what: format!("the parameter `{name}` is used nowhere"),
                mend: format!("leave it out, or write \"${name}\" where it belongs"),
            };
            problems.push(Problem {
                severity: Severity::Warning,
                ..written.problem(fault)
            });
        }
    }
    changes.sort_by_key(|(at, _)| at.start);
    let mut text = String::with_capacity(written.text.len());
    let mut moved = Vec::with_capacity(changes.len());
    let mut done = 0;
    for (at, change) in changes {
        text.push_str(&written.text[done..at.start]);
        let start = text.len();
        text.push_str(&change);
        moved.push((at.clone(), start..text.len()));
        done = at.end;
    }
    text.push_str(&written.text[done..]);
    Filled {
        text,
        moved,
        problems,
    }
}

/// The values as they are written into the text, by name.
fn parameters(
    written: &Source<'_>,
    set: &BTreeMap<String, String>,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, String> {
    let mut parameters: BTreeMap<String, String> = written
        .outline
        .below(KEY)
        .map(|(name, at)| (name.to_owned(), written.text[at].to_owned()))
        .collect();
    let beside = |what: String, mend: String| Problem {
        severity: Severity::Error,
        file: written.file.to_owned(),
        place: None,
        field: Path::default().key(KEY),
        what,
        mend,
    };
    for (name, value) in set {
        let known: Vec<&str> = parameters.keys().map(String::as_str).collect();
        let Some(literal) = parameters.get(name) else {
            let mend = known_instead(name, &known, "");
            problems.push(beside(format!("there is no parameter `{name}`"), mend));
            continue;
        };
        let value = if literal.starts_with('"') {
            quote(value)
        } else if is_plain(value) {
            value.clone()
        } else {
            let what = format!("`{value}` does not fit in place of {literal}");
            problems.push(beside(
                what,
                format!("set {name} to something like {literal}"),
            ));
            continue;
        };
        parameters.insert(name.clone(), value);
    }
    parameters
}

/// Whether it is a number or a truth, and no more than that.
fn is_plain(value: &str) -> bool {
    value.parse::<f64>().is_ok_and(f64::is_finite) || matches!(value, "true" | "false")
}

fn known_instead(name: &str, known: &[&str], sigil: &str) -> String {
    match nearest(name, known) {
        Some(near) => format!("write `{sigil}{near}`"),
        None if known.is_empty() => "the file has no parameters".into(),
        None => format!("known here: {}", known.join(", ")),
    }
}

/// A string with values in it; otherwise the name that is not known.
fn filled(
    raw: &str,
    parameters: &BTreeMap<String, String>,
    used: &mut BTreeSet<String>,
) -> Result<String, String> {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(behind) = rest.strip_prefix('$') {
            out.push('$');
            rest = behind;
            continue;
        }
        let length = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        let (name, behind) = rest.split_at(length);
        let literal = parameters.get(name).ok_or_else(|| name.to_owned())?;
        used.insert(name.to_owned());
        if out == "\"" && behind == "\"" {
            return Ok(literal.clone());
        }
        let quoted = literal.strip_prefix('"').and_then(|l| l.strip_suffix('"'));
        out.push_str(quoted.unwrap_or(literal));
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Span, settings};

    settings! {
        /// Something to read.
        struct Story {
            /// What changes.
            parameters: BTreeMap<String, Parameter>,
            /// How many.
            users: u32,
            /// How they are called.
            pattern: String,
            /// How long.
            lasts: Span = Span::seconds(1),
        }
        check |story, problems| {
            problems.at_least("users", story.users, 1);
        }
    }

    const TEXT: &str = "(\n  parameters: { \"users\": 200, \"who\": \"u\", \"time\": \"10s\" },\n  \
        pattern: \"$who%d$$\", lasts: \"$time\", users: \"$users\",\n)";

    fn read(text: &str, set: &[(&str, &str)]) -> Result<Document<Story>, String> {
        let set = set
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        read_document(text, FilePath::new("story.ron"), &set, "look elsewhere")
            .map_err(|error| error.to_string())
    }

    #[test]
    fn values_stand_where_their_names_are() {
        let story = read(TEXT, &[]).expect("fine").value;
        assert_eq!((story.users, story.lasts), (200, Span::seconds(10)));
        assert_eq!(story.pattern, "u%d$");
        let set = [("users", "7"), ("who", "a\"b"), ("time", "2m")];
        let story = read(TEXT, &set).expect("fine").value;
        assert_eq!((story.users, story.lasts), (7, Span::minutes(2)));
        assert_eq!(story.pattern, "a\"b%d$");
        assert_eq!(story.parameters["users"].0, "7");
    }

    #[test]
    fn what_is_wrong_is_shown_where_it_was_written() {
        let said = read(TEXT, &[("users", "0")]).expect_err("too little");
        assert!(said.contains("story.ron:3:47, field users"), "{said}");
        assert!(said.contains("users: \"$users\","), "{said}");
        assert!(said.contains("^^^^^^^^\n"), "{said}");
        let said = read(TEXT, &[("who", "somebody else"), ("users", "-1")]).expect_err("negative");
        assert!(said.contains("story.ron:3:47, field users"), "{said}");
    }

    #[test]
    fn names_that_are_not_there_are_told() {
        let said = read(TEXT, &[("usres", "5")]).expect_err("misspelt");
        assert!(said.contains("there is no parameter `usres`"), "{said}");
        assert!(said.contains("write `users`"), "{said}");
        let said = read(&TEXT.replace("$who", "$whom"), &[]).expect_err("misspelt");
        assert!(said.contains("story.ron:3:12, field pattern"), "{said}");
        assert!(said.contains("write `$who`"), "{said}");
        for bad in ["5), x: (", "[1]", "nan", "many"] {
            let said = read(TEXT, &[("users", bad)]).expect_err(bad);
            assert!(said.contains("in place of 200"), "{said}");
        }
    }

    #[test]
    fn what_is_used_nowhere_is_a_warning() {
        let text = TEXT.replace("\"$users\"", "3");
        let document = read(&text, &[]).expect("fine");
        assert_eq!(document.warnings.len(), 1);
        assert!(document.warnings[0].what.contains("used nowhere"));
    }
}
