//! Any text as a configuration: no panic, and whoever made a mistake is shown where.
#![no_main]

#[path = "../../config/tests/modules/mod.rs"]
mod modules;

use std::path::Path;

use config::{Problem, load_str};
use libfuzzer_sys::fuzz_target;
use modules::Modules;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match load_str::<Modules>(text, Path::new("mungo.ron")) {
        Ok(loaded) => loaded.warnings.iter().for_each(|p| check(p, text)),
        Err(error) => {
            assert!(!error.problems.is_empty(), "refused for no reason");
            error.problems.iter().for_each(|p| check(p, text));
            let _ = error.to_string();
        }
    }
});

fn check(problem: &Problem, text: &str) {
    let _ = problem.to_string();
    assert!(!problem.what.is_empty() && !problem.mend.is_empty());
    let Some(place) = &problem.place else {
        assert!(
            !problem.field.0.is_empty(),
            "neither place nor field: {problem}"
        );
        return;
    };
    // Behind the last line there may be an end that came too soon.
    let line = text.split('\n').nth(place.line - 1);
    let line = line.unwrap_or_else(|| panic!("no line {}: {problem}", place.line));
    assert_eq!(place.text, line.trim_end(), "{problem}");
    assert!(place.column >= 1 && place.column <= line.chars().count() + 1);
    assert!(place.width >= 1 && place.width <= line.chars().count().max(1));
}
