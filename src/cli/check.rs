//! `lambdasim check`: simulates and says whether what the scenarios expect holds, and whether they come to what they
//! came to before.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use lambdasim::report::{self, Style};
use lambdasim::stats::summary::Summary;
use lambdasim::story::milliseconds;
use lambdasim::story::step::Step;
use lambdasim::study::baseline::{Difference, Found};
use serde_json::{Value, json};

use super::args::{Format, Printing, Simulation};
use super::baselines::{self, Baselines, First, Held};
use super::batch::{self, Files, Printer, Ran, Target};
use super::cases::{self, Suite};
use super::exit::{Exit, Failure};
use super::formats::{CsvTables, JsonItems};
use super::load::{self, Ready};
use super::replicas::Replication;
use super::terminal::{self, Output};
use super::{github, junit, replace, verdict};

/// Shown below the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  lambdasim check shop.yaml
      Each line under `expect` of the scenario with its actual value, and whether it holds
  lambdasim check scenarios/*.yaml --quiet
      One line for each scenario, and one for each expectation that does not hold
  lambdasim check shop.yaml --seed 2 --set account.concurrency_limit=500
      Does it still hold with other random numbers and a lower limit?
  lambdasim check shop.yaml --baseline results/shop/summary.json
      Is every number what it was? If not: which, and which event differs first
  lambdasim check scenarios/*.yaml --baseline results --update-baseline
      Make the baselines, results/<name>/summary.json; or make them new
  lambdasim check shop.yaml --baseline results/shop/summary.json \\
      --tolerance '*=1%' --tolerance 'callers.*.latency_ms=5ms'
      Numbers may differ a little, times of calls by 5 ms
  lambdasim check scenarios/*.yaml --junit check.xml --github
      For CI: a file that it shows, and errors at the lines of the scenarios

An expectation compares numbers of summary.json, as `lambdasim run` writes it:
  callers.shoppers.latency_ms.p99 < 800ms
The exit status is 1 when one does not hold, or when a number is not what it
was; see `lambdasim --help`.";

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

    #[command(flatten)]
    baseline: baselines::Flags,

    /// Write what was judged to this file, as `JUnit` XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,

    /// Print what does not hold as workflow commands of GitHub Actions, and add it to the summary of the job
    ///
    /// They come after the report; with --format json and csv on standard error, where GitHub reads them too. The
    /// summary goes to the file that the environment variable `GITHUB_STEP_SUMMARY` names.
    #[arg(long)]
    github: bool,
}

/// Runs the command.
pub(super) fn check(arguments: &Arguments, output: &mut Output) -> Result<Exit, Failure> {
    let Arguments { simulation, printing, out, .. } = arguments;
    let target = out.clone().map_or(Target::Nowhere, Target::Folder);
    let format = match printing.format {
        Format::Text => Printed::Text,
        Format::Json => Printed::Json(JsonItems::new(simulation.scenarios.len())),
        Format::Csv => Printed::Csv(CsvTables::default()),
    };
    let mut check = Check { arguments, format, baselines: None, held: None, suites: Vec::new(), exit: Exit::Done };
    batch::run(simulation, *printing, &target, &Files::default(), Replication::default(), output, &mut check)
}

/// One use of `check`.
struct Check<'a> {
    arguments: &'a Arguments,
    format: Printed,
    baselines: Option<Baselines>,
    /// What the scenario that is printed next came to beside its baseline.
    held: Option<(Held, String)>,
    suites: Vec<Suite>,
    exit: Exit,
}

/// What has been printed, by its format.
enum Printed {
    Text,
    Json(JsonItems),
    Csv(CsvTables),
}

impl Printer for Check<'_> {
    fn begin(&mut self, ready: &[Ready]) -> Result<(), Failure> {
        let Arguments { baseline, junit, out, .. } = self.arguments;
        self.baselines = Baselines::prepare(baseline, out.as_deref(), ready)?;
        if let Some(path) = junit {
            load::check_file(load::files(ready), path)?;
            replace::check(path)?;
        }
        Ok(())
    }

    fn study(&mut self, ran: &Ran<'_>) -> Result<(), Failure> {
        let judged = match (&self.baselines, ran.summary) {
            (Some(baselines), Some(summary)) => baselines.judge(ran, summary).map(Some),
            _ => Ok(None),
        };
        let held = judged.as_ref().ok().and_then(Option::as_ref);
        self.suites.push(Suite::new(ran, held));
        if held.is_some_and(|held| !held.holds()) {
            self.exit = self.exit.max(Exit::Unmet);
        }
        self.held = judged?.map(|held| (held, explain_command(self.arguments, ran.ready)));
        Ok(())
    }

    fn print(&mut self, output: &mut Output, summary: Option<&Summary>) -> Result<(), Failure> {
        let (held, explain) = self.held.take().unzip();
        let held = held.as_ref();
        if let (Some(held), Some(summary)) = (held.filter(|held| !held.holds()), summary)
            && !matches!(self.format, Printed::Text)
        {
            terminal::error(format_args!("{} (seed {}): {}", summary.scenario.name, summary.seed, held.sentence()));
        }
        match (&mut self.format, summary) {
            (Printed::Text, Some(summary)) => {
                output.text(&text(summary, held, explain.as_deref(), self.arguments.printing.quiet))
            }
            (Printed::Json(items), summary) => {
                items.item(output, summary.map(|summary| report::json_text(&value(summary, held))).as_deref())
            }
            (Printed::Csv(tables), Some(summary)) => tables.table(output, &table(summary, held)),
            (Printed::Text | Printed::Csv(_), None) => Ok(()),
        }
    }

    fn end(&mut self, output: &mut Output) -> Result<(), Failure> {
        if let Printed::Json(items) = &self.format { items.end(output) } else { Ok(()) }
    }

    fn close(&mut self, output: &mut Output, exit: Exit) -> Result<Exit, Failure> {
        let Arguments { junit, github, .. } = self.arguments;
        if exit == Exit::Interrupted {
            return Ok(exit);
        }
        if *github {
            let annotations = github::annotations(&self.suites);
            match self.format {
                Printed::Text => output.text(&annotations)?,
                Printed::Json(_) | Printed::Csv(_) => annotations.lines().for_each(terminal::tell),
            }
        }
        if let Some(path) = junit {
            junit::write(path, &self.suites)?;
        }
        if let Some(path) = github::summary_file().filter(|_| *github) {
            github::add_summary(&path, &self.suites)?;
        }
        Ok(self.exit)
    }
}

/// The command that tells the story of an event of a scenario as it was run, without the event.
fn explain_command(arguments: &Arguments, ready: &Ready) -> String {
    let mut command = format!("lambdasim explain {}", quoted(&ready.file.display().to_string()));
    for set in &arguments.simulation.set {
        let _ = write!(command, " --set {}", quoted(set));
    }
    if let Some(seed) = arguments.simulation.seed {
        let _ = write!(command, " --seed {seed}");
    }
    command
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./=:,@%+#".contains(c);
    if word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// For people: the verdict, each expectation, and what differs from the baseline.
fn text(summary: &Summary, held: Option<&Held>, explain: Option<&str>, quiet: bool) -> String {
    let good = verdict::holds(summary) && held.is_none_or(Held::holds);
    let more = held.map(|held| format!("; {}", held.sentence())).unwrap_or_default();
    let mut text = verdict::line(summary, good, &more) + &verdict::expectations(summary, quiet);
    let Some(held) = held else { return text };
    if !quiet && held.has_details() {
        let _ = writeln!(text, "      baseline {}:", held.file.display());
        text += &cases::details(held, "        ", Style::Ansi);
        if let (First::Event(found), Some(explain)) = (&held.first, explain) {
            let own = found.is.is_some();
            let beside =
                format!("lambdasim explain {}", quoted(&baselines::companion(&held.file).display().to_string()));
            let command = if own { explain } else { &beside };
            let _ = writeln!(text, "          {command} --event {}", quoted(&found.event));
        }
    }
    text
}

/// The keys of the summary that say what was judged, and `pass` over all.
fn value(summary: &Summary, held: Option<&Held>) -> Value {
    let Summary { lambdasim, scenario, seed, digest, expectations, .. } = summary;
    json!({
        "lambdasim": lambdasim,
        "scenario": scenario,
        "seed": seed,
        "digest": digest,
        "pass": verdict::holds(summary) && held.is_none_or(Held::holds),
        "expectations": expectations,
        "baseline": held.map(baseline),
    })
}

fn baseline(held: &Held) -> Value {
    let found = |found: &Found| if let Found::Leaf(value) = found { value.clone() } else { Value::Null };
    let difference = |one: &Difference| {
        let kind = match (&one.was, &one.is) {
            (Found::Nothing, _) => "new",
            (_, Found::Nothing) => "gone",
            _ => "changed",
        };
        json!({
            "metric": one.metric,
            "kind": kind,
            "baseline": found(&one.was),
            "now": found(&one.is),
            "tolerance": one.tolerance,
        })
    };
    let comparison = held.comparison.as_ref();
    let differences = comparison.map_or(&[][..], |comparison| &comparison.differences);
    json!({
        "file": held.file.display().to_string(),
        "pass": held.holds(),
        "updated": held.is_written,
        "compared": comparison.map(|comparison| comparison.compared),
        "tolerated": comparison.map(|comparison| comparison.tolerated),
        "differences": differences.iter().map(difference).collect::<Vec<_>>(),
        "notes": comparison.map_or(&[][..], |comparison| &comparison.notes),
        "first_event": first_event(&held.first),
    })
}

/// The first event that differs; nothing where it is not known.
fn first_event(first: &First) -> Value {
    let First::Event(found) = first else { return Value::Null };
    let number = |step: &Step| milliseconds(step.at).parse::<serde_json::Number>().expect("a decimal number");
    let step = |step: &Step| {
        json!({
            "time_ms": number(step),
            "actor": step.actor,
            "step": step.kind.as_str(),
            "rule": step.rule.map(|rule| rule.id),
            "detail": step.detail,
        })
    };
    json!({
        "event": found.event,
        "sentence": found.sentence(),
        "was": found.was.as_ref().map(step),
        "is": found.is.as_ref().map(step),
    })
}

/// A value as `summary.json` has it.
fn plain(found: &Found) -> String {
    match found {
        Found::Nothing => "nothing".to_owned(),
        Found::Group => "there".to_owned(),
        Found::Leaf(value) => value.to_string(),
    }
}

/// Scenario, expression, actual value, pass; what differs from a baseline is an expression that does not hold.
fn table(summary: &Summary, held: Option<&Held>) -> String {
    let mut table = csv::Writer::from_writer(Vec::new());
    let name = &summary.scenario.name;
    let mut row = |row: [&str; 4]| table.write_record(row).expect("memory takes everything");
    let word = |pass: bool| if pass { "true" } else { "false" };
    row(["scenario", "expression", "actual", "pass"]);
    for judgement in &summary.expectations {
        let actual = judgement.actual.map_or_else(String::new, |actual| actual.to_string());
        row([name, &judgement.expression, &actual, word(judgement.pass)]);
    }
    if let Some(held) = held {
        let differences = held.comparison.as_ref().map_or(&[][..], |comparison| &comparison.differences);
        row([name, "baseline", &differences.len().to_string(), word(held.holds())]);
        for difference in differences {
            let Difference { metric, was, is, tolerance } = difference;
            let (was, is) = (plain(was), plain(is));
            let expression = match tolerance {
                Some(tolerance) => format!("{metric} within {tolerance} of {was}"),
                None => format!("{metric} == {was}"),
            };
            row([name, &expression, &is, word(held.is_written)]);
        }
    }
    let table = table.into_inner().expect("memory takes everything");
    String::from_utf8(table).expect("made of texts")
}
