//! Who is built from what, as cargo knows it.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::files::root;

/// Our crates and all that they are built from.
pub(crate) struct Graph {
    /// Names of our own crates, with the folder of each.
    pub(crate) ours: BTreeMap<String, PathBuf>,
    /// Package name → names it depends on, outside of tests.
    pub(crate) uses: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    pub(crate) fn read() -> Graph {
        let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let output = Command::new(cargo)
            .args(["metadata", "--format-version", "1", "--locked", "--offline"])
            .current_dir(root())
            .output()
            .expect("cargo metadata runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let all: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
        let names: BTreeMap<&str, &str> = list(&all["packages"])
            .map(|p| (text(&p["id"]), text(&p["name"])))
            .collect();
        let members: BTreeSet<&str> = list(&all["workspace_members"]).map(text).collect();
        let folder = |p: &Value| {
            let manifest = Path::new(text(&p["manifest_path"]));
            manifest
                .parent()
                .expect("a manifest lies in a folder")
                .to_owned()
        };
        let ours = list(&all["packages"])
            .filter(|p| members.contains(text(&p["id"])))
            .map(|p| (text(&p["name"]).to_owned(), folder(p)))
            .collect();
        let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for node in list(&all["resolve"]["nodes"]) {
            let name = names[text(&node["id"])].to_owned();
            let built_in = |d: &&Value| list(&d["dep_kinds"]).any(|k| k["kind"].is_null());
            let deps = list(&node["deps"])
                .filter(built_in)
                .map(|d| names[text(&d["pkg"])].to_owned());
            uses.entry(name).or_default().extend(deps);
        }
        Graph { ours, uses }
    }

    /// Everything a crate is built from, itself left out.
    pub(crate) fn below(&self, name: &str) -> BTreeSet<String> {
        let (mut found, mut left) = (BTreeSet::new(), vec![name.to_owned()]);
        while let Some(next) = left.pop() {
            let new = self.uses[&next]
                .iter()
                .filter(|d| !found.contains(*d))
                .cloned();
            let new: Vec<String> = new.collect();
            found.extend(new.iter().cloned());
            left.extend(new);
        }
        found
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().expect("a list").iter()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}
