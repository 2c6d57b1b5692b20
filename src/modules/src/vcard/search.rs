//! What clients say to the user directory and are told by it (XEP-0055).

use std::cmp::Reverse;

use bytes::Bytes;
use xml::{Element, Writer};
use xmpp::{Condition, StanzaError, ns};

use super::field::{Field, Wanted};
use super::store::Found;

/// The fields that are there without a form (XEP-0055 §2).
const PLAIN: [Field; 4] = [Field::First, Field::Last, Field::Nick, Field::Email];

/// What a client searches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Search {
    /// What is most likely to find few comes first.
    pub(super) wanted: Vec<Wanted>,
    /// Whether it was asked, and is to be answered, with a form.
    pub(super) form: bool,
}

impl Search {
    /// Reads the payload of an IQ set. What is in no field of ours is passed over.
    ///
    /// # Errors
    /// `bad-request`: neither a search nor a form of one.
    pub(super) fn read(query: &Element) -> Result<Self, StanzaError> {
        let bad_request = || StanzaError::new(Condition::BadRequest);
        if query.name() != "query" {
            return Err(bad_request());
        }
        let form = query.child("x", ns::DATA);
        let mut wanted = match form {
            Some(form) => read_form(&form.element().map_err(|_| bad_request())?)?,
            None => {
                let fields = query.children().filter(|child| child.ns() == ns::SEARCH);
                let fields = fields.filter_map(|child| {
                    let field = Field::of(child.name())?;
                    Wanted::new(field, &child.text()).filter(|_| PLAIN.contains(&field))
                });
                fields.collect()
            }
        };
        wanted.sort_by_key(|wanted: &Wanted| (wanted.prefix, Reverse(wanted.text.len())));
        Ok(Self {
            wanted,
            form: form.is_some(),
        })
    }
}

fn read_form(form: &Element) -> Result<Vec<Wanted>, StanzaError> {
    let bad_request = || StanzaError::new(Condition::BadRequest);
    if form.attr("type").as_deref() != Some("submit") {
        return Err(bad_request());
    }
    let mut wanted = Vec::new();
    for field in form.children().filter(|child| child.is("field", ns::DATA)) {
        let Some(var) = field.attr("var") else {
            continue;
        };
        let inner = field.element().map_err(|_| bad_request())?;
        let Some(value) = inner.child("value", ns::DATA) else {
            continue;
        };
        if var == "FORM_TYPE" && value.text() != ns::SEARCH {
            return Err(bad_request());
        }
        wanted.extend(Field::of(&var).and_then(|field| Wanted::new(field, &value.text())));
    }
    Ok(wanted)
}

/// The fields that can be searched, without a form and as one.
pub(super) fn write_fields() -> Bytes {
    const HOW: &str =
        "Fill in one or more fields. A text that ends with * is the beginning of what is searched.";
    let mut w = Writer::new();
    w.start("query", ns::SEARCH).leaf("instructions", HOW);
    for field in PLAIN {
        w.empty(field.names().0);
    }
    start_form(&mut w, "form");
    w.leaf("title", "Search of users").leaf("instructions", HOW);
    write_form_type(&mut w);
    write_labels(&mut w);
    w.end().end();
    w.finish()
}

/// Those who were found.
pub(super) fn write_found(found: &[Found], form: bool) -> Bytes {
    let mut w = Writer::new();
    w.start("query", ns::SEARCH);
    if form {
        start_form(&mut w, "result");
        write_form_type(&mut w);
        w.start("reported", "");
        w.empty("field")
            .attr("var", "jid")
            .attr("type", "jid-single")
            .attr("label", "Address");
        write_labels(&mut w);
        w.end();
        for found in found {
            w.start("item", "");
            write_value(&mut w, "jid", found.account.as_ref());
            for (field, value) in &found.fields {
                write_value(&mut w, field.names().0, value);
            }
            w.end();
        }
        w.end();
    } else {
        for found in found {
            w.start("item", "").attr("jid", found.account.as_ref());
            for field in PLAIN {
                let value = found.fields.get(&field).map_or("", String::as_str);
                w.leaf(field.names().0, value);
            }
            w.end();
        }
    }
    w.end();
    w.finish()
}

fn start_form(w: &mut Writer, kind: &str) {
    w.start("x", ns::DATA).attr("type", kind);
}

/// XEP-0068 §3.
fn write_form_type(w: &mut Writer) {
    w.start("field", "")
        .attr("var", "FORM_TYPE")
        .attr("type", "hidden");
    w.leaf("value", ns::SEARCH).end();
}

fn write_labels(w: &mut Writer) {
    for field in Field::ALL {
        let (var, label) = field.names();
        w.empty("field")
            .attr("var", var)
            .attr("type", "text-single")
            .attr("label", label);
    }
}

fn write_value(w: &mut Writer, var: &str, value: &str) {
    w.start("field", "").attr("var", var);
    w.leaf("value", value).end();
}
