//! The command line and the requests, made from the real schema and from a small one.

use serde_json::{Map, Value, json};

use crate::{
    commands::{by_schema_alone, command_line, typed, typed_command, variables},
    examples::EXAMPLES,
    output,
    request::document,
    schema::{Schema, TEXT, kebab},
};

fn real() -> Schema {
    Schema::parse(TEXT).expect("the schema of this repository")
}

/// Types a line; returns the command and its variables.
fn type_line(schema: &Schema, line: &str) -> Result<(String, Value), String> {
    let words = ["mungoctl"].into_iter().chain(line.split_whitespace());
    let matches = command_line(schema)
        .try_get_matches_from(words)
        .map_err(|e| e.to_string())?;
    let (command, matches) = typed_command(schema, &matches).expect("a command of the schema");
    let variables = variables(schema, command, matches)?;
    Ok((typed(command), Value::Object(variables)))
}

#[test]
fn every_command_of_the_schema_is_typed_as_category_and_command() {
    let schema = real();
    let mut names: Vec<String> = schema
        .commands
        .iter()
        .filter(|c| by_schema_alone(&schema, c))
        .map(typed)
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "account change-password",
            "account check-password",
            "account list",
            "account register",
            "account unregister",
            "actor kill",
            "actor show",
            "actor tree",
            "announce delete-motd",
            "announce motd",
            "announce online",
            "announce set-motd",
            "cluster forget",
            "cluster links",
            "cluster nodes",
            "cluster status",
            "session kick",
            "session list",
            "status",
            "tls reload",
        ]
    );
    command_line(&schema).debug_assert();
}

#[test]
fn every_command_and_argument_says_what_it_is() {
    let schema = real();
    for command in &schema.commands {
        assert!(!command.field.doc.is_empty(), "{}", typed(command));
        for argument in &command.field.arguments {
            assert!(
                !argument.doc.is_empty(),
                "{}: {}",
                typed(command),
                argument.name
            );
        }
    }
}

#[test]
fn no_argument_takes_the_name_of_an_option_of_all_commands() {
    let line = command_line(&real());
    let mut taken: Vec<&str> = line.get_arguments().filter_map(|a| a.get_long()).collect();
    taken.extend(["help", "version"]);
    for command in &real().commands {
        for argument in &command.field.arguments {
            assert!(
                !taken.contains(&kebab(&argument.name).as_str()),
                "{}",
                argument.name
            );
        }
    }
}

#[test]
fn examples_are_true() {
    let schema = real();
    for (command, lines) in EXAMPLES {
        for (arguments, _) in *lines {
            let arguments = arguments.split(" < ").next().unwrap_or_default();
            let line = format!("mungoctl {command} {arguments}");
            let parsed = command_line(&schema).try_get_matches_from(line.split_whitespace());
            assert!(parsed.is_ok(), "{line}: {parsed:?}");
        }
    }
    for command in schema
        .commands
        .iter()
        .filter(|c| by_schema_alone(&schema, c))
    {
        let name = typed(command);
        assert!(
            EXAMPLES.iter().any(|(c, _)| *c == name),
            "{name} has no example"
        );
    }
}

#[test]
fn required_arguments_are_given_in_order_or_by_name() {
    let schema = real();
    let expected = Ok((
        "account unregister".to_owned(),
        json!({"account": "a@localhost"}),
    ));
    for line in [
        "account unregister a@localhost",
        "account unregister --account a@localhost",
        "account unregister --account=a@localhost --json",
        "--data x account unregister a@localhost",
    ] {
        assert_eq!(type_line(&schema, line), expected, "{line}");
    }
    let missing = type_line(&schema, "account unregister").expect_err("missing");
    assert_eq!(missing, "ACCOUNT is missing: The account, localpart@domain");
    for line in [
        "account unregister --account a@localhost b@localhost",
        "account unregister a@localhost b@localhost",
        "account explode",
        "account",
        "",
    ] {
        type_line(&schema, line).expect_err(line);
    }
}

