//! `lambdasim plan`: the value of a setting that meets what the scenario expects.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::PathBuf;

use clap::Args;
use lambdasim::expect::Expectation;
use lambdasim::report::{self, Plan, Style};
use lambdasim::run::Stopped;
use lambdasim::scenario::{self, Scenario};
use lambdasim::study::bottleneck::{self, Relief};
use lambdasim::study::estimate::Confidence;
use lambdasim::study::plan::{self, Found, Goal, Point, Verdict};
use lambdasim::study::seed;
use lambdasim::study::sweep::Axis;
use serde_json::{Value, json};

use super::args::{Format, Printing, Simulation};
use super::batch;
use super::exit::{Exit, Failure};
use super::load::{self, Ready};
use super::progress::Watch;
use super::results;
use super::simulate;
use super::terminal::{self, Output};

/// Shown below the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  lambdasim plan shop.yaml --find functions.checkout.reserved_concurrency=1..2000
      The smallest limit at which everything holds that the scenario expects
  lambdasim plan shop.yaml --largest \\
      --find callers.buyers.arrivals.poisson=10/s..500/s/5/s
      How much more traffic it bears
  lambdasim plan shop.yaml --cost --find functions.checkout.memory=128MB,256MB,512MB,1GB
      The cheapest value that meets the goal

The goal is what the scenario expects (`expect`), as a mean over runs. More of
the setting must help, or with --largest less of it; ranges are written as for
`lambdasim sweep --vary`.
The exit status is 1 when no value meets the goal.";

/// Values of a range that are tried where the cheapest is wanted, and of a second key.
const MOST_COSTS: usize = 24;
const MOST_OTHERS: usize = 12;
/// Runs that say whether a doubled capacity helps.
const RELIEF_RUNS: u64 = 10;

/// The flags of `plan`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Scenario file (YAML); its `expect` is the goal
    #[arg(value_name = "SCENARIO")]
    scenario: PathBuf,

    /// The key to look for and its range, such as `functions.f.reserved_concurrency=1..2000`
    ///
    /// A second one gives the answer for several values of it.
    #[arg(long, value_name = "PATH=RANGE", required = true, value_parser = Axis::parse)]
    find: Vec<Axis>,

    /// Look for the largest value that meets the goal, and not for the smallest
    #[arg(long)]
    largest: bool,

    /// How sure the answer shall be
    #[arg(long, value_name = "SHARE", default_value = "95%", value_parser = confidence)]
    confidence: Confidence,

    /// Of the values that meet the goal, take the one of the cheapest run
    #[arg(long)]
    cost: bool,

    /// Most runs of a value, each with a seed of its own
    #[arg(long, value_name = "N", default_value = "80")]
    replicas: NonZero<u32>,

    /// Start of all random numbers, in the place of the scenario's `seed`
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Replace a value, for example functions.resize.memory=512MB (repeatable)
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,

    /// Runs at the same time [default: the number of processors]
    ///
    /// Results do not depend on it.
    #[arg(long, value_name = "M")]
    jobs: Option<NonZero<usize>>,

    /// Folder for plan.json and plan.csv; without it, none are written
    #[arg(long, value_name = "DIR", conflicts_with = "no_files")]
    out: Option<PathBuf>,

    /// Write no files, as without --out
    #[arg(long)]
    no_files: bool,

    #[command(flatten)]
    printing: Printing,
}

fn confidence(text: &str) -> Result<Confidence, String> {
    Confidence::new(scenario::share(text)?).ok_or_else(|| "it must be from 50% to 99.99%".to_owned())
}

