//! The database's history.

use std::collections::BTreeMap;
use std::{env, fs};

use sha2::{Digest, Sha256};

use crate::files::{root, walk};
use crate::none;

/// The database of a node in use was made by the migrations as they landed: a later edit would reach new
/// nodes only. `migrations/LANDED` has their SHA-256, in the order they run; `UPDATE_EXPECT=1` adds new ones
/// and never changes a line.
#[test]
fn a_landed_migration_is_never_edited() {
    let folder = root().join("migrations");
    let landed = fs::read_to_string(folder.join("LANDED")).unwrap_or_default();
    let known: BTreeMap<&str, &str> = landed
        .lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(hash, name)| (name, hash))
        .collect();
    let mut now: BTreeMap<String, String> = BTreeMap::new();
    walk(&folder.join("src"), &mut |path| {
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if name.starts_with('m') && name.ends_with(".rs") && name != "mod.rs" {
            let digest = Sha256::digest(fs::read(path).expect("a migration"));
            now.insert(
                name,
                digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            );
        }
    });
    let mut broken = Vec::new();
    for (name, hash) in &known {
        match now.get(*name) {
            Some(same) if same == hash => {}
            Some(_) => broken.push(format!("{name} was edited: write a new one instead")),
            None => broken.push(format!("{name} is gone")),
        }
    }
    let new: Vec<_> = now
        .iter()
        .filter(|(name, _)| !known.contains_key(name.as_str()))
        .collect();
    if env::var_os("UPDATE_EXPECT").is_some() {
        let lines = new.iter().map(|(name, hash)| format!("{hash}  {name}\n"));
        fs::write(
            folder.join("LANDED"),
            landed.clone() + &lines.collect::<String>(),
        )
        .expect("written");
    } else {
        broken.extend(new.iter().map(|(name, _)| {
            format!("{name} is not listed: UPDATE_EXPECT=1 cargo test -p node --test house")
        }));
    }
    none(&broken, "A landed migration is never edited:");
}
