//! Who may know whom.

use std::collections::BTreeSet;

use crate::files::sources;
use crate::graph::Graph;
use crate::none;

/// Which of our crates each of our crates may use: the layers, from the words up to the node.
const LAYERS: &[(&str, &str)] = &[
    ("xml", ""),
    ("xmpp", "xml"),
    ("stream", "xml xmpp"),
    ("cluster", ""),
    ("config", ""),
    ("migrations", ""),
    // The language of the tests only behind the router's feature `check`.
    ("router", "config play xml xmpp"),
    ("store", "config migrations xmpp"),
    ("auth", "config store stream xmpp"),
    ("modules", "config router store xml xmpp"),
    ("actors", "auth cluster config router store stream xml xmpp"),
    ("supervisors", "actors config router xmpp"),
    ("admin", "auth config router store stream supervisors xmpp"),
    ("crowd", "actors auth store stream xml xmpp"),
    ("ctl", ""),
    ("play", ""),
    ("loadtest", "config xml"),
];

/// Crates that decide and never wait: no executor, no sockets, no clock.
const SANS_IO: &[&str] = &["xml", "xmpp", "stream", "cluster"];

/// What the server offers; such a crate sees the router and its stores, never what lives.
const FEATURES: &[&str] = &["modules"];

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
fn words_and_negotiations_are_sans_io() {
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
        "xml, xmpp, stream and cluster do no I/O and know no clock (invariant 1):",
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
