//! Where what lasts is kept.

use std::path::{Path, PathBuf};

use crate::domain::resolve;
use crate::settings;

/// How the address of an SQLite database begins.
const SQLITE: &str = "sqlite:";

settings! {
    /// Where what lasts is kept: accounts and what belongs to them.
    pub struct Store {
        /// The folder of the SQLite database. None: the data folder (`--data`). A relative path
        /// starts at the folder of the configuration file.
        folder: Option<PathBuf>,
        /// The database, in place of `folder`, if several nodes of this machine share it:
        /// "sqlite:/srv/mungo/mungo.sqlite". It is made if it is missing.
        url: Option<String>,
    }
    check |store, problems| {
        if let Some(folder) = store.folder.as_ref().filter(|folder| !folder.is_dir()) {
            problems.error("folder", format!("{} is not a folder", folder.display()), "create it, or write None");
        }
        if store.folder.is_some() && store.url.is_some() {
            problems.error("url", "`folder` says already where the database is", "leave one of them out");
        }
        if let Some(url) = &store.url {
            match store.file() {
                None => problems.error("url", format!("{url:?} is no address of a database"),
                    "write \"sqlite:PATH\" with the path of a file"),
                Some(file) if !is_in_a_folder(file) => {
                    problems.error("url", format!("the folder of {} is not there", file.display()), "create it");
                }
                Some(_) => {}
            }
        }
    }
}

impl Store {
    /// The database file that `url` names.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        let path = self.url.as_deref()?.strip_prefix(SQLITE)?;
        // A query would be options, and two slashes a host: neither is for us.
        let plain = !path.is_empty() && !path.starts_with("//") && !path.contains('?');
        plain.then(|| Path::new(path))
    }

    pub(crate) fn resolve(&mut self, folder: &Path) {
        resolve(&mut self.folder, folder);
        if let Some(file) = self.file() {
            self.url = Some(format!("{SQLITE}{}", folder.join(file).display()));
        }
    }
}

/// Whether a file can be there.
fn is_in_a_folder(file: &Path) -> bool {
    let here = |folder: &Path| folder.as_os_str().is_empty();
    file.parent()
        .is_some_and(|folder| here(folder) || folder.is_dir())
}
