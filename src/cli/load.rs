//! Reads all scenarios of the command line before anything is simulated, and says everything that is wrong with them.

use std::path::{Path, PathBuf};

use lambdasim::run;
use lambdasim::scenario::{self, LoadError, ProblemKind, Scenario, Source};

use super::args::Simulation;
use super::exit::{Exit, Failure};
use super::{results, terminal};

/// A scenario of the command line, ready to be simulated.
#[derive(Debug)]
pub(super) struct Ready {
    /// The file as it was named.
    pub(super) file: PathBuf,
    /// What is simulated.
    pub(super) scenario: Scenario,
    /// The scenario with every default written out.
    pub(super) resolved: String,
    /// Where each expectation is written in the file: line and column, 1 = first.
    pub(super) expectations: Vec<Option<(usize, usize)>>,
}

/// Reads every scenario, or says what is wrong with all that cannot be read and gives the exit status.
pub(super) fn load_all(simulation: &Simulation) -> Result<Vec<Ready>, Exit> {
    each(&simulation.scenarios, |file| load(file, simulation))
}

/// Reads the one scenario; nothing is said where it is wrong.
pub(super) fn quietly(simulation: &Simulation) -> Option<Ready> {
    load(simulation.scenarios.first()?, simulation).ok()
}

/// Reads each file, or says what is wrong with all that cannot be read and gives the exit status.
pub(super) fn each<T>(files: &[PathBuf], read: impl Fn(&Path) -> Result<T, LoadError>) -> Result<Vec<T>, Exit> {
    let mut ready = Vec::with_capacity(files.len());
    let mut exit = Exit::Done;
    for file in files {
        match read(file) {
            Ok(one) => ready.push(one),
            Err(LoadError::Io { path, error }) => {
                terminal::error(format_args!("cannot read {path}: {error}"));
                exit = exit.max(Exit::Unreachable);
            }
            Err(LoadError::Scenario(error)) => {
                terminal::tell(error.render(true));
                exit = exit.max(Exit::BadInput);
            }
        }
    }
    if exit == Exit::Done { Ok(ready) } else { Err(exit) }
}

fn load(file: &Path, simulation: &Simulation) -> Result<Ready, LoadError> {
    // `--seed` is the last word on the seed, but no override of its own: the summary has a place for it.
    let mut overrides = simulation.set.clone();
    overrides.extend(simulation.seed.map(|seed| format!("seed={seed}")));
    let mut loaded = scenario::load(file, &overrides)?;
    run::check_expectations(&loaded).map_err(LoadError::Scenario)?;
    loaded.scenario.overrides.truncate(simulation.set.len());
    let resolved = loaded.source.resolved_yaml();
    let expectations = (0..loaded.scenario.expectations.len()).map(|index| place(&loaded.source, index)).collect();
    Ok(Ready { file: file.to_owned(), scenario: loaded.scenario, resolved, expectations })
}

/// Where an expectation is written; nothing where that is on the command line.
fn place(source: &Source, index: usize) -> Option<(usize, usize)> {
    let problem = source.problem(&format!("expect[{index}]"), ProblemKind::Expectation, "");
    let error = source.error(vec![problem]);
    let problem = error.problems().first()?;
    (!problem.file().starts_with("--set")).then(|| (problem.line(), problem.column()))
}

/// Two scenarios of one name would write their results to one folder.
pub(super) fn check_names(ready: &[Ready]) -> Result<(), Failure> {
    for (index, one) in ready.iter().enumerate() {
        // Some file systems do not tell `a` from `A`.
        let same = |other: &&Ready| other.scenario.name.eq_ignore_ascii_case(&one.scenario.name);
        if let Some(other) = ready[..index].iter().find(same) {
            // However often, and by whatever path it is named: it is the same file.
            let found = |ready: &Ready| ready.file.canonicalize().ok();
            let again = other.file == one.file || found(one).is_some_and(|file| found(other) == Some(file));
            let (other, file) = (other.file.display(), one.file.display());
            if again {
                let message = format!("{file} is given twice: its results would share a folder");
                return Err(
                    Failure::usage(message).with_help("name each scenario once, or write no results (--no-files)")
                );
            }
            let name = &one.scenario.name;
            let message = format!("{other} and {file} are both named `{name}`: their results would share a folder");
            return Err(Failure::usage(message).with_help("change a `name`, or write no results (--no-files)"));
        }
    }
    Ok(())
}

/// The files of some scenarios.
pub(super) fn files(ready: &[Ready]) -> impl Iterator<Item = &Path> {
    ready.iter().map(|one| one.file.as_path())
}

/// A file that is asked for never replaces a scenario.
pub(super) fn check_file<'a>(scenarios: impl IntoIterator<Item = &'a Path>, path: &Path) -> Result<(), Failure> {
    let found = |path: &Path| path.canonicalize().ok();
    let target = found(path);
    if target.is_some() && scenarios.into_iter().any(|scenario| found(scenario) == target) {
        let message = format!("{} is the scenario itself", path.display());
        return Err(Failure::usage(message).with_help("choose another file"));
    }
    Ok(())
}

/// Results never replace a scenario that they come from.
pub(super) fn check_files(ready: &[Ready], folders: &[PathBuf]) -> Result<(), Failure> {
    // What cannot be found cannot be replaced.
    let found = |path: &Path| path.canonicalize().ok();
    let targets = folders.iter().flat_map(|folder| results::FILES.map(|name| folder.join(name)));
    let targets: Vec<PathBuf> = targets.filter_map(|path| found(&path)).collect();
    for Ready { file, .. } in ready {
        if found(file).is_some_and(|file| targets.contains(&file)) {
            let message = format!("the results would overwrite {}", file.display());
            return Err(Failure::usage(message).with_help("choose another folder (--out), or write none (--no-files)"));
        }
    }
    Ok(())
}
