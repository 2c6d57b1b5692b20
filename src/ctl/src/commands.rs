//! The command line, made from the schema.

use clap::{Arg, ArgAction, ArgMatches, builder::PossibleValuesParser, value_parser};
use serde_json::{Map, Value};

use crate::{
    examples, import,
    schema::{Argument, Command, Kind, Schema, kebab},
    secret,
};

/// What stands in front of all help.
const ABOUT: &str = "Administers a Mungo node: accounts, sessions, announcements, the cluster, actors, certificates.";

const AFTER: &str = "\
Required arguments may stand in their order or by name:
  mungoctl account unregister alice@localhost
  mungoctl account unregister --account alice@localhost

The node is found by its data folder (--data, ./data when not given), where it
keeps the address and the secret of its admin interface; for a node elsewhere
give --url, and the secret by --secret-file or in MUNGO_ADMIN_SECRET.

Examples:
  mungoctl account register alice@localhost
  mungoctl session list
  mungoctl --data /srv/mungo status --json

Exit codes:
  0  done
  1  refused, or a part of it failed
  2  the command line is wrong
  3  the node is not there";

/// Builds the whole command line.
pub(crate) fn command_line(schema: &Schema) -> clap::Command {
    let mut root = clap::Command::new("mungoctl")
        .version(env!("CARGO_PKG_VERSION"))
        .about(ABOUT)
        .after_help(AFTER)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .subcommand_value_name("COMMAND")
        .args(global_options());
    for (name, doc) in &schema.categories {
        let mut category = clap::Command::new(kebab(name))
            .about(summary(doc))
            .subcommand_required(true)
            .arg_required_else_help(true)
            .disable_help_subcommand(true)
            .subcommand_value_name("COMMAND");
        let of_it = |c: &&Command| c.category.as_deref() == Some(name);
        for command in schema.commands.iter().filter(of_it) {
            if by_schema_alone(schema, command) {
                category = category.subcommand(subcommand(schema, command));
            }
        }
        if name == "account" {
            category = category.subcommand(import::command_line());
        }
        root = root.subcommand(category);
    }
    for command in schema.commands.iter().filter(|c| c.category.is_none()) {
        root = root.subcommand(subcommand(schema, command));
    }
    root
}

fn global_options() -> Vec<Arg> {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name(value)
            .help(help)
            .global(true)
            .help_heading("The node")
    };
    vec![
        option("data", "DIR", "The node's data folder [default: ./data]")
            .value_parser(value_parser!(std::path::PathBuf)),
        option(
            "url",
            "URL",
            "Its admin interface, instead of the one its data folder names",
        ),
        option(
            "secret-file",
            "FILE",
            "A file with its admin secret, instead of the one in its data folder",
        )
        .value_parser(value_parser!(std::path::PathBuf)),
        option(
            "timeout",
            "SECONDS",
            "How long to wait for an answer [default: 60]",
        )
        .value_parser(value_parser!(u64).range(1..)),
        Arg::new("json")
            .long("json")
            .action(ArgAction::SetTrue)
            .help("Answer in JSON")
            .global(true),
    ]
}

/// The command as it is typed: `account register`.
pub(crate) fn typed(command: &Command) -> String {
    match &command.category {
        Some(category) => format!("{} {}", kebab(category), kebab(&command.field.name)),
        None => kebab(&command.field.name),
    }
}

/// Whether all arguments can be typed; the others need a hand-written command.
pub(crate) fn by_schema_alone(schema: &Schema, command: &Command) -> bool {
    let arguments = &command.field.arguments;
    !arguments
        .iter()
        .any(|a| matches!(schema.kind(&a.ty.name), Kind::Input | Kind::Object(_)))
}

/// The command of the schema that was typed, with its matches.
pub(crate) fn typed_command<'s, 'm>(
    schema: &'s Schema,
    matches: &'m ArgMatches,
) -> Option<(&'s Command, &'m ArgMatches)> {
    let (first, inner) = matches.subcommand()?;
    let (name, inner) = match inner.subcommand() {
        Some((second, innermost)) => (format!("{first} {second}"), innermost),
        None => (first.to_owned(), inner),
    };
    let command = schema.commands.iter().find(|c| typed(c) == name)?;
    Some((command, inner))
}

fn subcommand(schema: &Schema, command: &Command) -> clap::Command {
    let typed = typed(command);
    let field = &command.field;
    let mut out = clap::Command::new(kebab(&field.name))
        .about(summary(&field.doc))
        .long_about(field.doc.clone())
        .after_help(examples::of(&typed));
    for argument in &field.arguments {
        if argument.secret() {
            out = out.args(secret::options(argument));
            continue;
        }
        let option = option(schema, command, argument);
        if argument.required() {
            out = out.arg(positional(argument)).arg(option.hide(true));
        } else {
            out = out.arg(option);
        }
    }
    out.override_usage(call(command))
}

/// How a command is called.
fn call(command: &Command) -> String {
    let mut call = format!("mungoctl {} [OPTIONS]", typed(command));
    for argument in &command.field.arguments {
        if argument.required() && !argument.secret() {
            call.push_str(&format!(" <{}>", value_name(argument)));
        }
    }
    call
}

