//! Whether what came is what was expected, and if not, why not.

use crate::pattern::Captured;
use crate::xml::{Element, Item};

/// `Ok` when `came` is what is `expected` (what was captured then stays in `captured`), else the
/// first difference in words.
pub(crate) fn item(
    expected: &Item,
    came: &Item,
    ordered: bool,
    captured: &mut Captured,
) -> Result<(), String> {
    match (expected, came) {
        (Item::Close, Item::Close) => Ok(()),
        (
            Item::Open {
                tag: expected,
                default_ns: expected_ns,
            },
            Item::Open {
                tag: came,
                default_ns: came_ns,
            },
        ) => {
            if expected_ns.is_some() && expected_ns != came_ns {
                return Err(format!(
                    "the stream's default namespace is {}, not {}",
                    came_ns.as_deref().unwrap_or("undeclared"),
                    expected_ns.as_deref().unwrap_or_default(),
                ));
            }
            element(expected, came, ordered, captured)
        }
        (Item::Whole(expected), Item::Whole(came)) => element(expected, came, ordered, captured),
        (expected, came) => Err(format!("{} came, not {}", kind(came), kind(expected))),
    }
}

fn kind(item: &Item) -> &'static str {
    match item {
        Item::Open { .. } => "the opening tag of a stream",
        Item::Close => "the end of the stream",
        Item::Whole(_) => "an element",
    }
}

fn element(
    expected: &Element,
    came: &Element,
    ordered: bool,
    captured: &mut Captured,
) -> Result<(), String> {
    if expected.name == "*" {
        return Ok(());
    }
    if (&expected.name, &expected.ns) != (&came.name, &came.ns) {
        return Err(format!("{} came, not {}", name(came), name(expected)));
    }
    let mut trial = captured.clone();
    attributes(expected, came, &mut trial)?;
    if !expected.text.fits(&came.text, &mut trial) {
        return Err(format!(
            "the text of {} is \"{}\", not \"{}\"",
            name(came),
            came.text,
            expected.text
        ));
    }
    let fits = match ordered {
        true => in_order(&expected.children, &came.children, &trial),
        false => in_any_order(&expected.children, &came.children, &trial),
    };
    match fits {
        Some(found) => {
            *captured = found;
            Ok(())
        }
        None => Err(children(expected, came, ordered, &trial)),
    }
}

fn attributes(expected: &Element, came: &Element, captured: &mut Captured) -> Result<(), String> {
    for (key, value) in &expected.attributes {
        let Some((_, there)) = came.attributes.iter().find(|(there, _)| there == key) else {
            return Err(format!("{} has no attribute `{key}`", name(came)));
        };
        if !value.fits(there, captured) {
            return Err(format!(
                "`{key}` of {} is '{there}', not '{value}'",
                name(came)
            ));
        }
    }
    let expects = |key: &String| expected.attributes.iter().any(|(known, _)| known == key);
    match came
        .attributes
        .iter()
        .find(|(key, _)| !expected.more_attributes && !expects(key))
    {
        Some((key, value)) => Err(format!("{} has `{key}='{value}'` too", name(came))),
        None => Ok(()),
    }
}

fn in_order(expected: &[Element], came: &[Element], captured: &Captured) -> Option<Captured> {
    match expected {
        [] => came.is_empty().then(|| captured.clone()),
        [first, rest @ ..] if first.name == "**" => {
            (0..=came.len()).find_map(|skipped| in_order(rest, &came[skipped..], captured))
        }
        [first, rest @ ..] => {
            let (candidate, others) = came.split_first()?;
            let mut trial = captured.clone();
            element(first, candidate, true, &mut trial).ok()?;
            in_order(rest, others, &trial)
        }
    }
}

fn in_any_order(expected: &[Element], came: &[Element], captured: &Captured) -> Option<Captured> {
    let (wild, mut named): (Vec<&Element>, Vec<&Element>) =
        expected.iter().partition(|e| e.name.starts_with('*'));
    let singles = wild.iter().filter(|e| e.name == "*").count();
    let spare = came.len().checked_sub(named.len() + singles)?;
    if spare > 0 && singles == wild.len() {
        return None;
    }
    named.reverse();
    assign(&mut named, came, &mut vec![false; came.len()], captured)
}

/// Gives each expected element one of its own among those that came, trying all ways.
fn assign(
    expected: &mut Vec<&Element>,
    came: &[Element],
    taken: &mut Vec<bool>,
    captured: &Captured,
) -> Option<Captured> {
    let Some(first) = expected.pop() else {
        return Some(captured.clone());
    };
    for (at, candidate) in came.iter().enumerate() {
        let mut trial = captured.clone();
        if taken[at] || element(first, candidate, false, &mut trial).is_err() {
            continue;
        }
        taken[at] = true;
        if let Some(found) = assign(expected, came, taken, &trial) {
            return Some(found);
        }
        taken[at] = false;
    }
    expected.push(first);
    None
}

