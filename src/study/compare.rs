//! Two variants under the same chance: what one changes against the other, number by number.
//!
//! Run n of both has the same seed, so that callers submit the same at the same moments, and an event draws the same
//! durations and failures (common random numbers). What is left of chance is in the differences of the pairs, and that
//! is much less than in the two means.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::divergence::Divergence;
use super::estimate::{Confidence, Estimate, Moments};
use super::metrics::numbers;
use crate::stats::histogram::milliseconds;
use crate::stats::summary::{ScenarioInfo, Summary};

/// Takes pairs of runs, one of each variant.
#[derive(Clone, Debug, Default)]
pub struct Pairs {
    rows: Vec<Row>,
    places: BTreeMap<String, usize>,
    /// `callers.shoppers`: what each side has.
    resources: [BTreeSet<String>; 2],
    expectations: [Vec<(String, u64)>; 2],
    scenarios: Vec<[ScenarioInfo; 2]>,
    seeds: Vec<u64>,
    conserved: bool,
}

#[derive(Clone, Debug)]
struct Row {
    path: String,
    sides: [Moments; 2],
    difference: Moments,
}

/// What is compared.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The variants.
    pub scenarios: [ScenarioInfo; 2],
    /// Seeds of the pairs.
    pub seeds: Vec<u64>,
    /// How sure the intervals are.
    pub confidence: Confidence,
    /// One for each number that a variant has.
    pub rows: Vec<Difference>,
    /// Expectations of the first variant, then those that only the second has.
    pub expectations: Vec<Expected>,
    /// Whether conservation holds in every run.
    pub conserved: bool,
    /// Where the runs of the first pair part; whoever puts the comparison together finds it.
    pub first_difference: Option<Divergence>,
}

/// An expectation, and in how many runs of each variant it holds; `None` for one that does not have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// As it was written.
    pub expression: String,
    /// In how many runs of the first variant it holds.
    pub passed_runs_a: Option<u64>,
    /// In how many runs of the second variant it holds.
    pub passed_runs_b: Option<u64>,
}

/// One number in both variants.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Its path.
    pub metric: String,
    /// Mean of the first variant; `None` where it has no value.
    pub a: Option<f64>,
    /// Mean of the second variant.
    pub b: Option<f64>,
    /// Mean of second minus first over the pairs in which both have a value.
    pub difference: Option<f64>,
    /// Where the interval of the difference begins.
    pub low: Option<f64>,
    /// Where it ends.
    pub high: Option<f64>,
    /// Pairs in which both have a value.
    pub runs: u64,
    /// What that means.
    pub verdict: Verdict,
}

/// What a difference means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The second variant is better.
    Better,
    /// The second variant is worse.
    Worse,
    /// The second variant has more of something that is neither good nor bad in itself.
    Higher,
    /// The second variant has less of it.
    Lower,
    /// The same number in every pair.
    Same,
    /// The interval holds 0: chance alone may have made the difference.
    NoDifferenceSeen,
    /// Only the first variant has such a thing.
    OnlyInA,
    /// Only the second variant has such a thing.
    OnlyInB,
}

/// Good or bad in itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    More,
    Less,
    Neither,
}

/// Keys of which one wants more.
const MORE: [&str; 9] = [
    "succeeded",
    "async_events_succeeded",
    "goodput_per_s",
    "success",
    "accepted",
    "served",
    "delivered",
    "on_success",
    "invoked_events",
];

/// Keys of which one wants less, with all that is below them.
const LESS: [&str; 58] = [
    "abandoned",
    "abandoned_ms",
    "abandoned_runs",
    "approximate_age_of_oldest_message_ms",
    "async_event_age_ms",
    "async_events_dropped",
    "async_events_dropped_by_condition",
    "async_events_pending",
    "async_latency_ms",
    "async_queue_time_ms",
    "async_retries",
    "async_throttle_retries",
    "billed_ms",
    "circuit_open",
    "client_timeouts",
    "cold_starts",
    "dead_letter_errors",
    "dead_letters",
    "delayed_transitions",
    "destination_delivery_failures",
    "drained_at_ms",
    "dropped_events",
    "duplicate_deliveries",
    "empty_polls",
    "empty_receives",
    "errors",
    "expired",
    "failed",
    "failed_invocations",
    "failed_invoke_events",
    "function_error",
    "init_failures",
    "iterator_age_ms",
    "latency_ms",
    "load_factor",
    "moved_to_dlq",
    "moved_to_dlq_without_invocation",
    "offset_lag",
    "oversized_records",
    "provisioned_concurrency_spillover_invocations",
    "read_throttles",
    "recovered_at_ms",
    "rejected",
    "retries",
    "retry_quota_exhausted",
    "runs_per_call",
    "runs_per_record",
    "service_error",
    "suppressed_inits",
    "throttled",
    "throttles",
    "throttles_by_reason",
    "time_to_delete_ms",
    "timed_out",
    "timeout",
    "timeouts",
    "wait_ms",
    "write_throttles",
];

