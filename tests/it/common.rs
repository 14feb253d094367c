//! What all tests share: a scenario text in, the summary or the facts of its run out.

use std::collections::BTreeMap;
use std::path::Path;

use lambdasim::aws::fact::{Capacity, Fact, InitPhase, Observer, Outcome, RunOutcome};
use lambdasim::aws::ids::{CallerId, FunctionId, Id};
use lambdasim::kernel::time::{SimDuration, SimTime};
use lambdasim::run;
use lambdasim::scenario::{self, Scenario};
use serde_json::Value;

/// Reads a scenario; `name` may be left out.
pub(crate) fn scenario(yaml: &str) -> Scenario {
    scenario_in(Path::new("."), yaml, &[])
}

/// Reads a scenario whose files stand in `folder`.
pub(crate) fn scenario_in(folder: &Path, yaml: &str, overrides: &[String]) -> Scenario {
    try_scenario(folder, yaml, overrides).unwrap_or_else(|problems| panic!("{problems}\n{yaml}"))
}

/// Reads a scenario, or says what is wrong with it.
pub(crate) fn try_scenario(folder: &Path, yaml: &str, overrides: &[String]) -> Result<Scenario, String> {
    let text = if yaml.contains("\nname:") || yaml.starts_with("name:") {
        yaml.to_owned()
    } else {
        format!("name: test\n{yaml}")
    };
    scenario::parse("test.yaml", text.as_bytes(), folder, overrides)
        .map(|loaded| loaded.scenario)
        .map_err(|problems| problems.to_string())
}

/// The summary of a scenario, as a user sees it.
pub(crate) fn simulate(yaml: &str) -> Value {
    summary(&scenario(yaml))
}

/// The summary of a scenario that has been read; everything must be conserved.
pub(crate) fn summary(scenario: &Scenario) -> Value {
    let summary = run::run(scenario).unwrap_or_else(|stopped| panic!("the run stopped: {stopped:?}"));
    let json = summary.to_json();
    assert_eq!(json["conservation"]["holds"], Value::Bool(true), "{}", json["conservation"]);
    json
}

/// The value at a dotted path.
pub(crate) fn at<'a>(summary: &'a Value, path: &str) -> &'a Value {
    path.split('.')
        .fold(summary, |value, key| value.get(key).unwrap_or_else(|| panic!("there is no {key} of {path} in {value}")))
}

/// The number at a dotted path.
pub(crate) fn number(summary: &Value, path: &str) -> f64 {
    let value = at(summary, path);
    value.as_f64().unwrap_or_else(|| panic!("{path} is {value}"))
}

/// Whether two numbers are the same but for the rounding of a sum.
pub(crate) fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

/// Compares numbers of a summary with what is expected; names all that differ.
#[track_caller]
pub(crate) fn check(case: &str, summary: &Value, expected: &[(&str, f64)]) {
    let wrong = expected
        .iter()
        .map(|&(path, number)| (path, number, self::number(summary, path)))
        .filter(|&(_, expected, found)| !same(expected, found))
        .map(|(path, expected, found)| format!("  {path}: expected {expected}, found {found}\n"))
        .collect::<String>();
    assert!(wrong.is_empty(), "{case}:\n{wrong}");
}

/// Simulates a scenario and compares numbers of its summary.
#[track_caller]
pub(crate) fn check_run(case: &str, yaml: &str, expected: &[(&str, f64)]) {
    check(case, &simulate(yaml), expected);
}

/// Asserts that a number lies within `tolerance` of what is expected.
#[track_caller]
pub(crate) fn near(what: &str, found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found} is not within {tolerance} of {expected}");
}

/// Milliseconds since the start.
pub(crate) fn ms(time: SimTime) -> f64 {
    time.as_nanos() as f64 / 1e6
}

/// A length in milliseconds.
pub(crate) fn length_ms(length: SimDuration) -> f64 {
    length.as_nanos() as f64 / 1e6
}

/// Every fact of a run, in the order in which they were stated.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) list: Vec<(SimTime, Fact)>,
    pub(crate) ended: SimTime,
}

/// Writes facts down.
#[derive(Debug, Default)]
struct Recorder(Vec<(SimTime, Fact)>);

impl Observer for Recorder {
    fn observe(&mut self, now: SimTime, fact: &Fact) {
        self.0.push((now, *fact));
    }
}

