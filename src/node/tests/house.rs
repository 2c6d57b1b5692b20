//! The house rules that can be checked by looking: who may know whom, how long a file may be, what a
//! thing may be called. `ARCHITECTURE.md` says why each of them stands.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::Value;
use sha2::{Digest, Sha256};

/// Which of our crates each of our crates may use: the layers, from the words up to the node.
const LAYERS: &[(&str, &str)] = &[
    ("xml", ""),
    ("xmpp", "xml"),
    ("stream", "xml xmpp"),
    ("config", ""),
    ("migrations", ""),
    // The language of the tests only behind the router's feature `check`.
    ("router", "config play xml xmpp"),
    ("store", "config migrations xmpp"),
    ("auth", "config store stream xmpp"),
    ("modules", "config router store xml xmpp"),
    ("actors", "auth config router store stream xml xmpp"),
    ("supervisors", "actors config router xmpp"),
    ("admin", "auth config router store stream supervisors xmpp"),
    ("ctl", ""),
    ("play", ""),
];

/// Crates that decide and never wait: no executor, no sockets, no clock.
const SANS_IO: &[&str] = &["xml", "xmpp", "stream"];

/// What the server offers; such a crate sees the router and its stores, never what lives.
const FEATURES: &[&str] = &["modules"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("two folders up")
        .to_owned()
}

/// Our crates and all that they are built from.
struct Graph {
    /// Names of our own crates, with the folder of each.
    ours: BTreeMap<String, PathBuf>,
    /// Package name → names it depends on, outside of tests.
    uses: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    fn read() -> Graph {
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
    fn below(&self, name: &str) -> BTreeSet<String> {
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

/// Every file of the tree whose name ends so, by its path from the root.
fn files(ending: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    walk(&root(), &mut |path| {
        if path.to_string_lossy().ends_with(ending) {
            let content = fs::read_to_string(path).expect("text");
            found.push((
                path.strip_prefix(root())
                    .expect("below the root")
                    .to_owned(),
                content,
            ));
        }
    });
    assert!(
        !found.is_empty(),
        "no {ending} files below {}",
        root().display()
    );
    found
}

fn walk(folder: &Path, each: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if path.is_dir() && !path.is_symlink() {
            let made = ["target", "node_modules", "data"].contains(&name.as_str());
            let hidden = name.starts_with('.') && name != ".ci" && name != ".cargo";
            if !made && !hidden {
                walk(&path, each);
            }
        } else if path.is_file() {
            each(&path);
        }
    }
}

/// The source of a crate without its tests.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let is_test = |path: &Path| {
        path.iter()
            .any(|part| part == "tests" || part == "tests.rs")
    };
    files(".rs")
        .into_iter()
        .filter(|(path, _)| path.starts_with(folder) && !is_test(path))
        .map(|(path, content)| {
            let code = content
                .split("#[cfg(test)]\nmod ")
                .next()
                .unwrap_or_default()
                .to_owned();
            (path, code)
        })
        .collect()
}

#[track_caller]
fn none(broken: &[String], rule: &str) {
    assert!(broken.is_empty(), "{rule}\n  {}\n", broken.join("\n  "));
}

#[test]
fn crates_use_only_the_layers_below_them() {
    let graph = Graph::read();
    let known: BTreeSet<&str> = LAYERS.iter().map(|(name, _)| *name).collect();
    let mut broken = Vec::new();
    for name in graph.ours.keys().filter(|name| *name != "node") {
        if !known.contains(name.as_str()) {
            broken.push(format!("{name} has no place in LAYERS yet"));
        }
    }
    for (name, allowed) in LAYERS {
        let Some(uses) = graph.uses.get(*name) else {
            continue;
        };
        for used in uses.iter().filter(|u| graph.ours.contains_key(*u)) {
            if !allowed.split(' ').any(|a| a == used) {
                broken.push(format!("{name} uses {used}"));
            }
        }
    }
    none(
        &broken,
        "A crate knows only the layers below it (invariant 1 and 3):",
    );
}

