//! The smallest or the largest value of a setting that meets what a scenario expects.
//!
//! Whether a value meets the goal is judged by several runs with the same seeds at every value. The goal is a mean: `left <=
//! right` is met if the mean of right minus left is above 0 with the stated confidence, and missed if it is below. More runs
//! are made until one of the two is sure, or there are as many as one allows. As a limit helps more the larger it is, halving
//! finds the value in a handful of steps, where a grid needs all of them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::estimate::{Confidence, Estimate, Moments};
use crate::expect::{Expectation, Unit};

/// Runs of a value after which it is judged, again and again, up to as many as one allows.
const LOOKS: [u64; 8] = [5, 10, 20, 40, 80, 160, 320, 640];

/// What several runs say about a value, or about one expectation at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It meets the goal.
    Met,
    /// It does not.
    Missed,
    /// So many runs cannot tell.
    Unsure,
}

/// One expectation at one value.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// As it was written.
    pub expression: String,
    /// Its left side.
    pub actual: Option<Estimate>,
    /// By how much it is met, as a share of its right side; negative where it is missed.
    pub margin: Option<f64>,
    /// What the runs say.
    pub verdict: Verdict,
    /// What its sides measure.
    pub unit: Unit,
}

/// One value of the setting that was tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Its place in the range, from 0.
    pub place: usize,
    /// Runs.
    pub runs: u64,
    /// What they say about all expectations together.
    pub verdict: Verdict,
    /// By expectation, in the order of the file.
    pub judged: Vec<Judged>,
    /// Mean cost of a run, USD.
    pub cost_usd: f64,
}

impl Point {
    /// The smallest margin of an expectation, and whose it is.
    pub fn tightest(&self) -> Option<(&Judged, f64)> {
        let margins = self.judged.iter().filter_map(|judged| Some((judged, judged.margin?)));
        margins.min_by(|a, b| a.1.total_cmp(&b.1))
    }
}

/// Runs of one value, as they come in.
#[derive(Clone, Debug)]
struct Trial {
    runs: u64,
    expectations: Vec<Slack>,
    cost: Moments,
}

#[derive(Clone, Debug)]
struct Slack {
    left: Moments,
    right: Moments,
    /// By how much the expectation holds.
    by: Moments,
    passed: u64,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Goal {
    expectations: Vec<Expectation>,
    confidence: Confidence,
    most_runs: u64,
}

impl Goal {
    /// Everything that is expected; at most so many runs of a value.
    ///
    /// # Panics
    /// When an expectation cannot be read, which [`check_expectations`](crate::run::check_expectations) finds.
    pub fn new(expectations: &[String], confidence: Confidence, most_runs: u64) -> Self {
        let parse = |text: &String| Expectation::parse(text).expect("a checked expectation");
        Self { expectations: expectations.iter().map(parse).collect(), confidence, most_runs }
    }

    /// Numbers of runs after which a value is judged.
    fn looks(&self) -> Vec<u64> {
        let mut looks: Vec<u64> = LOOKS.into_iter().filter(|look| *look < self.most_runs).collect();
        looks.push(self.most_runs);
        looks
    }

    /// Each look may err; together they err no more often than the confidence allows.
    fn confidence_of_a_look(&self) -> Confidence {
        let looks = self.looks().len() as f64;
        Confidence::new((1.0 - (1.0 - self.confidence.share()) / looks).min(0.9999)).unwrap_or(self.confidence)
    }

    fn trial(&self) -> Trial {
        let none = || Slack { left: Moments::default(), right: Moments::default(), by: Moments::default(), passed: 0 };
        Trial { runs: 0, expectations: self.expectations.iter().map(|_| none()).collect(), cost: Moments::default() }
    }

