//! What `run` and `check` share: load everything, simulate side by side, write and print in order.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::slice;

use lambdasim::kernel::time::SimTime;
use lambdasim::report;
use lambdasim::run::Stopped;
use lambdasim::scenario::Scenario;
use lambdasim::stats::summary::Summary;

use super::args::{Format, Printing, Simulation};
use super::exit::{Exit, Failure};
use super::load::{self, Ready};
use super::progress::{self, Watch};
use super::results::Results;
use super::simulate::{self, Outcome};
use super::terminal::{self, Output};
use super::verdict;

/// Where results go where nothing else is said: a folder of the scenario's name in here.
const DEFAULT_FOLDER: &str = "results";
/// How many of the busiest are named when a run uses up its event budget.
const BUSY_SHOWN: usize = 5;

/// Where the files of the results go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// There are none.
    Nowhere,
    /// To `results/<name>`.
    Default,
    /// To this folder, or to a folder for each of several scenarios in it.
    Folder(PathBuf),
}

/// Prints what the scenarios came to.
pub(super) trait Printer {
    /// The next scenario of the command line; no summary when its run was stopped.
    fn print(&mut self, output: &mut Output, summary: Option<&Summary>) -> Result<(), Failure>;

    /// After the last.
    fn end(&mut self, _output: &mut Output) -> Result<(), Failure> {
        Ok(())
    }
}

/// One use of `run` or `check`, while its runs come in.
struct Batch<'a> {
    ready: &'a [Ready],
    printing: Printing,
    results: Option<Results>,
    output: &'a mut Output,
    printer: &'a mut dyn Printer,
    exit: Exit,
    finished: usize,
}

/// Loads, simulates, writes and prints.
pub(super) fn run(
    simulation: &Simulation,
    printing: Printing,
    target: &Target,
    output: &mut Output,
    printer: &mut dyn Printer,
) -> Result<Exit, Failure> {
    let ready = match load::load_all(simulation) {
        Ok(ready) => ready,
        Err(exit) => return Ok(exit),
    };
    // First the ears, then the folders: from here on Ctrl-C leaves nothing behind.
    let watch = Watch::new(printing.quiet)?;
    let results = match target {
        Target::Nowhere => None,
        Target::Default | Target::Folder(_) => {
            load::check_names(&ready)?;
            let folders: Vec<_> = ready.iter().map(|one| target.folder(&one.scenario.name, ready.len())).collect();
            load::check_files(&ready, &folders)?;
            Some(Results::prepare(folders)?)
        }
    };
    let scenarios: Vec<&Scenario> = ready.iter().map(|one| &one.scenario).collect();
    let mut batch = Batch { ready: &ready, printing, results, output, printer, exit: Exit::Done, finished: 0 };
    simulate::side_by_side(&scenarios, simulation.jobs(), &watch, |index, outcome| {
        watch.aside(|| batch.take(index, outcome));
    })?;
    Ok(batch.end())
}

impl Target {
    fn folder(&self, name: &str, scenarios: usize) -> PathBuf {
        match self {
            Self::Folder(folder) if scenarios == 1 => folder.clone(),
            Self::Folder(folder) => folder.join(name),
            Self::Nowhere | Self::Default => Path::new(DEFAULT_FOLDER).join(name),
        }
    }
}

impl Batch<'_> {
    /// The next run has ended.
    fn take(&mut self, index: usize, outcome: &Outcome) {
        let mut folder = None;
        match outcome {
            Ok(summary) => {
                self.finished += 1;
                self.judge(summary);
                folder = self.write(index, summary);
            }
            Err(Stopped::Interrupted) => self.exit = Exit::Interrupted,
            Err(Stopped::BudgetExhausted { events, at, busy }) => {
                terminal::error(exhausted(&self.ready[index], *events, *at, busy));
                self.exit = self.exit.max(Exit::Unmet);
            }
        }
        let printed = self.printer.print(self.output, outcome.as_ref().ok()).and_then(|()| self.output.flush());
        self.note(printed);
        if let Some(folder) = folder.filter(|_| !self.printing.quiet) {
            terminal::tell(format_args!("results written to {}", folder.display()));
        }
    }

    fn judge(&mut self, summary: &Summary) {
        self.exit = self.exit.max(verdict::exit(summary));
        if self.printing.format != Format::Text && !verdict::holds(summary) {
            terminal::error(verdict::sentence(summary));
        }
    }

    /// Writes the files; gives the folder they are in.
    fn write(&mut self, index: usize, summary: &Summary) -> Option<PathBuf> {
        let results = self.results.as_mut()?;
        let json = report::render(report::Format::Json, slice::from_ref(summary), report::Style::Plain);
        let contents = [self.ready[index].resolved.clone(), report::latency_csv(summary), json];
        match results.write(index, &contents) {
            Ok(folder) => Some(folder.to_owned()),
            Err(failure) => {
                self.exit = self.exit.max(terminal::fail(&failure));
                None
            }
        }
    }

    fn end(mut self) -> Exit {
        let printed = self.printer.end(self.output);
        self.note(printed);
        if self.exit == Exit::Interrupted {
            let (finished, all) = (self.finished, self.ready.len());
            terminal::error(format_args!("interrupted: {finished} of {all} runs finished"));
        }
        self.exit
    }

    fn note(&mut self, result: Result<(), Failure>) {
        if let Err(failure) = result {
            self.exit = self.exit.max(terminal::fail(&failure));
        }
    }
}

/// Why a run used up its events, and who kept it going.
fn exhausted(ready: &Ready, events: u64, at: SimTime, busy: &[(String, u64)]) -> String {
    let at = progress::whole_seconds(at);
    let mut text = format!(
        "{}: the event budget is used up: {events} events (`model.event_budget`) by {at} of virtual time",
        ready.scenario.name
    );
    let shown: Vec<_> = busy.iter().take(BUSY_SHOWN).map(|(name, count)| format!("{name} ({count})")).collect();
    if !shown.is_empty() {
        text.push_str("; still busy: ");
        text.push_str(&shown.join(", "));
    }
    if busy.len() > BUSY_SHOWN {
        let _ = write!(text, " and {} more", busy.len() - BUSY_SHOWN);
    }
    text
}