/// Why there is no answer.
enum Trouble {
    /// What went wrong has been said.
    Said(Exit),
    Failure(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// Runs the command.
pub(super) fn plan(arguments: &Arguments, output: &mut Output) -> Result<Exit, Failure> {
    match find(arguments, output) {
        Ok(exit) | Err(Trouble::Said(exit)) => Ok(exit),
        Err(Trouble::Failure(failure)) => Err(failure),
    }
}

fn find(arguments: &Arguments, output: &mut Output) -> Result<Exit, Trouble> {
    let Arguments { find, printing, out, cost, .. } = arguments;
    let (axis, other) = match find.as_slice() {
        [axis] => (axis, None),
        [axis, other] if axis.path != other.path => (axis, Some(other)),
        [_, _] => return Err(Failure::usage("--find names the same key twice").into()),
        _ => return Err(Failure::usage("--find is for one key, or for two").into()),
    };
    let watch = Watch::new(printing.quiet)?;
    let others: Vec<Option<(String, String)>> = match other {
        None => vec![None],
        Some(other) => {
            let places = spread(other.values.len(), MOST_OTHERS);
            places.into_iter().map(|place| Some((other.path.clone(), other.values[place].clone()))).collect()
        }
    };
    let mut plans = Vec::new();
    for other in others {
        plans.push(Search::new(arguments, axis, other, &watch)?.run(*cost)?);
    }
    let met = |plan: &&Plan| plan.place.is_some();
    let best = match other {
        None => plans.iter().position(|plan| met(&plan)),
        Some(_) => best(&plans),
    };
    let json = match plans.as_slice() {
        [one] => one.to_json(),
        several => json!({
            "keys": [axis.path, other.map_or("", |other| other.path.as_str())],
            "best": best,
            "met": best.is_some(),
            "runs": several.iter().map(|plan| plan.found.runs).sum::<u64>(),
            "rows": several.iter().map(Plan::to_json).collect::<Vec<_>>(),
        }),
    };
    let csv = report::render_plans_csv(&plans);
    if let Some(folder) = out {
        results::write_together(folder, &[("plan.json", report::json_text(&json)), ("plan.csv", csv.clone())])?;
    }
    let text = match (printing.format, plans.as_slice()) {
        (Format::Json, _) => report::json_text(&json),
        (Format::Csv, _) => csv,
        (Format::Text, several) if printing.quiet => {
            let chosen = best.unwrap_or(0);
            format!("{}\n", several[chosen].sentence())
        }
        (Format::Text, [one]) => report::render_plan(one, Style::Ansi),
        (Format::Text, several) => report::render_plans(several, best, Style::Ansi),
    };
    output.text(&text)?;
    Ok(if best.is_some() { Exit::Done } else { Exit::Unmet })
}

/// The cheapest answer; of equally cheap ones the first.
fn best(plans: &[Plan]) -> Option<usize> {
    let cost = |plan: &Plan| plan.place.and_then(|place| plan.found.point(place)).map(|point| point.cost_usd);
    let answers = plans.iter().enumerate().filter_map(|(place, plan)| Some((place, cost(plan)?)));
    answers.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(place, _)| place)
}

/// At most so many places of a range, its ends among them.
fn spread(length: usize, most: usize) -> Vec<usize> {
    let count = length.min(most);
    let mut places: Vec<usize> = (0..count).map(|n| n * (length - 1) / (count - 1).max(1)).collect();
    places.dedup();
    places
}

/// One search: all runs of it have the same seeds.
struct Search<'a> {
    arguments: &'a Arguments,
    key: &'a str,
    /// Those first that are wanted most.
    values: Vec<String>,
    other: Option<(String, String)>,
    watch: &'a Watch,
    /// Variants that have been read, by their `--set`s.
    ready: BTreeMap<Vec<String>, Option<Ready>>,
}

impl<'a> Search<'a> {
    fn new(
        arguments: &'a Arguments,
        axis: &'a Axis,
        other: Option<(String, String)>,
        watch: &'a Watch,
    ) -> Result<Self, Trouble> {
        let mut values = axis.values.clone();
        if arguments.largest {
            values.reverse();
        }
        let mut search = Self { arguments, key: &axis.path, values, other, watch, ready: BTreeMap::new() };
        // Both ends of the range, before anything is simulated.
        for place in [search.values.len() - 1, 0] {
            let sets = search.sets(place, None);
            search.load(&sets, true)?;
        }
        Ok(search)
    }

