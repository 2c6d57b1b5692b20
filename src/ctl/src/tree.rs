//! A list of objects with a depth, drawn as the tree it is.

use std::io::{self, Write};

use serde_json::Value;

use crate::{
    output::{Table, title},
    schema::{Field, Schema, Type},
    words::{printable, word},
};

/// Fields that the drawing itself shows.
const DRAWN: [&str; 4] = ["name", "path", "depth", "omitted"];

/// Writes `rows`, each object before its children.
pub(crate) fn write(
    out: &mut impl Write,
    schema: &Schema,
    fields: &[Field],
    rows: &[Value],
    indent: &str,
) -> io::Result<()> {
    // Columns in which nobody has anything are left out: the lines are long enough.
    let columns: Vec<&Field> = fields
        .iter()
        .filter(|f| !DRAWN.contains(&f.name.as_str()) && schema.fields(&f.ty.name).is_none())
        .filter(|f| rows.iter().any(|row| !row[&f.name].is_null()))
        .collect();
    let lines = lines(rows);
    let label = Type {
        name: "String".to_owned(),
        list: false,
        required: true,
        text: String::new(),
    };
    let titles = columns.iter().map(|f| (title(f), &f.ty));
    let mut table = Table::new([("NAME".to_owned(), &label)].into_iter().chain(titles));
    for (line, prefix) in lines.iter().zip(prefixes(&lines)) {
        let cells = columns.iter().map(|f| match line.row {
            Some(row) => word(schema, &f.ty, &row[&f.name]),
            None => String::new(),
        });
        table.row([prefix + &line.label].into_iter().chain(cells));
    }
    table.write(out, indent)
}

/// A line of the drawing.
struct Line<'r> {
    depth: usize,
    label: String,
    /// `None` for the line that says how many children are left out.
    row: Option<&'r Value>,
}

/// The rows, and after the children of each the number of those left out.
fn lines(rows: &[Value]) -> Vec<Line<'_>> {
    let mut lines = Vec::with_capacity(rows.len());
    // Those above the present row that leave out children.
    let mut open: Vec<(usize, u64)> = Vec::new();
    let close = |lines: &mut Vec<Line<'_>>, open: &mut Vec<(usize, u64)>, depth: usize| {
        while let Some((above, omitted)) = open.pop_if(|(above, _)| *above >= depth) {
            lines.push(Line {
                depth: above + 1,
                label: format!("… {omitted} more"),
                row: None,
            });
        }
    };
    for row in rows {
        let depth = row["depth"].as_u64().unwrap_or_default() as usize;
        close(&mut lines, &mut open, depth);
        // The first has no lines above it that would say where it stands.
        let name = if lines.is_empty() { "path" } else { "name" };
        lines.push(Line {
            depth,
            label: printable(row[name].as_str().unwrap_or("?")),
            row: Some(row),
        });
        let omitted = row["omitted"].as_u64().unwrap_or_default();
        if omitted > 0 {
            open.push((depth, omitted));
        }
    }
    close(&mut lines, &mut open, 0);
    lines
}

/// The branches in front of each line.
fn prefixes(lines: &[Line<'_>]) -> Vec<String> {
    // From below: at each depth, whether a later line of the same parent follows.
    let mut follows: Vec<bool> = Vec::new();
    let mut prefixes: Vec<String> = lines
        .iter()
        .rev()
        .map(|line| {
            let depth = line.depth;
            follows.resize(follows.len().max(depth + 1), false);
            let last = !follows[depth];
            let mut prefix = String::new();
            for &more in follows.iter().take(depth).skip(1) {
                prefix.push_str(if more { "│  " } else { "   " });
            }
            if depth > 0 {
                prefix.push_str(if last { "└─ " } else { "├─ " });
            }
            follows[depth] = true;
            follows.truncate(depth + 1);
            prefix
        })
        .collect();
    prefixes.reverse();
    prefixes
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{lines, prefixes};

    fn draw(rows: &[(u64, &str, u64)]) -> Vec<String> {
        let rows: Vec<Value> = rows
            .iter()
            .map(|(depth, name, omitted)| {
                json!({"depth": depth, "name": name, "path": name, "omitted": omitted})
            })
            .collect();
        let lines = lines(&rows);
        prefixes(&lines)
            .iter()
            .zip(&lines)
            .map(|(prefix, line)| format!("{prefix}{}", line.label))
            .collect()
    }

    #[test]
    fn branches_end_with_the_last_child() {
        assert_eq!(
            draw(&[
                (0, "node", 0),
                (1, "hosts", 0),
                (2, "localhost", 0),
                (3, "ping", 0),
                (3, "disco", 0),
                (1, "sessions", 0),
                (2, "0", 98),
                (3, "alice", 0),
                (2, "1", 3),
            ]),
            [
                "node",
                "├─ hosts",
                "│  └─ localhost",
                "│     ├─ ping",
                "│     └─ disco",
                "└─ sessions",
                "   ├─ 0",
                "   │  ├─ alice",
                "   │  └─ … 98 more",
                "   └─ 1",
                "      └─ … 3 more",
            ]
        );
    }

    #[test]
    fn a_lone_root_has_no_branch() {
        assert_eq!(draw(&[(0, "node", 0)]), ["node"]);
    }
}
