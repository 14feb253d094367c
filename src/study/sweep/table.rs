//! The table of a sweep: what the runs of each point say together.

use crate::expect::Expectation;
use crate::study::estimate::{Confidence, Estimate};
use crate::study::metrics::Metrics;

use super::Grid;
use super::record::{Outcome, Record};

/// A whole sweep.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// Which program made it.
    pub version: String,
    /// The scenario's name.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// SHA-256 of its file.
    pub sha256: String,
    /// The `--set` overrides of all points.
    pub overrides: Vec<String>,
    /// The first seed of each point.
    pub seed: u64,
    /// What is varied.
    pub grid: Grid,
    /// What the scenario expects.
    pub expectations: Vec<String>,
    /// How sure the intervals are.
    pub confidence: Confidence,
    /// In the order of the grid.
    pub points: Vec<Point>,
}

/// What the runs of a point say together.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Runs that came to their end.
    pub runs: u64,
    /// Runs that used up their event budget.
    pub failed_runs: u64,
    /// For each expectation, in how many runs it holds.
    pub passed_runs: Vec<u64>,
    /// In how many runs everything holds that the scenario expects.
    pub met_runs: u64,
    /// Whether conservation holds in every run.
    pub conserved: bool,
    /// Every number that some run has.
    pub estimates: Vec<(String, Estimate)>,
}

/// Takes the records of one point, in the order of their seeds.
#[derive(Clone, Debug, Default)]
pub struct Runs {
    metrics: Metrics,
    failed: u64,
    passed: Vec<u64>,
    met: u64,
    broken: u64,
}

impl Runs {
    /// The next run.
    pub fn add(&mut self, record: &Record) {
        match &record.outcome {
            Outcome::BudgetExhausted { .. } => self.failed += 1,
            Outcome::Run { conserved, passed, numbers } => {
                self.broken += u64::from(!conserved);
                self.met += u64::from(passed.iter().all(|pass| *pass));
                self.passed.resize(self.passed.len().max(passed.len()), 0);
                for (sum, pass) in self.passed.iter_mut().zip(passed) {
                    *sum += u64::from(*pass);
                }
                self.metrics.add_numbers(|visit| {
                    for (path, value) in numbers {
                        visit(path, value.as_f64());
                    }
                });
            }
        }
    }

    /// What they say together.
    pub fn finish(self, confidence: Confidence) -> Point {
        let Self { metrics, failed, passed, met, broken } = self;
        let estimates =
            metrics.iter().filter_map(|(path, moments)| Some((path.to_owned(), moments.estimate(confidence)?)));
        Point {
            runs: metrics.runs(),
            failed_runs: failed,
            passed_runs: passed,
            met_runs: met,
            conserved: broken == 0,
            estimates: estimates.collect(),
        }
    }
}

impl Point {
    /// Whether every run came to its end, and everything holds in each.
    pub fn meets(&self) -> bool {
        self.failed_runs == 0 && self.conserved && self.met_runs == self.runs
    }

    /// What the runs say about the number at a path; `None` where no run has a value.
    pub fn estimate(&self, path: &str) -> Option<&Estimate> {
        self.estimates.iter().find(|(of, _)| of == path).map(|(_, estimate)| estimate)
    }
}

/// Numbers that are shown where nobody asks for others: endings of paths in these groups, the most telling first.
const KEY_METRICS: [(&str, &str); 10] = [
    ("callers.", ".latency_ms.p99"),
    ("functions.", ".throttles"),
    ("callers.", ".failed"),
    ("functions.", ".async_events_dropped"),
    ("functions.", ".async_latency_ms.p99"),
    ("queues.", ".time_to_delete_ms.p99"),
    ("event_source_mappings.", ".iterator_age_ms.p99"),
    ("state_machines.", ".duration_ms.p99"),
    ("functions.", ".cold_starts"),
    ("cost.total_usd", ""),
];

impl Sweep {
    /// The first point at which everything holds that the scenario expects; `None` too where it expects nothing.
    pub fn first_that_meets(&self) -> Option<usize> {
        if self.expectations.is_empty() { None } else { self.points.iter().position(Point::meets) }
    }

    /// Where a number bends most along the only axis: the point that is farthest from the straight line between the first
    /// and the last, by at least a fifth of all that the number changes.
    pub fn knee(&self, path: &str) -> Option<usize> {
        let means = |point: &Point| point.estimate(path).map(|estimate| estimate.mean);
        let means: Vec<f64> = self.points.iter().map(means).collect::<Option<_>>()?;
        if self.grid.axes().len() != 1 || means.len() < 4 {
            return None;
        }
        let (first, last) = (means[0], means[means.len() - 1]);
        let lowest = means.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = means.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let steps = (means.len() - 1) as f64;
        let bend = |(place, mean): (usize, &f64)| {
            let straight = first + (last - first) * (place as f64 / steps);
            (place, (mean - straight).abs())
        };
        let most = means.iter().enumerate().map(bend).reduce(|most, next| if next.1 > most.1 { next } else { most });
        most.filter(|(_, bend)| *bend > (highest - lowest) / 5.0).map(|(place, _)| place)
    }

