//! `lambdasim compare`: two variants under the same chance.

use std::num::NonZero;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use lambdasim::report::{self, ComparisonFormat, Style};
use lambdasim::run::Stopped;
use lambdasim::scenario::Scenario;
use lambdasim::stats::summary::Summary;
use lambdasim::study::compare::{Comparison, Pairs};
use lambdasim::study::divergence::{self, Divergence};
use lambdasim::study::estimate::Confidence;
use lambdasim::study::seed;

use super::args::Simulation;
use super::batch;
use super::exit::{Exit, Failure};
use super::load::{self, Ready};
use super::progress::Watch;
use super::results;
use super::simulate;
use super::terminal::{self, Output};

/// Shown below the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  lambdasim compare before.yaml after.yaml
      What the second scenario changes, number by number
  lambdasim compare shop.yaml --set-b functions.checkout.memory=512MB
      One scenario, with a setting changed on one side
  lambdasim compare shop.yaml --set-a callers.buyers.client.retry=none \\
      --set-b callers.buyers.client.retry=standard_2026 --replicas 30
      Two values of a setting, more surely
  lambdasim compare main.yaml branch.yaml --format markdown >> \"$GITHUB_STEP_SUMMARY\"
      A table for a pull request

Run n of both variants has the same seed: callers submit the same at the same
moments, and what an event draws is the same. So differences are seen in far
fewer runs than it takes to know the numbers themselves.
The exit status says nothing about what is better; see `lambdasim check`.";

/// The flags of `compare`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The first variant, a scenario file (YAML)
    #[arg(value_name = "A")]
    a: PathBuf,

    /// The second variant [default: the first, with what --set-b changes]
    #[arg(value_name = "B")]
    b: Option<PathBuf>,

    /// Seed of the first pair, in the place of the scenarios' `seed`
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Replace a value in both variants, for example functions.resize.memory=512MB (repeatable)
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,

    /// Replace a value in the first variant only (repeatable)
    #[arg(long, value_name = "PATH=VALUE")]
    set_a: Vec<String>,

    /// Replace a value in the second variant only (repeatable)
    #[arg(long, value_name = "PATH=VALUE")]
    set_b: Vec<String>,

    /// Pairs of runs, each with a seed of its own
    #[arg(long, value_name = "N", default_value = "10")]
    replicas: NonZero<u32>,

    /// Runs at the same time [default: the number of processors]
    ///
    /// Results do not depend on it.
    #[arg(long, value_name = "M")]
    jobs: Option<NonZero<usize>>,

    /// Folder for comparison.json, comparison.csv and comparison.md; without it, none are written
    #[arg(long, value_name = "DIR", conflicts_with = "no_files")]
    out: Option<PathBuf>,

    /// Write no files, as without --out
    #[arg(long)]
    no_files: bool,

    /// How to print on standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// Print one sentence, and no progress
    #[arg(short, long)]
    quiet: bool,
}

/// The formats of standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
    /// For spreadsheets and plots: one table
    Csv,
    /// For a pull request
    Markdown,
}

