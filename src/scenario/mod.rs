//! A scenario file becomes a [`Scenario`]: YAML in, typed values out, all problems at once. No simulation.
//!
//! Reading order of its files: `error` (what can be wrong, and how it prints), `excerpt` (the lines around it),
//! `decimal`, `units` and `scalar` (texts as values), `values` (several in one text), `tree` (YAML with places), `set` (overrides), `keys` (the
//! tables of all keys), `resolve` (the tree as the tables read it), `sources` (which table a mapping has), `refuse`
//! (what does not fit them), `build` (the typed scenario). From the tables come also `schema`, `reference` and,
//! with `write`, the resolved scenario.

mod build;
mod decimal;
mod error;
mod excerpt;
mod keys;
mod path;
mod reference;
mod refuse;
mod resolve;
mod scalar;
mod schema;
mod set;
mod sources;
mod tree;
mod units;
mod values;
mod write;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

pub(crate) use self::error::nearest;
pub use self::error::{Problem, ProblemKind, ScenarioError};
pub use self::excerpt::{Position, Remark};
pub(crate) use self::keys::service_text;
pub use self::reference::reference_markdown;
pub use self::schema::json_schema;
pub use self::values::values;

use self::build::{Builder, ErrorNames, Names, StateNames};
use self::error::{Place, Problems, SourceText};
use self::keys::tables;
use self::resolve::{Resolved, Resolver};
use self::sources::Sources;
use self::tree::{Kind, Node};
use crate::aws::config::System;
use crate::kernel::quantity::Ratio;
use crate::kernel::time::{SimDuration, SimTime};

/// A length of time as scenarios write it, such as `1h30m`, and more than nothing.
///
/// # Errors
/// With what is wrong with the text, and what would be right.
pub fn positive_duration(text: &str) -> Result<SimDuration, String> {
    let length = units::duration(text).map_err(|error| match error.help {
        Some(help) => format!("{}: {help}", error.message),
        None => error.message,
    })?;
    if length.is_zero() { Err("it must be longer than nothing".to_owned()) } else { Ok(length) }
}

/// A share that is more than nothing, as scenarios spell them: `2%` or `0.02`.
///
/// # Errors
/// With what is wrong with it, in words.
pub fn share(text: &str) -> Result<f64, String> {
    let share = units::ratio(text).map_err(|error| match error.help {
        Some(help) => format!("{}: {help}", error.message),
        None => error.message,
    })?;
    if share.parts() == 0 { Err("it must be more than nothing".to_owned()) } else { Ok(share.as_f64()) }
}

/// A scenario, resolved: every default filled in, every name bound, every limit checked.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// `name`: also the folder of its results.
    pub name: String,
    /// `description`, for the report.
    pub description: Option<String>,
    /// SHA-256 of the file's bytes, lower-case hex.
    pub sha256: String,
    /// The `--set` overrides as they were given.
    pub overrides: Vec<String>,
    /// The files that it names, as it names them, in their order; each once.
    pub files: Vec<String>,
    /// `seed`.
    pub seed: u64,
    /// `duration`: callers submit during [0, duration).
    pub duration: SimTime,
    /// `warmup`: what was submitted before is not measured.
    pub warmup: SimTime,
    /// `drain`.
    pub drain: Drain,
    /// `model.event_budget`.
    pub event_budget: u64,
    /// `prices`.
    pub prices: PriceOptions,
    /// Everything that is simulated.
    pub system: System,
    /// `expect`, in file order.
    pub expectations: Vec<String>,
}

/// What happens after `duration`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drain {
    /// Until everything has its fate.
    Settle,
    /// At most this long.
    AtMost(SimDuration),
}

/// How the bill is made (INV-7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceOptions {
    /// The monthly free tier is taken off.
    pub free_tier: bool,
    /// Compute Savings Plan: share taken off duration and provisioned concurrency.
    pub savings_plan: Ratio,
    /// INV-E19: Init is billed (since August 2025).
    pub init_billed: bool,
    /// INV-D14: a failed or cut Init is billed.
    pub failed_init_billed: bool,
}

/// A scenario and the text it came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What is simulated.
    pub scenario: Scenario,
    /// Where each of its values is written.
    pub source: Source,
}

