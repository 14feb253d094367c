//! When there are enough runs: as soon as every number that one asked for is known well enough.

use super::estimate::Confidence;
use super::metrics::Metrics;
use crate::expect::Expectation;
use crate::scenario::Scenario;

/// Fewer runs than this say too little about how much runs differ.
pub const LEAST_RUNS: u64 = 5;

/// How well numbers shall be known.
#[derive(Clone, Debug, PartialEq)]
pub struct Precision {
    /// Half of an interval's width is at most this share of its mean.
    pub share: f64,
    /// How sure the intervals are.
    pub confidence: Confidence,
    /// Paths of the numbers.
    pub of: Vec<String>,
}

/// Distributions of times that are asked for where a scenario expects nothing.
const TIMES: [(&str, &str); 5] = [
    ("callers.", ".latency_ms"),
    ("functions.", ".async_latency_ms"),
    ("queues.", ".time_to_delete_ms"),
    ("event_source_mappings.", ".iterator_age_ms"),
    ("state_machines.", ".duration_ms"),
];

impl Precision {
    /// For the numbers that the scenario expects something of, or, where it expects nothing, the means and p99 of the
    /// times of callers, events, messages, records and executions.
    pub fn new(share: f64, confidence: Confidence, scenario: &Scenario) -> Self {
        let parsed = scenario.expectations.iter().filter_map(|text| Expectation::parse(text).ok());
        let mut of: Vec<String> = Vec::new();
        for path in parsed.flat_map(|expectation| expectation.paths()) {
            if !of.contains(&path) {
                of.push(path);
            }
        }
        Self { share, confidence, of }
    }

    /// The number that is known worst and not well enough, with half of its interval's width as a share of its mean.
    ///
    /// `None` if all are known well enough, and there are at least [`LEAST_RUNS`].
    pub fn lacks(&self, metrics: &Metrics) -> Option<(String, f64)> {
        let widest = self.widest(metrics);
        match widest {
            Some((path, width)) if width > self.share || metrics.runs() < LEAST_RUNS => Some((path, width)),
            None if metrics.runs() < LEAST_RUNS => Some((String::new(), f64::INFINITY)),
            Some(_) | None => None,
        }
    }

    fn widest(&self, metrics: &Metrics) -> Option<(String, f64)> {
        let mut widest: Option<(String, f64)> = None;
        let mut look = |path: &str| {
            let Some(moments) = metrics.get(path) else { return };
            let Some(half) = moments.half_width(self.confidence).filter(|half| *half > 0.0) else { return };
            let width = half / moments.mean().abs();
            if widest.as_ref().is_none_or(|(_, before)| width > *before) {
                widest = Some((path.to_owned(), width));
            }
        };
        if self.of.is_empty() {
            for (path, _) in metrics.iter() {
                let times = |(group, key): &(&str, &str)| {
                    let figure =
                        path.strip_prefix(group).and_then(|rest| rest.split_once(key)).map(|(_, figure)| figure);
                    matches!(figure, Some(".mean" | ".p99"))
                };
                if TIMES.iter().any(times) {
                    look(path);
                }
            }
        } else {
            self.of.iter().for_each(|path| look(path));
        }
        widest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn precision(share: f64, of: &[&str]) -> Precision {
        let of = of.iter().map(|&path| path.to_owned()).collect();
        Precision { share, confidence: Confidence::USUAL, of }
    }

    /// 99, 101, 99, 101, ..: half of the width is t(n - 1) s / sqrt(n), so 1.36 %, 1.15 %, 0.99 % and 0.89 % of the
    /// mean after 5 to 8 runs.
    #[test]
    fn the_widest_interval_decides() {
        let mut metrics = Metrics::default();
        let mut lacking = Vec::new();
        for run in 0..8 {
            let value = if run % 2 == 0 { 99 } else { 101 };
            let caller = json!({ "latency_ms": { "mean": value, "p99": 7 }, "failed": value * value });
            metrics.add(&json!({ "callers": { "c": caller } }));
            lacking.push([0.9, 0.011, 0.012].map(|share| precision(share, &[]).lacks(&metrics).is_some()));
        }
        let expected = [[false, true, true], [false, true, false], [false; 3], [false; 3]];
        assert_eq!(lacking, [[[true; 3]; 4], expected].concat());
        let widest =
            precision(0.001, &["callers.c.latency_ms.p99", "callers.c.failed", "callers.d.failed"]).lacks(&metrics);
        assert_eq!(widest.map(|(path, _)| path).as_deref(), Some("callers.c.failed"));
    }
}
