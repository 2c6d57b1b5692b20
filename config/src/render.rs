//! Draws a configuration: every key with its default and its comment.

use crate::{Config, Key, Section, Setting, Settings, Shape};

const INDENT: &str = "    ";
/// A list of plain values that is longer than this gets a line per item.
const MAX_LINE: usize = 90;

/// The whole configuration with every key, its default and its comment, as RON. Reading it gives
/// the defaults again.
pub fn render_full<M: Settings>() -> String {
    let mut out = String::new();
    comment(&mut out, "", &[
        " Every key of the configuration with its default. A key that is left out has the default,".into(),
        " so a file needs only what differs: see minimal.ron. Lengths of time are written \"500ms\",".into(),
        " \"60s\", \"5m\", \"2h\", sizes \"512B\", \"64KiB\", \"1MiB\". `mungo check --config FILE` checks a file.".into(),
        String::new(),
        " Generated from the program; a test compares it.".into(),
    ]);
    draw(&mut out, &Config::<M>::default().shape(), "");
    out.push('\n');
    out
}

fn comment(out: &mut String, indent: &str, lines: &[String]) {
    for line in lines {
        out.push_str(format!("{indent}//{line}").trim_end());
        out.push('\n');
    }
}

fn draw(out: &mut String, shape: &Shape, indent: &str) {
    match shape {
        Shape::Value { text, .. } => out.push_str(text),
        Shape::Section(section) => draw_section(out, section, indent),
        Shape::List { blank, items } => draw_list(out, blank, items, indent),
        Shape::Map { entries, .. } => draw_map(out, entries, indent),
    }
}

/// The keys of a section in whose place something else stands, as the lines of a comment.
fn if_it_stood(name: &str, section: &Section) -> Vec<String> {
    let mut keys = String::new();
    let section = Section {
        away: false,
        ..section.clone()
    };
    draw_section(&mut keys, &section, "");
    let keys = keys.replace("\n\n", "\n");
    let keys = format!("Written otherwise, it is there:\n{name}: {keys},");
    keys.lines().map(|line| format!(" {line}")).collect()
}

fn draw_section(out: &mut String, section: &Section, indent: &str) {
    if let Some(instead) = section.instead.filter(|_| section.away) {
        out.push_str(instead);
        return;
    }
    if section.keys.is_empty() {
        out.push_str("()");
        return;
    }
    let inner = format!("{indent}{INDENT}");
    out.push_str("(\n");
    for Key { name, doc, shape } in &section.keys {
        let lines = match shape {
            Shape::Section(inside) if doc.is_empty() => &inside.doc,
            _ => doc,
        };
        if indent.is_empty() && *name != section.keys[0].name {
            out.push('\n');
        }
        comment(out, &inner, lines);
        if let Shape::Section(inside) = shape
            && inside.away
        {
            comment(out, &inner, &if_it_stood(name, inside));
        }
        out.push_str(&format!("{inner}{name}: "));
        draw(out, shape, &inner);
        out.push_str(",\n");
    }
    out.push_str(&format!("{indent})"));
}

/// The first section of a list is drawn with every key; of the others only what is particular.
fn draw_list(out: &mut String, blank: &Shape, items: &[Shape], indent: &str) {
    let inline: Vec<String> = items
        .iter()
        .enumerate()
        .map(|(index, item)| in_one_line(item, (index > 0).then_some(blank)))
        .collect();
    let sections = items.iter().any(|item| matches!(item, Shape::Section(_)));
    let width: usize = inline.iter().map(|item| item.len() + 2).sum();
    if !sections && indent.len() + width <= MAX_LINE {
        out.push_str(&format!("[{}]", inline.join(", ")));
        return;
    }
    let inner = format!("{indent}{INDENT}");
    out.push_str("[\n");
    for (index, item) in items.iter().enumerate() {
        out.push_str(&inner);
        if index == 0 {
            draw(out, item, &inner);
        } else {
            out.push_str(&inline[index]);
        }
        out.push_str(",\n");
    }
    out.push_str(&format!("{indent}]"));
}

fn draw_map(out: &mut String, entries: &[(String, Shape)], indent: &str) {
    let entries: Vec<String> = entries
        .iter()
        .map(|(name, shape)| {
            let mut value = String::new();
            draw(&mut value, shape, indent);
            format!("{}: {value}", crate::setting::quote(name))
        })
        .collect();
    out.push_str(&if entries.is_empty() {
        "{}".into()
    } else {
        format!("{{ {} }}", entries.join(", "))
    });
}

/// A shape without comments; of a section only the keys that differ from those of `but`.
fn in_one_line(shape: &Shape, but: Option<&Shape>) -> String {
    match shape {
        Shape::Value { text, .. } => text.clone(),
        Shape::Section(section) if section.away => section.instead.unwrap_or_default().into(),
        Shape::Section(section) => {
            let same = |key: &Key| match but {
                Some(Shape::Section(blank)) => blank.keys.contains(key),
                _ => false,
            };
            let keys: Vec<String> = section
                .keys
                .iter()
                .filter(|key| !same(key))
                .map(|key| format!("{}: {}", key.name, in_one_line(&key.shape, None)))
                .collect();
            format!("({})", keys.join(", "))
        }
        Shape::List { items, .. } => {
            let items: Vec<String> = items.iter().map(|item| in_one_line(item, None)).collect();
            format!("[{}]", items.join(", "))
        }
        Shape::Map { entries, .. } => {
            let mut out = String::new();
            draw_map(&mut out, entries, "");
            out
        }
    }
}
