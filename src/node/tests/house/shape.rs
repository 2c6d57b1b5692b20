//! What the code looks like.

use std::fs;
use std::path::PathBuf;

use crate::files::{files, root};
use crate::none;

#[test]
fn no_file_is_longer_than_600_lines() {
    let long = |(path, content): (PathBuf, String)| {
        let lines = content.lines().count();
        (lines > 600).then(|| format!("{} has {lines}", path.display()))
    };
    let broken: Vec<String> = files(".rs").into_iter().filter_map(long).collect();
    none(
        &broken,
        "One concept, one file: which one wants a file of its own?",
    );
}

#[test]
fn main_is_a_table_of_contents() {
    let main = fs::read_to_string(root().join("src/node/src/main.rs")).expect("main.rs");
    assert!(
        main.lines().count() < 120,
        "main.rs has {} lines",
        main.lines().count()
    );
}

#[test]
fn names_say_something() {
    let vague = [
        "util", "utils", "helper", "helpers", "common", "misc", "stuff",
    ];
    let says_nothing = |(path, _): (PathBuf, String)| {
        let stem =
            |part: &std::ffi::OsStr| part.to_string_lossy().trim_end_matches(".rs").to_owned();
        path.iter()
            .map(stem)
            .any(|s| vague.contains(&s.as_str()))
            .then(|| path.display().to_string())
    };
    let broken: Vec<String> = files(".rs").into_iter().filter_map(says_nothing).collect();
    none(&broken, "A file is called by what is in it:");
}

#[test]
fn no_message_of_an_actor_can_leave_the_node_by_accident() {
    // A blanket impl makes these remotable: every such actor would be known to every peer.
    let remotable = [
        "()", "String", "Vec<u8>", "bool", "u8", "u16", "u32", "u64", "i32", "i64",
    ];
    let mut broken = Vec::new();
    for (path, content) in files(".rs") {
        for message in remotable {
            if content.contains(&format!("type Msg = {message};")) {
                broken.push(format!("{} has `type Msg = {message}`", path.display()));
            }
        }
    }
    none(&broken, "Messages are enums of our own (invariant 8):");
}
