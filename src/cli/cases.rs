//! What `check` has judged, as test cases: for `JUnit`, GitHub, and whoever counts.

use std::fmt::Write as _;
use std::path::PathBuf;

use lambdasim::stats::summary::Summary;
use lambdasim::{report, story};

use super::baselines::{First, Held};
use super::batch::Ran;
use super::verdict;

/// Differences that are shown where not all are.
pub(super) const SHOWN: usize = 20;

/// The cases of a scenario.
#[derive(Debug)]
pub(super) struct Suite {
    pub(super) name: String,
    /// The scenario's file, as it was named.
    pub(super) file: PathBuf,
    /// What was run: names and values.
    pub(super) properties: Vec<(&'static str, String)>,
    pub(super) cases: Vec<Case>,
}

/// One thing that was judged.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    /// Where it is written in the scenario's file: line and column.
    pub(super) place: Option<(usize, usize)>,
    pub(super) outcome: Outcome,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Outcome {
    Passed,
    /// It does not hold: in short, and at length.
    Failed(String, String),
    /// It could not be judged.
    Broken(String),
}

impl Suite {
    /// The cases of a scenario whose run has ended.
    pub(super) fn new(ran: &Ran<'_>, held: Option<&Held>) -> Self {
        let mut suite = Self {
            name: ran.ready.scenario.name.clone(),
            file: ran.ready.file.clone(),
            properties: vec![("seed", ran.ready.scenario.seed.to_string())],
            cases: Vec::new(),
        };
        let Some(summary) = ran.summary else {
            let outcome = Outcome::Broken("the run was stopped before its end".to_owned());
            suite.cases.push(Case { name: "run".to_owned(), place: None, outcome });
            return suite;
        };
        suite.properties.push(("lambdasim", summary.lambdasim.clone()));
        suite.properties.push(("digest", summary.digest.clone()));
        let places = ran.ready.expectations.iter().copied().chain(std::iter::repeat(None));
        suite.cases.extend(expectations(summary).zip(places).map(|(case, place)| Case { place, ..case }));
        if !summary.conservation.holds {
            let words = "what entered has not exactly one fate, which is an error of lambdasim: please report it";
            let outcome = Outcome::Failed(words.to_owned(), words.to_owned());
            suite.cases.push(Case { name: "conservation".to_owned(), place: None, outcome });
        }
        suite.cases.extend(held.map(baseline));
        if suite.cases.is_empty() {
            suite.cases.push(Case { name: "run".to_owned(), place: None, outcome: Outcome::Passed });
        }
        suite
    }
}

fn expectations(summary: &Summary) -> impl Iterator<Item = Case> {
    summary.expectations.iter().map(|judgement| {
        let actual = || format!("actual {}", verdict::actual(judgement));
        let failed = || Outcome::Failed(actual(), format!("{}\n{}", judgement.expression, actual()));
        let outcome = if judgement.pass { Outcome::Passed } else { failed() };
        Case { name: judgement.expression.clone(), place: None, outcome }
    })
}

fn baseline(held: &Held) -> Case {
    let name = format!("baseline {}", held.file.display());
    if held.holds() {
        return Case { name, place: None, outcome: Outcome::Passed };
    }
    let mut message = held.sentence();
    if let First::Event(found) = &held.first {
        let _ = write!(message, "; the first event that differs: {}", found.sentence());
    }
    Case { name, place: None, outcome: Outcome::Failed(message, details(held, "", report::Style::Plain)) }
}

/// What differs from a baseline, and what event differs first.
pub(super) fn details(held: &Held, indent: &str, style: report::Style) -> String {
    let Some(comparison) = &held.comparison else { return String::new() };
    let mut text = String::new();
    if !comparison.differences.is_empty() {
        text += &report::render_differences(&comparison.differences, SHOWN, indent, style);
    }
    for note in &comparison.notes {
        let _ = writeln!(text, "{indent}note: {note}");
    }
    match &held.first {
        First::Unasked => {}
        First::Unknown(why) => {
            let _ = writeln!(text, "{indent}the first event that differs is not known: {why}");
        }
        First::Event(found) => {
            let _ = writeln!(text, "{indent}the first event that differs: {}", found.sentence());
            for (word, step) in [("was", &found.was), ("is ", &found.is)] {
                let Some(step) = step else { continue };
                let (at, kind) = (story::moment(step.at), step.kind.verb());
                let rule = step.rule.map_or_else(String::new, |rule| format!(" [{}]", rule.id));
                let _ = writeln!(text, "{indent}  {word}  {at}  {} {kind} {}{rule}", step.actor, step.detail);
            }
        }
    }
    text
}
