//! The GraphQL of a command: its document, and its pages put together.

use serde_json::{Map, Value, json};

use crate::{
    client::Client,
    failure::Failure,
    schema::{Command, Operation, Schema},
};

/// How many entries are fetched at a time when a command answers in pages.
const PAGE: u64 = 1000;

/// The document of a command with the variables that are given.
pub(crate) fn document(
    schema: &Schema,
    command: &Command,
    variables: &Map<String, Value>,
) -> String {
    let field = &command.field;
    let given = || {
        field
            .arguments
            .iter()
            .filter(|a| variables.contains_key(&a.name))
    };
    let list = |items: Vec<String>| match items.is_empty() {
        true => String::new(),
        false => format!("({})", items.join(", ")),
    };
    let declared = list(
        given()
            .map(|a| format!("${}: {}", a.name, a.ty.text))
            .collect(),
    );
    let passed = list(given().map(|a| format!("{0}: ${0}", a.name)).collect());
    let call = format!(
        "{}{passed}{}",
        field.name,
        selection(schema, &field.ty.name, &mut Vec::new())
    );
    let operation = match command.operation {
        Operation::Query => "query",
        Operation::Mutation => "mutation",
    };
    match &command.category {
        Some(category) => format!("{operation}{declared} {{ {category} {{ {call} }} }}"),
        None => format!("{operation}{declared} {{ {call} }}"),
    }
}

/// All fields of a type that need no arguments; empty for what has no fields.
fn selection<'s>(schema: &'s Schema, name: &'s str, above: &mut Vec<&'s str>) -> String {
    let Some(fields) = schema.fields(name) else {
        return String::new();
    };
    above.push(name);
    let mut names = Vec::with_capacity(fields.len());
    for field in fields.iter().filter(|f| f.arguments.is_empty()) {
        // A type inside itself would never end.
        if !above.contains(&field.ty.name.as_str()) {
            names.push(field.name.clone() + &selection(schema, &field.ty.name, above));
        }
    }
    above.pop();
    format!(" {{ {} }}", names.join(" "))
}

/// Runs a command; one that answers in pages is asked until `limit` entries
/// are there, or all. Returns what the command's field has.
pub(crate) async fn run(
    schema: &Schema,
    command: &Command,
    mut variables: Map<String, Value>,
    client: &mut Client,
) -> Result<Value, Failure> {
    let Some(items) = schema.paged(command) else {
        let document = document(schema, command, &variables);
        let answer = client.ask(&document, &variables).await?;
        return Ok(of_command(command, answer));
    };
    let mut wanted = variables.get("limit").and_then(Value::as_u64);
    if wanted == Some(0) {
        return Err(Failure::Usage("--limit is at least 1".to_owned()));
    }
    let mut found = Vec::new();
    loop {
        let size = wanted.map_or(PAGE, |w| w.min(PAGE));
        variables.insert("limit".to_owned(), json!(size));
        let document = document(schema, command, &variables);
        let answer = client.ask(&document, &variables).await?;
        let mut page = of_command(command, answer);
        let Value::Array(entries) = page[&items.name].take() else {
            return Ok(page);
        };
        if let Some(wanted) = &mut wanted {
            *wanted = wanted.saturating_sub(entries.len() as u64);
        }
        let stuck = entries.is_empty();
        found.extend(entries);
        let next = page["next"].clone();
        if next.is_null() || stuck || wanted == Some(0) {
            page[&items.name] = Value::Array(found);
            return Ok(page);
        }
        variables.insert("after".to_owned(), next);
    }
}

/// The part of an answer that is the command's.
pub(crate) fn of_command(command: &Command, mut answer: Value) -> Value {
    match &command.category {
        Some(category) => answer[category][&command.field.name].take(),
        None => answer[&command.field.name].take(),
    }
}
