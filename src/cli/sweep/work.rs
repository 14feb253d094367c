//! Does the tasks of a sweep, or of a part of it, that have not been done before.

use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::mpsc;
use std::thread;

use lambdasim::run::{self, Stopped};
use lambdasim::study::sweep::record::Record;
use tempfile::TempDir;

use super::super::args::Simulation;
use super::super::exit::{Exit, Failure};
use super::super::progress::Watch;
use super::super::terminal::{self, Output};
use super::super::{batch, load, replace, simulate};
use super::journal::{self, Journal, Journals};
use super::plan::Planned;
use super::shard::Shard;
use super::tables::{self, Target};
use super::{Arguments, What};

/// Where the files of a sweep are.
struct Room {
    /// Results; `None` where there are none.
    out: Option<PathBuf>,
    journals: PathBuf,
    journal: PathBuf,
    /// Taken away when it is dropped.
    _temporary: Option<TempDir>,
}

/// Runs the command without `merge`.
pub(super) fn sweep(arguments: &Arguments, output: &mut Output) -> Result<Exit, Failure> {
    let Arguments { what, show, out, no_files, jobs, fresh, shard, plan_out, part: _ } = arguments;
    let shard = shard.map(|choice| choice.resolve(variable)).transpose()?;
    let watch = Watch::new(show.printing.quiet)?;
    let jobs = Simulation::jobs_or_all(*jobs);
    let planned = match Planned::load(what, jobs, &watch)? {
        Ok(planned) => planned,
        Err(exit) => return Ok(exit),
    };
    let out = out.clone().unwrap_or_else(|| Path::new(batch::DEFAULT_FOLDER).join(&planned.plan.name));
    if *fresh {
        for path in journal::put_aside(&out.join(journal::FOLDER))? {
            terminal::tell(format_args!("the earlier journal is now {}", path.display()));
        }
    }
    if let Some(file) = plan_out {
        load::check_file([what.file()], file)?;
        replace::check(file)?;
        replace::write(file, &planned.lines(what, &out))?;
        if !show.printing.quiet {
            terminal::tell(format_args!("{} runs written to {}", planned.grid.tasks(), file.display()));
        }
        return Ok(Exit::Done);
    }
    let room = Room::prepare(out, *no_files, shard, &planned)?;
    let journal = Journal::open(&room.journal, &planned.plan)?;
    let before = Journals::read(&journal::paths(&room.journals)?, Some(&planned.plan))?;
    let mine = |task: &u64| shard.is_none_or(|shard| shard.does(*task));
    let tasks: Vec<u64> = (0..planned.grid.tasks()).filter(mine).collect();
    let missing: Vec<u64> = tasks.iter().copied().filter(|task| !before.has(*task)).collect();
    let done = tasks.len() - missing.len();
    if done > 0 && !show.printing.quiet {
        terminal::tell(format_args!("{done} of {} runs were done before", tasks.len()));
    }
    drop(before);
    Crew { what, planned: &planned, watch: &watch, journal: &journal }.work(&missing, done, jobs)?;
    let mut journals = Journals::read(&journal::paths(&room.journals)?, Some(&planned.plan))?;
    let left = tasks.iter().filter(|task| !journals.has(**task)).count();
    if left > 0 {
        let done = tasks.len() - left;
        terminal::error(format_args!("interrupted: {done} of {} runs are done", tasks.len()));
        if room.out.is_some() {
            terminal::tell(format_args!("the same command goes on from {}", room.journal.display()));
        }
        return Ok(Exit::Interrupted);
    }
    planned.check_files(what)?;
    if let Some(Shard { index, of }) = shard {
        tables::tell_exhausted(&mut journals, &tasks)?;
        if !show.printing.quiet {
            let folder = room.out.as_deref().unwrap_or(Path::new(""));
            terminal::tell(format_args!(
                "part {index} of {of} is done: {} runs in {}",
                tasks.len(),
                room.journal.display()
            ));
            terminal::tell(format_args!("when all parts are: lambdasim sweep merge {}", folder.display()));
        }
        return Ok(Exit::Done);
    }
    let target = room.out.as_deref().map_or(Target::Nowhere, Target::Folder);
    tables::conclude(&mut journals, &planned.plan, target, show, output)
}

