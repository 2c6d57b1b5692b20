//! Variables: `{name}` in what is sent, and where their values stand in answers.

use xml::{Element, Tree};

/// The text with the values of the variables in it. What nobody knows stays as it is written.
pub(crate) fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        out.push_str(before);
        let known = behind
            .split_once('}')
            .and_then(|(name, rest)| Some((value(name)?, rest)));
        match known {
            Some((value, behind)) => {
                out.push_str(&value);
                rest = behind;
            }
            None => {
                out.push('{');
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    out
}

/// What stands at a path of element names below the answer: `query/item@jid` is an attribute,
/// `query/title` a text, `@from` an attribute of the answer itself.
pub(crate) fn find(answer: &Element, path: &str) -> Option<String> {
    let (elements, attribute) = match path.split_once('@') {
        Some((elements, attribute)) => (elements, Some(attribute)),
        None => (path, None),
    };
    let tree = answer.tree().ok()?;
    let mut found: &Tree = &tree;
    for name in elements.split('/').filter(|name| !name.is_empty()) {
        found = found.children().find(|child| child.name == name)?;
    }
    match attribute {
        Some(attribute) => found.attr(attribute).map(str::to_owned),
        None => Some(found.text()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_where_their_names_are() {
        let value = |name: &str| (name == "user").then(|| "romeo".to_owned());
        assert_eq!(fill("{user}@{domain} {user", value), "romeo@{domain} {user");
        assert_eq!(fill("a{}{user}b", value), "a{}romeob");
    }

    #[test]
    fn what_is_kept_is_found() {
        let answer = Element::parse(
            b"<iq from='a@b' type='result'><query xmlns='x'><item jid='c&amp;d'/><title>T</title></query></iq>",
        )
        .expect("an element");
        let find = |path| find(&answer, path);
        assert_eq!(find("query/item@jid").as_deref(), Some("c&d"));
        assert_eq!(find("query/title").as_deref(), Some("T"));
        assert_eq!(find("@from").as_deref(), Some("a@b"));
        assert_eq!(find("query/none@jid"), None);
    }
}
