//! What `run` and `check` share: load everything, simulate side by side, write and print in order.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::slice;

use clap::Args;
use lambdasim::kernel::time::{SimDuration, SimTime};
use lambdasim::report;
use lambdasim::run::{Progress, Stopped};
use lambdasim::scenario::{self, Scenario};
use lambdasim::stats::series::{Interval, MOST, TimeSeries};
use lambdasim::stats::summary::Summary;

use super::args::{Format, Printing, Simulation};
use super::exit::{Exit, Failure};
use super::load::{self, Ready};
use super::progress::{self, Watch};
use super::recordings::Recordings;
use super::replicas::{Replication, Work};
use super::results::Results;
use super::simulate::{self, Outcome};
use super::terminal::{self, Output};
use super::verdict;

/// Where results go where nothing else is said: a folder of the scenario's name in here.
pub(super) const DEFAULT_FOLDER: &str = "results";
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

/// Files that are written on request while a scenario is simulated.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Files {
    /// Write every step of every event to this file, as CSV
    ///
    /// Its columns are `time_ms`, event, run, actor, step, rule and detail. For one scenario at a time.
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,

    /// Write what destinations receive to this file, one JSON object a line
    ///
    /// Each is an invocation record in the shape that AWS gives it. For one scenario at a time.
    #[arg(long, value_name = "FILE")]
    records: Option<PathBuf>,

    /// Length of an interval in timeseries.csv, such as 1m [default: so that callers submit for at most 100 of them]
    ///
    /// Figures of what comes after the callers have ended are in longer intervals in the end.
    #[arg(long, value_name = "LENGTH", value_parser = scenario::positive_duration)]
    interval: Option<SimDuration>,
}

impl Files {
    fn check(&self, scenarios: usize) -> Result<(), Failure> {
        let Self { events, records, .. } = self;
        let Some(flag) = events.as_ref().map(|_| "--events").or(records.as_ref().map(|_| "--records")) else {
            return Ok(());
        };
        if scenarios > 1 {
            let message = format!("{flag} is for one scenario, and {scenarios} are given");
            return Err(Failure::usage(message).with_help("run each scenario by itself"));
        }
        if events == records {
            return Err(Failure::usage("--events and --records name the same file"));
        }
        Ok(())
    }

    /// The story of several runs is not one.
    fn check_replicas(&self) -> Result<(), Failure> {
        let Self { events, records, .. } = self;
        match events.as_ref().map(|_| "--events").or(records.as_ref().map(|_| "--records")) {
            None => Ok(()),
            Some(flag) => Err(Failure::usage(format!("{flag} is for one run, and several replicas are asked for"))
                .with_help("choose one of them with --seed")),
        }
    }

    /// How long the intervals of the time series are.
    fn interval(&self, ready: &[Ready]) -> Result<Interval, Failure> {
        let Some(length) = self.interval else { return Ok(Interval::Automatic) };
        for Ready { scenario, .. } in ready {
            let window = scenario.duration.saturating_since(scenario.warmup).as_nanos();
            if window.div_ceil(length.as_nanos()) > MOST {
                let message =
                    format!("--interval is too short for `{}`: it gives more than {MOST} intervals", scenario.name);
                return Err(Failure::usage(message).with_help("give a longer one"));
            }
        }
        Ok(Interval::Every(length))
    }

    /// Makes the files; they never replace the scenario.
    fn prepare(&self, ready: &[Ready]) -> Result<Option<Recordings>, Failure> {
        let Self { events, records, .. } = self;
        for path in [events, records].into_iter().flatten() {
            load::check_file(load::files(ready), path)?;
        }
        Recordings::prepare(events.as_deref(), records.as_deref())
    }
}

/// A scenario whose run has ended.
#[derive(Debug)]
pub(super) struct Ran<'a> {
    /// Its place on the command line, 0 = first.
    pub(super) index: usize,
    pub(super) ready: &'a Ready,
    /// Nothing when its run was stopped.
    pub(super) summary: Option<&'a Summary>,
    pub(super) watch: &'a Watch,
}

/// Prints what the scenarios came to.
pub(super) trait Printer {
    /// All scenarios are read, and nothing is simulated yet.
    fn begin(&mut self, _ready: &[Ready]) -> Result<(), Failure> {
        Ok(())
    }

    /// What is to be found out before the next scenario is printed; it may take its time.
    fn study(&mut self, _ran: &Ran<'_>) -> Result<(), Failure> {
        Ok(())
    }

    /// The next scenario of the command line; no summary when its run was stopped.
    fn print(&mut self, output: &mut Output, summary: Option<&Summary>) -> Result<(), Failure>;

    /// After the last.
    fn end(&mut self, _output: &mut Output) -> Result<(), Failure> {
        Ok(())
    }

    /// Everything else is done and comes to `exit`; gives what it comes to itself.
    fn close(&mut self, _output: &mut Output, _exit: Exit) -> Result<Exit, Failure> {
        Ok(Exit::Done)
    }
}

