//! The example configurations: they are read, and they are what the program knows.

mod modules;

use std::path::Path;

use config::{Config, load_str, render_full};
use modules::Modules;

fn read(text: &str) -> config::Loaded<Modules> {
    load_str(text, Path::new("mungo.ron")).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn what_is_drawn_in_full_reads_as_the_defaults() {
    let loaded = read(&render_full::<Modules>());
    assert_eq!(loaded.config, Config::default());
    assert_eq!(loaded.warnings, []);
}

#[test]
fn nothing_is_the_defaults_too() {
    assert_eq!(read("()").config, Config::default());
}