/// What the real schema has no use for yet.
const SMALL: &str = r#"
"What can be asked."
type Query { thing: ThingQuery! }
type ThingQuery {
  "Find things."
  find(
    "The first" first: String!
    "The second" second: Int!
    "How" colour: Colour
    "Deeply" deep: Boolean
    "Words" word: [String!]
    "How many" count: Count = 7
  ): [Thing!]!
}
type Mutation { thing: ThingMutation! }
type ThingMutation { "Make one." make(thing: ThingInput!): Thing! }
input ThingInput { name: String! }
enum Colour { DARK_RED BLUE }
scalar Count
type Thing { name: String! size: Count! parts: [Thing!]! box: Box }
type Box { colour: Colour! thing: Thing }
"#;

#[test]
fn arguments_become_variables_of_their_types() {
    let schema = Schema::parse(SMALL).expect("a schema");
    command_line(&schema).debug_assert();
    assert_eq!(
        type_line(
            &schema,
            "thing find --second 2 one --colour dark-red --deep --word a --word b --count 3"
        ),
        Ok((
            "thing find".to_owned(),
            json!({
                "first": "one", "second": 2, "colour": "DARK_RED", "deep": true,
                "word": ["a", "b"], "count": 3,
            })
        )),
        "what was given by name leaves its place to the next"
    );
    assert_eq!(
        type_line(&schema, "thing find one 2"),
        Ok((
            "thing find".to_owned(),
            json!({"first": "one", "second": 2})
        ))
    );
    assert_eq!(
        type_line(&schema, "thing find one two"),
        Err("--second is a whole number, not `two`".to_owned())
    );
    assert_eq!(
        type_line(&schema, "thing find --first one 2 3"),
        Err("`3` is one argument too many".to_owned())
    );
    type_line(&schema, "thing find one 2 --colour green").expect_err("no such colour");
    type_line(&schema, "thing make").expect_err("an input object can't be typed");
}

#[test]
fn documents_ask_for_all_that_a_type_has_and_end() {
    let schema = Schema::parse(SMALL).expect("a schema");
    let find = schema.command(Some("thing"), "find").expect("a command");
    let given = Map::from_iter([("second".to_owned(), json!(2))]);
    assert_eq!(
        document(&schema, find, &given),
        "query($second: Int!) { thing { find(second: $second) { name size box { colour } } } }"
    );
    let schema = real();
    let register = schema
        .command(Some("account"), "register")
        .expect("a command");
    let given = Map::from_iter([
        ("account".to_owned(), json!("a@localhost")),
        ("password".to_owned(), json!("x")),
    ]);
    assert_eq!(
        document(&schema, register, &given),
        "mutation($account: Jid!, $password: Secret!) { account { register(account: $account, \
         password: $password) { account registered } } }"
    );
}

#[test]
fn objects_and_lists_are_shown_by_their_types() {
    let schema = Schema::parse(SMALL).expect("a schema");
    let find = schema.command(Some("thing"), "find").expect("a command");
    let show = |value: Value| {
        let mut out = Vec::new();
        output::answer(&mut out, &schema, find, &value).expect("writes to memory");
        String::from_utf8(out).expect("UTF-8")
    };
    assert_eq!(
        show(json!([{"name": "ünï", "size": 5}, {"name": "日本", "size": 12345}])),
        "NAME   SIZE\nünï       5\n日本  12345\n"
    );
    assert_eq!(show(json!([])), "no find\n");

    let make = schema.command(Some("thing"), "make").expect("a command");
    let mut out = Vec::new();
    let thing = json!({
        "name": "a", "size": 1,
        "parts": [{"name": "b", "size": 2}],
        "box": {"colour": "DARK_RED"},
    });
    output::answer(&mut out, &schema, make, &thing).expect("writes to memory");
    assert_eq!(
        String::from_utf8(out).expect("UTF-8"),
        "name: a\nsize: 1\nparts:\n  NAME  SIZE\n  b        2\nbox:\n  colour: dark-red\n"
    );
}

#[test]
fn names_become_words_with_hyphens() {
    for (name, word) in [
        ("changePassword", "change-password"),
        ("STARTTLS", "starttls"),
        ("DARK_RED", "dark-red"),
        ("scramSha256", "scram-sha256"),
        ("jid", "jid"),
    ] {
        assert_eq!(kebab(name), word);
    }
}
