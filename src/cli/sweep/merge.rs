//! `lambdasim sweep merge`: puts together what the parts of a sweep came to.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;

use super::super::exit::{Exit, Failure};
use super::super::terminal::{self, Output};
use super::Show;
use super::journal::{self, Journals};
use super::plan::Plan;
use super::tables::{self, Target};

/// Missing runs that are named, at most: rows of them.
const MISSING_SHOWN: usize = 12;

/// The flags of `sweep merge`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Folders of the results of the parts
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,

    /// Folder for the tables [default: the first DIR]
    #[arg(long, value_name = "DIR", conflicts_with = "no_files")]
    out: Option<PathBuf>,

    /// Only print
    #[arg(long)]
    no_files: bool,

    #[command(flatten)]
    show: Show,
}

/// Runs the command.
pub(super) fn merge(arguments: &Arguments, output: &mut Output) -> Result<Exit, Failure> {
    let Arguments { folders, out, no_files, show } = arguments;
    let mut paths = Vec::new();
    for folder in folders {
        let inner = folder.join(journal::FOLDER);
        let found = journal::paths(if inner.is_dir() { &inner } else { folder })?;
        if found.is_empty() {
            let message = format!("there is no journal of a sweep in {}", folder.display());
            return Err(Failure { exit: Exit::Unreachable, message, help: None }
                .with_help("name the folder that --out named, or results/<name of the scenario>"));
        }
        paths.extend(found);
    }
    let mut journals = Journals::read(&paths, None)?;
    let Some(plan) = journals.plan().cloned() else {
        return Err(Failure { exit: Exit::Unmet, message: "no part has begun".to_owned(), help: None });
    };
    let tasks = plan.grid()?.tasks();
    let missing: Vec<u64> = (0..tasks).filter(|task| !journals.has(*task)).collect();
    if !missing.is_empty() {
        return Err(lacking(&plan, &missing, tasks));
    }
    let target = match out.as_deref().or(folders.first().map(PathBuf::as_path)) {
        Some(folder) if !no_files => Target::Folder(folder),
        Some(_) | None => Target::Nowhere,
    };
    if let Target::Folder(folder) = target {
        tables::check_folder(folder)?;
    }
    warn_of_another_version(&plan);
    tables::conclude(&mut journals, &plan, target, show, output)
}

fn warn_of_another_version(plan: &Plan) {
    let version = env!("CARGO_PKG_VERSION");
    if plan.lambdasim != version {
        terminal::tell(format_args!("the runs are of lambdasim {}, and this is {version}", plan.lambdasim));
    }
}

/// Which runs are missing: `2 of 12 runs are missing: task 3, tasks 7 to 9`.
fn lacking(plan: &Plan, missing: &[u64], tasks: u64) -> Failure {
    let mut rows: Vec<(u64, u64)> = Vec::new();
    for task in missing.iter().map(|task| task + 1) {
        match rows.last_mut() {
            Some((_, last)) if *last + 1 == task => *last = task,
            Some(_) | None => rows.push((task, task)),
        }
    }
    let mut message = format!("{} of {tasks} runs of {} are missing:", missing.len(), plan.name);
    for (place, (first, last)) in rows.iter().take(MISSING_SHOWN).enumerate() {
        message += if place == 0 { " " } else { ", " };
        let _ =
            if first == last { write!(message, "task {first}") } else { write!(message, "tasks {first} to {last}") };
    }
    if rows.len() > MISSING_SHOWN {
        message += " and more";
    }
    let help = "task t of parts 1 to N is done by part ((t - 1) mod N) + 1: start that part again, or `lambdasim sweep` \
                without --shard in the same folder, which does whatever is missing";
    Failure { exit: Exit::Unmet, message, help: None }.with_help(help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn missing_runs_are_named_in_rows() {
        let plan = Plan {
            lambdasim: "0".to_owned(),
            name: "shop".to_owned(),
            description: None,
            sha256: String::new(),
            files: BTreeMap::new(),
            overrides: Vec::new(),
            seed: 1,
            replicas: 1,
            axes: Vec::new(),
            expectations: Vec::new(),
        };
        let failure = lacking(&plan, &[2, 6, 7, 8], 12);
        assert_eq!(failure.message, "4 of 12 runs of shop are missing: task 3, tasks 7 to 9");
        let even: Vec<u64> = (0..100).map(|index| 2 * index).collect();
        assert!(lacking(&plan, &even, 200).message.ends_with("task 21, task 23 and more"));
    }
}