    fn judge(&self, place: usize, trial: &Trial) -> Point {
        let last = trial.runs >= self.most_runs;
        let confidence = self.confidence_of_a_look();
        let judged: Vec<Judged> = self
            .expectations
            .iter()
            .zip(&trial.expectations)
            .map(|(expectation, slack)| Judged {
                expression: expectation.text().to_owned(),
                actual: slack.left.estimate(self.confidence),
                margin: slack.margin(expectation),
                unit: expectation.unit(),
                verdict: slack.verdict(expectation, trial.runs, last, confidence),
            })
            .collect();
        let any = |verdict: Verdict| judged.iter().any(|judged| judged.verdict == verdict);
        let verdict = match (any(Verdict::Missed), any(Verdict::Unsure)) {
            (true, _) => Verdict::Missed,
            (false, true) => Verdict::Unsure,
            (false, false) => Verdict::Met,
        };
        Point { place, runs: trial.runs, verdict, judged, cost_usd: trial.cost.mean() }
    }
}

impl Trial {
    fn add(&mut self, goal: &Goal, summary: &Value) {
        self.runs += 1;
        for (slack, expectation) in self.expectations.iter_mut().zip(&goal.expectations) {
            slack.passed += u64::from(expectation.judge(summary).pass);
            let (left, right) = expectation.sides(summary);
            if let Some(left) = left {
                slack.left.add(left);
            }
            if let Some(right) = right {
                slack.right.add(right);
            }
            if let Some(by) = expectation.slack(summary) {
                slack.by.add(by);
            }
        }
        self.cost.add(summary["cost"]["total_usd"].as_f64().unwrap_or(0.0));
    }
}

impl Slack {
    /// Where some run has no number, or the expectation is about equal numbers, it must hold in every run.
    fn verdict(&self, expectation: &Expectation, runs: u64, last: bool, confidence: Confidence) -> Verdict {
        if self.by.runs() < runs || !expectation.is_inequality() {
            return match (self.passed == runs, last) {
                (false, _) => Verdict::Missed,
                (true, true) => Verdict::Met,
                (true, false) => Verdict::Unsure,
            };
        }
        let error = self.by.standard_error().unwrap_or(f64::INFINITY);
        if error == 0.0 {
            return if self.passed == runs { Verdict::Met } else { Verdict::Missed };
        }
        let reach = confidence.standard_errors_to_one_side(runs.saturating_sub(1)) * error;
        let mean = self.by.mean();
        if mean - reach > 0.0 {
            Verdict::Met
        } else if mean + reach < 0.0 {
            Verdict::Missed
        } else {
            Verdict::Unsure
        }
    }

    fn margin(&self, expectation: &Expectation) -> Option<f64> {
        let right = self.right.mean().abs();
        (expectation.is_inequality() && self.by.runs() > 0 && right > 0.0).then(|| self.by.mean() / right)
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Every value that was tried, in the order of the range.
    pub points: Vec<Point>,
    /// The place of the answer: the first value that meets the goal surely; `None` where none does.
    pub answer: Option<usize>,
    /// The first value of which it is not sure that it misses the goal; the true answer is from here to `answer`.
    pub earliest: Option<usize>,
    /// Runs in all.
    pub runs: u64,
}

impl Found {
    /// A value that was tried.
    pub fn point(&self, place: usize) -> Option<&Point> {
        self.points.iter().find(|point| point.place == place)
    }

