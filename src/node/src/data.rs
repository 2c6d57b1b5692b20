//! The data folder: made at first start, used by one node at a time.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Holds the lock and the number of the process that has it.
const LOCK: &str = "lock";
/// Opens the administration; `mungoctl` reads it.
const ADMIN_SECRET: &str = "admin.secret";
/// Where the administration listens; there while the node runs.
const ADMIN_URL: &str = "admin.url";
/// What all nodes of a cluster have in common.
const CLUSTER_COOKIE: &str = "cluster.cookie";
/// How this node is called among them.
const CLUSTER_NODE: &str = "cluster.node";
/// Bytes of a fresh secret; it is written in hexadecimal.
const SECRET_BYTES: usize = 32;

/// Why the data folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("error: {what}\n --> {}\n  = {mend}", path.display())]
pub(crate) struct DataError {
    what: String,
    path: PathBuf,
    mend: String,
}

impl DataError {
    fn new(what: impl Into<String>, path: &Path, mend: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            path: path.to_owned(),
            mend: mend.into(),
        }
    }

    fn io(action: &str, path: &Path, error: &io::Error, mend: impl Into<String>) -> Self {
        Self::new(format!("cannot {action}: {error}"), path, mend)
    }
}

/// The folder of a running node. It is locked until this is dropped.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    /// The lock lives as long as this file is open.
    _lock: File,
}

/// What is made once and kept in the folder.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// What it is.
    pub(crate) text: String,
    /// Its file.
    pub(crate) path: PathBuf,
    /// Whether it was made just now.
    pub(crate) fresh: bool,
}

impl DataFolder {
    /// Makes the folder if it is missing, for this user alone, and locks it.
    ///
    /// # Errors
    /// If it cannot be made or written, or another node has it.
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        const OTHER: &str =
            "make it a folder that this user may write, or name another: --data DIR";
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|error| DataError::io("make the data folder", path, &error, OTHER))?;
        let path = path
            .canonicalize()
            .map_err(|error| DataError::io("use the data folder", path, &error, OTHER))?;
        let lock = path.join(LOCK);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock)
            .map_err(|error| DataError::io("write in the data folder", &lock, &error, OTHER))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(&mut file, &lock)),
            Err(TryLockError::Error(error)) => {
                let mend =
                    "put the data folder on a file system with locks, or name another: --data DIR";
                return Err(DataError::io("lock the data folder", &lock, &error, mend));
            }
        }
        write_pid(&mut file).map_err(|error| {
            DataError::io(
                "write in the data folder",
                &lock,
                &error,
                "make room on its disk, or name another: --data DIR",
            )
        })?;
        Ok(Self { path, _lock: file })
    }

    /// Where it is, without links or dots.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The secret that opens the administration, made at first start. Only this user may read it.
    ///
    /// # Errors
    /// If it cannot be read or made, or is damaged.
    pub(crate) fn admin_secret(&self) -> Result<String, DataError> {
        const MEND: &str = "remove the file to have a new secret made at the next start";
        let kept = self.secret(ADMIN_SECRET, "the admin secret", MEND)?;
        Ok(kept.text)
    }

    /// The secret that all nodes of a cluster have. It is made at first start, for the operator to
    /// copy, or was copied from another node before.
    ///
    /// # Errors
    /// If it cannot be read or made, or is damaged.
    pub(crate) fn cluster_cookie(&self) -> Result<Kept, DataError> {
        const MEND: &str = "put the cookie of another node of the cluster in its place; if there is \
                            none, remove the file to have a new cookie made at the next start";
        self.secret(CLUSTER_COOKIE, "the cookie of the cluster", MEND)
    }

    /// The name of this node in a cluster, made at first start and kept from then on.
    ///
    /// # Errors
    /// If it cannot be read or made.
    pub(crate) fn cluster_node(&self) -> Result<String, DataError> {
        const MEND: &str = "write `node: \"…\"` in the section `cluster` of the configuration, or \
                            remove the file to have a new name made at the next start";
        let make = |secret: String| format!("node-{}", &secret[..8]);
        let kept = self.kept(CLUSTER_NODE, "the name of the node", MEND, make)?;
        Ok(kept.text)
    }

    fn secret(&self, name: &str, what: &str, mend: &str) -> Result<Kept, DataError> {
        let kept = self.kept(name, what, mend, |secret| secret)?;
        if kept.text.len() < SECRET_BYTES {
            let what = format!("{what} is damaged or too short");
            return Err(DataError::new(what, &kept.path, mend));
        }
        // A copy or a restored backup may have opened it to others.
        fs::set_permissions(&kept.path, Permissions::from_mode(0o600)).map_err(|error| {
            let action = format!("close {what} to other users");
            DataError::io(&action, &kept.path, &error, mend)
        })?;
        Ok(kept)
    }

    /// What a file of the folder says; if there is none, what `make` makes of random digits.
    fn kept(
        &self,
        name: &str,
        what: &str,
        mend: &str,
        make: impl FnOnce(String) -> String,
    ) -> Result<Kept, DataError> {
        let path = self.path.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Kept {
                text: text.trim().to_owned(),
                path,
                fresh: false,
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let random = fresh_secret().map_err(|error| {
                    DataError::io("get random bytes", &path, &error, "start the node again")
                })?;
                let text = make(random);
                self.write(name, &format!("{text}\n"))?;
                Ok(Kept {
                    text,
                    path,
                    fresh: true,
                })
            }
            Err(error) => Err(DataError::io(&format!("read {what}"), &path, &error, mend)),
        }
    }

    /// Tells `mungoctl` where the administration listens, until the folder is let go.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn publish_admin_url(&self, url: &str) -> Result<(), DataError> {
        self.write(ADMIN_URL, &format!("{url}\n"))
    }

    /// Writes a file that only this user may read: whole, or not at all.
    fn write(&self, name: &str, text: &str) -> Result<(), DataError> {
        let path = self.path.join(name);
        let fresh = self.path.join(format!("{name}.new"));
        let write = || -> io::Result<()> {
            // What a node left that was stopped right here.
            match fs::remove_file(&fresh) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&fresh)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&fresh, &path)?;
            File::open(&self.path)?.sync_all()
        };
        write().map_err(|error| {
            DataError::io(
                "write a file",
                &path,
                &error,
                "make room on its disk, and the data folder writable for this user",
            )
        })
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        // If it stays, mungoctl finds nobody there and says so.
        let _ = fs::remove_file(self.path.join(ADMIN_URL));
    }
}

