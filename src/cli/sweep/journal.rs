//! What has been done, line by line, so that a sweep that is stopped goes on where it was.
//!
//! A journal is a file of lines: first the plan, then a record for each task, in the order in which tasks end. A line
//! that is not whole was being written when the process or the machine stopped: its task is done again. Records are
//! brought to the disk while others are made, so a machine that fails loses what was made in the meantime at most.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::Receiver;

use lambdasim::study::sweep::record::Record;
use serde::{Deserialize, Serialize};

use super::super::exit::{Exit, Failure};
use super::plan::Plan;

/// The folder of the journals, in that of the results.
pub(super) const FOLDER: &str = "sweep";
const ENDING: &str = "jsonl";

#[derive(Serialize, Deserialize)]
struct Head {
    sweep: Plan,
}

/// As much of a record as it takes to find it again.
#[derive(Deserialize)]
struct Entry {
    task: u64,
    digest: String,
}

/// Where the record of a task is.
#[derive(Clone, Debug)]
struct Place {
    file: usize,
    offset: u64,
    length: usize,
    digest: String,
}

/// Everything that has been done, in all journals of a sweep.
#[derive(Debug, Default)]
pub(super) struct Journals {
    files: Vec<(PathBuf, File)>,
    /// By task.
    places: Vec<Option<Place>>,
    plan: Option<Plan>,
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let message = format!("cannot read {}: {error}", path.display());
    Failure { exit: Exit::Unreachable, message, help: None }
}

/// The journals in a folder, by name; none where it does not exist.
pub(super) fn paths(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(folder, &error)),
    };
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        if path.extension().is_some_and(|ending| ending == ENDING) && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Gives the journals in a folder names that nobody reads; says which.
pub(super) fn put_aside(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut aside = Vec::new();
    for path in paths(folder)? {
        lock(&path, &File::open(&path).map_err(|error| unreadable(&path, &error))?)?;
        let free = (1..).map(|number| path.with_extension(format!("{ENDING}.old-{number}")));
        let place = free.into_iter().find(|place| !place.exists()).expect("numbers do not end");
        fs::rename(&path, &place).map_err(|error| Failure::write(&place, &error))?;
        aside.push(place);
    }
    Ok(aside)
}

/// Makes sure that nobody else writes a journal as long as the file is open.
fn lock(path: &Path, file: &File) -> Result<(), Failure> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            let message = format!("{} is being written by another process", path.display());
            Err(Failure { exit: Exit::Unreachable, message, help: None }
                .with_help("wait for its end, or choose another folder (--out)"))
        }
        // Not every file system has locks.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        Err(TryLockError::Error(error)) => Err(Failure::write(path, &error)),
    }
}

impl Journals {
    /// Reads journals. All have the plan that is given, or the one that the first of them has.
    pub(super) fn read(paths: &[PathBuf], plan: Option<&Plan>) -> Result<Self, Failure> {
        let mut journals = Self::default();
        if let Some(plan) = plan {
            journals.adopt(plan)?;
        }
        for path in paths {
            let file = File::open(path).map_err(|error| unreadable(path, &error))?;
            journals.files.push((path.clone(), file));
            journals.scan(journals.files.len() - 1, false)?;
        }
        Ok(journals)
    }

    /// Only looks whether journals have the plan.
    pub(super) fn check(paths: &[PathBuf], plan: &Plan) -> Result<(), Failure> {
        let mut journals = Self { plan: Some(plan.clone()), ..Self::default() };
        for path in paths {
            let file = File::open(path).map_err(|error| unreadable(path, &error))?;
            journals.files.push((path.clone(), file));
            journals.scan(journals.files.len() - 1, true)?;
        }
        Ok(())
    }

    fn adopt(&mut self, plan: &Plan) -> Result<(), Failure> {
        self.places.resize(usize::try_from(plan.grid()?.tasks()).unwrap_or(usize::MAX), None);
        self.plan = Some(plan.clone());
        Ok(())
    }

    /// What they all are about; `None` without journals.
    pub(super) const fn plan(&self) -> Option<&Plan> {
        self.plan.as_ref()
    }

    /// Whether a task has been done.
    pub(super) fn has(&self, task: u64) -> bool {
        self.place(task).is_some()
    }

    fn place(&self, task: u64) -> Option<&Place> {
        self.places.get(usize::try_from(task).ok()?)?.as_ref()
    }