    /// Whether a value that was tried meets the goal and a later one misses it: more does not help more.
    pub fn is_monotone(&self) -> bool {
        let met = self.points.iter().position(|point| point.verdict == Verdict::Met);
        met.is_none_or(|met| self.points[met..].iter().all(|point| point.verdict != Verdict::Missed))
    }
}

/// Looks for the first of `values` places that meets the goal.
///
/// `run` makes runs of a place: those of so many replicas, from one to before another, in their order.
///
/// # Errors
/// Those of `run`.
pub fn search<E>(
    goal: &Goal,
    values: usize,
    mut run: impl FnMut(usize, u64, u64) -> Result<Vec<Value>, E>,
) -> Result<Found, E> {
    let mut tried: BTreeMap<usize, Point> = BTreeMap::new();
    let mut look = |place: usize, tried: &mut BTreeMap<usize, Point>| -> Result<Verdict, E> {
        if let Some(point) = tried.get(&place) {
            return Ok(point.verdict);
        }
        let point = try_place(goal, place, &mut run)?;
        let verdict = point.verdict;
        tried.insert(place, point);
        Ok(verdict)
    };
    let last = values - 1;
    // The far end first: where it misses the goal, nothing meets it.
    let met = |verdict: Verdict| verdict == Verdict::Met;
    let possible = |verdict: Verdict| verdict != Verdict::Missed;
    let answer =
        if met(look(last, &mut tried)?) { Some(first(0, last, |at| Ok(met(look(at, &mut tried)?)))?) } else { None };
    let end = answer.unwrap_or(last);
    let earliest = if answer.is_some() || possible(look(end, &mut tried)?) {
        Some(first(0, end, |at| Ok(possible(look(at, &mut tried)?)))?)
    } else {
        None
    };
    // The neighbour below shows that less is not enough.
    if let Some(below) = answer.and_then(|answer| answer.checked_sub(1)) {
        look(below, &mut tried)?;
    }
    let points: Vec<Point> = tried.into_values().collect();
    let runs = points.iter().map(|point| point.runs).sum();
    Ok(Found { points, answer, earliest, runs })
}

/// Tries every one of some places.
///
/// # Errors
/// Those of `run`.
pub fn try_all<E>(
    goal: &Goal,
    places: impl IntoIterator<Item = usize>,
    mut run: impl FnMut(usize, u64, u64) -> Result<Vec<Value>, E>,
) -> Result<Vec<Point>, E> {
    places.into_iter().map(|place| try_place(goal, place, &mut run)).collect()
}

fn try_place<E>(
    goal: &Goal,
    place: usize,
    run: &mut impl FnMut(usize, u64, u64) -> Result<Vec<Value>, E>,
) -> Result<Point, E> {
    let mut trial = goal.trial();
    let mut looks = goal.looks().into_iter().peekable();
    loop {
        let look = looks.next().unwrap_or(goal.most_runs);
        for summary in run(place, trial.runs, look)? {
            trial.add(goal, &summary);
        }
        let point = goal.judge(place, &trial);
        if point.verdict != Verdict::Unsure || looks.peek().is_none() {
            return Ok(point);
        }
    }
}

/// The first place from `low` to `high` of which it is true; it is true of `high`.
fn first<E>(mut low: usize, mut high: usize, mut is: impl FnMut(usize) -> Result<bool, E>) -> Result<usize, E> {
    while low < high {
        let middle = low + (high - low) / 2;
        if is(middle)? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A number that falls with the place, with chance of the given size that has no mean over four runs.
    fn find(goal: &str, chance: f64, values: usize, most: u64) -> Found {
        let goal = Goal::new(&[goal.to_owned()], Confidence::USUAL, most);
        let run = |place: usize, from: u64, to: u64| {
            let value = |replica: u64| 100.0 - place as f64 + chance * [1.0, -1.0, -1.0, 1.0][(replica % 4) as usize];
            Ok::<_, ()>(
                (from..to).map(|replica| json!({ "events": value(replica), "cost": { "total_usd": 1 } })).collect(),
            )
        };
        search(&goal, values, run).unwrap()
    }

    #[test]
    fn without_chance_the_answer_is_exact() {
        for (goal, answer) in [
            ("events <= 40", Some(60)),
            ("events < 40", Some(61)),
            ("events <= 100", Some(0)),
            ("events <= 0", Some(100)),
            ("events < 0", None),
            ("events == 0", Some(100)),
        ] {
            let found = find(goal, 0.0, 101, 20);
            assert_eq!((found.answer, found.earliest), (answer, answer), "{goal}");
            assert!(found.points.len() <= 15 && found.is_monotone(), "{goal}: {}", found.points.len());
        }
    }

    #[test]
    fn with_chance_there_is_an_interval() {
        let found = find("events <= 40.5", 8.0, 101, 20);
        let (earliest, answer) = (found.earliest.unwrap(), found.answer.unwrap());
        assert!(earliest < 60 && 60 < answer && answer < 70, "{earliest} {answer}");
        let more = find("events <= 40.5", 8.0, 101, 640);
        assert!(more.answer.unwrap() - more.earliest.unwrap() < answer - earliest);
        assert!(more.point(0).is_none() || more.point(0).unwrap().runs < 640);
    }

    #[test]
    fn a_margin_is_a_share_of_the_bound() {
        let found = find("events <= 40", 0.0, 101, 20);
        let (judged, margin) = found.point(61).or(found.point(60)).unwrap().tightest().unwrap();
        assert_eq!(judged.expression, "events <= 40");
        assert!((0.0..0.03).contains(&margin), "{margin}");
    }

    #[test]
    fn what_is_not_monotone_is_seen() {
        let mut found = find("events <= 40", 0.0, 101, 20);
        let last = found.points.len() - 1;
        found.points[last].verdict = Verdict::Missed;
        assert!(!found.is_monotone());
    }
}
