//! What the crates say of themselves.

use std::fs;

use crate::files::{files, walk};
use crate::graph::Graph;
use crate::none;

#[test]
fn panics_stay_in_their_actor() {
    for (path, content) in files("Cargo.toml") {
        let aborts = content
            .lines()
            .any(|l| l.replace(' ', "").starts_with("panic=\"abort\""));
        assert!(
            !aborts,
            "{}: panic = \"abort\" is forbidden (invariant 12)",
            path.display()
        );
    }
}

/// The lines of a manifest that name a dependency.
fn dependencies(manifest: &str) -> impl Iterator<Item = &str> {
    let parts = manifest.split("dependencies]").skip(1);
    let lines = parts.flat_map(|part| part.lines().take_while(|line| !line.starts_with('[')));
    lines.filter(|line| line.contains('=') && !line.starts_with('#'))
}

/// Tests of the node have it always; what is built to be run has it when it is asked for.
#[test]
fn the_crowd_is_in_no_release() {
    let graph = Graph::read();
    assert!(
        !graph.below("node").contains("crowd") && graph.ours.contains_key("crowd"),
        "the node is built with the crate `crowd` unless it is told otherwise"
    );
}

#[test]
fn crates_share_their_versions_and_lints() {
    let graph = Graph::read();
    let mut broken = Vec::new();
    for (name, folder) in &graph.ours {
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
        if folder
            .file_name()
            .is_none_or(|folder| folder != name.as_str())
        {
            broken.push(format!("{name} lies in {}", folder.display()));
        }
        if !manifest.contains("[lints]\nworkspace = true") {
            broken.push(format!("{name} has lints of its own"));
        }
        for line in dependencies(&manifest) {
            if !line.contains("workspace = true") {
                broken.push(format!(
                    "{name}: `{line}` belongs into the workspace's list"
                ));
            }
        }
    }
    none(
        &broken,
        "One version of each dependency, one set of lints, crates named as their folders:",
    );
}

#[test]
fn crates_depend_on_what_they_use() {
    let mut broken = Vec::new();
    for (name, folder) in &Graph::read().ours {
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
        let mut code = String::new();
        walk(folder, &mut |path| {
            if path.extension().is_some_and(|ending| ending == "rs") {
                code += &fs::read_to_string(path).expect("text");
            }
        });
        // Tests may share files over the borders of crates, so they are left out.
        let built_from = manifest
            .split("[dev-dependencies]")
            .next()
            .unwrap_or_default();
        for line in dependencies(built_from) {
            let dependency = line
                .split(['.', ' '])
                .next()
                .unwrap_or_default()
                .replace('-', "_");
            if !code.contains(&dependency) {
                broken.push(format!("{name} never mentions {dependency}"));
            }
        }
    }
    none(&broken, "A crate depends on what it uses:");
}
