//! Figures over time: they are those of the summary, cut into intervals, and cutting changes nothing.

use std::collections::BTreeMap;

use lambdasim::kernel::time::SimDuration;
use lambdasim::run::{run, run_over_time};
use lambdasim::scenario::Scenario;
use lambdasim::stats::series::{Interval, TimeSeries};
use lambdasim::stats::summary::Summary;
use serde_json::Value;

use crate::common::near;
use crate::determinism::{load, shipped};

/// The value at a path; names of the shipped scenarios have no dots.
fn at<'a>(summary: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(summary, |value, key| &value[key])
}

fn number(summary: &Value, path: &str) -> f64 {
    at(summary, path).as_f64().unwrap_or_else(|| panic!("{path}: {}", at(summary, path)))
}

/// Every figure over time, put together again, is the summary's.
fn adds_up(name: &str, summary: &Value, series: &TimeSeries) {
    let lengths: Vec<f64> = series.intervals.iter().map(|(start, end)| end.since(*start).as_nanos() as f64).collect();
    let by_name: BTreeMap<&str, &[Option<f64>]> =
        series.metrics.iter().map(|metric| (metric.name.as_str(), metric.values.as_slice())).collect();
    let weighted = |values: &[Option<f64>], weights: &[f64]| {
        let sum: f64 = values.iter().zip(weights).map(|(value, weight)| value.unwrap_or(0.0) * weight).sum();
        sum / weights.iter().sum::<f64>()
    };
    for (&metric, &values) in &by_name {
        assert_eq!(values.len(), lengths.len(), "{name}: {metric}");
        let what = format!("{name}: {metric}");
        let (parent, key) = metric.rsplit_once('.').unwrap();
        let counts = by_name.get(format!("{parent}.count").as_str());
        let last = values.last().copied().flatten();
        let highest = values.iter().flatten().copied().fold(f64::MIN, f64::max);
        match key {
            // Ratios of an interval do not add up, and quantiles neither.
            "load_factor" | "p50" | "p90" | "p99" => {}
            "mean" if at(summary, parent).get("last").is_some() => {
                let mean = number(summary, metric);
                near(&what, weighted(values, &lengths), mean, 1e-9 * mean);
            }
            "mean" => {
                let counts: Vec<f64> = counts.unwrap().iter().flatten().copied().collect();
                let values: Vec<_> = values.iter().flatten().map(|value| Some(*value)).collect();
                let mean = number(summary, metric);
                near(&what, weighted(&values, &counts), mean, 1e-9 * mean);
            }
            "max" if counts.is_some() => {
                let max = number(summary, metric);
                near(&what, highest, max, 0.01 * max);
            }
            "max" => near(&what, highest, number(summary, metric), 0.0),
            "last" | "unfinished" | "async_events_pending" => near(&what, last.unwrap(), number(summary, metric), 0.0),
            "goodput_per_s" => {
                let mean = number(summary, metric);
                near(&what, weighted(values, &lengths), mean, 1e-9 * mean);
            }
            _ => near(&what, values.iter().flatten().sum(), number(summary, metric), 0.0),
        }
    }
}

fn check(name: &str, scenario: &Scenario, plain: &Summary, interval: Interval) {
    let (summary, series, ()) = run_over_time(scenario, interval, (), |_| true).unwrap();
    assert!(*plain == summary, "{name}: intervals change the summary");
    let json = summary.to_json();
    let ms = |ms: f64| ms * 1e6;
    let (first, last) = (series.intervals.first().unwrap(), series.intervals.last().unwrap());
    near("start", first.0.as_nanos() as f64, ms(summary.window.warmup_ms), 0.0);
    near("end", last.1.as_nanos() as f64, ms(summary.window.ended_ms), 1.0);
    assert!(series.intervals.is_sorted_by(|a, b| a.1 == b.0), "{name}: intervals do not follow on each other");
    adds_up(name, &json, &series);
}

/// All of them with the usual intervals; those that do not take long with odd ones too.
#[test]
fn figures_of_shipped_scenarios_add_up() {
    for file in shipped() {
        let scenario = load(&file);
        let plain = run(&scenario).unwrap();
        check(&scenario.name, &scenario, &plain, Interval::Automatic);
        if plain.events < 1_000_000 {
            let odd = SimDuration::from_nanos(scenario.duration.as_nanos() / 77 + 7);
            check(&scenario.name, &scenario, &plain, Interval::Every(odd));
        }
    }
}
