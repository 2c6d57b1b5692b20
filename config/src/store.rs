//! Where what lasts is kept.

use std::path::{Path, PathBuf};

use crate::domain::resolve;
use crate::settings;

settings! {
    /// Where what lasts is kept: accounts and what belongs to them.
    pub struct Store {
        /// The folder of the SQLite database. None: the data folder (`--data`). A relative path
        /// starts at the folder of the configuration file.
        folder: Option<PathBuf>,
    }
    check |store, problems| {
        if let Some(folder) = store.folder.as_ref().filter(|folder| !folder.is_dir()) {
            problems.error("folder", format!("{} is not a folder", folder.display()), "create it, or write None");
        }
    }
}

impl Store {
    pub(crate) fn resolve(&mut self, folder: &Path) {
        resolve(&mut self.folder, folder);
    }
}
