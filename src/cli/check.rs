//! `lambdasim check`: simulates and says whether what the scenarios expect holds.

use std::path::PathBuf;

use clap::Args;
use lambdasim::stats::summary::Summary;
use serde_json::{Value, json};

use super::args::{Format, Printing, Simulation};
use super::batch::{self, Files, Printer, Target};
use super::exit::{Exit, Failure};
use super::formats::{self, CsvTables, JsonItems};
use super::replicas::Replication;
use super::terminal::Output;
use super::verdict;

/// Shown below the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  lambdasim check shop.yaml
      Each line under `expect` of the scenario with its actual value, and whether it holds
  lambdasim check scenarios/*.yaml --quiet
      One line for each scenario, and one for each expectation that does not hold
  lambdasim check shop.yaml --seed 2 --set account.concurrency_limit=500
      Does it still hold with other random numbers and a lower limit?

An expectation compares numbers of summary.json, as `lambdasim run` writes it:
  callers.shoppers.latency_ms.p99 < 800ms
The exit status is 1 when one does not hold; see `lambdasim --help`.";

/// The flags of `check`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    simulation: Simulation,
    #[command(flatten)]
    printing: Printing,

    /// Folder for the results; without it, none are written
    ///
    /// With several scenarios, each gets a folder of its name in it.
    #[arg(long, value_name = "DIR", conflicts_with = "no_files")]
    out: Option<PathBuf>,

    /// Write no results, as without --out
    #[arg(long)]
    no_files: bool,
}

/// Runs the command.
pub(super) fn check(arguments: &Arguments, output: &mut Output) -> Result<Exit, Failure> {
    let Arguments { simulation, printing, out, no_files: _ } = arguments;
    let target = out.clone().map_or(Target::Nowhere, Target::Folder);
    let scenarios = simulation.scenarios.len();
    let printer: &mut dyn Printer = match printing.format {
        Format::Text => &mut Text { quiet: printing.quiet },
        Format::Json => &mut Json(JsonItems::new(scenarios)),
        Format::Csv => &mut Csv(CsvTables::default()),
    };
    batch::run(simulation, *printing, &target, &Files::default(), Replication::default(), output, printer)
}

struct Text {
    quiet: bool,
}

impl Printer for Text {
    fn print(&mut self, output: &mut Output, summary: Option<&Summary>) -> Result<(), Failure> {
        let Some(summary) = summary else { return Ok(()) };
        output.text(&verdict::line(summary))?;
        output.text(&verdict::expectations(summary, self.quiet))
    }
}

struct Json(JsonItems);

impl Printer for Json {
    fn print(&mut self, output: &mut Output, summary: Option<&Summary>) -> Result<(), Failure> {
        self.0.item(output, summary.map(|summary| formats::json(&value(summary))).as_deref())
    }

    fn end(&mut self, output: &mut Output) -> Result<(), Failure> {
        self.0.end(output)
    }
}

/// The keys of the summary that say what was judged, and `pass` over all.
fn value(summary: &Summary) -> Value {
    let Summary { lambdasim, scenario, seed, digest, expectations, .. } = summary;
    json!({
        "lambdasim": lambdasim,
        "scenario": scenario,
        "seed": seed,
        "digest": digest,
        "pass": verdict::holds(summary),
        "expectations": expectations,
    })
}

/// Scenario, expression, actual value, pass.
struct Csv(CsvTables);

impl Printer for Csv {
    fn print(&mut self, output: &mut Output, summary: Option<&Summary>) -> Result<(), Failure> {
        let Some(summary) = summary else { return Ok(()) };
        let mut table = csv::Writer::from_writer(Vec::new());
        let mut row = |row: [&str; 4]| table.write_record(row).expect("memory takes everything");
        row(["scenario", "expression", "actual", "pass"]);
        for judgement in &summary.expectations {
            let actual = judgement.actual.map_or_else(String::new, |actual| actual.to_string());
            let pass = if judgement.pass { "true" } else { "false" };
            row([&summary.scenario.name, &judgement.expression, &actual, pass]);
        }
        let table = table.into_inner().expect("memory takes everything");
        let table = String::from_utf8(table).expect("made of texts");
        self.0.table(output, &table)
    }
}
