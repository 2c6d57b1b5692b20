//! Answers as people read them: tables, `key: value`, trees.

use std::io::{self, Write};

use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use crate::{
    schema::{Command, Field, Schema, Type, kebab},
    words::{number, word},
};

/// Writes what a command answered.
pub(crate) fn answer(
    out: &mut impl Write,
    schema: &Schema,
    command: &Command,
    value: &Value,
) -> io::Result<()> {
    let ty = &command.field.ty;
    if let Some(list) = schema.only_list(&ty.name) {
        return entries(out, schema, list, &value[&list.name], "");
    }
    match schema.fields(&ty.name) {
        Some(_) if ty.list => entries(out, schema, &command.field, value, ""),
        Some(fields) => object(out, schema, fields, value, ""),
        None => writeln!(out, "{}", word(schema, ty, value)),
    }
}

/// As JSON, for programs.
pub(crate) fn json(out: &mut impl Write, value: &Value) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value).map_err(io::Error::from)?;
    writeln!(out)
}

/// `key: value` for each field; lists and objects follow with a title of their own.
fn object(
    out: &mut impl Write,
    schema: &Schema,
    fields: &[Field],
    value: &Value,
    indent: &str,
) -> io::Result<()> {
    let (nested, plain): (Vec<_>, Vec<_>) = fields
        .iter()
        .filter(|f| value.get(&f.name).is_some())
        .partition(|f| schema.fields(&f.ty.name).is_some());
    let width = plain.iter().map(|f| kebab(&f.name).len()).max();
    let width = width.unwrap_or_default() + 1;
    for field in plain {
        let key = format!("{}:", kebab(&field.name));
        let value = word(schema, &field.ty, &value[&field.name]);
        writeln!(out, "{indent}{key:<width$} {value}")?;
    }
    for field in nested {
        let inner = &value[&field.name];
        let deeper = format!("{indent}  ");
        match inner {
            Value::Null => {}
            Value::Array(list) if list.is_empty() => {
                writeln!(out, "{indent}{}: none", kebab(&field.name))?;
            }
            Value::Array(_) => {
                writeln!(out, "{indent}{}:", kebab(&field.name))?;
                entries(out, schema, field, inner, &deeper)?;
            }
            _ => {
                writeln!(out, "{indent}{}:", kebab(&field.name))?;
                let fields = schema.fields(&field.ty.name).unwrap_or_default();
                object(out, schema, fields, inner, &deeper)?;
            }
        }
    }
    Ok(())
}

/// A list of objects, as a tree when its objects have a depth, else as a table.
fn entries(
    out: &mut impl Write,
    schema: &Schema,
    list: &Field,
    value: &Value,
    indent: &str,
) -> io::Result<()> {
    let fields = schema.fields(&list.ty.name).unwrap_or_default();
    let rows = value.as_array().map(Vec::as_slice).unwrap_or_default();
    if rows.is_empty() {
        return writeln!(out, "{indent}no {}", kebab(&list.name).replace('-', " "));
    }
    if fields.iter().any(|f| f.name == "depth") {
        crate::tree::write(out, schema, fields, rows, indent)
    } else {
        let plain: Vec<&Field> = fields
            .iter()
            .filter(|f| schema.fields(&f.ty.name).is_none())
            .collect();
        let mut table = Table::new(plain.iter().map(|f| (title(f), &f.ty)));
        for row in rows {
            table.row(plain.iter().map(|f| word(schema, &f.ty, &row[&f.name])));
        }
        table.write(out, indent)
    }
}

/// A field's name above its column.
pub(crate) fn title(field: &Field) -> String {
    kebab(&field.name).to_uppercase()
}

/// Columns as wide as their widest entry.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
    widths: Vec<usize>,
    right: Vec<bool>,
}

impl Table {
    /// A table with these titles; columns of numbers stand at the right.
    pub(crate) fn new<'t>(columns: impl Iterator<Item = (String, &'t Type)>) -> Self {
        let (titles, right): (Vec<_>, Vec<_>) =
            columns.map(|(title, ty)| (title, number(ty))).unzip();
        let mut table = Table {
            rows: Vec::new(),
            widths: vec![0; titles.len()],
            right,
        };
        table.row(titles.into_iter());
        table
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl Iterator<Item = String>) {
        let row: Vec<String> = cells.collect();
        for (width, cell) in self.widths.iter_mut().zip(&row) {
            *width = (*width).max(cell.width());
        }
        self.rows.push(row);
    }

    /// Writes it, two spaces between columns and none at the end of a line.
    pub(crate) fn write(&self, out: &mut impl Write, indent: &str) -> io::Result<()> {
        for row in &self.rows {
            let mut line = String::from(indent);
            for (i, cell) in row.iter().enumerate() {
                let pad = " ".repeat(self.widths[i] - cell.width());
                let gap = if i == 0 { "" } else { "  " };
                let (before, after) = match self.right[i] {
                    true => (pad.as_str(), ""),
                    false => ("", pad.as_str()),
                };
                line.extend([gap, before, cell, after]);
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
