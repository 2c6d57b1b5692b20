//! `mungo check` and `mungo defaults`, as an operator runs them.

use std::path::Path;
use std::process::Command;

/// Runs the program in `folder`: its exit code, standard output and standard error.
fn mungo(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mungo"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("MUNGO_CONFIG")
        .env_remove("MUNGO_DATA")
        .output()
        .expect("the binary starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn a_good_configuration_is_summed_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = r#"(domains: ["example.org", "example.net"], listeners: [(address: "::", port: 15222), (kind: admin)])"#;
    std::fs::write(folder.path().join("mungo.ron"), text).expect("a configuration");
    let said = mungo(folder.path(), &["check", "--config", "mungo.ron"]);
    let summary = "\
mungo.ron is fine.
  serves      example.org, example.net
  listens on  [::]:15222 (clients, STARTTLS required)
  listens on  127.0.0.1:5551 (administration, HTTP)
";
    assert_eq!(said, (Some(0), summary.into(), String::new()));
    assert!(
        !folder.path().join("data").exists(),
        "a check leaves nothing behind"
    );
}

#[test]
fn a_bad_configuration_names_place_field_and_mend() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "(\n    modules: (\n        pign: (interval: \"1m\"),\n    ),\n)\n";
    std::fs::write(folder.path().join("mungo.ron"), text).expect("a configuration");
    let said = mungo(folder.path(), &["check", "--config", "mungo.ron"]);
    let complaint = "\
error: there is no module `pign`
 --> mungo.ron:3:9, field modules.pign
  |
3 |         pign: (interval: \"1m\"),
  |         ^^^^
  = write `ping`
";
    assert_eq!(said, (Some(1), String::new(), complaint.into()));
}

#[test]
fn what_the_defaults_command_prints_is_a_good_configuration() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, full, _) = mungo(folder.path(), &["defaults"]);
    assert_eq!(code, Some(0));
    assert!(full.contains("\n    domains: [\n"), "{full}");
    std::fs::write(folder.path().join("mungo.ron"), full).expect("a configuration");
    let (code, said, complaint) = mungo(folder.path(), &["check", "--config", "mungo.ron"]);
    assert_eq!((code, complaint.as_str()), (Some(0), ""), "{said}");
    assert!(said.starts_with("mungo.ron is fine.\n"), "{said}");
}

#[test]
fn a_wrong_command_line_has_a_code_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, _, complaint) = mungo(folder.path(), &["--confgi", "mungo.ron"]);
    assert_eq!(code, Some(2));
    assert!(complaint.contains("--config"), "{complaint}");
}