/// One use of `run` or `check`, while its runs come in.
struct Batch<'a> {
    ready: &'a [Ready],
    printing: Printing,
    results: Option<Results>,
    recordings: Option<&'a Recordings>,
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
    files: &Files,
    replication: Replication,
    output: &mut Output,
    printer: &mut dyn Printer,
) -> Result<Exit, Failure> {
    files.check(simulation.scenarios.len())?;
    let ready = match load::load_all(simulation) {
        Ok(ready) => ready,
        Err(exit) => return Ok(exit),
    };
    let interval = files.interval(&ready)?;
    printer.begin(&ready)?;
    let interval = (*target != Target::Nowhere).then_some(interval);
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
    if !replication.is_single() {
        files.check_replicas()?;
        let work = Work { printing, watch: &watch, results, output };
        return replication.run(&ready, simulation.jobs(), interval, work);
    }
    let recordings = files.prepare(&ready)?;
    let mut batch = Batch {
        ready: &ready,
        printing,
        results,
        recordings: recordings.as_ref(),
        output,
        printer,
        exit: Exit::Done,
        finished: 0,
    };
    let run = |scenario: &Scenario, progress: &mut dyn FnMut(Progress) -> bool| match &recordings {
        None => simulate::run(scenario, interval, (), progress).map(|(outcome, ())| outcome),
        Some(recordings) => recordings.run(scenario, interval, progress),
    };
    let run = |index: usize| {
        let scenario: &Scenario = &ready[index].scenario;
        simulate::watched(scenario, &watch, |progress| run(scenario, progress))
    };
    simulate::side_by_side(ready.len(), simulation.jobs(), run, |index, outcome| {
        batch.study(index, &outcome, &watch);
        watch.aside(|| batch.take(index, &outcome));
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
    /// The next run has ended; nothing is printed yet.
    fn study(&mut self, index: usize, outcome: &Outcome, watch: &Watch) {
        let summary = outcome.as_ref().ok().map(|(summary, _)| summary);
        let studied = self.printer.study(&Ran { index, ready: &self.ready[index], summary, watch });
        self.note(studied);
    }

    /// Writes and prints what the next run came to.
    fn take(&mut self, index: usize, outcome: &Outcome) {
        let mut written = Vec::new();
        match outcome {
            Ok((summary, series)) => {
                self.finished += 1;
                self.judge(summary);
                written.extend(self.write(index, summary, series.as_ref()));
                written.extend(self.publish());
            }
            Err(Stopped::Interrupted) => self.exit = Exit::Interrupted,
            Err(Stopped::BudgetExhausted { events, at, busy }) => {
                terminal::error(exhausted(&self.ready[index], *events, *at, busy));
                self.exit = self.exit.max(Exit::Unmet);
            }
        }
        let printed = self
            .printer
            .print(self.output, outcome.as_ref().ok().map(|(summary, _)| summary))
            .and_then(|()| self.output.flush());
        self.note(printed);
        for line in written.iter().filter(|_| !self.printing.quiet) {
            terminal::tell(line);
        }
    }

    fn judge(&mut self, summary: &Summary) {
        self.exit = self.exit.max(verdict::exit(summary));
        if self.printing.format != Format::Text && !verdict::holds(summary) {
            terminal::error(verdict::sentence(summary));
        }
    }

    /// Puts the files that the run wrote into their places; says where they are.
    fn publish(&mut self) -> Vec<String> {
        let places = self.recordings.map(Recordings::publish).unwrap_or_default();
        let mut written = Vec::new();
        for place in places {
            match place {
                Ok(path) => written.push(format!("{} written", path.display())),
                Err(failure) => self.exit = self.exit.max(terminal::fail(&failure)),
            }
        }
        written
    }

    /// Writes the files; says which folder they are in.
    fn write(&mut self, index: usize, summary: &Summary, series: Option<&TimeSeries>) -> Option<String> {
        let results = self.results.as_mut()?;
        let json = report::render(report::Format::Json, slice::from_ref(summary), report::Style::Plain);
        let series = series.map(report::timeseries_csv).unwrap_or_default();
        let contents = [self.ready[index].resolved.clone(), series, report::latency_csv(summary), json];
        match results.write(index, &contents) {
            Ok(folder) => Some(format!("results written to {}", folder.display())),
            Err(failure) => {
                self.exit = self.exit.max(terminal::fail(&failure));
                None
            }
        }
    }

    fn end(mut self) -> Exit {
        let printed = self.printer.end(self.output);
        self.note(printed);
        match self.printer.close(self.output, self.exit) {
            Ok(exit) => self.exit = self.exit.max(exit),
            Err(failure) => self.note(Err(failure)),
        }
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
pub(super) fn exhausted(ready: &Ready, events: u64, at: SimTime, busy: &[(String, u64)]) -> String {
    budget_used_up(&ready.scenario.name, events, at, busy)
}

/// The same by what the run is called.
pub(super) fn budget_used_up(name: &str, events: u64, at: SimTime, busy: &[(String, u64)]) -> String {
    let at = progress::whole_seconds(at);
    let mut text =
        format!("{name}: the event budget is used up: {events} events (`model.event_budget`) by {at} of virtual time");
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