/// A variable of the environment.
#[expect(clippy::disallowed_methods, reason = "it says which part of the work is done here; no result depends on it")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Room {
    /// Makes the folders. Journals of other sweeps in them are found before anything is written.
    fn prepare(out: PathBuf, no_files: bool, shard: Option<Shard>, planned: &Planned) -> Result<Self, Failure> {
        if no_files {
            let folder = tempfile::tempdir().map_err(|error| Failure::write(&std::env::temp_dir(), &error))?;
            let (journals, journal) = (folder.path().to_owned(), folder.path().join("journal.jsonl"));
            return Ok(Self { out: None, journals, journal, _temporary: Some(folder) });
        }
        let journals = out.join(journal::FOLDER);
        tables::check_folder(&out)?;
        Journals::check(&journal::paths(&journals)?, &planned.plan)?;
        fs::create_dir_all(&journals).map_err(|error| Failure::write(&journals, &error))?;
        let name = match shard {
            None => "journal.jsonl".to_owned(),
            Some(Shard { index, of }) => format!("shard-{index:04}-of-{of:04}.jsonl"),
        };
        Ok(Self { journal: journals.join(name), out: Some(out), journals, _temporary: None })
    }
}

/// Those who do the tasks.
struct Crew<'a> {
    what: &'a What,
    planned: &'a Planned,
    watch: &'a Watch,
    journal: &'a Journal,
}

impl Crew<'_> {
    /// Does the tasks, in any order, until all are done or somebody says stop.
    fn work(&self, tasks: &[u64], done: usize, jobs: NonZero<usize>) -> Result<(), Failure> {
        if tasks.is_empty() {
            return Ok(());
        }
        let bar = self.watch.count(&self.planned.plan.name, done as u64, (done + tasks.len()) as u64);
        let failed: OnceLock<Failure> = OnceLock::new();
        let (added, heard) = mpsc::channel();
        let safe = thread::scope(|scope| {
            let journal = self.journal;
            let keeper = scope.spawn(move || journal.keep_safe(&heard));
            let run = |index: usize| {
                if failed.get().is_some() {
                    return;
                }
                match self.task(tasks[index]) {
                    Ok(Some(record)) => match self.journal.add(&record) {
                        Ok(()) => {
                            // The keeper leaves when it cannot write, and says why.
                            let _ = added.send(());
                            bar.inc(1);
                        }
                        Err(failure) => drop(failed.set(failure)),
                    },
                    Ok(None) => {}
                    Err(failure) => drop(failed.set(failure)),
                }
            };
            let done = simulate::side_by_side(tasks.len(), jobs, run, |_, ()| {});
            drop(added);
            let kept = keeper.join().expect("the keeper does not panic");
            done.and(kept)
        });
        bar.finish_and_clear();
        safe?;
        failed.into_inner().map_or(Ok(()), Err)
    }

    /// The record of a task; `None` when somebody said stop.
    fn task(&self, task: u64) -> Result<Option<Record>, Failure> {
        if self.watch.is_interrupted() {
            return Ok(None);
        }
        let scenario = self.planned.scenario(self.what, task)?;
        let (point, _) = self.planned.grid.place(task);
        let outcome = simulate::watched(&scenario, self.watch, |progress| run::run_with(&scenario, progress));
        Ok(match outcome {
            Ok(summary) => Some(Record::of(task, point, &summary)),
            Err(Stopped::Interrupted) => None,
            Err(Stopped::BudgetExhausted { events, at, busy }) => {
                Some(Record::exhausted(task, point, scenario.seed, (events, at), busy))
            }
        })
    }
}