    fn sets(&self, place: usize, relief: Option<&Relief>) -> Vec<String> {
        let mut sets = self.arguments.set.clone();
        sets.extend(self.other.iter().map(|(key, value)| format!("{key}={value}")));
        sets.push(format!("{}={}", self.key, self.values[place]));
        sets.extend(relief.map(|relief| format!("{}={}", relief.key, relief.double)));
        sets
    }

    /// Reads a variant once. One that need not be right, such as a doubled limit above that of the account, may be none.
    fn load(&mut self, sets: &[String], must: bool) -> Result<Option<&Ready>, Trouble> {
        if !self.ready.contains_key(sets) {
            let Arguments { scenario, seed, .. } = self.arguments;
            let ready = if must {
                let simulation = Simulation::of_one(scenario.clone(), *seed, sets.to_vec());
                load::load_all(&simulation).map_err(Trouble::Said)?.pop()
            } else {
                load::quietly(&Simulation::of_one(scenario.clone(), *seed, sets.to_vec()))
            };
            self.ready.insert(sets.to_vec(), ready);
        }
        Ok(self.ready.get(sets).and_then(Option::as_ref))
    }

    /// Summaries of replicas from one to before another; none where the variant cannot be read.
    fn simulate(&mut self, sets: &[String], must: bool, from: u64, to: u64) -> Result<Vec<Value>, Trouble> {
        let (watch, jobs) = (self.watch, Simulation::jobs_or_all(self.arguments.jobs));
        let Some(ready) = self.load(sets, must)? else { return Ok(Vec::new()) };
        let run = |index: usize| {
            let seed = seed(ready.scenario.seed, from + index as u64);
            let scenario = Scenario { seed, ..ready.scenario.clone() };
            let outcome = simulate::watched(&scenario, watch, |progress| lambdasim::run::run_with(&scenario, progress));
            outcome.map(|summary| summary.to_json())
        };
        let mut summaries = Vec::new();
        let mut stopped = None;
        let tasks = usize::try_from(to - from).expect("a number of runs");
        simulate::side_by_side(tasks, jobs, run, |_, outcome| match outcome {
            Ok(summary) => summaries.push(summary),
            Err(why) => stopped = stopped.take().or(Some(why)),
        })?;
        match stopped {
            None => Ok(summaries),
            Some(Stopped::Interrupted) => {
                terminal::error("interrupted: there is no answer");
                Err(Trouble::Said(Exit::Interrupted))
            }
            Some(Stopped::BudgetExhausted { .. }) if !must => Ok(Vec::new()),
            Some(Stopped::BudgetExhausted { events, at, busy }) => {
                let sets = sets.join(" ");
                terminal::error(format_args!("with {sets}: {}", batch::exhausted(ready, events, at, &busy)));
                Err(Trouble::Said(Exit::Unmet))
            }
        }
    }

