//! What the documents say of the tree.

use std::fs;
use std::path::{Path, PathBuf};

use crate::files::{files, root};
use crate::graph::Graph;
use crate::none;

#[test]
fn documents_point_at_what_is_there() {
    let mut broken = Vec::new();
    for (path, content) in files(".md") {
        let folder = root().join(path.parent().unwrap_or(Path::new("")));
        let links = content
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        for link in links.map(|l| l.split('#').next().unwrap_or_default()) {
            let elsewhere =
                link.is_empty() || link.contains("://") || link.contains(char::is_whitespace);
            if !elsewhere && !folder.join(link).exists() {
                broken.push(format!("{} links to {link}", path.display()));
            }
        }
    }
    none(&broken, "Links lead somewhere:");
}

#[test]
fn the_code_map_has_every_crate() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let place = |folder: &PathBuf| {
        folder
            .strip_prefix(root())
            .expect("below")
            .display()
            .to_string()
    };
    let graph = Graph::read();
    let missing = graph
        .ours
        .values()
        .map(place)
        .filter(|p| !map.contains(&format!("`{p}/`")));
    none(
        &missing.collect::<Vec<_>>(),
        "ARCHITECTURE.md's code map has every crate:",
    );
}

#[test]
fn the_code_map_names_files_that_are_there() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let mut broken = Vec::new();
    for row in map
        .lines()
        .filter(|line| line.starts_with("| `") && line.contains("/` |"))
    {
        let place = row.split('`').nth(1).expect("a folder");
        let folder = root().join(place);
        let first = row
            .trim_end_matches(['|', ' '])
            .rsplit('|')
            .next()
            .unwrap_or_default();
        for file in first.split('`').skip(1).step_by(2) {
            if !folder.join(file).exists() && !folder.join("src").join(file).exists() {
                broken.push(format!("{place} has no {file}"));
            }
        }
    }
    none(&broken, "ARCHITECTURE.md's code map:");
}
