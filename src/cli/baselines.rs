//! `check --baseline`: the numbers of earlier runs, whether new ones are near enough to them, and the first event that
//! differs.
//!
//! Beside a baseline lies the scenario that it was made from. Where that still gives the baseline's digest, both runs are
//! compared event by event.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use lambdasim::report;
use lambdasim::run::{self, Stopped};
use lambdasim::scenario::{self, Scenario};
use lambdasim::stats::summary::Summary;
use lambdasim::study::baseline::{self, Comparison};
use lambdasim::study::divergence::{self, Divergence};
use lambdasim::study::tolerance::Tolerance;
use serde_json::Value;

use super::batch::Ran;
use super::exit::{Exit, Failure};
use super::load::{self, Ready};
use super::progress::Watch;
use super::{replace, simulate};

/// The usual name of a baseline.
const SUMMARY: &str = "summary.json";

/// The flags of `check` about baselines.
#[derive(Clone, Debug, Args)]
pub(super) struct Flags {
    /// Compare every number with those of an earlier run: its summary.json, or a folder with <name>/summary.json
    ///
    /// Numbers are the same or `check` fails, unless --tolerance says how far they may differ. Beside the summary lies
    /// the scenario.yaml of its run; with it, the first event that differs is named.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// Make the baseline, or make it new, and say what changed
    #[arg(long, requires = "baseline")]
    update_baseline: bool,

    /// How far numbers may be from the baseline, for example `callers.*.latency_ms.p99=5%` (repeatable)
    ///
    /// `*` stands for one part of a path, and the beginning of a path for everything below it. The value is a share (2%
    /// or 0.02) of the baseline or an amount (5ms, 0.01usd, 3 for counts). The last one that is for a number counts.
    #[arg(long, value_name = "P=VALUE", requires = "baseline", value_parser = Tolerance::parse)]
    tolerance: Vec<Tolerance>,
}

/// The baselines of all scenarios of the command line.
#[derive(Debug)]
pub(super) struct Baselines {
    places: Vec<Place>,
    tolerances: Vec<Tolerance>,
    update: bool,
}

#[derive(Debug)]
struct Place {
    file: PathBuf,
    /// Nothing where there is none yet.
    stored: Option<Value>,
}

/// What a run came to beside its baseline.
#[derive(Debug)]
pub(super) struct Held {
    /// The baseline's file.
    pub(super) file: PathBuf,
    /// Nothing where there was no baseline yet.
    pub(super) comparison: Option<Comparison>,
    /// The first event that differs.
    pub(super) first: First,
    /// Whether the baseline is that of this run now.
    pub(super) is_written: bool,
}

/// What is known of the first event that differs.
#[derive(Debug)]
pub(super) enum First {
    /// Nobody needs it.
    Unasked,
    /// It is known.
    Event(Box<Divergence>),
    /// It cannot be found; why.
    Unknown(String),
}

impl Baselines {
    /// Reads the baselines of all scenarios; nothing where none is asked for.
    pub(super) fn prepare(flags: &Flags, out: Option<&Path>, ready: &[Ready]) -> Result<Option<Self>, Failure> {
        let Flags { baseline, update_baseline, tolerance } = flags;
        let Some(path) = baseline else { return Ok(None) };
        let several = ready.len() > 1;
        if several && is_file(path) {
            let message = format!("--baseline names one file, and {} scenarios are given", ready.len());
            return Err(Failure::usage(message).with_help("name a folder that holds <name>/summary.json for each"));
        }
        let mut places: Vec<Place> = Vec::new();
        for one in ready {
            let file = place(path, &one.scenario.name, several);
            if places.iter().any(|other| other.file == file) {
                let message = format!("two scenarios are named `{}`: they would share a baseline", one.scenario.name);
                return Err(Failure::usage(message).with_help("change a `name`, or check them one by one"));
            }
            let stored = read(&file, *update_baseline)?;
            places.push(Place { file, stored });
        }
        for place in places.iter().filter(|_| *update_baseline) {
            load::check_file(load::files(ready), &place.file)?;
            load::check_file(load::files(ready), &companion(&place.file))?;
        }
        let baselines = Self { places, tolerances: tolerance.clone(), update: *update_baseline };
        baselines.check_results(out, ready)?;
        baselines.check_tolerances(ready)?;
        Ok(Some(baselines))
    }