    fn run(mut self, cheapest: bool) -> Result<Plan, Trouble> {
        let sets = self.sets(0, None);
        let Some(first) = self.load(&sets, true)? else { return Err(Trouble::Said(Exit::BadInput)) };
        let (expectations, name) = (first.scenario.expectations.clone(), first.scenario.name.clone());
        let description = first.scenario.description.clone();
        if expectations.is_empty() {
            let failure = Failure::usage(format!("`{name}` expects nothing: there is no goal to meet"));
            return Err(failure
                .with_help("write the goal under `expect`, such as `callers.shoppers.latency_ms.p99 < 800ms`")
                .into());
        }
        let Arguments { confidence, replicas, .. } = *self.arguments;
        let goal = Goal::new(&expectations, confidence, u64::from(replicas.get()));
        let mut found = plan::search(&goal, self.values.len(), |place, from, to| {
            let sets = self.sets(place, None);
            self.simulate(&sets, true, from, to)
        })?;
        if cheapest {
            self.try_more(&goal, &mut found)?;
        }
        let place = if cheapest { self::cheapest(&found.points) } else { found.answer };
        // Where the goal is just not met: below the answer, or at the end of the range.
        let binds_at = match found.answer {
            Some(answer) => answer.checked_sub(1),
            None => Some(self.values.len() - 1),
        };
        let binding = match binds_at.and_then(|at| found.point(at)) {
            None => Vec::new(),
            Some(point) => {
                let (at, tightest) = (point.place, tightest(point, &expectations));
                self.binding(at, tightest.as_ref())?
            }
        };
        let scenario = lambdasim::stats::summary::ScenarioInfo {
            name,
            sha256: String::new(),
            overrides: self.arguments.set.clone(),
            description,
        };
        let (key, values, other) = (self.key.to_owned(), self.values, self.other);
        let confidence = confidence.share();
        Ok(Plan { scenario, key, values, found, place, confidence, binds_at, binding, other })
    }

    /// A grid over the range, as cost need not rise with the setting.
    fn try_more(&mut self, goal: &Goal, found: &mut Found) -> Result<(), Trouble> {
        let places = spread(self.values.len(), MOST_COSTS).into_iter().filter(|place| found.point(*place).is_none());
        let places: Vec<usize> = places.collect();
        let more = plan::try_all(goal, places, |place, from, to| {
            let sets = self.sets(place, None);
            self.simulate(&sets, true, from, to)
        })?;
        found.runs += more.iter().map(|point| point.runs).sum::<u64>();
        found.points.extend(more);
        found.points.sort_by_key(|point| point.place);
        Ok(())
    }

    /// Capacities whose doubling helps most where the goal is just not met.
    fn binding(&mut self, place: usize, goal: Option<&Expectation>) -> Result<Vec<(String, f64)>, Trouble> {
        let Some(goal) = goal else { return Ok(Vec::new()) };
        let sets = self.sets(place, None);
        let Some(ready) = self.load(&sets, true)? else { return Ok(Vec::new()) };
        let resolved: Value = serde_yaml::from_str(&ready.resolved).unwrap_or(Value::Null);
        let before = self.simulate(&sets, true, 0, RELIEF_RUNS)?;
        let mut gains = Vec::new();
        for relief in bottleneck::reliefs(&resolved) {
            let sets = self.sets(place, Some(&relief));
            let after = self.simulate(&sets, false, 0, RELIEF_RUNS)?;
            if let Some(gain) = bottleneck::gain(goal, &before, &after) {
                gains.push((relief.key, gain));
            }
        }
        gains.sort_by(|a, b| b.1.total_cmp(&a.1));
        Ok(gains)
    }
}

/// The expectation that is missed most.
fn tightest(point: &Point, expectations: &[String]) -> Option<Expectation> {
    let missed = point.judged.iter().position(|judged| judged.verdict != Verdict::Met);
    let tightest = point.tightest().and_then(|(tightest, _)| point.judged.iter().position(|judged| judged == tightest));
    let place = tightest.filter(|place| point.judged[*place].verdict != Verdict::Met).or(missed)?;
    Expectation::parse(&expectations[place]).ok()
}

/// The place of the cheapest value that meets the goal.
fn cheapest(points: &[Point]) -> Option<usize> {
    let met = points.iter().filter(|point| point.verdict == Verdict::Met);
    met.min_by(|a, b| a.cost_usd.total_cmp(&b.cost_usd)).map(|point| point.place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_spread_over_the_range() {
        assert_eq!(spread(1, 12), [0]);
        assert_eq!(spread(5, 12), [0, 1, 2, 3, 4]);
        assert_eq!(spread(2_000, 5), [0, 499, 999, 1499, 1999]);
    }
}
