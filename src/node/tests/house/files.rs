//! The tree as it lies there.

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("two folders up")
        .to_owned()
}

/// Every file of the tree whose name ends so, by its path from the root.
pub(crate) fn files(ending: &str) -> Vec<(PathBuf, String)> {
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

pub(crate) fn walk(folder: &Path, each: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if path.is_dir() && !path.is_symlink() {
            // What is made, and what others wrote.
            let skipped = ["target", "node_modules", "data", "vendor"].contains(&name.as_str());
            let hidden = name.starts_with('.') && name != ".ci" && name != ".cargo";
            if !skipped && !hidden {
                walk(&path, each);
            }
        } else if path.is_file() {
            each(&path);
        }
    }
}

/// The source of a crate without its tests.
pub(crate) fn sources(folder: &str) -> Vec<(PathBuf, String)> {
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
