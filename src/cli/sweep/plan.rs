//! What a sweep is to do: everything that its numbers depend on. It heads each journal, so that nothing is mixed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::num::NonZero;
use std::path::Path;

use lambdasim::run;
use lambdasim::scenario::{self, Scenario, ScenarioError};
use lambdasim::study::seed;
use lambdasim::study::sweep::{Axis, Grid};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::super::exit::{Exit, Failure};
use super::super::progress::Watch;
use super::super::{simulate, terminal};
use super::What;

/// Different mistakes that are shown, at most.
const WRONG_SHOWN: usize = 3;

/// Everything that the numbers of a sweep depend on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) lambdasim: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) sha256: String,
    /// The files that the scenario names, with their hashes.
    pub(super) files: BTreeMap<String, String>,
    pub(super) overrides: Vec<String>,
    pub(super) seed: u64,
    pub(super) replicas: u32,
    pub(super) axes: Vec<Axis>,
    pub(super) expectations: Vec<String>,
}

impl Plan {
    /// In what another plan differs, in words.
    pub(super) fn differences(&self, other: &Self) -> Vec<&'static str> {
        let same = [
            (self.lambdasim == other.lambdasim, "the version of lambdasim"),
            (self.name == other.name, "the scenario's name"),
            (self.sha256 == other.sha256, "the scenario file"),
            (self.files == other.files, "a file that the scenario names"),
            (self.overrides == other.overrides, "--set"),
            (self.seed == other.seed, "the seed"),
            (self.replicas == other.replicas, "--replicas"),
            (self.axes == other.axes, "--vary"),
            (self.expectations == other.expectations, "what the scenario expects"),
            (self.description == other.description, "the description"),
        ];
        same.iter().filter(|(same, _)| !same).map(|(_, what)| *what).collect()
    }

    /// Its grid; a journal from elsewhere may have none.
    pub(super) fn grid(&self) -> Result<Grid, Failure> {
        if self.replicas == 0 || self.axes.iter().any(|axis| axis.values.is_empty()) {
            return Err(Failure::usage("a journal has a plan without runs"));
        }
        Grid::new(self.axes.clone(), self.replicas).map_err(Failure::usage)
    }
}

/// A scenario file with a grid of settings, read and checked.
pub(super) struct Planned {
    pub(super) plan: Plan,
    pub(super) grid: Grid,
    bytes: Vec<u8>,
}

impl Planned {
    /// Reads the scenario with the settings of every point, or says what is wrong and gives the exit status.
    pub(super) fn load(what: &What, jobs: NonZero<usize>, watch: &Watch) -> Result<Result<Self, Exit>, Failure> {
        let file = what.file();
        let grid = Grid::new(what.vary.clone(), what.replicas.get())
            .map_err(|message| Failure::usage(message).with_help("see --vary and --replicas"))?;
        let bytes = match scenario::read_file(file) {
            Ok(bytes) => bytes,
            Err(error) => return Err(Failure { exit: Exit::Unreachable, message: error.to_string(), help: None }),
        };
        let points = usize::try_from(grid.points()).unwrap_or(usize::MAX);
        let mut plan: Option<Plan> = None;
        let mut names = BTreeMap::new();
        let (mut wrong, mut shown): (usize, Vec<String>) = (0, Vec::new());
        let load = |point: usize| {
            if watch.is_interrupted() {
                return None;
            }
            let overrides = overrides(what, &grid, point as u64);
            Some(parse(file, &bytes, &overrides).map_err(|error| error.render(true)))
        };
        let mut interrupted = false;
        simulate::side_by_side(points, jobs, load, |point, loaded| match loaded {
            None => interrupted = true,
            Some(Ok(scenario)) => {
                names.extend(scenario.files.iter().map(|name| (name.clone(), String::new())));
                plan.get_or_insert_with(|| first_plan(what, &grid, scenario));
            }
            Some(Err(error)) => {
                wrong += 1;
                if shown.len() < WRONG_SHOWN && !shown.contains(&error) {
                    let at = grid.overrides(point as u64).join(", ");
                    terminal::error(format_args!("point {} of {points} cannot be simulated: {at}", point + 1));
                    terminal::tell(&error);
                    shown.push(error);
                }
            }
        })?;
        if interrupted {
            terminal::error("interrupted");
            return Ok(Err(Exit::Interrupted));
        }
        let Some(mut plan) = plan.filter(|_| wrong == 0) else {
            if wrong > shown.len() {
                terminal::error(format_args!("{} more points cannot be simulated", wrong - shown.len()));
            }
            return Ok(Err(Exit::BadInput));
        };
        plan.files = hashes(file, names.into_keys())?;
        Ok(Ok(Self { plan, grid, bytes }))
    }

