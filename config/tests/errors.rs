//! Every form of error, as an operator sees it: `errors.txt` holds configurations and what is
//! said about them.

mod modules;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use config::{Severity, load, load_str};
use modules::Modules;

/// What an operator is told about a configuration.
fn said(text: &str) -> String {
    match load_str::<Modules>(text, Path::new("mungo.ron")) {
        Ok(loaded) if loaded.warnings.is_empty() => "fine".into(),
        Ok(loaded) => loaded
            .warnings
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n\n"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_form_of_error() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/errors.txt");
    let written = std::fs::read_to_string(&path).unwrap();
    let mut parts = written.split("\n=====\n");
    let mut fresh = parts.next().unwrap().to_owned();
    let mut count = 0;
    let mut wrong = String::new();
    for part in parts {
        let (text, expected) = part.split_once("\n-----\n").unwrap();
        let said = said(text);
        // Lines are compared without the blanks at their ends, which editors take away.
        let said: String = said
            .lines()
            .map(|line| format!("{}\n", line.trim_end()))
            .collect();
        if said.trim_end() != expected.trim_end() {
            let _ = write!(wrong, "\n{text}\nshould be\n{expected}\nand is\n{said}");
        }
        let _ = write!(fresh, "\n=====\n{text}\n-----\n{said}");
        count += 1;
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, fresh).unwrap();
    } else {
        assert!(wrong.is_empty(), "{wrong}");
    }
    assert!(count > 70, "only {count} parts were found");
}

#[test]
fn a_file_that_is_not_there() {
    let error = load::<Modules>(Path::new("no/such/mungo.ron")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "\
error: cannot read the configuration: no such file or directory
 --> no/such/mungo.ron
  = give the path of the configuration with --config, or start without one"
    );
}

#[test]
fn a_file_that_is_not_text() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mungo.ron");
    std::fs::write(&file, b"(domains: [\"b\xfccher.example\"])").unwrap();
    let error = load::<Modules>(&file).unwrap_err().to_string();
    assert!(
        error.starts_with("error: cannot read the configuration: it is not UTF-8 text\n"),
        "{error}"
    );
}

#[test]
fn what_editors_and_systems_put_around_a_text() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mungo.ron");
    std::fs::write(
        &file,
        "\u{feff}(\r\n    domains: [\"example.org\"],\r\n)\r\n",
    )
    .unwrap();
    assert_eq!(
        load::<Modules>(&file).unwrap().config.domains[0].name,
        "example.org"
    );
}

#[test]
fn relative_paths_start_at_the_folder_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mungo.ron");
    std::fs::write(
        folder.path().join("chain.pem"),
        "-----BEGIN CERTIFICATE-----\n",
    )
    .unwrap();
    std::fs::write(
        folder.path().join("key.pem"),
        "-----BEGIN PRIVATE KEY-----\n",
    )
    .unwrap();
    std::fs::create_dir(folder.path().join("db")).unwrap();
    std::fs::write(
        &file,
        r#"(
            domains: ["a.example", (name: "b.example", certificate: "chain.pem", key: "key.pem")],
            store: (folder: "db"),
        )"#,
    )
    .unwrap();
    let config = load::<Modules>(&file).unwrap().config;
    let (certificate, key) = config.domains[1].tls_files().unwrap();
    assert_eq!(certificate, folder.path().join("chain.pem"));
    assert_eq!(key, folder.path().join("key.pem"));
    assert_eq!(config.domains[0].tls_files(), None);
    assert_eq!(config.store.folder.unwrap(), folder.path().join("db"));
}

#[test]
fn problems_come_in_the_order_of_the_file_and_are_told_apart() {
    let text = "(listeners: [(kind: admin, address: \"0.0.0.0\"), (port: 0)], domains: [])";
    let error = load_str::<Modules>(text, Path::new("mungo.ron")).unwrap_err();
    let seen: Vec<_> = error
        .problems
        .iter()
        .map(|problem| {
            (
                problem.field.to_string(),
                problem.severity == Severity::Error,
            )
        })
        .collect();
    let expected = [
        ("listeners[0].address", false),
        ("listeners[1].port", true),
        ("domains", true),
    ];
    assert_eq!(
        seen,
        expected.map(|(field, error)| (field.to_owned(), error))
    );
}

#[test]
fn a_database_that_is_shared_is_a_file_beside_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mungo.ron");
    std::fs::write(&file, r#"(store: (url: "sqlite:shared.sqlite"))"#).unwrap();
    let store = load::<Modules>(&file).unwrap().config.store;
    let shared = folder.path().join("shared.sqlite");
    assert_eq!(store.file(), Some(shared.as_path()));
}
