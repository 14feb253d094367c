//! The command line. The types of its parser go no further than this folder.
//!
//! Reading order: [`exit`] (what a command can come to), [`terminal`] (where text goes), [`args`] (shared flags),
//! [`batch`] (what the commands that simulate have in common, and the files it is made of), then one file per
//! command.

mod args;
mod baselines;
mod batch;
mod cases;
mod check;
mod compare;
mod completions;
mod exit;
mod explain;
mod formats;
mod github;
mod junit;
mod lint;
mod load;
mod man;
mod plan;
mod progress;
mod recordings;
mod replace;
mod replicas;
mod results;
mod run;
mod schema;
mod simulate;
mod sources;
mod sweep;
mod terminal;
mod verdict;

use std::ffi::OsString;

use clap::{ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand};

use self::exit::{Exit, Failure};
use self::terminal::Output;

/// Simulates AWS Lambda: what happens to every invocation, how long it takes, and what it costs.
#[derive(Debug, Parser)]
#[command(
    name = "lambdasim",
    version,
    arg_required_else_help = true,
    long_about = "Simulates AWS Lambda: what happens to every invocation, how long it takes, and what it costs.\n\n\
        A scenario file (YAML) describes functions and who calls them. A run plays it in virtual time, hours in a \
        second, and reports latency, throttles, cold starts, retries and cost. The same scenario and seed give the \
        same result on every machine.",
    after_help = "Try:  lambdasim run scenarios/first-steps.yaml\n      lambdasim run --help",
    after_long_help = EXAMPLES
)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// When to use colours
    ///
    /// `auto` uses them on a terminal, unless the environment variable `NO_COLOR` is set.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", display_order = 100)]
    color: ColorChoice,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
enum Command {
    /// Simulate scenarios, print a report and write the results to files
    #[command(after_help = run::EXAMPLES)]
    Run(run::Arguments),
    /// Simulate scenarios and say whether their expectations and baselines hold
    #[command(after_help = check::EXAMPLES)]
    Check(check::Arguments),
    /// Compare two variants under the same chance: what is better, worse, or not seen to differ
    #[command(after_help = compare::EXAMPLES)]
    Compare(compare::Arguments),
    /// Simulate a grid of settings, several seeds at each point; one table
    #[command(after_help = sweep::EXAMPLES)]
    Sweep(sweep::Arguments),
    /// Find the smallest, largest or cheapest value of a setting that meets what the scenario expects
    #[command(after_help = plan::EXAMPLES)]
    Plan(plan::Arguments),
    /// Tell the story of one event: who did what, when, and by which rule
    #[command(after_help = explain::EXAMPLES)]
    Explain(explain::Arguments),
    /// Say what AWS advises on the settings of scenarios, and what is known to go wrong with them
    #[command(after_help = lint::EXAMPLES)]
    Lint(lint::Arguments),
    /// Print the catalogue of everything that can invoke a function
    #[command(after_help = sources::EXAMPLES)]
    Sources(sources::Arguments),
    /// Print the JSON Schema of scenario files, for editors
    #[command(after_help = schema::EXAMPLES)]
    Schema,
    /// Print completions for a shell
    #[command(after_help = completions::EXAMPLES)]
    Completions(completions::Arguments),
    /// Print the manual page of the program or of one command
    #[command(after_help = man::EXAMPLES)]
    Man(man::Arguments),
}

const EXAMPLES: &str = "\
Examples:
  lambdasim run scenarios/first-steps.yaml
      Simulate a scenario; print the report; write results/first-steps/
  lambdasim run shop.yaml --seed 7 --set account.concurrency_limit=500
      Another one, with other random numbers and one setting changed
  lambdasim check scenarios/*.yaml
      In a pipeline: exit status 1 when an expectation does not hold
  lambdasim compare shop.yaml --set-b functions.checkout.memory=512MB
      What a change makes better or worse, and how sure that is
  lambdasim sweep shop.yaml --vary functions.checkout.reserved_concurrency=10..100/10
      Which of ten limits is enough?
  lambdasim explain shop.yaml --first failed
      What happened to the first call or event that failed, step by step
  lambdasim lint shop.yaml
      What AWS advises on these settings, and what would change them
  lambdasim sources sqs kinesis
      Who tries again, how often, and where failures go

Exit status:
  0    done
  1    an expectation or a baseline does not hold, a run used up its event
       budget, or `lint --deny` found something
  2    bad input or usage; nothing was simulated
  3    a file cannot be read or written
  130  interrupted
Where several apply, it is the highest.";

/// Parses the command line (its first item is the program) and does what it says.
pub(crate) fn main(arguments: Vec<OsString>) -> Exit {
    let color = terminal::color_of(&arguments);
    let cli = Cli::command().color(color).try_get_matches_from(arguments);
    let cli = match cli.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return no_command(&error),
    };
    terminal::set_color(cli.color);
    let mut output = Output::stdout();
    let exit = dispatch(cli.command, &mut output).unwrap_or_else(|failure| terminal::fail(&failure));
    match output.finish() {
        Ok(()) => exit,
        Err(failure) => exit.max(terminal::fail(&failure)),
    }
}

fn dispatch(command: Command, output: &mut Output) -> Result<Exit, Failure> {
    match command {
        Command::Run(arguments) => run::run(&arguments, output),
        Command::Check(arguments) => check::check(&arguments, output),
        Command::Compare(arguments) => compare::compare(&arguments, output),
        Command::Sweep(arguments) => sweep::sweep(&arguments, output),
        Command::Plan(arguments) => plan::plan(&arguments, output),
        Command::Explain(arguments) => explain::explain(&arguments, output),
        Command::Lint(arguments) => lint::lint(&arguments, output),
        Command::Sources(arguments) => sources::sources(&arguments, output),
        Command::Schema => schema::schema(output),
        Command::Completions(arguments) => completions::completions(&arguments, output),
        Command::Man(arguments) => man::man(&arguments, output),
    }
}

/// Help, the version, or a mistake in the usage: the parser knows how to say it.
fn no_command(error: &clap::Error) -> Exit {
    match terminal::printed(error.print()) {
        Ok(()) if error.exit_code() == 0 => Exit::Done,
        Ok(()) => Exit::BadInput,
        Err(failure) => terminal::fail(&failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_a_manual_page() {
        let commands: Vec<_> = Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
        assert_eq!(commands, man::COMMANDS);
    }
}
