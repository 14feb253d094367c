//! `lambdasim run`: simulates, prints the report, writes the results.

use std::path::PathBuf;
use std::slice;

use clap::Args;
use lambdasim::report::{self, Mood, Style, Verdict};
use lambdasim::stats::summary::Summary;

use super::args::{Format, Printing, Simulation};
use super::batch::{self, Files, Printer, Target};
use super::exit::{Exit, Failure};
use super::formats::{CsvTables, JsonItems};
use super::replicas::Replication;
use super::terminal::{self, Output};

/// Shown below the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  lambdasim run shop.yaml
      Print the report; write summary.json, scenario.yaml, latency.csv and
      timeseries.csv to results/<name of the scenario>/
  lambdasim run shop.yaml --set functions.checkout.memory=512MB --out small
      Change a setting without touching the file; keep the results apart
  lambdasim run shop.yaml --format json --no-files | jq .callers
      Results as data and no files
  lambdasim run shop.yaml --events events.csv --records records.jsonl
      Also every step of every event, and what destinations receive
  lambdasim run shop.yaml --replicas 20
      The same with 20 seeds: means, and how well they are known
  lambdasim run shop.yaml --until-precision 2%
      As many seeds as it takes to know the numbers to 2 %
  lambdasim run scenarios/*.yaml --format json
      Several scenarios side by side; an array in the order of the command
      line, with null for a run that used up its event budget

A run that is stopped writes nothing, and leaves earlier results as they are.
For the exit status see `lambdasim --help`.";

/// The flags of `run`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    simulation: Simulation,
    #[command(flatten)]
    printing: Printing,

    /// Folder for the results [default: results/<name of the scenario>]
    ///
    /// With several scenarios, each gets a folder of its name in it.
    #[arg(long, value_name = "DIR", conflicts_with = "no_files")]
    out: Option<PathBuf>,

    /// Write no results
    #[arg(long)]
    no_files: bool,

    #[command(flatten)]
    files: Files,

    #[command(flatten)]
    replication: Replication,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, Failure> {
    let Arguments { simulation, printing, out, no_files, files, replication } = arguments;
    let target = match out {
        _ if *no_files => Target::Nowhere,
        Some(folder) => Target::Folder(folder.clone()),
        None => Target::Default,
    };
    let scenarios = simulation.scenarios.len();
    let printer: &mut dyn Printer = match printing.format {
        Format::Text => &mut Text { quiet: printing.quiet, printed: 0 },
        Format::Json => &mut Json(JsonItems::new(scenarios)),
        Format::Csv => &mut Csv(CsvTables::default()),
    };
    batch::run(simulation, *printing, &target, files, *replication, output, printer)
}

struct Text {
    quiet: bool,
    printed: usize,
}

impl Printer for Text {
    fn print(&mut self, output: &mut Output, summary: Option<&Summary>) -> Result<(), Failure> {
        let Some(summary) = summary else { return Ok(()) };
        if self.quiet {
            return output.text(&verdict_line(summary));
        }
        if self.printed > 0 {
            output.text("\n")?;
        }
        self.printed += 1;
        output.text(&render(report::Format::Text, summary))
    }
}

struct Json(JsonItems);

impl Printer for Json {
    fn print(&mut self, output: &mut Output, summary: Option<&Summary>) -> Result<(), Failure> {
        self.0.item(output, summary.map(|summary| render(report::Format::Json, summary)).as_deref())
    }

    fn end(&mut self, output: &mut Output) -> Result<(), Failure> {
        self.0.end(output)
    }
}

struct Csv(CsvTables);

impl Printer for Csv {
    fn print(&mut self, output: &mut Output, summary: Option<&Summary>) -> Result<(), Failure> {
        let Some(summary) = summary else { return Ok(()) };
        self.0.table(output, &render(report::Format::Csv, summary))
    }
}

/// The colours are taken out again where they are not wanted.
fn render(format: report::Format, summary: &Summary) -> String {
    report::render(format, slice::from_ref(summary), Style::Ansi)
}

/// `shop: All 2 expectations hold; no throttles: ..`, in one line.
fn verdict_line(summary: &Summary) -> String {
    let Verdict { mood, text, details } = Verdict::of(summary);
    let style = match mood {
        Mood::Good => terminal::GOOD,
        Mood::Warning => terminal::NOTABLE,
        Mood::Bad => terminal::BAD,
    };
    let line = format!("{}: {} {details}", summary.scenario.name, terminal::styled(style, text));
    format!("{}\n", line.trim_end())
}