/// The other node wrote its process number behind the lock.
fn in_use(file: &mut File, lock: &Path) -> DataError {
    let mut text = String::new();
    let pid = file
        .read_to_string(&mut text)
        .ok()
        .and_then(|_| text.trim().parse::<u32>().ok());
    let who = pid.map_or_else(
        || "another node".to_owned(),
        |pid| format!("another node, process {pid}"),
    );
    DataError::new(
        format!("the data folder is in use by {who}"),
        lock,
        "stop that node first, or start this one with a folder of its own: --data DIR",
    )
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn fresh_secret() -> io::Result<String> {
    let mut bytes = [0u8; SECRET_BYTES];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_folder_and_its_secrets_are_this_users_alone() {
        let home = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(&home.path().join("a/data")).unwrap();
        assert_eq!(mode(folder.path()), 0o700);
        folder.admin_secret().unwrap();
        folder.publish_admin_url("http://127.0.0.1:5551/").unwrap();
        for file in [ADMIN_SECRET, ADMIN_URL, LOCK] {
            assert_eq!(mode(&folder.path().join(file)), 0o600, "{file}");
        }
    }

    #[test]
    fn a_second_start_finds_the_secret_again_and_closes_it() {
        let home = tempfile::tempdir().unwrap();
        let first = DataFolder::open(home.path())
            .unwrap()
            .admin_secret()
            .unwrap();
        assert_eq!(first.len(), 64);
        let file = home.path().join(ADMIN_SECRET);
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        let second = DataFolder::open(home.path())
            .unwrap()
            .admin_secret()
            .unwrap();
        assert_eq!(first, second);
        assert_eq!(mode(&file), 0o600);
    }

    #[test]
    fn a_node_keeps_its_name_and_a_cookie_that_was_copied() {
        let home = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(home.path()).unwrap();
        let name = folder.cluster_node().unwrap();
        assert!(name.starts_with("node-") && name.len() == 13, "{name}");
        assert_eq!(folder.cluster_node().unwrap(), name);

        let made = folder.cluster_cookie().unwrap();
        assert!(made.fresh);
        assert_eq!(mode(&made.path), 0o600);
        let copied = "0123456789abcdef0123456789abcdef";
        fs::write(&made.path, format!("{copied}\n")).unwrap();
        fs::set_permissions(&made.path, Permissions::from_mode(0o644)).unwrap();
        let cookie = folder.cluster_cookie().unwrap();
        assert_eq!((cookie.text.as_str(), cookie.fresh), (copied, false));
        assert_eq!(mode(&made.path), 0o600);

        fs::write(&made.path, "short").unwrap();
        let error = folder.cluster_cookie().unwrap_err().to_string();
        assert!(
            error.contains("the cookie of the cluster is damaged"),
            "{error}"
        );
        assert!(error.contains("of another node"), "{error}");
    }

    #[test]
    fn an_interrupted_write_does_no_harm() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("admin.secret.new"), "half").unwrap();
        let folder = DataFolder::open(home.path()).unwrap();
        assert_eq!(folder.admin_secret().unwrap().len(), 64);
        assert!(!home.path().join("admin.secret.new").exists());
    }

    #[test]
    fn a_damaged_secret_is_named_and_kept() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(ADMIN_SECRET), "\n").unwrap();
        let folder = DataFolder::open(home.path()).unwrap();
        let error = folder.admin_secret().unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "error: the admin secret is damaged or too short\n --> {}/admin.secret\n  = remove the file to have a new \
                 secret made at the next start",
                folder.path().display()
            )
        );
    }

    #[test]
    fn a_folder_in_use_names_the_process() {
        let home = tempfile::tempdir().unwrap();
        let first = DataFolder::open(home.path()).unwrap();
        let error = DataFolder::open(home.path()).unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "error: the data folder is in use by another node, process {}\n --> {}/lock\n  = stop that node first, \
                 or start this one with a folder of its own: --data DIR",
                std::process::id(),
                first.path().display()
            )
        );
        drop(first);
        DataFolder::open(home.path()).unwrap();
    }

    #[test]
    fn the_url_goes_with_the_node() {
        let home = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(home.path()).unwrap();
        folder.publish_admin_url("http://127.0.0.1:5551/").unwrap();
        assert_eq!(
            fs::read_to_string(home.path().join(ADMIN_URL)).unwrap(),
            "http://127.0.0.1:5551/\n"
        );
        drop(folder);
        assert!(!home.path().join(ADMIN_URL).exists());
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("data");
        fs::write(&file, "").unwrap();
        let error = DataFolder::open(&file).unwrap_err().to_string();
        assert!(
            error.starts_with("error: cannot make the data folder: "),
            "{error}"
        );
        assert!(
            error.contains(&format!("\n --> {}\n  = ", file.display())),
            "{error}"
        );
    }
}
