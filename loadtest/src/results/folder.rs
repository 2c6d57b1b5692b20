//! The folder that a run leaves behind.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::{Results, page, stamp};

/// Where runs go that are not told where.
const ALL: &str = "loadtest-results";

/// Writes `report.json`, `report.html` and `scenario.ron` into `folder`, or into one of its own by the
/// run's name and time; says which. What was in those files is overwritten.
///
/// # Errors
/// It can't be written.
pub(crate) fn write(results: &Results, folder: Option<&Path>) -> io::Result<PathBuf> {
    let folder = match folder {
        Some(folder) => {
            fs::create_dir_all(folder)?;
            folder.to_owned()
        }
        None => own_folder(&results.about.name, results.about.began)?,
    };
    let json = format!("{:#}\n", results.json());
    fs::write(folder.join("report.json"), json)?;
    fs::write(folder.join("report.html"), page::html(results))?;
    if !results.about.scenario.is_empty() {
        fs::write(folder.join("scenario.ron"), &results.about.scenario)?;
    }
    Ok(folder)
}

/// Makes the folder that a run shall leave something in, before it begins: afterwards it would be too late.
///
/// # Errors
/// It can't be made, or nothing can be put into it.
pub(crate) fn prepare(folder: Option<&Path>) -> io::Result<()> {
    let folder = folder.unwrap_or(Path::new(ALL));
    fs::create_dir_all(folder)?;
    let probe = folder.join(format!(".{}", std::process::id()));
    fs::write(&probe, "")?;
    fs::remove_file(&probe)
}

/// A folder for something of this name that began then, which was not there before.
///
/// # Errors
/// It can't be made.
pub(crate) fn own_folder(name: &str, began: OffsetDateTime) -> io::Result<PathBuf> {
    let time: String = stamp(began)
        .chars()
        .filter(|c| !matches!(c, '-' | ':'))
        .collect();
    // The name may be that of a file somewhere else.
    let name: String = name
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '-' })
        .collect();
    fs::create_dir_all(ALL)?;
    let mut folder = Path::new(ALL).join(format!("{name}-{time}"));
    let mut number = 2;
    loop {
        match fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                folder.set_file_name(format!("{name}-{time}-{number}"));
                number += 1;
            }
            Err(error) => return Err(error),
        }
    }
}
