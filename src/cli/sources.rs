//! `lambdasim sources`: the catalogue of everything that can invoke a function.

use clap::{Args, ValueEnum};
use lambdasim::catalogue;
use lambdasim::report::{SourcesFormat, Style, render_sources};

use super::exit::{Exit, Failure};
use super::terminal::{self, Output};

/// Shown below the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  lambdasim sources
      All sources in tables: who waits, who tries again, where failures go
  lambdasim sources sqs kinesis
      These alone, with the rules they follow and how those are known
  lambdasim sources api_gateway --format json | jq '.rows[].waits'
  lambdasim sources --format markdown > sources.md

A name stands for all sources that begin with it: `sqs` for standard and FIFO queues.
All numbers are those that a scenario has where it says nothing.";

/// Columns where nobody says how many there are.
const WIDE: usize = 170;

/// The arguments of `sources`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Sources to print [default: all]
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// How to print on standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// The formats of the catalogue.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
    /// For spreadsheets: one table
    Csv,
    /// For pages
    Markdown,
}

/// Runs the command.
pub(super) fn sources(arguments: &Arguments, output: &mut Output) -> Result<Exit, Failure> {
    let rows = catalogue::select(&arguments.names)
        .map_err(|unknown| Failure::usage(unknown.message).with_help(unknown.help))?;
    let format = match arguments.format {
        Format::Text => {
            let width = terminal::width().unwrap_or(WIDE);
            SourcesFormat::Text { width, rules: !arguments.names.is_empty() }
        }
        Format::Json => SourcesFormat::Json,
        Format::Csv => SourcesFormat::Csv,
        Format::Markdown => SourcesFormat::Markdown,
    };
    output.text(&render_sources(format, &rows, Style::Ansi))?;
    Ok(Exit::Done)
}
