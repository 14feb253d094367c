//! `lambdasim explain`: the story of one event.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lambdasim::report::{self, Style, render_story, story_headline};
use lambdasim::run::{self, Stopped};
use lambdasim::scenario::Scenario;
use lambdasim::story::explain::{Explained, Story};
use lambdasim::story::select::{self, Fate, Selection};

use super::args::{Format, Simulation};
use super::batch;
use super::exit::{Exit, Failure};
use super::load::{self, Ready};
use super::progress::Watch;
use super::simulate;
use super::terminal::{self, Output};

/// Shown below the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  lambdasim explain shop.yaml --event buyers#17
      The 17th call of the caller `buyers`, and everything that came of it
  lambdasim explain shop.yaml --first dead-lettered
      The first event that reached a dead-letter queue: why?
  lambdasim explain shop.yaml --slowest --set functions.checkout.timeout=5s
      The one that took longest, with one setting changed
  lambdasim explain shop.yaml --first throttled --format json | jq .steps

Without a flag it is the first event of the first caller.
Every step of every event: lambdasim run shop.yaml --events events.csv";

/// The flags of `explain`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Scenario file (YAML)
    #[arg(value_name = "SCENARIO")]
    scenario: PathBuf,

    /// The event: which submission of which caller, 1 = first
    #[arg(long, value_name = "CALLER#N", group = "selection")]
    event: Option<String>,

    /// The first event that came to this
    #[arg(long, value_name = "FATE", group = "selection")]
    first: Option<First>,

    /// The event that took longest, from its submission to its last fate
    #[arg(long, group = "selection")]
    slowest: bool,

    /// Start of all random numbers, in the place of the scenario's `seed`
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Replace a value, for example functions.resize.memory=512MB (repeatable)
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,

    /// How to print on standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// Print the first sentences only, and no progress
    #[arg(short, long)]
    quiet: bool,
}

/// What can happen to an event.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum First {
    /// A dead-letter queue received it
    DeadLettered,
    /// It was accepted for later and ended without success
    Dropped,
    /// It was refused for want of concurrency or rate
    Throttled,
    /// It ended without success, as a call, an event or a message
    Failed,
    /// It was run once more although no run of it had failed
    Duplicated,
}

/// Runs the command.
pub(super) fn explain(arguments: &Arguments, output: &mut Output) -> Result<Exit, Failure> {
    let simulation = Simulation::of_one(arguments.scenario.clone(), arguments.seed, arguments.set.clone());
    let ready = match load::load_all(&simulation) {
        Ok(ready) => ready,
        Err(exit) => return Ok(exit),
    };
    let [ready] = ready.as_slice() else { unreachable!("one scenario was named") };
    let selection = selection(arguments, &ready.scenario)?;
    let watch = Watch::new(arguments.quiet)?;
    let explained =
        simulate::watched(&ready.scenario, &watch, |progress| run::explain(&ready.scenario, selection, progress));
    match explained {
        Ok(Explained::Story(story)) => output.text(&render(arguments, &story)).map(|()| Exit::Done),
        Ok(Explained::Nothing(sentence)) => nothing(arguments.format, &sentence, output),
        Ok(Explained::NeverCame { event, submissions }) => Err(never_came(&event, submissions)),
        Err(stopped) => Ok(stop(ready, &stopped)),
    }
}

fn selection(arguments: &Arguments, scenario: &Scenario) -> Result<Selection, Failure> {
    let Arguments { event, first, slowest, .. } = arguments;
    if let Some(event) = event {
        return select::event_named(scenario, event)
            .map_err(|unknown| Failure { help: unknown.help, ..Failure::usage(unknown.message) });
    }
    Ok(match first {
        Some(First::DeadLettered) => Selection::First(Fate::DeadLettered),
        Some(First::Dropped) => Selection::First(Fate::Dropped),
        Some(First::Throttled) => Selection::First(Fate::Throttled),
        Some(First::Failed) => Selection::First(Fate::Failed),
        Some(First::Duplicated) => Selection::First(Fate::Duplicated),
        None if *slowest => Selection::Slowest,
        None => Selection::Default,
    })
}

/// The colours are taken out again where they are not wanted.
fn render(arguments: &Arguments, story: &Story) -> String {
    let format = match arguments.format {
        Format::Text if arguments.quiet => return story_headline(story, Style::Ansi),
        Format::Text => report::Format::Text,
        Format::Json => report::Format::Json,
        Format::Csv => report::Format::Csv,
    };
    render_story(format, story, Style::Ansi)
}

/// A sentence for people, an empty story for programs.
fn nothing(format: Format, sentence: &str, output: &mut Output) -> Result<Exit, Failure> {
    match format {
        Format::Text => output.text(&format!("{sentence}\n"))?,
        Format::Json => {
            terminal::tell(sentence);
            output.text(&report::json_text(&serde_json::Value::Null))?;
        }
        Format::Csv => {
            terminal::tell(sentence);
            output.text(&format!("{}\n", lambdasim::story::events::COLUMNS.join(",")))?;
        }
    }
    Ok(Exit::Done)
}

fn never_came(event: &str, submissions: u64) -> Failure {
    let (caller, _) = event.rsplit_once('#').unwrap_or((event, ""));
    let times = if submissions == 1 { "once".to_owned() } else { format!("{submissions} times") };
    Failure::usage(format!("{event} never came: {caller} submitted {times}"))
}

fn stop(ready: &Ready, stopped: &Stopped) -> Exit {
    match stopped {
        Stopped::Interrupted => {
            terminal::error("interrupted");
            Exit::Interrupted
        }
        Stopped::BudgetExhausted { events, at, busy } => {
            terminal::error(batch::exhausted(ready, *events, *at, busy));
            Exit::Unmet
        }
    }
}
