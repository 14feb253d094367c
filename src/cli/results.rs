//! Result files: prepared in a temporary folder beside their places, then renamed one by one into them. Whatever
//! happens before that leaves the results of earlier runs as they were.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::exit::Failure;

/// The files of a run. The summary comes last: when it is new, the others are.
pub(super) const FILES: [&str; 4] = ["scenario.yaml", "timeseries.csv", "latency.csv", "summary.json"];

/// The folders that the results of a command go to.
#[derive(Debug, Default)]
pub(super) struct Results {
    folders: Vec<Folder>,
    /// Folders that were not there before, outer ones first.
    created: Vec<PathBuf>,
}

#[derive(Debug)]
struct Folder {
    path: PathBuf,
    /// Taken away when it is dropped.
    temporary: Option<TempDir>,
}

impl Results {
    /// Makes the folders, so that a place that cannot be written is known before anything is simulated.
    pub(super) fn prepare(paths: Vec<PathBuf>) -> Result<Self, Failure> {
        let mut results = Self::default();
        for path in paths {
            results.create(&path).map_err(|error| Failure::write(&path, &error))?;
            for place in FILES.map(|name| path.join(name)) {
                if place.is_dir() {
                    return Err(Failure::write(&place, &io::ErrorKind::IsADirectory.into()));
                }
            }
            let temporary = tempfile::Builder::new().prefix(".lambdasim-").tempdir_in(&path);
            // The kind alone: the temporary name that comes with it says nothing to anybody.
            let temporary = temporary.map_err(|error| Failure::write(&path, &error.kind().into()))?;
            results.folders.push(Folder { path, temporary: Some(temporary) });
        }
        Ok(results)
    }

    fn create(&mut self, path: &Path) -> io::Result<()> {
        let missing: Vec<&Path> =
            path.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
        for path in missing.into_iter().rev() {
            match fs::create_dir(path) {
                Ok(()) => self.created.push(path.to_owned()),
                // Another process was faster.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
                Err(error) => return Err(error),
            }
        }
        if path.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }

    /// Writes the files of a run, in the order of [`FILES`]; gives the folder they are in.
    pub(super) fn write(&mut self, index: usize, contents: &[String; FILES.len()]) -> Result<&Path, Failure> {
        let Folder { path, temporary } = &mut self.folders[index];
        let temporary = temporary.take().expect("a run is written once");
        put(&temporary, path, FILES.into_iter().zip(contents.iter().map(String::as_str)))?;
        Ok(path)
    }
}

/// Writes files that belong together: all of them, or none that was there before is touched.
pub(super) fn write_together(folder: &Path, files: &[(&str, String)]) -> Result<(), Failure> {
    let mut results = Results::default();
    results.create(folder).map_err(|error| Failure::write(folder, &error))?;
    let temporary = tempfile::Builder::new().prefix(".lambdasim-").tempdir_in(folder);
    let temporary = temporary.map_err(|error| Failure::write(folder, &error.kind().into()))?;
    put(&temporary, folder, files.iter().map(|(name, content)| (*name, content.as_str())))
}

/// Writes all files beside their places, and then puts them there.
fn put<'a>(
    temporary: &TempDir,
    folder: &Path,
    files: impl Iterator<Item = (&'a str, &'a str)> + Clone,
) -> Result<(), Failure> {
    let failed = |name: &str, error: &io::Error| Failure::write(&folder.join(name), error);
    for (name, content) in files.clone() {
        fs::write(temporary.path().join(name), content).map_err(|error| failed(name, &error))?;
    }
    for (name, _) in files {
        fs::rename(temporary.path().join(name), folder.join(name)).map_err(|error| failed(name, &error))?;
    }
    Ok(())
}

impl Drop for Results {
    /// Leaves nothing of runs without results.
    fn drop(&mut self) {
        self.folders.clear();
        for path in self.created.iter().rev() {
            // A folder with something in it stays.
            let _ = fs::remove_dir(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::exit::Exit;

    const CONTENTS: [&str; 4] = ["a: 1\n", "start_ms\n", "metric\n", "{}\n"];

    fn contents() -> [String; 4] {
        CONTENTS.map(str::to_owned)
    }

    fn names(path: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn files_appear_and_others_stay() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("results/a");
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("notes.txt"), "mine").unwrap();
        fs::write(path.join("summary.json"), "old").unwrap();
        let mut results = Results::prepare(vec![path.clone()]).unwrap();
        assert_eq!(results.write(0, &contents()).unwrap(), path);
        drop(results);
        assert_eq!(names(&path), ["latency.csv", "notes.txt", "scenario.yaml", "summary.json", "timeseries.csv"]);
        assert_eq!(FILES.map(|name| fs::read_to_string(path.join(name)).unwrap()), CONTENTS);
    }

    #[test]
    fn a_run_without_results_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let paths = ["results/a", "results/b"].map(|path| root.path().join(path)).to_vec();
        drop(Results::prepare(paths.clone()).unwrap());
        assert_eq!(names(root.path()), [""; 0]);
        let mut results = Results::prepare(paths).unwrap();
        results.write(1, &contents()).unwrap();
        drop(results);
        assert_eq!(names(&root.path().join("results")), ["b"]);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_known_before_the_run() {
        let check = |path: &Path, text: &str| {
            let failure = Results::prepare(vec![path.to_owned()]).unwrap_err();
            assert_eq!(failure.exit, Exit::Unreachable);
            assert!(failure.message.contains(text), "{failure}");
        };
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("file"), "").unwrap();
        fs::create_dir_all(root.path().join("c/summary.json")).unwrap();
        check(&root.path().join("file"), "not a directory");
        check(&root.path().join("file/a"), "cannot write");
        check(&root.path().join("c"), "summary.json");
        assert_eq!(names(root.path()), ["c", "file"]);
        assert_eq!(names(&root.path().join("c")), ["summary.json"]);
    }
}