/// Runs the command.
pub(super) fn compare(arguments: &Arguments, output: &mut Output) -> Result<Exit, Failure> {
    let Arguments { a, b, seed: first, set, set_a, set_b, replicas, jobs, out, no_files: _, format, quiet } = arguments;
    if b.is_none() && set_a.is_empty() && set_b.is_empty() {
        return Err(Failure::usage("there is nothing to compare: both variants are the same")
            .with_help("name a second scenario, or change a setting with --set-a or --set-b"));
    }
    let side = |file: &PathBuf, more: &[String]| {
        let set = [set.as_slice(), more].concat();
        load::load_all(&Simulation::of_one(file.clone(), *first, set))
    };
    let (a, b) = match (side(a, set_a), side(b.as_ref().unwrap_or(a), set_b)) {
        (Ok(a), Ok(b)) => (a, b),
        (Err(a), Err(b)) => return Ok(a.max(b)),
        (Err(exit), Ok(_)) | (Ok(_), Err(exit)) => return Ok(exit),
    };
    let ready: Vec<Ready> = a.into_iter().chain(b).collect();
    let watch = Watch::new(*quiet)?;
    let jobs = Simulation::jobs_or_all(*jobs);
    let mut comparison = match run(&ready, u64::from(replicas.get()), jobs, &watch)? {
        Ok(comparison) => comparison,
        Err(exit) => return Ok(exit),
    };
    if !*quiet || out.is_some() {
        match first_difference(&ready, &watch) {
            Ok(first) => comparison.first_difference = first,
            Err(exit) => return Ok(exit),
        }
    }
    if let Some(folder) = out {
        write(folder, &comparison)?;
    }
    let format = match format {
        Format::Text if *quiet => {
            output.text(&format!("{}\n", report::comparison_sentence(&comparison)))?;
            return Ok(Exit::Done);
        }
        Format::Text => ComparisonFormat::Text,
        Format::Json => ComparisonFormat::Json,
        Format::Csv => ComparisonFormat::Csv,
        Format::Markdown => ComparisonFormat::Markdown,
    };
    output.text(&report::render_comparison(format, &comparison, Style::Ansi))?;
    Ok(Exit::Done)
}

/// Where the runs of the first pair part. The exit status when the user said stop.
fn first_difference(ready: &[Ready], watch: &Watch) -> Result<Option<Divergence>, Exit> {
    let a = &ready[0].scenario;
    let b = Scenario { seed: a.seed, ..ready[1].scenario.clone() };
    match simulate::watched(&b, watch, |progress| divergence::divergence(a, &b, progress)) {
        Ok(first) => Ok(first),
        Err(Stopped::Interrupted) => Err(Exit::Interrupted),
        // Both have been run to their ends.
        Err(Stopped::BudgetExhausted { .. }) => Ok(None),
    }
}

fn write(folder: &Path, comparison: &Comparison) -> Result<(), Failure> {
    let formats = [
        ("comparison.json", ComparisonFormat::Json),
        ("comparison.csv", ComparisonFormat::Csv),
        ("comparison.md", ComparisonFormat::Markdown),
    ];
    let files = formats.map(|(name, format)| (name, report::render_comparison(format, comparison, Style::Plain)));
    results::write_together(folder, &files)
}

/// Simulates all pairs; the exit status where one of the runs was stopped.
fn run(
    ready: &[Ready],
    replicas: u64,
    jobs: NonZero<usize>,
    watch: &Watch,
) -> Result<Result<Comparison, Exit>, Failure> {
    let run = |index: usize| {
        let (replica, side) = (index as u64 / 2, index % 2);
        // One seed for both, whatever their files say.
        let scenario = Scenario { seed: seed(ready[0].scenario.seed, replica), ..ready[side].scenario.clone() };
        simulate::watched(&scenario, watch, |progress| lambdasim::run::run_with(&scenario, progress))
    };
    let mut pairs = Pairs::new();
    let mut first: Option<Summary> = None;
    let mut exit = Exit::Done;
    let tasks = usize::try_from(2 * replicas).expect("a number of runs");
    simulate::side_by_side(tasks, jobs, run, |index, outcome| match outcome {
        Ok(a) if index % 2 == 0 => first = Some(a),
        Ok(b) => {
            if let Some(a) = first.take() {
                pairs.add([&a, &b]);
            }
        }
        Err(Stopped::Interrupted) => exit = Exit::Interrupted,
        Err(Stopped::BudgetExhausted { events, at, busy }) => {
            if exit == Exit::Done {
                watch.aside(|| terminal::error(batch::exhausted(&ready[index % 2], events, at, &busy)));
            }
            exit = exit.max(Exit::Unmet);
        }
    })?;
    if exit == Exit::Interrupted {
        terminal::error("interrupted: nothing is compared");
    }
    match pairs.finish(Confidence::USUAL) {
        Some(comparison) if exit == Exit::Done => Ok(Ok(comparison)),
        Some(_) | None => Ok(Err(exit)),
    }
}