    /// Results never replace a baseline that nobody asked to renew.
    fn check_results(&self, out: Option<&Path>, ready: &[Ready]) -> Result<(), Failure> {
        let Some(out) = out.filter(|_| !self.update) else { return Ok(()) };
        for (place, one) in self.places.iter().zip(ready) {
            let folder = if ready.len() == 1 { out.to_owned() } else { out.join(&one.scenario.name) };
            let found = folder.join(SUMMARY).canonicalize().ok();
            if found.is_some() && found == place.file.canonicalize().ok() {
                let message = format!("the results would replace the baseline {}", place.file.display());
                return Err(Failure::usage(message).with_help("choose another --out, or add --update-baseline"));
            }
        }
        Ok(())
    }

    /// A tolerance that is for no number is a mistake.
    fn check_tolerances(&self, ready: &[Ready]) -> Result<(), Failure> {
        let skeletons: Vec<Value> = ready.iter().map(|one| run::skeleton(&one.scenario).to_json()).collect();
        let stored = self.places.iter().filter_map(|place| place.stored.as_ref());
        let all: Vec<&Value> = stored.chain(&skeletons).collect();
        let Some(idle) = baseline::idle(&self.tolerances, &all) else { return Ok(()) };
        let message = format!("--tolerance {}: there is no such number", idle.text());
        let help = "the names are those of summary.json, as `expect` uses them; an amount is in the unit of the \
                    number: 5ms for times, 0.01usd for money, 3 for counts";
        Err(Failure::usage(message).with_help(help))
    }

    /// Compares a run with its baseline, or makes the baseline new.
    pub(super) fn judge(&self, ran: &Ran<'_>, summary: &Summary) -> Result<Held, Failure> {
        let Place { file, stored } = &self.places[ran.index];
        let comparison = stored.as_ref().map(|stored| baseline::compare(stored, &summary.to_json(), &self.tolerances));
        let differs = comparison.as_ref().is_some_and(|comparison| !comparison.differences.is_empty());
        let first = match stored {
            Some(stored) if differs => first_event(&companion(file), stored, ran.ready, ran.watch)?,
            _ => First::Unasked,
        };
        if self.update {
            let json = report::render(report::Format::Json, std::slice::from_ref(summary), report::Style::Plain);
            replace::write(&companion(file), &ran.ready.resolved)?;
            replace::write(file, &json)?;
        }
        Ok(Held { file: file.clone(), comparison, first, is_written: self.update })
    }
}

impl Held {
    /// Whether the run is near enough to its baseline.
    pub(super) fn holds(&self) -> bool {
        self.is_written || self.differences() == 0
    }

    /// Whether there is more to say than how many numbers differ.
    pub(super) fn has_details(&self) -> bool {
        self.differences() > 0 || self.comparison.as_ref().is_some_and(|comparison| !comparison.notes.is_empty())
    }

    fn differences(&self) -> usize {
        self.comparison.as_ref().map_or(0, |comparison| comparison.differences.len())
    }

    /// `14 differences from the baseline`.
    pub(super) fn sentence(&self) -> String {
        let Some(comparison) = &self.comparison else { return "the baseline is made".to_owned() };
        let written = if self.is_written { ", which is made new" } else { "" };
        match (comparison.differences.len(), comparison.tolerated) {
            (0, 0) => format!("all {} numbers as in the baseline{written}", comparison.compared),
            (0, some) => {
                format!("{some} of {} numbers differ from the baseline, as they may{written}", comparison.compared)
            }
            (1, _) => format!("1 difference from the baseline{written}"),
            (count, _) => format!("{count} differences from the baseline{written}"),
        }
    }
}