    /// The paths of the numbers that match a pattern, where `*` stands for any text.
    pub fn matching(&self, pattern: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for (path, _) in self.points.iter().flat_map(|point| &point.estimates) {
            if matches(pattern, path) && !found.contains(path) {
                found.push(path.clone());
            }
        }
        found
    }

    /// The numbers to show: those that the scenario expects something of, or else some that usually matter.
    pub fn telling(&self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let parsed = self.expectations.iter().filter_map(|text| Expectation::parse(text).ok());
        for path in parsed.flat_map(|expectation| expectation.paths()) {
            let known = self.points.iter().any(|point| point.estimate(&path).is_some());
            if known && !found.contains(&path) {
                found.push(path);
            }
        }
        if found.is_empty() {
            for (group, ending) in KEY_METRICS {
                found.extend(self.matching(&format!("{group}*{ending}")).into_iter().filter(|path| self.matters(path)));
            }
        }
        found
    }

    /// A number that is 0 at every point tells nothing.
    fn matters(&self, path: &str) -> bool {
        self.points.iter().filter_map(|point| point.estimate(path)).any(|estimate| estimate.max != 0.0)
    }
}

/// Whether a text is a pattern, in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::Axis;
    use super::*;
    use serde_json::{Map, json};

    fn record(passed: &[bool], value: u64) -> Record {
        let mut numbers = Map::new();
        numbers.insert("a.b".to_owned(), json!(value));
        let outcome = Outcome::Run { conserved: true, passed: passed.to_vec(), numbers };
        Record { task: 1, point: 1, seed: 1, digest: String::new(), outcome }
    }

    #[test]
    fn runs_of_a_point_come_together() {
        let mut runs = Runs::default();
        for (passed, value) in [([true, true], 1), ([true, false], 2), ([false, true], 6)] {
            runs.add(&record(&passed, value));
        }
        let point = runs.clone().finish(Confidence::USUAL);
        assert_eq!((point.runs, &*point.passed_runs, point.met_runs, point.meets()), (3, &[2, 2][..], 1, false));
        assert_eq!(point.estimate("a.b").map(|estimate| (estimate.mean, estimate.max)), Some((3.0, 6.0)));
        let outcome = Outcome::BudgetExhausted { events: 1, at_ns: 0, busy: Vec::new() };
        runs.add(&Record { outcome, ..record(&[], 0) });
        let point = runs.finish(Confidence::USUAL);
        assert_eq!((point.runs, point.failed_runs), (3, 1));
    }

    #[test]
    fn a_failed_run_meets_nothing() {
        let mut runs = Runs::default();
        runs.add(&record(&[true], 1));
        assert!(runs.clone().finish(Confidence::USUAL).meets());
        let outcome = Outcome::BudgetExhausted { events: 1, at_ns: 0, busy: Vec::new() };
        runs.add(&Record { outcome, ..record(&[], 0) });
        assert!(!runs.finish(Confidence::USUAL).meets());
    }

    #[test]
    fn a_knee_is_where_a_number_bends_most() {
        let knee = |values: &[u64]| {
            let axis = format!("a=1..{}", values.len());
            let point = |value: &u64| {
                let mut runs = Runs::default();
                runs.add(&record(&[], *value));
                runs.finish(Confidence::USUAL)
            };
            let sweep = Sweep {
                version: String::new(),
                name: String::new(),
                description: None,
                sha256: String::new(),
                overrides: Vec::new(),
                seed: 1,
                grid: Grid::new(vec![Axis::parse(&axis).unwrap()], 1).unwrap(),
                expectations: Vec::new(),
                confidence: Confidence::USUAL,
                points: values.iter().map(point).collect(),
            };
            sweep.knee("a.b")
        };
        assert_eq!(knee(&[100, 20, 10, 8, 6, 5]), Some(1));
        assert_eq!(knee(&[1, 1, 1, 2, 40, 90]), Some(3));
        assert_eq!(knee(&[10, 20, 30, 41, 50]), None);
        assert_eq!(knee(&[7, 7, 7, 7]), None);
        assert_eq!(knee(&[9, 1, 1]), None);
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("a.b", "a.b", true),
            ("a.b", "a.bc", false),
            ("a.*", "a.b.c", true),
            ("*.p99", "a.b.p99", true),
            ("*.p99", "a.b.p999", false),
            ("a.*.p99", "a.p99", false),
            ("a*b*c", "a-bb-c", true),
            ("*", "", true),
            ("a*a", "a", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
