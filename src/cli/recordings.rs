//! Files that a run writes while it goes on, on request: `--events` and `--records`. Like the results they are made
//! in a temporary folder beside their place, and renamed into it when the run has come to its end. What is there and
//! is no file, such as a pipe, is written as the run goes on.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use lambdasim::run::Progress;
use lambdasim::scenario::Scenario;
use lambdasim::stats::series::Interval;
use lambdasim::story::events::EventsCsv;
use lambdasim::story::records::RecordsJsonl;
use tempfile::TempDir;

use super::exit::Failure;
use super::simulate::{self, Outcome};

/// The file's name in its temporary folder.
const NAME: &str = "file";

/// The files of one run.
#[derive(Debug)]
pub(super) struct Recordings {
    events: Option<Recording>,
    records: Option<Recording>,
}

#[derive(Debug)]
struct Recording {
    path: PathBuf,
    /// Taken away when it is dropped. A pipe or a device is written as it is.
    temporary: Option<TempDir>,
    file: File,
    /// The first write that failed.
    failed: OnceLock<io::Error>,
}

impl Recordings {
    /// Makes the files; nothing where none is asked for.
    pub(super) fn prepare(events: Option<&Path>, records: Option<&Path>) -> Result<Option<Self>, Failure> {
        let prepare = |path: Option<&Path>| path.map(Recording::prepare).transpose();
        let recordings = Self { events: prepare(events)?, records: prepare(records)? };
        Ok((recordings.events.is_some() || recordings.records.is_some()).then_some(recordings))
    }

    /// Runs the scenario and writes what happens.
    pub(super) fn run(
        &self,
        scenario: &Scenario,
        interval: Option<Interval>,
        progress: impl FnMut(Progress) -> bool,
    ) -> Outcome {
        let Self { events, records } = self;
        let events_csv = events.as_ref().map(|one| EventsCsv::new(scenario, BufWriter::new(&one.file)));
        let records_jsonl = records.as_ref().map(|one| RecordsJsonl::new(scenario, BufWriter::new(&one.file)));
        let observers = (events_csv, records_jsonl);
        let (outcome, (events_csv, records_jsonl)) = simulate::run(scenario, interval, observers, progress)?;
        if let (Some(recording), Some(table)) = (events, events_csv) {
            recording.note(table.finish().map(drop));
        }
        if let (Some(recording), Some(lines)) = (records, records_jsonl) {
            recording.note(lines.finish().map(drop));
        }
        Ok(outcome)
    }

    /// The run has come to its end: the files go to their places, which are given.
    pub(super) fn publish(&self) -> Vec<Result<&Path, Failure>> {
        [&self.events, &self.records].into_iter().flatten().map(Recording::publish).collect()
    }
}

impl Recording {
    fn prepare(path: &Path) -> Result<Self, Failure> {
        // The kind alone: the temporary name that comes with it says nothing to anybody.
        let failure = |error: &io::Error| Failure::write(path, &error.kind().into());
        if path.is_dir() || path.file_name().is_none() {
            return Err(failure(&io::ErrorKind::IsADirectory.into()));
        }
        let recording = |temporary, file| Self { path: path.to_owned(), temporary, file, failed: OnceLock::new() };
        if path.metadata().is_ok_and(|found| !found.is_file()) {
            let file = OpenOptions::new().write(true).open(path).map_err(|error| failure(&error))?;
            return Ok(recording(None, file));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let temporary = tempfile::Builder::new().prefix(".lambdasim-").tempdir_in(folder);
        let temporary = temporary.map_err(|error| failure(&error))?;
        // Not a temporary file, which would have other permissions than the results.
        let file = File::create(temporary.path().join(NAME)).map_err(|error| failure(&error))?;
        Ok(recording(Some(temporary), file))
    }

    fn note(&self, written: io::Result<()>) {
        if let Err(error) = written {
            // A run is written once.
            let _ = self.failed.set(error);
        }
    }

    fn publish(&self) -> Result<&Path, Failure> {
        if let Some(error) = self.failed.get() {
            return Err(Failure::write(&self.path, error));
        }
        if let Some(temporary) = &self.temporary {
            fs::rename(temporary.path().join(NAME), &self.path).map_err(|error| Failure::write(&self.path, &error))?;
        }
        Ok(&self.path)
    }
}