#[test]
fn the_words_and_the_negotiation_are_sans_io() {
    let graph = Graph::read();
    let mut broken = Vec::new();
    for name in SANS_IO {
        let below = graph.below(name);
        for io in ["tokio", "ractor", "mio", "socket2", "getrandom"] {
            if below.contains(io) {
                broken.push(format!("{name} is built from {io}"));
            }
        }
    }
    for folder in SANS_IO.iter().map(|name| format!("src/{name}")) {
        for (path, code) in sources(&folder) {
            for io in [
                "Instant::now",
                "SystemTime",
                "TcpStream",
                "TcpListener",
                "std::fs",
                "std::thread",
            ] {
                if code.contains(io) {
                    broken.push(format!("{} mentions {io}", path.display()));
                }
            }
        }
    }
    none(
        &broken,
        "xml, xmpp and stream do no I/O and know no clock (invariant 1):",
    );
}

#[test]
fn features_never_see_what_lives() {
    let graph = Graph::read();
    let mut broken = Vec::new();
    for name in FEATURES {
        let below = graph.below(name);
        for living in ["actors", "supervisors", "auth", "admin"] {
            if below.contains(living) {
                broken.push(format!("{name} is built from {living}"));
            }
        }
    }
    none(
        &broken,
        "Feature crates see the router and their stores, never actors (invariant 3):",
    );
}

#[test]
fn the_router_names_no_xep_but_disco_and_delay() {
    let allowed = [
        "jabber:client",
        "jabber:server",
        "http://etherx.jabber.org/streams",
    ];
    let allowed_xeps = [
        "http://jabber.org/protocol/disco#info",
        "http://jabber.org/protocol/disco#items",
        "urn:xmpp:delay",
    ];
    let allowed_constants = [
        "CLIENT",
        "SERVER",
        "STREAM",
        "STREAMS",
        "STANZAS",
        "SESSION",
        "BIND",
        "DISCO_INFO",
        "DISCO_ITEMS",
        "DELAY",
        "XML",
    ];
    let mut broken = Vec::new();
    for (path, code) in sources("src/router") {
        for (number, line) in code
            .lines()
            .enumerate()
            .filter(|(_, l)| !l.trim().starts_with("//"))
        {
            let place = format!("{}:{}", path.display(), number + 1);
            for namespace in strings(line).filter(|s| is_namespace(s)) {
                if !allowed.contains(&namespace) && !allowed_xeps.contains(&namespace) {
                    broken.push(format!("{place} names {namespace}"));
                }
            }
            for constant in constants(line) {
                if !allowed_constants.contains(&constant) {
                    broken.push(format!("{place} names ns::{constant}"));
                }
            }
        }
    }
    none(
        &broken,
        "The router names no XEP but disco and delay (invariant 2):",
    );
}

/// The string literals of a line (as far as quotes tell).
fn strings(line: &str) -> impl Iterator<Item = &str> {
    line.split('"').skip(1).step_by(2)
}

/// Namespaces of XEPs; the RFCs' own are fine anywhere.
fn is_namespace(text: &str) -> bool {
    ["urn:xmpp:", "jabber:", "http://jabber.org/"]
        .iter()
        .any(|start| text.starts_with(start))
}

/// What a line takes from `xmpp::ns`.
fn constants(line: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let taken = line
        .match_indices("ns::")
        .filter(move |(at, _)| !line[..*at].ends_with(is_part));
    taken.map(move |(at, ns)| {
        let after = &line[at + ns.len()..];
        &after[..after.find(|c| !is_part(c)).unwrap_or(after.len())]
    })
}

#[test]
fn modules_are_listed_in_one_place() {
    let graph = Graph::read();
    let mut broken = Vec::new();
    for (user, _) in graph
        .uses
        .iter()
        .filter(|(_, uses)| uses.contains("modules"))
    {
        if user != "node" {
            broken.push(format!("{user} uses the crate modules"));
        }
    }
    for (path, code) in sources("src/node") {
        if code.contains("modules::") && !path.ends_with("registry.rs") {
            broken.push(format!("{} names modules", path.display()));
        }
    }
    none(
        &broken,
        "src/node/src/registry.rs is the one list of modules (invariant 9):",
    );
}

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
        let dependencies = manifest.split("dependencies]").skip(1);
        let lines = dependencies.flat_map(|part| part.lines().take_while(|l| !l.starts_with('[')));
        for line in lines.filter(|l| l.contains('=') && !l.starts_with('#')) {
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
