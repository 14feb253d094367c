//! `lambdasim sweep`: many settings of one scenario, each with the same seeds; one table.
//!
//! [`plan`] is what is to be done, [`journal`] what has been done, [`shard`] which part of it is ours, [`work`] does
//! it, and [`tables`] writes and prints what it came to. [`merge`] puts together what several processes did.

mod journal;
mod merge;
mod plan;
mod shard;
mod tables;
mod work;

use std::num::NonZero;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use lambdasim::study::sweep::Axis;

use self::shard::Choice;
use super::args::Printing;
use super::exit::{Exit, Failure};
use super::terminal::Output;

/// Shown below the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  lambdasim sweep shop.yaml --vary functions.checkout.reserved_concurrency=10..100/10
      Ten limits, one run each: a table, and sweep.csv and sweep.json in results/shop/
  lambdasim sweep shop.yaml --vary functions.checkout.memory=512MB,1024MB \\
      --vary callers.buyers.arrivals.poisson=10/s..50/s/10/s --replicas 20
      Two memories at five rates, 20 seeds at each; means with their intervals
  lambdasim sweep shop.yaml --vary 'account.concurrency_limit=10..1000*2' --metrics '*.p99'
      By a factor of two; print every p99
  seq 16 | parallel -q lambdasim sweep shop.yaml --vary .. --shard {}/16 --jobs 1
  lambdasim sweep merge results/shop
      In 16 parts, anywhere; then one table, as if it had been done at once

A sweep that is stopped, however it was, goes on where it was when it is started again.
The exit status is 1 when no point meets what the scenario expects, or a run used up
its event budget; see `lambdasim --help`.";

const MERGE_EXAMPLES: &str = "\
Examples:
  lambdasim sweep merge results/shop
      Put together what all parts (--shard) have left in results/shop/sweep/
  lambdasim sweep merge one two --out both
      The parts of two folders; write the tables to a third

When runs are missing it names them, writes nothing, and the exit status is 1.";

/// The flags of `sweep`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, disable_help_subcommand = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    show: Show,

    /// Folder for the results, and for the journal from which a sweep goes on [default: results/<name of the scenario>]
    #[arg(long, value_name = "DIR", conflicts_with = "no_files")]
    out: Option<PathBuf>,

    /// Write nothing, and keep no journal
    #[arg(long)]
    no_files: bool,

    /// Runs at the same time [default: the number of processors]
    ///
    /// Results do not depend on it.
    #[arg(long, value_name = "M")]
    jobs: Option<NonZero<usize>>,

    /// Start over, and give the journal of an earlier sweep another name
    #[arg(long, conflicts_with_all = ["shard", "no_files"])]
    fresh: bool,

    /// Do only part I of N, from 1, and leave the table to `sweep merge`
    ///
    /// `auto` reads which part from the variables of a Slurm or an AWS Batch array, and `auto/N` from those of an
    /// indexed job of Kubernetes too.
    #[arg(long, value_name = "I/N", conflicts_with_all = ["no_files", "plan_out"])]
    shard: Option<Choice>,

    /// Write what is to be done to this file instead, one run a line, each with its command
    #[arg(long, value_name = "FILE")]
    plan_out: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// Put together what the parts of a sweep came to
    #[command(after_help = MERGE_EXAMPLES)]
    Merge(merge::Arguments),
}

/// What is simulated.
#[derive(Clone, Debug, Args)]
struct What {
    /// Scenario file (YAML)
    #[arg(required = true, value_name = "SCENARIO")]
    scenario: Option<PathBuf>,

    /// A setting and its values: 1,2,5 or 10..100/10 or 10..1000*2 (repeatable: all combinations)
    ///
    /// The path is that of --set. Values are written as in the file, with commas between them. A range has a step after
    /// a `/`, or a factor after a `*`, and holds both ends. A `/` before a letter belongs to a unit:
    /// 10/s..100/s/10/s. Ranges of times may mix units: 30s..5m/30s.
    #[arg(long, value_name = "PATH=VALUES", required = true, value_parser = Axis::parse)]
    vary: Vec<Axis>,

    /// Seeds at each point: the scenario's and those that follow it, the same at all points
    #[arg(long, value_name = "N", default_value = "1")]
    replicas: NonZero<u32>,

    /// Start of all random numbers, in the place of the scenario's `seed`
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Replace a value at all points, for example functions.resize.memory=512MB (repeatable)
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
}

/// What is printed.
#[derive(Clone, Debug, Args)]
struct Show {
    #[command(flatten)]
    printing: Printing,

    /// Numbers in the printed table, such as `callers.*.latency_ms.p99` (repeatable; `*` is any text)
    ///
    /// Without it, those that the scenario expects something of, or else some that usually matter. CSV and JSON hold
    /// all.
    #[arg(long, value_name = "PATTERN")]
    metrics: Vec<String>,
}

impl What {
    fn file(&self) -> &Path {
        // The parser asks for it unless there is another command.
        self.scenario.as_deref().unwrap_or(Path::new(""))
    }

    /// The axes as `--vary` takes them.
    fn vary_texts(&self) -> impl Iterator<Item = String> {
        self.vary.iter().map(|axis| format!("{}={}", axis.path, axis.values.join(",")))
    }
}

/// Runs the command.
pub(super) fn sweep(arguments: &Arguments, output: &mut Output) -> Result<Exit, Failure> {
    match &arguments.part {
        Some(Part::Merge(arguments)) => merge::merge(arguments, output),
        None => work::sweep(arguments, output),
    }
}
