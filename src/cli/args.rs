//! Flags that several commands share.

use std::num::NonZero;
use std::path::PathBuf;
use std::thread;

use clap::{Args, ValueEnum};

/// What to simulate.
#[derive(Clone, Debug, Args)]
pub(super) struct Simulation {
    /// Scenario files (YAML)
    #[arg(required = true, value_name = "SCENARIO")]
    pub(super) scenarios: Vec<PathBuf>,

    /// Start of all random numbers, in the place of the scenario's `seed`
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,

    /// Replace a value, for example functions.resize.memory=512MB (repeatable)
    ///
    /// The path is made of the scenario's keys with dots between them; `[0]` is the first item of a list. The value
    /// is written as in the file. It holds for all scenarios of the command line.
    #[arg(long, value_name = "PATH=VALUE")]
    pub(super) set: Vec<String>,

    /// Scenarios simulated at the same time [default: the number of processors]
    ///
    /// Results and their order do not depend on it.
    #[arg(long, value_name = "M")]
    jobs: Option<NonZero<usize>>,
}

impl Simulation {
    /// One scenario with its overrides.
    pub(super) fn of_one(scenario: PathBuf, seed: Option<u64>, set: Vec<String>) -> Self {
        Self { scenarios: vec![scenario], seed, set, jobs: None }
    }

    /// How many scenarios may be simulated at the same time.
    pub(super) fn jobs(&self) -> NonZero<usize> {
        Self::jobs_or_all(self.jobs)
    }

    /// So many, or as many as there are processors.
    pub(super) fn jobs_or_all(jobs: Option<NonZero<usize>>) -> NonZero<usize> {
        jobs.or_else(|| thread::available_parallelism().ok()).unwrap_or(NonZero::<usize>::MIN)
    }
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Printing {
    /// How to print on standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: Format,

    /// Print the verdicts only, and no progress
    ///
    /// One line for each scenario; of the expectations only those that do not hold. Errors are printed in any case,
    /// and so are json and csv.
    #[arg(short, long)]
    pub(super) quiet: bool,
}

/// The formats of standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
    /// For spreadsheets and plots: one table
    Csv,
}
