//! Single values as people read them.

use serde_json::Value;

use crate::schema::{Kind, Schema, Type, kebab};

/// A value of a scalar or enum type, or a list of them, on one line.
pub(crate) fn word(schema: &Schema, ty: &Type, value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Array(values) if values.is_empty() => "-".to_owned(),
        Value::Array(values) => values
            .iter()
            .map(|v| word(schema, ty, v))
            .collect::<Vec<_>>()
            .join(", "),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(n) => match (ty.name.as_str(), n.as_u64()) {
            ("Seconds", Some(n)) => seconds(n),
            ("Bytes", Some(n)) => bytes(n),
            _ => n.to_string(),
        },
        Value::String(text) if matches!(schema.kind(&ty.name), Kind::Enum(_)) => kebab(text),
        Value::String(text) if ty.name == "Time" => moment(text),
        Value::String(text) => printable(text),
        // Not of these types; shown rather than lost.
        Value::Object(_) => printable(&value.to_string()),
    }
}

/// Whether values of a type stand at the right of their column.
pub(crate) fn number(ty: &Type) -> bool {
    !ty.list
        && matches!(
            ty.name.as_str(),
            "Int" | "Float" | "Count" | "Seconds" | "Bytes"
        )
}

/// A length of time by its two largest units.
fn seconds(n: u64) -> String {
    let units = [
        (n / 86_400, "d"),
        (n / 3_600 % 24, "h"),
        (n / 60 % 60, "min"),
        (n % 60, "s"),
    ];
    let first = units.iter().position(|(n, _)| *n > 0).unwrap_or(3);
    let shown: Vec<String> = units[first..]
        .iter()
        .take(2)
        .filter(|(n, _)| *n > 0)
        .map(|(n, unit)| format!("{n} {unit}"))
        .collect();
    match shown.is_empty() {
        true => "0 s".to_owned(),
        false => shown.join(" "),
    }
}

/// A size with one decimal in the largest unit it fills.
fn bytes(n: u64) -> String {
    let mut size = n as f64;
    let mut unit = "B";
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        if size < 1024.0 {
            break;
        }
        size /= 1024.0;
        unit = larger;
    }
    match unit {
        "B" => format!("{n} B"),
        unit => format!("{size:.1} {unit}"),
    }
}

/// `2026-03-01T12:00:00Z` with a space in the middle.
fn moment(text: &str) -> String {
    printable(&text.replacen('T', " ", 1))
}

/// Text that can't move the cursor or colour the terminal: some of it comes from clients.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || is_bidi_control(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Characters that turn the direction of the text after them.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::{bytes, moment, printable, seconds};

    #[test]
    fn lengths_of_time_have_two_units() {
        for (n, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (75, "1 min 15 s"),
            (3_600, "1 h"),
            (3_601, "1 h"),
            (93_784, "1 d 2 h"),
            (86_400 * 400, "400 d"),
        ] {
            assert_eq!(seconds(n), text);
        }
    }

    #[test]
    fn sizes_have_the_largest_unit_they_fill() {
        for (n, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (12 << 20, "12.0 MiB"),
            (5 << 40, "5.0 TiB"),
            (1 << 60, "1048576.0 TiB"),
        ] {
            assert_eq!(bytes(n), text);
        }
    }

    #[test]
    fn text_of_others_can_not_move_the_cursor() {
        assert_eq!(
            printable("a\x1b[2Jb\nc\u{202e}d"),
            "a\\u{1b}[2Jb\\nc\\u{202e}d"
        );
        assert_eq!(printable("Ünïcode"), "Ünïcode");
        assert_eq!(moment("2026-03-01T12:00:00Z"), "2026-03-01 12:00:00Z");
    }
}