    fn scan(&mut self, index: usize, head_only: bool) -> Result<(), Failure> {
        let (path, file) = &self.files[index];
        let path = path.clone();
        let failed = |error: io::Error| unreadable(&path, &error);
        let mut reader = BufReader::new(file.try_clone().map_err(failed)?);
        let mut line = Vec::new();
        let mut offset = 0;
        while reader.read_until(b'\n', &mut line).map_err(failed)? > 0 {
            if line.last() != Some(&b'\n') {
                break;
            }
            if offset == 0 {
                self.check_head(&path, &line)?;
                if head_only {
                    break;
                }
            } else if let Ok(Entry { task, digest }) = serde_json::from_slice(&line) {
                self.note(task, Place { file: index, offset, length: line.len() - 1, digest })?;
            }
            offset += line.len() as u64;
            line.clear();
        }
        Ok(())
    }

    fn check_head(&mut self, path: &Path, line: &[u8]) -> Result<(), Failure> {
        let Ok(Head { sweep }) = serde_json::from_slice(line) else {
            return Err(Failure::usage(format!("{} is not the journal of a sweep", path.display())));
        };
        let Some(plan) = &self.plan else { return self.adopt(&sweep) };
        let differences = plan.differences(&sweep);
        if differences.is_empty() {
            return Ok(());
        }
        let message = format!("{} is of another sweep: {} differs", path.display(), differences.join(" and "));
        Err(Failure::usage(message).with_help(
            "choose another folder (--out), or start over (--fresh), which keeps the journal under another name",
        ))
    }

    /// Tasks of records count from 1. What a task came to does not depend on who did it.
    fn note(&mut self, task: u64, place: Place) -> Result<(), Failure> {
        let index = task.checked_sub(1).and_then(|index| usize::try_from(index).ok());
        let Some(known) = index.and_then(|index| self.places.get_mut(index)) else { return Ok(()) };
        match known {
            Some(known) if known.digest != place.digest => {
                let message = format!(
                    "task {task} has two different records, in {} and {}",
                    self.files[known.file].0.display(),
                    self.files[place.file].0.display()
                );
                Err(Failure { exit: Exit::Unreachable, message, help: None }
                    .with_help("one of the machines is not in order: please report it"))
            }
            Some(_) => Ok(()),
            None => {
                *known = Some(place);
                Ok(())
            }
        }
    }

    /// The record of a task that has been done.
    pub(super) fn record(&mut self, task: u64) -> Result<Option<Record>, Failure> {
        let Some(Place { file, offset, length, .. }) = self.place(task).cloned() else { return Ok(None) };
        let (path, file) = &mut self.files[file];
        let mut line = vec![0; length];
        let read = file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(&mut line));
        read.map_err(|error| unreadable(path, &error))?;
        let record = String::from_utf8(line).ok().and_then(|line| Record::parse(&line));
        record.map(Some).ok_or_else(|| {
            let message = format!("{}: the record of task {} cannot be read", path.display(), task + 1);
            Failure { exit: Exit::Unreachable, message, help: None }
        })
    }
}

/// A journal that is being written.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: Mutex<File>,
}

impl Journal {
    /// Opens a journal to go on with it, or makes it; nobody else writes it as long as it is open.
    pub(super) fn open(path: &Path, plan: &Plan) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::write(path, &error);
        let opened = OpenOptions::new().read(true).append(true).create(true).open(path);
        let mut file = opened.map_err(failed)?;
        lock(path, &file)?;
        let whole = whole_lines(&file).map_err(failed)?;
        file.set_len(whole).map_err(failed)?;
        if whole == 0 {
            let mut head = serde_json::to_string(&Head { sweep: plan.clone() }).expect("keys are strings");
            head.push('\n');
            file.write_all(head.as_bytes()).and_then(|()| file.sync_data()).map_err(failed)?;
        }
        Ok(Self { path: path.to_owned(), file: Mutex::new(file) })
    }

    /// Adds a record.
    pub(super) fn add(&self, record: &Record) -> Result<(), Failure> {
        let mut line = record.line();
        line.push('\n');
        let mut file = self.file.lock().expect("nobody panics while writing");
        file.write_all(line.as_bytes()).map_err(|error| Failure::write(&self.path, &error))
    }

    /// Brings to the disk what has been added whenever somebody says so, as often as the disk can.
    pub(super) fn keep_safe(&self, added: &Receiver<()>) -> Result<(), Failure> {
        let failed = |error: io::Error| Failure::write(&self.path, &error);
        let file = self.file.lock().expect("nobody panics while writing").try_clone().map_err(failed)?;
        while added.recv().is_ok() {
            // What has come in the meantime is kept with it.
            while added.try_recv().is_ok() {}
            file.sync_data().map_err(failed)?;
        }
        Ok(())
    }
}

/// Bytes up to the end of the last line that has one.
fn whole_lines(mut file: &File) -> io::Result<u64> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut end = length;
    let mut block = vec![0; 1 << 16];
    while end > 0 {
        let start = end.saturating_sub(block.len() as u64);
        let part = &mut block[..usize::try_from(end - start).unwrap_or(0)];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(part)?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}