/// Why the children do not fit.
fn children(expected: &Element, came: &Element, ordered: bool, captured: &Captured) -> String {
    let fits = |e: &Element, c: &Element| element(e, c, ordered, &mut captured.clone());
    for wanted in expected
        .children
        .iter()
        .filter(|e| !e.name.starts_with('*'))
    {
        if came.children.iter().any(|c| fits(wanted, c).is_ok()) {
            continue;
        }
        let alike = |c: &&Element| (&c.name, &c.ns) == (&wanted.name, &wanted.ns);
        return match came.children.iter().find(alike).map(|c| fits(wanted, c)) {
            Some(Err(why)) => why,
            _ => format!("{} has no {}", name(came), name(wanted)),
        };
    }
    let extra = came
        .children
        .iter()
        .find(|c| !expected.children.iter().any(|e| fits(e, c).is_ok()));
    match extra {
        Some(extra) => format!("{} has {} too", name(came), name(extra)),
        None if ordered => format!("the children of {} come in another order", name(came)),
        None => format!(
            "{} has {} children that would fit, {} were expected",
            name(came),
            came.children.len(),
            expected.children.len()
        ),
    }
}

fn name(element: &Element) -> String {
    format!("<{} xmlns='{}'>", element.name, element.ns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{CLIENT, literal, pattern};

    fn verdict(expected: &str, came: &str, ordered: bool) -> Result<Captured, String> {
        let mut captured = Captured::default();
        let expected = pattern(expected, CLIENT).expect("a pattern");
        let came = literal(came, CLIENT).expect("XML");
        item(&expected[0], &came[0], ordered, &mut captured).map(|()| captured)
    }

    #[track_caller]
    fn fits(expected: &str, came: &str) -> Captured {
        verdict(expected, came, false).expect("fits")
    }

    #[track_caller]
    fn differs(expected: &str, came: &str, why: &str) {
        let said = verdict(expected, came, false).expect_err("differs");
        assert!(said.contains(why), "{said}");
    }

    #[test]
    fn prefixes_quotes_order_and_escapes_do_not_matter() {
        fits(
            "<iq to='a' id='1'><q xmlns='urn:q' a='&lt;'>&amp;</q></iq>",
            r#"<c:iq xmlns:c='jabber:client' id="1" to="a"><p:q xmlns:p="urn:q" a='&#60;'><![CDATA[&]]></p:q></c:iq>"#,
        );
        fits("<a xml:lang='de'/>", "<a xml:lang=\"de\"/>");
        fits(
            "<a xmlns:p='urn:p' p:x='1'/>",
            "<a xmlns:q='urn:p' q:x='1'/>",
        );
    }

    #[test]
    fn what_differs_is_named() {
        differs(
            "<iq id='1'/>",
            "<iq id='2'/>",
            "`id` of <iq xmlns='jabber:client'> is '2', not '1'",
        );
        differs("<iq id='1'/>", "<iq/>", "has no attribute `id`");
        differs("<iq/>", "<iq id='1'/>", "has `id='1'` too");
        differs(
            "<a/>",
            "<b/>",
            "<b xmlns='jabber:client'> came, not <a xmlns='jabber:client'>",
        );
        differs("<a xmlns='urn:x'/>", "<a/>", "came, not");
        differs("<a>x</a>", "<a>y</a>", "is \"y\", not \"x\"");
        differs("<a><b/></a>", "<a/>", "has no <b");
        differs("<a/>", "<a><b/></a>", "has <b xmlns='jabber:client'> too");
        differs(
            "<a><b/></a>",
            "<a><b/><b/></a>",
            "2 children that would fit, 1 were expected",
        );
        differs("<a><b x='1'/></a>", "<a><b x='2'/></a>", "`x` of <b");
        differs("<a> </a>", "<a/>", "text");
        differs(
            "</stream:stream>",
            "<a/>",
            "an element came, not the end of the stream",
        );
    }

    #[test]
    fn children_fit_in_any_order_unless_order_is_asked_for() {
        let (one, other) = ("<a><b x='{x}'/><c/></a>", "<a><c/><b x='1'/></a>");
        assert_eq!(fits(one, other).get("x"), Some("1"));
        let why = verdict(one, other, true).expect_err("ordered");
        assert!(why.contains("come in another order"), "{why}");
        verdict("<a><**/><c/><**/></a>", "<a><b/><c/></a>", true).expect("in order");
    }

    #[test]
    fn wild_children_take_what_the_named_ones_leave() {
        fits("<a><*/><b/></a>", "<a><b/><c><d/></c></a>");
        differs("<a><*/><b/></a>", "<a><b/></a>", "");
        fits("<a><b/><**/></a>", "<a><c/><b/><d/></a>");
        fits("<a><b/><**/></a>", "<a><b/></a>");
        // The one with a star must not take what only the other can have.
        let both = fits("<a><b x='*'/><b x='1'/></a>", "<a><b x='1'/><b x='2'/></a>");
        assert_eq!(both.get("x"), None);
    }

    #[test]
    fn stars_and_further_attributes() {
        fits("<a x='*' *><b>*</b></a>", "<a x='' y='2'><b>t</b></a>");
        differs("<a x='*' */>", "<a y='2'/>", "has no attribute `x`");
    }

    #[test]
    fn stream_headers_are_opening_tags() {
        let header = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
            xmlns:stream='http://etherx.jabber.org/streams' id='7' version='1.0'>";
        assert_eq!(
            fits("<stream:stream id='{id}' version='1.0'>", header).get("id"),
            Some("7")
        );
        differs(
            "<stream:stream xmlns='jabber:server' *>",
            header,
            "default namespace",
        );
        fits("</stream:stream>", "</stream:stream>");
    }

    #[test]
    fn white_space_around_children_is_no_text() {
        fits("<a><b/></a>", "<a>\n  <b/>\n</a>");
    }
}