fn wish(path: &str) -> Wish {
    // What counts how many there are of something is neither.
    if matches!(path.rsplit('.').next(), Some("count" | "left")) {
        return Wish::Neither;
    }
    if path.ends_with("_usd") {
        return Wish::Less;
    }
    // Names of resources are no keys.
    let keys = path.split('.').skip(if path.starts_with("account.") { 1 } else { 2 });
    for key in keys {
        if MORE.contains(&key) {
            return Wish::More;
        }
        if LESS.contains(&key) {
            return Wish::Less;
        }
    }
    Wish::Neither
}

impl Pairs {
    /// Without pairs.
    pub fn new() -> Self {
        Self { conserved: true, ..Self::default() }
    }

    /// The next pair: runs of both variants with one seed.
    pub fn add(&mut self, pair: [&Summary; 2]) {
        let mut values: Vec<[Option<Option<f64>>; 2]> = vec![[None, None]; self.rows.len()];
        for (side, summary) in pair.iter().enumerate() {
            numbers(&summary.to_json(), &mut |path, value| {
                let place = self.place(path);
                values.resize(self.rows.len(), [None, None]);
                values[place][side] = Some(value);
                self.resources[side].insert(resource(path).to_owned());
            });
            self.judge(side, summary);
            self.conserved &= summary.conservation.holds;
        }
        for (row, values) in self.rows.iter_mut().zip(values) {
            // What did not occur, such as a reason for throttles, was 0. Null is no value.
            let values = values.map(|value| value.unwrap_or(Some(0.0)));
            for (moments, value) in row.sides.iter_mut().zip(values) {
                if let Some(value) = value {
                    moments.add(value);
                }
            }
            if let [Some(a), Some(b)] = values {
                row.difference.add(b - a);
            }
        }
        self.seeds.push(pair[0].seed);
        if self.scenarios.is_empty() {
            self.scenarios.push(pair.map(|summary| summary.scenario.clone()));
        }
    }

    fn place(&mut self, path: &str) -> usize {
        if let Some(place) = self.places.get(path) {
            return *place;
        }
        let mut before = Moments::default();
        self.seeds.iter().for_each(|_| before.add(0.0));
        self.places.insert(path.to_owned(), self.rows.len());
        self.rows.push(Row { path: path.to_owned(), sides: [before; 2], difference: before });
        self.rows.len() - 1
    }

    fn judge(&mut self, side: usize, summary: &Summary) {
        for (place, judgement) in summary.expectations.iter().enumerate() {
            let known = &mut self.expectations[side];
            if place == known.len() {
                known.push((judgement.expression.clone(), 0));
            }
            known[place].1 += u64::from(judgement.pass);
        }
    }

    /// What the pairs say; `None` without any.
    pub fn finish(self, confidence: Confidence) -> Option<Comparison> {
        let Self { rows, resources, expectations, mut scenarios, seeds, conserved, .. } = self;
        let rows = rows.iter().map(|row| row.difference(&resources, confidence)).collect();
        let [a, b] = expectations;
        let of = |expression: &str| b.iter().find(|(other, _)| other == expression).map(|(_, passed)| *passed);
        let mut expected: Vec<Expected> = Vec::new();
        for (expression, passed) in &a {
            let (expression, passed_runs_b) = (expression.clone(), of(expression));
            expected.push(Expected { expression, passed_runs_a: Some(*passed), passed_runs_b });
        }
        for (expression, passed) in b.iter().filter(|(expression, _)| a.iter().all(|(other, _)| other != expression)) {
            let expression = expression.clone();
            expected.push(Expected { expression, passed_runs_a: None, passed_runs_b: Some(*passed) });
        }
        let scenarios = scenarios.pop()?;
        let first_difference = None;
        Some(Comparison { scenarios, seeds, confidence, rows, expectations: expected, conserved, first_difference })
    }
}

/// The thing that a number belongs to: `callers.shoppers`, `account`.
fn resource(path: &str) -> &str {
    let end = path.match_indices('.').nth(1).map_or(path.len(), |(at, _)| at);
    if path.starts_with("account.") { "account" } else { &path[..end] }
}

