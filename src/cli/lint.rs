//! `lambdasim lint`: what AWS advises on the settings of scenarios, and what is known to go wrong with them.

use std::path::PathBuf;

use clap::Args;
use lambdasim::lint;
use lambdasim::report::{self, Findings, Style};
use lambdasim::{run, scenario};

use super::args::Format;
use super::exit::{Exit, Failure};
use super::formats::{CsvTables, JsonItems};
use super::load;
use super::terminal::Output;

/// Shown below the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  lambdasim lint shop.yaml
      What is known about its settings: place, reason, source, and a change
  lambdasim lint shop.yaml --set queues.orders.visibility_timeout=2m
      Is it well with that change?
  lambdasim lint scenarios/*.yaml --quiet
      One line for each scenario
  lambdasim lint scenarios/*.yaml --deny
      In a pipeline: exit status 1 when something is found
  lambdasim lint shop.yaml --format json | jq '.rows[].set'
      As data; an array for several scenarios

Nothing is simulated. docs/lint.md lists all checks.
For the exit status see `lambdasim --help`.";

/// The flags of `lint`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Scenario files (YAML)
    #[arg(required = true, value_name = "SCENARIO")]
    scenarios: Vec<PathBuf>,

    /// Replace a value, for example functions.resize.memory=512MB (repeatable)
    ///
    /// The path is made of the scenario's keys with dots between them; `[0]` is the first item of a list. The value
    /// is written as in the file. It holds for all scenarios of the command line.
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,

    /// Exit with status 1 when something is found
    #[arg(long)]
    deny: bool,

    /// How to print on standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// Print one line for each scenario
    ///
    /// Errors are printed in any case, and so are json and csv.
    #[arg(short, long)]
    quiet: bool,
}

/// Runs the command.
pub(super) fn lint(arguments: &Arguments, output: &mut Output) -> Result<Exit, Failure> {
    let Arguments { scenarios, set, deny, format, quiet } = arguments;
    let read = |file: &std::path::Path| {
        let loaded = scenario::load(file, set)?;
        run::check_expectations(&loaded).map_err(scenario::LoadError::Scenario)?;
        Ok(loaded)
    };
    let loaded = match load::each(scenarios, read) {
        Ok(loaded) => loaded,
        Err(exit) => return Ok(exit),
    };
    let found: Vec<_> = loaded.iter().map(|one| Findings::new(one, lint::lint(&one.scenario))).collect();
    match format {
        Format::Text if *quiet => found.iter().try_for_each(|findings| output.text(&findings.headline(Style::Ansi)))?,
        Format::Text => {
            let texts: Vec<_> =
                found.iter().map(|findings| findings.render(report::Format::Text, Style::Ansi)).collect();
            output.text(&texts.join("\n"))?;
        }
        Format::Json => {
            let mut items = JsonItems::new(found.len());
            for findings in &found {
                items.item(output, Some(&findings.render(report::Format::Json, Style::Plain)))?;
            }
            items.end(output)?;
        }
        Format::Csv => {
            let mut tables = CsvTables::default();
            for findings in &found {
                tables.table(output, &findings.render(report::Format::Csv, Style::Plain))?;
            }
        }
    }
    let denied = *deny && found.iter().any(|findings| !findings.is_empty());
    Ok(if denied { Exit::Unmet } else { Exit::Done })
}