/// What is shown beside a wrong call of a command.
pub(crate) fn usage(command: &Command) -> String {
    format!(
        "Usage: {}\n\nFor more information, try `mungoctl {} --help`.",
        call(command),
        typed(command)
    )
}

/// The id of the place of a required argument; the option has the argument's name.
fn place(argument: &Argument) -> String {
    format!("{}#", argument.name)
}

fn value_name(argument: &Argument) -> String {
    kebab(&argument.name).to_uppercase()
}

fn positional(argument: &Argument) -> Arg {
    Arg::new(place(argument))
        .value_name(value_name(argument))
        .help(argument.doc.clone())
}

fn option(schema: &Schema, command: &Command, argument: &Argument) -> Arg {
    let arg = Arg::new(argument.name.clone()).long(kebab(&argument.name));
    if argument.ty.name == "Boolean" && !argument.required() && !argument.ty.list {
        return arg.action(ArgAction::SetTrue).help(argument.doc.clone());
    }
    let all = argument.name == "limit" && schema.paged(command).is_some();
    let help = match &argument.default {
        _ if all => format!("{} [default: all]", argument.doc),
        Some(value) => format!("{} [default: {value}]", argument.doc),
        None => argument.doc.clone(),
    };
    let value_name = match argument.ty.name.as_str() {
        "Jid" => "JID".to_owned(),
        "Int" | "Count" => "N".to_owned(),
        _ => value_name(argument),
    };
    let arg = arg.value_name(value_name).help(help);
    let arg = if argument.ty.list {
        arg.action(ArgAction::Append)
    } else {
        arg
    };
    match schema.kind(&argument.ty.name) {
        Kind::Enum(values) => arg.value_parser(PossibleValuesParser::new(
            values.iter().map(|v| kebab(v)).collect::<Vec<_>>(),
        )),
        _ => arg,
    }
}

/// The variables of a request: what was typed, by the types of the schema.
/// Passwords are not among them. The error is a wrong command line.
pub(crate) fn variables(
    schema: &Schema,
    command: &Command,
    matches: &ArgMatches,
) -> Result<Map<String, Value>, String> {
    let arguments = &command.field.arguments;
    let mut out = Map::new();
    let typeable = || arguments.iter().filter(|a| !a.secret());
    for argument in typeable() {
        if matches!(
            matches.value_source(&argument.name),
            None | Some(clap::parser::ValueSource::DefaultValue)
        ) {
            continue;
        }
        let value = if argument.ty.name == "Boolean" && !argument.required() && !argument.ty.list {
            Value::Bool(matches.get_flag(&argument.name))
        } else {
            let texts = matches
                .get_many::<String>(&argument.name)
                .unwrap_or_default();
            let mut values = texts
                .map(|text| value(schema, argument, text))
                .collect::<Result<Vec<_>, _>>()?;
            if argument.ty.list {
                Value::Array(values)
            } else {
                values.pop().unwrap_or_default()
            }
        };
        out.insert(argument.name.clone(), value);
    }
    // Places are filled in order by what was not given by name.
    let mut places = typeable()
        .filter(|a| a.required())
        .filter_map(|a| matches.get_one::<String>(&place(a)))
        .collect::<Vec<_>>()
        .into_iter();
    for argument in typeable().filter(|a| a.required()) {
        if out.contains_key(&argument.name) {
            continue;
        }
        let text = places
            .next()
            .ok_or_else(|| format!("{} is missing: {}", value_name(argument), argument.doc))?;
        let value = value(schema, argument, text)?;
        let value = if argument.ty.list {
            Value::Array(vec![value])
        } else {
            value
        };
        out.insert(argument.name.clone(), value);
    }
    match places.next() {
        Some(more) => Err(format!("`{more}` is one argument too many")),
        None => Ok(out),
    }
}

/// One typed value as the schema wants it.
fn value(schema: &Schema, argument: &Argument, text: &str) -> Result<Value, String> {
    let wrong = |what: &str| format!("--{} is {what}, not `{text}`", kebab(&argument.name));
    if let Kind::Enum(values) = schema.kind(&argument.ty.name) {
        let found = values.iter().find(|v| kebab(v) == text);
        return found
            .map(|v| Value::String(v.clone()))
            .ok_or_else(|| wrong(&format!("one of {}", values.join(", "))));
    }
    match argument.ty.name.as_str() {
        "Int" => text
            .parse::<i32>()
            .map(Value::from)
            .map_err(|_| wrong("a whole number")),
        "Count" | "Seconds" | "Bytes" => text
            .parse::<u64>()
            .map(Value::from)
            .map_err(|_| wrong("a whole number, zero or more,")),
        "Float" => text
            .parse::<f64>()
            .map(Value::from)
            .map_err(|_| wrong("a number")),
        "Boolean" => text
            .parse::<bool>()
            .map(Value::from)
            .map_err(|_| wrong("`true` or `false`")),
        _ => Ok(Value::String(text.to_owned())),
    }
}

/// The first paragraph of a documentation, without its full stop, on one line.
fn summary(doc: &str) -> String {
    let first = doc.split("\n\n").next().unwrap_or_default();
    first.replace('\n', " ").trim_end_matches('.').to_owned()
}