/// A run as its facts tell it. Times are milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SeenRun {
    pub(crate) caller: usize,
    pub(crate) submission: u64,
    pub(crate) function: usize,
    /// 1 = first run of the event.
    pub(crate) run: u32,
    pub(crate) environment: u64,
    pub(crate) cold: bool,
    pub(crate) capacity: Capacity,
    pub(crate) start: f64,
    /// `None` for a run that the end of the simulation cut.
    pub(crate) end: Option<SeenEnd>,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SeenEnd {
    pub(crate) at: f64,
    pub(crate) duration: f64,
    pub(crate) init: Option<InitPhase>,
    pub(crate) suppressed_init: Option<InitPhase>,
    pub(crate) outcome: RunOutcome,
    pub(crate) abandoned: Option<f64>,
}

impl Facts {
    /// Runs a scenario for its facts.
    pub(crate) fn of(yaml: &str) -> Self {
        Self::of_scenario(&scenario(yaml))
    }

    /// Runs a scenario that has been read for its facts.
    pub(crate) fn of_scenario(scenario: &Scenario) -> Self {
        let ended = run::simulate(scenario, Recorder::default(), |_| true)
            .unwrap_or_else(|stopped| panic!("the run stopped: {stopped:?}"));
        Self { list: ended.observer.0, ended: ended.ended }
    }

    /// What `pick` makes of each fact.
    pub(crate) fn pick<T>(&self, pick: impl Fn(f64, &Fact) -> Option<T>) -> Vec<T> {
        self.list.iter().filter_map(|(now, fact)| pick(ms(*now), fact)).collect()
    }

    /// Moments at which attempts of a caller were sent, with submission and attempt.
    pub(crate) fn attempts(&self, caller: usize) -> Vec<(u64, u32, f64)> {
        self.pick(|now, fact| match *fact {
            Fact::AttemptSent { origin, attempt } if origin.caller == CallerId::from_index(caller) => {
                Some((origin.submission, attempt, now))
            }
            _ => None,
        })
    }

    /// Moments at which attempts of a caller were sent.
    pub(crate) fn attempt_times(&self, caller: usize) -> Vec<f64> {
        self.attempts(caller).into_iter().map(|(_, _, at)| at).collect()
    }

    /// Ends of a caller's calls: submission, moment, outcome.
    pub(crate) fn finishes(&self, caller: usize) -> Vec<(u64, f64, Outcome)> {
        self.pick(|now, fact| match *fact {
            Fact::CallFinished { origin, outcome, .. } if origin.caller == CallerId::from_index(caller) => {
                Some((origin.submission, now, outcome))
            }
            _ => None,
        })
    }

    /// All runs in the order of their starts.
    pub(crate) fn runs(&self) -> Vec<SeenRun> {
        let mut runs: Vec<SeenRun> = Vec::new();
        let mut open = BTreeMap::new();
        for (now, fact) in &self.list {
            match *fact {
                Fact::RunStarted { origin, function, run, environment, cold, capacity } => {
                    assert_eq!(open.insert(environment, runs.len()), None, "two runs on environment {environment}");
                    runs.push(SeenRun {
                        caller: origin.caller.index(),
                        submission: origin.submission,
                        function: function.index(),
                        run,
                        environment,
                        cold,
                        capacity,
                        start: ms(*now),
                        end: None,
                    });
                }
                Fact::RunEnded { environment, duration, init, suppressed_init, outcome, abandoned, .. } => {
                    let run = open.remove(&environment).expect("a run that ends has started");
                    runs[run].end = Some(SeenEnd {
                        at: ms(*now),
                        duration: length_ms(duration),
                        init,
                        suppressed_init,
                        outcome,
                        abandoned: abandoned.map(ms),
                    });
                }
                _ => {}
            }
        }
        runs
    }

    /// Environments of one function that ended, with their moments.
    pub(crate) fn environments_ended(&self, of: usize) -> Vec<(u64, f64)> {
        self.pick(|_, fact| match *fact {
            Fact::EnvironmentEnded { function, environment, at } if function == FunctionId::from_index(of) => {
                Some((environment, ms(at)))
            }
            _ => None,
        })
    }
}

impl SeenRun {
    /// The end of a run that must have ended.
    pub(crate) fn ended(&self) -> &SeenEnd {
        self.end.as_ref().unwrap_or_else(|| panic!("{self:?} did not end"))
    }
}
