//! Files that appear whole or not at all: written beside their place, then renamed into it.

use std::fs;
use std::io;
use std::path::Path;

use super::exit::Failure;

/// Says early that a file can hardly be written: its folder is not there, or it is a folder itself.
pub(super) fn check(path: &Path) -> Result<(), Failure> {
    if path.is_dir() || path.file_name().is_none() {
        return Err(Failure::write(path, &io::ErrorKind::IsADirectory.into()));
    }
    if folder(path).is_dir() { Ok(()) } else { Err(Failure::write(path, &io::ErrorKind::NotFound.into())) }
}

/// Writes a file; its folder is made where it is missing.
pub(super) fn write(path: &Path, content: &str) -> Result<(), Failure> {
    // The kind alone: the temporary name that comes with it says nothing to anybody.
    let plain = |error: io::Error| Failure::write(path, &error.kind().into());
    fs::create_dir_all(folder(path)).map_err(plain)?;
    if path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        // A pipe or a device is written as it is.
        return fs::write(path, content).map_err(plain);
    }
    // Not a temporary file, which would have other permissions than the results.
    let temporary = tempfile::Builder::new().prefix(".lambdasim-").tempdir_in(folder(path)).map_err(plain)?;
    let file = temporary.path().join("file");
    fs::write(&file, content).map_err(plain)?;
    fs::rename(&file, path).map_err(plain)
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
