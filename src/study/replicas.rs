//! Runs of one scenario with different seeds, put together in the order of their seeds.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::estimate::{Confidence, Estimate};
use super::metrics::Metrics;
use crate::expect::{Unit, whole_as_integer};
use crate::kernel::time::SimTime;
use crate::stats::curve::Curve;
use crate::stats::series::{Metric, TimeSeries};
use crate::stats::summary::{ScenarioInfo, Summary};

/// Takes runs in the order of their seeds, and keeps what they come to together.
#[derive(Clone, Debug, Default)]
pub struct Replicas {
    scenario: Option<ScenarioInfo>,
    /// Every key that some run had, in the order of a summary.
    shape: Value,
    metrics: Metrics,
    curves: Vec<(String, Curve)>,
    series: Together,
    expectations: Vec<Judged>,
    seeds: Vec<u64>,
    digests: Vec<String>,
    conserved: bool,
}

/// What several runs say about one expectation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    /// As it was written.
    pub expression: String,
    /// Mean of the left side over the runs that have one.
    #[serde(serialize_with = "whole_as_integer")]
    pub actual: Option<f64>,
    /// Whether it holds in every run.
    pub pass: bool,
    /// In how many it holds.
    pub passed_runs: u64,
    /// What the sides measure, for people.
    #[serde(skip)]
    pub unit: Unit,
    /// The right side of the last run, for people.
    #[serde(skip)]
    pub bound: Option<f64>,
    #[serde(skip)]
    values: u64,
}

/// What the runs come to together.
#[derive(Clone, Debug)]
pub struct Joined {
    /// What was simulated.
    pub scenario: ScenarioInfo,
    /// Seeds of the runs.
    pub seeds: Vec<u64>,
    /// Digests of the runs.
    pub digests: Vec<String>,
    /// How sure the intervals are.
    pub confidence: Confidence,
    /// Every number that some run has, in the order of the summary.
    pub estimates: Vec<(String, Estimate)>,
    /// Distributions of times over all runs, as if they were one.
    pub curves: Vec<(String, Curve)>,
    /// Means of the intervals of virtual time.
    pub series: TimeSeries,
    /// What the scenario expects.
    pub expectations: Vec<Judged>,
    /// Whether conservation holds in every run.
    pub conserved: bool,
    shape: Value,
}

impl Replicas {
    /// Without runs.
    pub fn new() -> Self {
        Self { conserved: true, ..Self::default() }
    }

    /// The next run.
    pub fn add(&mut self, summary: &Summary, series: Option<&TimeSeries>) {
        let value = summary.to_json();
        self.metrics.add(&value);
        adopt(&mut self.shape, value);
        for (path, curve) in summary.curves() {
            match self.curves.iter_mut().find(|(of, _)| *of == path) {
                Some((_, sum)) => sum.add(curve),
                None => self.curves.push((path, curve.clone())),
            }
        }
        if let Some(series) = series {
            self.series.add(series);
        }
        self.judge(summary);
        self.seeds.push(summary.seed);
        self.digests.push(summary.digest.clone());
        self.conserved &= summary.conservation.holds;
        self.scenario.get_or_insert_with(|| summary.scenario.clone());
    }

    fn judge(&mut self, summary: &Summary) {
        for (place, judgement) in summary.expectations.iter().enumerate() {
            if place == self.expectations.len() {
                let expression = judgement.expression.clone();
                let (unit, bound) = (judgement.unit, judgement.bound);
                self.expectations.push(Judged {
                    expression,
                    actual: None,
                    pass: true,
                    passed_runs: 0,
                    unit,
                    bound,
                    values: 0,
                });
            }
            let judged = &mut self.expectations[place];
            judged.pass &= judgement.pass;
            judged.passed_runs += u64::from(judgement.pass);
            judged.bound = judgement.bound;
            if let Some(actual) = judgement.actual {
                judged.values += 1;
                let mean = judged.actual.unwrap_or(0.0);
                judged.actual = Some(mean + (actual - mean) / judged.values as f64);
            }
        }
    }

    /// Numbers so far.
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// What they come to; `None` without runs.
    pub fn finish(self, confidence: Confidence) -> Option<Joined> {
        let Self { scenario, shape, metrics, curves, series, expectations, seeds, digests, conserved } = self;
        let estimates =
            metrics.iter().filter_map(|(path, moments)| Some((path.to_owned(), moments.estimate(confidence)?)));
        let mut joined = Joined {
            scenario: scenario?,
            seeds,
            digests,
            confidence,
            estimates: estimates.collect(),
            curves,
            series: series.finish(),
            expectations,
            conserved,
            shape,
        };
        joined.put_in_order();
        Some(joined)
    }
}

impl Joined {
    /// How many runs.
    pub const fn runs(&self) -> usize {
        self.seeds.len()
    }

    /// Whether everything holds that the scenario expects and that every run promises, in every run.
    pub fn holds(&self) -> bool {
        self.conserved && self.expectations.iter().all(|judged| judged.pass)
    }

    /// What the runs say about the number at a path; `None` where no run has a value.
    pub fn estimate(&self, path: &str) -> Option<&Estimate> {
        self.estimates.iter().find(|(of, _)| of == path).map(|(_, estimate)| estimate)
    }

