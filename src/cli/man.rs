//! `lambdasim man`: manual pages.

use clap::builder::PossibleValuesParser;
use clap::{Args, CommandFactory as _};
use clap_mangen::Man;

use super::Cli;
use super::exit::{Exit, Failure};
use super::terminal::Output;

/// Shown below the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  lambdasim man | man -l -
      Read the page of the program
  lambdasim man run > lambdasim-run.1
      Keep the page of `lambdasim run`";

/// The commands that have a page of their own.
pub(super) const COMMANDS: [&str; 11] =
    ["run", "check", "compare", "sweep", "plan", "explain", "lint", "sources", "schema", "completions", "man"];

/// The arguments of `man`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The command that the page is about [default: the program]
    #[arg(value_name = "COMMAND", value_parser = PossibleValuesParser::new(COMMANDS))]
    command: Option<String>,
}

/// Runs the command.
pub(super) fn man(arguments: &Arguments, output: &mut Output) -> Result<Exit, Failure> {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let chosen = arguments.command.as_ref().and_then(|name| program.find_subcommand(name).cloned());
    let mut page = Vec::new();
    Man::new(chosen.unwrap_or(program)).render(&mut page).expect("memory takes everything");
    output.text(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Done)
}