/// The texts of a scenario, for messages about it after it has been read.
#[derive(Clone, Debug)]
pub struct Source {
    texts: Arc<[SourceText]>,
    root: Resolved,
}

/// Why a scenario cannot be had.
#[derive(Debug)]
pub enum LoadError {
    /// The file cannot be read.
    Io {
        /// The file as it was named.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// The file is read, but something is wrong in it.
    Scenario(ScenarioError),
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io { path, error } => write!(f, "cannot read {path}: {error}"),
            Self::Scenario(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            Self::Scenario(_) => None,
        }
    }
}

/// Reads a scenario file and applies `--set` overrides, each `path=value`.
///
/// # Errors
/// When the file cannot be read, or with everything that is wrong in it.
pub fn load(path: &Path, overrides: &[String]) -> Result<Loaded, LoadError> {
    parse_file(path, &read_file(path)?, overrides).map_err(LoadError::Scenario)
}

/// What [`load`] makes of a file that has been read before.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse_file(path: &Path, bytes: &[u8], overrides: &[String]) -> Result<Loaded, ScenarioError> {
    let base = path.parent().unwrap_or(Path::new(""));
    parse(&path.display().to_string(), bytes, base, overrides)
}

/// Reads a scenario file, but no more of it than tells that it is too large.
///
/// # Errors
/// When it cannot be read.
pub fn read_file(path: &Path) -> Result<Vec<u8>, LoadError> {
    use io::Read as _;
    let mut bytes = Vec::new();
    let limit = u64::try_from(tree::BYTES_MAX).unwrap_or(u64::MAX);
    let read = std::fs::File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes));
    read.map_err(|error| LoadError::Io { path: path.display().to_string(), error })?;
    Ok(bytes)
}

/// Reads a scenario from its bytes. `name` is what messages call the file; `base` is where the files that it names
/// are looked up.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(name: &str, bytes: &[u8], base: &Path, overrides: &[String]) -> Result<Loaded, ScenarioError> {
    let mut problems = Problems::default();
    let text = match decode(bytes) {
        Ok(text) => text,
        Err(problem) => {
            let shown = SourceText { name: name.to_owned(), text: "".into() };
            return Err(ScenarioError::new([shown].into(), vec![problem]));
        }
    };
    let texts = std::iter::once(SourceText { name: name.to_owned(), text: text.into() });
    let flags = overrides
        .iter()
        .enumerate()
        .map(|(index, text)| SourceText { name: format!("--set #{}", index + 1), text: text.as_str().into() });
    let texts: Arc<[SourceText]> = texts.chain(flags).collect();
    match read(text, base, overrides, &mut problems) {
        Some((mut scenario, root)) if problems.is_empty() => {
            scenario.sha256 = hex(&Sha256::digest(bytes));
            scenario.overrides = overrides.to_vec();
            Ok(Loaded { scenario, source: Source { texts, root } })
        }
        _ => {
            if problems.is_empty() {
                // Every reader that gives up has noted why.
                debug_assert!(false, "a scenario was refused without a reason");
                problems.push(Problem::new(ProblemKind::Syntax, Place::FILE, "the scenario cannot be read"));
            }
            Err(ScenarioError::new(texts, problems.into_vec()))
        }
    }
}

/// Text, tree, overrides, resolved values, typed values.
fn read(text: &str, base: &Path, overrides: &[String], problems: &mut Problems) -> Option<(Scenario, Resolved)> {
    let mut tree = match tree::read(text, 0, 0, problems) {
        Ok(tree) => tree,
        Err(problem) => {
            problems.push(problem);
            return None;
        }
    };
    if let Some(problem) = root_problem(&tree) {
        problems.push(problem);
        return None;
    }
    set::apply(&mut tree, overrides, problems);
    let timing = tree.get("model").and_then(|model| model.value.get("timing"));
    let typical = timing.is_some_and(|timing| timing.value.text() == Some("typical"));
    let sources = Sources::of(&tree);
    let root = Resolver { typical, sources: &sources, problems }.root(&tree, &tables::SCENARIO);
    let names = Names::of(&root, problems);
    let (errors, states) = (ErrorNames::default(), StateNames::default());
    let files = BTreeSet::new();
    let mut builder = Builder { names, errors, states, base, files, problems };
    let scenario = builder.scenario(&root);
    let changes = builder.changes(&tree, &root, typical, sources);
    let (errors, state_names) = (builder.errors.into_table(), builder.states.into_table());
    let files = builder.files;
    let mut scenario = scenario?;
    scenario.files = files.into_iter().collect();
    scenario.system.changes = changes?;
    scenario.system.errors = errors;
    scenario.system.state_names = state_names;
    Some((scenario, root))
}