    /// Keys that only a later run had stand where a summary has them.
    fn put_in_order(&mut self) {
        let mut order = Vec::new();
        super::metrics::numbers(&self.shape, &mut |path, _| order.push(path.to_owned()));
        let place: BTreeMap<&str, usize> =
            order.iter().enumerate().map(|(place, path)| (path.as_str(), place)).collect();
        self.estimates.sort_by_key(|(path, _)| place.get(path.as_str()).copied());
    }

    /// A hash over the digests of the runs, 16 hex digits.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for digest in &self.digests {
            hash.update(digest);
        }
        let first = hash.finalize().iter().take(8).fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
        format!("{first:016x}")
    }

    /// The summary of all runs: every number is the mean over the runs that have one; in `replicas`, how well it is
    /// known, and the distributions of all runs together.
    pub fn to_json(&self) -> Value {
        let mut summary = self.shape.clone();
        let mut estimates = self.estimates.iter();
        let mut next = estimates.next();
        fill(&mut summary, &mut String::new(), &mut |path| {
            let (_, estimate) = next.filter(|(of, _)| of == path)?;
            next = estimates.next();
            Some(number(estimate.mean))
        });
        summary["seed"] = json!(self.seeds[0]);
        summary["digest"] = json!(self.digest());
        summary["expectations"] = json!(self.expectations);
        summary["conservation"]["holds"] = json!(self.conserved);
        let intervals: Map<String, Value> =
            self.estimates.iter().map(|(path, estimate)| (path.clone(), json!(estimate))).collect();
        let merged: Map<String, Value> =
            self.curves.iter().map(|(path, curve)| (path.clone(), json!(curve.figures()))).collect();
        summary["replicas"] = json!({
            "runs": self.runs(),
            "confidence": self.confidence.share(),
            "seeds": self.seeds,
            "digests": self.digests,
            "intervals": intervals,
            "merged": merged,
        });
        summary
    }
}

/// A count prints as `12`, not as `12.0`.
fn number(value: f64) -> Value {
    whole_as_integer(&Some(value), serde_json::value::Serializer).unwrap_or(Value::Null)
}

/// Takes over the keys that are new; a number stands for a null.
fn adopt(shape: &mut Value, value: Value) {
    match (shape, value) {
        (Value::Object(shape), Value::Object(value)) => {
            for (key, value) in value {
                match shape.get_mut(&key) {
                    Some(known) => adopt(known, value),
                    None => {
                        shape.insert(key, value);
                    }
                }
            }
        }
        (Value::Array(shape), Value::Array(value)) => {
            for (place, value) in value.into_iter().enumerate() {
                match shape.get_mut(place) {
                    Some(known) => adopt(known, value),
                    None => shape.push(value),
                }
            }
        }
        (shape @ Value::Null, value) => *shape = value,
        _ => {}
    }
}

/// Puts other numbers in the places of those of a summary.
fn fill(summary: &mut Value, path: &mut String, mean: &mut impl FnMut(&str) -> Option<Value>) {
    let length = path.len();
    match summary {
        Value::Object(map) => {
            for (key, value) in map {
                if length > 0 {
                    path.push('.');
                }
                path.push_str(key);
                fill(value, path, mean);
                path.truncate(length);
            }
        }
        Value::Array(rows) => {
            for (index, value) in rows.iter_mut().enumerate() {
                let _ = write!(path, "[{index}]");
                fill(value, path, mean);
                path.truncate(length);
            }
        }
        Value::Number(_) => {
            if let Some(mean) = mean(path) {
                *summary = mean;
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// Intervals of virtual time, run by run.
#[derive(Clone, Debug, Default)]
struct Together {
    runs: u64,
    intervals: Vec<(SimTime, SimTime)>,
    metrics: Vec<Sums>,
}

#[derive(Clone, Debug)]
struct Sums {
    name: String,
    absent: Option<f64>,
    /// Sum and number of values in each interval.
    values: Vec<(f64, u64)>,
}

impl Together {
    fn add(&mut self, series: &TimeSeries) {
        self.runs += 1;
        for (place, interval) in series.intervals.iter().enumerate() {
            match self.intervals.get_mut(place) {
                Some(known) => known.1 = known.1.max(interval.1),
                None => self.intervals.push(*interval),
            }
        }
        for Metric { name, absent, values } in &series.metrics {
            let place = self.metrics.iter().position(|sums| sums.name == *name).unwrap_or_else(|| {
                self.metrics.push(Sums { name: name.clone(), absent: *absent, values: Vec::new() });
                self.metrics.len() - 1
            });
            let sums = &mut self.metrics[place].values;
            sums.resize(sums.len().max(values.len()), (0.0, 0));
            for (sum, value) in sums.iter_mut().zip(values) {
                if let Some(value) = value {
                    *sum = (sum.0 + value, sum.1 + 1);
                }
            }
        }
    }

    fn finish(self) -> TimeSeries {
        let Self { runs, intervals, metrics } = self;
        let metric = |Sums { name, absent, mut values }: Sums| {
            values.resize(intervals.len(), (0.0, 0));
            let mean = |(sum, count): (f64, u64)| {
                let (sum, count) = match absent {
                    // A run without it, or that was over, had nothing of it.
                    Some(absent) => (sum + absent * (runs - count) as f64, runs),
                    None => (sum, count),
                };
                (count > 0).then(|| sum / count as f64)
            };
            Metric { name, absent, values: values.into_iter().map(mean).collect() }
        };
        TimeSeries { metrics: metrics.into_iter().map(metric).collect(), intervals }
    }
}
