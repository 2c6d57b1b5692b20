//! Passwords: from a prompt without echo, from standard input, or from the command line.

use std::io::{self, BufRead, IsTerminal};

use clap::{Arg, ArgAction, ArgMatches};
use serde_json::{Map, Value};

use crate::{
    failure::Failure,
    schema::{Argument, Command, Operation, kebab},
};

/// The options by which a password is given.
pub(crate) fn options(argument: &Argument) -> [Arg; 2] {
    let name = kebab(&argument.name);
    let from_stdin = format!("{name}-stdin");
    [
        Arg::new(argument.name.clone())
            .long(name.clone())
            .value_name(name.to_uppercase())
            .help(format!(
                "{}; seen by others in the list of processes, so better left out: then it is asked for",
                argument.doc
            )),
        Arg::new(from_stdin.clone())
            .long(from_stdin)
            .action(ArgAction::SetTrue)
            .conflicts_with(argument.name.clone())
            .help("Read it from standard input, the first line"),
    ]
}

/// Puts the passwords of a command among its variables, asking for what was not given.
pub(crate) fn fill(
    command: &Command,
    matches: &ArgMatches,
    variables: &mut Map<String, Value>,
) -> Result<(), Failure> {
    for argument in command.field.arguments.iter().filter(|a| a.secret()) {
        let secret = if let Some(given) = matches.get_one::<String>(&argument.name) {
            given.clone()
        } else if matches.get_flag(&format!("{}-stdin", kebab(&argument.name))) {
            first_line(io::stdin().lock())?
        } else if argument.ty.required {
            prompt(argument, command.operation)?
        } else {
            continue;
        };
        variables.insert(argument.name.clone(), Value::String(secret));
    }
    Ok(())
}

/// The first line without its end.
fn first_line(mut input: impl BufRead) -> Result<String, Failure> {
    let mut line = String::new();
    input
        .read_line(&mut line)
        .map_err(|e| Failure::Usage(format!("standard input can't be read: {e}")))?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(Failure::Usage(
            "standard input has no password in its first line".to_owned(),
        ));
    }
    Ok(line.to_owned())
}

/// Asks on the terminal; twice for what is going to be stored.
fn prompt(argument: &Argument, operation: Operation) -> Result<String, Failure> {
    let name = kebab(&argument.name);
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(format!(
            "there is no terminal to ask for the {name} on; give it by --{name}-stdin"
        )));
    }
    let ask = |text: String| {
        rpassword::prompt_password(text)
            .map_err(|e| Failure::Usage(format!("the {name} can't be asked for: {e}")))
    };
    let secret = ask(format!("{}: ", argument.doc))?;
    if operation == Operation::Mutation && ask("The same again: ".to_owned())? != secret {
        return Err(Failure::Usage("the two are not the same".to_owned()));
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::first_line;

    #[test]
    fn the_first_line_is_the_password_and_nothing_is_trimmed() {
        assert_eq!(
            first_line(&b" pencil \r\nmore"[..]).expect("a line"),
            " pencil "
        );
        assert_eq!(first_line(&b"pencil"[..]).expect("a line"), "pencil");
        assert!(first_line(&b"\npencil"[..]).is_err());
        assert!(first_line(&b""[..]).is_err());
        assert!(first_line(&b"\xff\n"[..]).is_err());
    }
}