    /// The scenario of a task; a file that it names may be gone by now.
    pub(super) fn scenario(&self, what: &What, task: u64) -> Result<Scenario, Failure> {
        let (point, replica) = self.grid.place(task);
        let overrides = overrides(what, &self.grid, point);
        let loaded = scenario::parse_file(what.file(), &self.bytes, &overrides).map_err(|error| {
            let message = format!("a file has changed while the sweep was at work: {error}");
            Failure { exit: Exit::Unreachable, message, help: None }
        })?;
        Ok(Scenario { seed: seed(self.plan.seed, replica), ..loaded.scenario })
    }

    /// Whether the files that the scenario names are still what they were.
    pub(super) fn check_files(&self, what: &What) -> Result<(), Failure> {
        let now = hashes(what.file(), self.plan.files.keys().cloned())?;
        let changed = now.iter().find(|(name, hash)| self.plan.files.get(*name) != Some(hash));
        let Some((name, _)) = changed else { return Ok(()) };
        let message = format!("{name} has changed while the sweep was at work: its runs do not belong together");
        Err(Failure { exit: Exit::Unreachable, message, help: None }.with_help("start over (--fresh)"))
    }

    /// One line for each task: what it is, and a command that does it alone.
    pub(super) fn lines(&self, what: &What, out: &Path) -> String {
        let tasks = self.grid.tasks();
        let mut command = vec!["lambdasim".to_owned(), "sweep".to_owned(), quoted(&what.file().display().to_string())];
        let mut flag = |name: &str, value: &str| command.extend([name.to_owned(), quoted(value)]);
        what.vary_texts().for_each(|text| flag("--vary", &text));
        what.set.iter().for_each(|text| flag("--set", text));
        if let Some(seed) = what.seed {
            flag("--seed", &seed.to_string());
        }
        flag("--replicas", &what.replicas.to_string());
        flag("--out", &out.display().to_string());
        let command = command.join(" ");
        let line = |task: u64| {
            let (point, replica) = self.grid.place(task);
            let line = json!({
                "task": task + 1,
                "point": point + 1,
                "seed": seed(self.plan.seed, replica),
                "set": self.grid.overrides(point),
                "command": format!("{command} --shard {}/{tasks}", task + 1),
            });
            format!("{line}\n")
        };
        (0..tasks).map(line).collect()
    }
}

/// As a shell takes it.
fn quoted(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_-./:=,%@+".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn first_plan(what: &What, grid: &Grid, scenario: Scenario) -> Plan {
    Plan {
        lambdasim: env!("CARGO_PKG_VERSION").to_owned(),
        name: scenario.name,
        description: scenario.description,
        sha256: scenario.sha256,
        files: BTreeMap::new(),
        overrides: what.set.clone(),
        seed: scenario.seed,
        replicas: what.replicas.get(),
        axes: grid.axes().to_vec(),
        expectations: scenario.expectations,
    }
}

fn overrides(what: &What, grid: &Grid, point: u64) -> Vec<String> {
    let seed = what.seed.map(|seed| format!("seed={seed}"));
    what.set.iter().cloned().chain(grid.overrides(point)).chain(seed).collect()
}

fn parse(file: &Path, bytes: &[u8], overrides: &[String]) -> Result<Scenario, ScenarioError> {
    let loaded = scenario::parse_file(file, bytes, overrides)?;
    run::check_expectations(&loaded)?;
    Ok(loaded.scenario)
}

/// Hashes of the files that a scenario names; they stand beside it.
fn hashes(scenario: &Path, names: impl Iterator<Item = String>) -> Result<BTreeMap<String, String>, Failure> {
    let base = scenario.parent().unwrap_or(Path::new(""));
    let hash = |name: String| {
        let path = base.join(&name);
        let hash = hash(&path).map_err(|error| {
            let message = format!("cannot read {}: {error}", path.display());
            Failure { exit: Exit::Unreachable, message, help: None }
        });
        hash.map(|hash| (name, hash))
    };
    names.map(hash).collect()
}

fn hash(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut block = vec![0; 1 << 16];
    loop {
        match file.read(&mut block)? {
            0 => break,
            length => hash.update(&block[..length]),
        }
    }
    Ok(hash.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}