fn root_problem(tree: &Node) -> Option<Problem> {
    let problem = match &tree.kind {
        Kind::Map(_) => return None,
        Kind::Null => Problem::new(ProblemKind::Syntax, tree.place, "the file is empty"),
        Kind::Scalar(_) | Kind::List(_) => {
            Problem::new(ProblemKind::WrongType, tree.place, format!("the file holds {}", tree.what()))
        }
    };
    Some(problem.with_expected("a mapping with `name`, `duration`, `functions`, `callers` and so on"))
}

/// The bytes as text without a byte order mark.
fn decode(bytes: &[u8]) -> Result<&str, Problem> {
    let problem = |kind, message: String| Problem::new(kind, Place::FILE, message);
    if bytes.len() > tree::BYTES_MAX {
        let message = format!("the file has more than {} MiB", tree::BYTES_MAX >> 20);
        return Err(problem(ProblemKind::Limit, message)
            .with_help("long lists can come from a CSV file: `trace`, `counts`, `empirical`"));
    }
    let utf_16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let wide = bytes.len() >= 4 && (bytes[1] == 0 || bytes[0] == 0);
    if utf_16 || wide {
        return Err(problem(ProblemKind::Syntax, "the file is not UTF-8 but UTF-16 or UTF-32".to_owned())
            .with_help("save it as UTF-8"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let line = bytes[..at].split(|byte| *byte == b'\n').count();
        problem(ProblemKind::Syntax, format!("line {line} of the file is not UTF-8: byte 0x{:02x}", bytes[at]))
            .with_help("save it as UTF-8")
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Source {
    /// A problem with the value of a key, for checks that come after reading: `source.problem("expect[2]", ..)`.
    ///
    /// The place is the nearest key above that is written in the file.
    pub fn problem(&self, key: &str, kind: ProblemKind, message: impl Into<String>) -> Problem {
        Problem::new(kind, self.find(key).0, message).at_key(key)
    }

    /// A problem with a part of the text of a key's value: `length` bytes from `offset`.
    ///
    /// The place is the whole value where its text is not in the file as it is: folded, escaped, or not written.
    pub fn problem_within(
        &self,
        key: &str,
        offset: usize,
        length: usize,
        kind: ProblemKind,
        message: impl Into<String>,
    ) -> Problem {
        let (whole, value) = self.find(key);
        let place = value.and_then(|value| self.part(value, offset, length)).unwrap_or(whole);
        Problem::new(kind, place, message).at_key(key)
    }

    /// The value of a key, and the place of the nearest one above that is written.
    fn find(&self, key: &str) -> (Place, Option<&Resolved>) {
        let mut value = &self.root;
        let mut place = Place::FILE;
        for step in set::split(key) {
            let Some(next) = value.step(step) else { return (place, None) };
            if next.is_written() {
                place = next.place;
            }
            value = next;
        }
        (place, Some(value))
    }

    /// The place of a part of a scalar that is written plain or simply quoted, on one line.
    fn part(&self, value: &Resolved, offset: usize, length: usize) -> Option<Place> {
        let text = value.text().filter(|_| value.is_written())?;
        let Place { source, start, end } = value.place;
        let (start, end) = (start as usize, end as usize);
        let written = self.texts.get(source as usize)?.text.get(start..end)?;
        let bare = |quote: char| written.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        let before = if written == text {
            0
        } else if [bare('"'), bare('\'')].contains(&Some(&*text)) {
            1
        } else {
            return None;
        };
        let from = start + before + offset;
        Some(Place::new(source, from, from + length))
    }

    /// The resolved scenario as YAML: every default written out, with its source in a comment.
    ///
    /// It reads back to the same [`Scenario`] where the files that it names are found.
    pub fn resolved_yaml(&self) -> String {
        write::yaml(&self.root)
    }

    /// The problems as one error.
    pub fn error(&self, problems: Vec<Problem>) -> ScenarioError {
        ScenarioError::new(self.texts.clone(), problems)
    }
}