impl Row {
    fn difference(&self, resources: &[BTreeSet<String>; 2], confidence: Confidence) -> Difference {
        let [a, b] = [0, 1].map(|side: usize| {
            let there = resources[side].contains(resource(&self.path)) && self.sides[side].runs() > 0;
            there.then(|| self.sides[side].mean())
        });
        let estimate = self.difference.estimate(confidence).filter(|_| a.is_some() && b.is_some());
        let has = |side: usize| resources[side].contains(resource(&self.path));
        let verdict = match estimate {
            _ if !has(0) => Verdict::OnlyInB,
            _ if !has(1) => Verdict::OnlyInA,
            // Nothing of it in either.
            None if a.is_none() && b.is_none() => Verdict::Same,
            None => Verdict::NoDifferenceSeen,
            Some(estimate) => verdict(&self.path, &estimate),
        };
        Difference {
            metric: self.path.clone(),
            a,
            b,
            difference: estimate.map(|estimate| estimate.mean),
            low: estimate.and_then(|estimate| estimate.low),
            high: estimate.and_then(|estimate| estimate.high),
            runs: estimate.map_or(0, |estimate| estimate.runs),
            verdict,
        }
    }
}

fn verdict(path: &str, estimate: &Estimate) -> Verdict {
    let Estimate { mean, low, high, min, max, .. } = *estimate;
    if min == 0.0 && max == 0.0 {
        return Verdict::Same;
    }
    let differs = low.zip(high).is_some_and(|(low, high)| low > 0.0 || high < 0.0);
    match (differs, wish(path), mean > 0.0) {
        (false, _, _) => Verdict::NoDifferenceSeen,
        (true, Wish::More, true) | (true, Wish::Less, false) => Verdict::Better,
        (true, Wish::More, false) | (true, Wish::Less, true) => Verdict::Worse,
        (true, Wish::Neither, true) => Verdict::Higher,
        (true, Wish::Neither, false) => Verdict::Lower,
    }
}

impl Comparison {
    /// The difference at a path.
    pub fn row(&self, path: &str) -> Option<&Difference> {
        self.rows.iter().find(|row| row.metric == path)
    }

    /// Everything, as data.
    pub fn to_json(&self) -> Value {
        let first = self.first_difference.as_ref().map(|first| {
            let at = milliseconds(first.at().as_nanos());
            serde_json::json!({ "seed": self.seeds[0], "event": first.event, "at_ms": at, "sentence": first.sentence() })
        });
        serde_json::json!({
            "lambdasim": env!("CARGO_PKG_VERSION"),
            "a": self.scenarios[0],
            "b": self.scenarios[1],
            "replicas": self.seeds.len(),
            "seeds": self.seeds,
            "confidence": self.confidence.share(),
            "expectations": self.expectations,
            "first_difference": first,
            "rows": self.rows,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_wants_less_of() {
        for (path, expected) in [
            ("callers.c.latency_ms.p99", Wish::Less),
            ("callers.c.latency_ms.count", Wish::Neither),
            ("callers.errors.succeeded", Wish::More),
            ("callers.errors.submitted", Wish::Neither),
            ("functions.f.throttles_by_reason.ReservedFunctionConcurrentInvocationLimitExceeded", Wish::Less),
            ("functions.f.destination_deliveries.on_success", Wish::More),
            ("account.throttles", Wish::Less),
            ("cost.functions.f.total_usd", Wish::Less),
            ("account.concurrent_executions.max", Wish::Neither),
        ] {
            assert_eq!(wish(path), expected, "{path}");
        }
    }

    #[test]
    fn a_difference_must_be_larger_than_chance() {
        let estimate = |values: &[f64]| {
            let mut moments = Moments::default();
            for value in values {
                moments.add(*value);
            }
            moments.estimate(Confidence::USUAL).unwrap()
        };
        for (path, differences, expected) in [
            ("callers.c.failed", [3.0, 4.0, 5.0], Verdict::Worse),
            ("callers.c.failed", [-3.0, -4.0, -5.0], Verdict::Better),
            ("callers.c.succeeded", [3.0, 4.0, 5.0], Verdict::Better),
            ("callers.c.submitted", [3.0, 4.0, 5.0], Verdict::Higher),
            ("callers.c.submitted", [-1.0, -1.0, -1.0], Verdict::Lower),
            ("callers.c.failed", [-1.0, 3.0, 1.0], Verdict::NoDifferenceSeen),
            ("callers.c.failed", [0.0, 0.0, 0.0], Verdict::Same),
        ] {
            assert_eq!(verdict(path, &estimate(&differences)), expected, "{path} {differences:?}");
        }
        assert_eq!(verdict("callers.c.failed", &estimate(&[5.0])), Verdict::NoDifferenceSeen);
    }
}