/// Where the baseline of a scenario is.
fn place(path: &Path, name: &str, several: bool) -> PathBuf {
    if is_file(path) {
        return path.to_owned();
    }
    let own = path.join(SUMMARY);
    if !several && own.is_file() { own } else { path.join(name).join(SUMMARY) }
}

/// Whether a file is meant, which may not be there yet.
fn is_file(path: &Path) -> bool {
    !path.is_dir() && (path.exists() || path.extension().is_some_and(|extension| extension == "json"))
}

/// The scenario beside a baseline.
pub(super) fn companion(file: &Path) -> PathBuf {
    if file.file_name().is_some_and(|name| name == SUMMARY) {
        file.with_file_name("scenario.yaml")
    } else {
        file.with_extension("scenario.yaml")
    }
}

fn read(file: &Path, may_be_missing: bool) -> Result<Option<Value>, Failure> {
    let bytes = match fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if may_be_missing && error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let message = format!("cannot read the baseline {}: {error}", file.display());
            let failure = Failure { exit: Exit::Unreachable, message, help: None };
            return Err(failure.with_help("--update-baseline makes one"));
        }
    };
    let wrong = |why: String| Failure::usage(format!("{} is no baseline: {why}", file.display()));
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
    match baseline::no_summary(&value) {
        Some(why) => Err(wrong(why.to_owned()).with_help("--update-baseline makes one, in another place")),
        None => Ok(Some(value)),
    }
}

/// Runs the scenario of the baseline again, and looks where the new run parts from it.
fn first_event(file: &Path, stored: &Value, ready: &Ready, watch: &Watch) -> Result<First, Failure> {
    match find_event(file, stored, ready, watch) {
        Ok(first) => Ok(first),
        Err(Stopped::Interrupted) => {
            let message = "stopped while it looked for the first event that differs from the baseline".to_owned();
            Err(Failure { exit: Exit::Interrupted, message, help: None })
        }
        Err(Stopped::BudgetExhausted { .. }) => {
            Ok(First::Unknown("the scenario of the baseline uses up its event budget".to_owned()))
        }
    }
}

fn find_event(file: &Path, stored: &Value, ready: &Ready, watch: &Watch) -> Result<First, Stopped> {
    let before = match scenario_of(file, &ready.file) {
        Ok(scenario) => scenario,
        Err(why) => return Ok(First::Unknown(why)),
    };
    let summary = simulate::watched(&before, watch, |progress| run::run_with(&before, progress))?;
    if stored.get("digest").and_then(Value::as_str) != Some(summary.digest.as_str()) {
        let file = file.display();
        return Ok(First::Unknown(match stored.get("lambdasim").and_then(Value::as_str) {
            Some(version) if version != summary.lambdasim => {
                format!("{file} gives other events in this version of lambdasim than in {version}")
            }
            _ => format!("{file} is not the scenario of the baseline: it gives another digest"),
        }));
    }
    let after = &ready.scenario;
    let found = simulate::watched(after, watch, |progress| divergence::divergence(&before, after, progress))?;
    Ok(match found {
        Some(found) => First::Event(Box::new(found)),
        None => First::Unknown("every event is the same; what differs is around them".to_owned()),
    })
}

/// The scenario beside a baseline; the files that it names are beside the scenario that is checked.
fn scenario_of(file: &Path, checked: &Path) -> Result<Scenario, String> {
    let name = file.display().to_string();
    let bytes = fs::read(file).map_err(|_| format!("there is no {name} to compare events with"))?;
    let folder = checked.parent().unwrap_or(Path::new(""));
    let loaded = scenario::parse(&name, &bytes, folder, &[]);
    loaded.map(|loaded| loaded.scenario).map_err(|_| format!("{name} cannot be read by this version of lambdasim"))
}
