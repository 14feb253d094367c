//! Several runs put together: intervals hold the truth as often as they say, and joining is nothing but means.

use std::path::Path;

use lambdasim::run::run_over_time;
use lambdasim::scenario::Scenario;
use lambdasim::stats::series::Interval;
use lambdasim::stats::summary::Summary;
use lambdasim::study::compare::Pairs;
use lambdasim::study::estimate::Confidence;
use lambdasim::study::replicas::{Joined, Replicas};
use lambdasim::study::seed;
use serde_json::Value;

use crate::common::{near, number, scenario_in};

/// Two calls in service on average.
const SHOP: &str = "name: shop
duration: 2m
functions: { f: { duration: { exponential: { mean: 100ms } } } }
callers: { c: { target: f, arrivals: { poisson: 20/s } } }
";

/// Calls for so long at 20/s, of exponential durations with a mean of 100 ms, and no limit that matters.
fn shop(duration: &str) -> Scenario {
    let yaml = format!(
        "name: shop
duration: {duration}
warmup: 1s
functions: {{ f: {{ duration: {{ exponential: {{ mean: 100ms }} }} }} }}
callers: {{ c: {{ target: f, arrivals: {{ poisson: 20/s }} }} }}
expect: [ \"functions.f.concurrent_executions.mean <= 2\" ]
"
    );
    scenario_in(Path::new("."), &yaml, &[])
}

fn joined(scenario: &Scenario, first: u64, runs: u64) -> Joined {
    let mut replicas = Replicas::new();
    for replica in 0..runs {
        let scenario = Scenario { seed: seed(first, replica), ..scenario.clone() };
        let (summary, series, ()) = run_over_time(&scenario, Interval::Automatic, (), |_| true).unwrap();
        replicas.add(&summary, Some(&series));
    }
    replicas.finish(Confidence::USUAL).unwrap()
}

/// M/G/infinity: the mean number in service is the rate times the mean duration, 2. Of 200 intervals of 10 runs each,
/// about 95 % must hold it: with a standard deviation of 1.54 %, between 90 % and 99 % of them.
#[test]
fn an_interval_of_95_percent_holds_the_truth_in_95_percent() {
    let scenario = shop("31s");
    let holds = |repetition: u64| {
        let joined = joined(&scenario, 1_000 * repetition, 10);
        let estimate = joined.estimate("functions.f.concurrent_executions.mean").unwrap();
        estimate.low.unwrap() <= 2.0 && 2.0 <= estimate.high.unwrap()
    };
    let held = (0..200).filter(|repetition| holds(*repetition)).count();
    assert!((180..=198).contains(&held), "{held} of 200");
}

/// One more server for a busy function: the interval of what that changes is several times narrower if both variants see the
/// same calls than if they see others.
#[test]
fn common_random_numbers_shorten_the_interval_of_a_difference() {
    let variant = |servers: u32, first: u64| -> Vec<Summary> {
        let set = [format!("functions.f.reserved_concurrency={servers}")];
        let scenario = scenario_in(Path::new("."), SHOP, &set);
        let run = |replica| lambdasim::run::run(&Scenario { seed: seed(first, replica), ..scenario.clone() }).unwrap();
        (0..20).map(run).collect()
    };
    let half_width = |a: &[Summary], b: &[Summary], path: &str| {
        let mut pairs = Pairs::new();
        a.iter().zip(b).for_each(|(a, b)| pairs.add([a, b]));
        let row = pairs.finish(Confidence::USUAL).unwrap().row(path).unwrap().clone();
        (row.high.unwrap() - row.low.unwrap()) / 2.0
    };
    let (a, b, others) = (variant(4, 1), variant(5, 1), variant(5, 1_001));
    for (path, factor) in [
        ("callers.c.throttled", 1.2),
        ("callers.c.succeeded", 10.0),
        ("callers.c.latency_ms.mean", 1.2),
        ("functions.f.concurrent_executions.mean", 5.0),
        ("cost.total_usd", 10.0),
    ] {
        let (paired, apart) = (half_width(&a, &b, path), half_width(&a, &others, path));
        println!("{path}: {:.2}", apart / paired);
        assert!(apart > factor * paired, "{path}: {apart} and {paired}");
    }
}

#[test]
fn numbers_are_means_and_distributions_are_merged() {
    let scenario = shop("20s");
    let single: Vec<Value> = (0..3)
        .map(|replica| {
            let scenario = Scenario { seed: seed(scenario.seed, replica), ..scenario.clone() };
            lambdasim::run::run(&scenario).unwrap().to_json()
        })
        .collect();
    let joined = joined(&scenario, scenario.seed, 3);
    let all = joined.to_json();
    for path in
        ["callers.c.submitted", "callers.c.latency_ms.p99", "account.concurrent_executions.mean", "cost.total_usd"]
    {
        let mean = single.iter().map(|run| number(run, path)).sum::<f64>() / 3.0;
        near(path, number(&all, path), mean, 1e-12 * mean);
        near(path, joined.estimate(path).unwrap().mean, mean, 1e-12 * mean);
    }
    let merged = &all["replicas"]["merged"]["callers.c.latency_ms"];
    let total: f64 = single.iter().map(|run| number(run, "callers.c.latency_ms.count")).sum();
    assert_eq!(merged["count"].as_f64(), Some(total));
    let largest = single.iter().map(|run| number(run, "callers.c.latency_ms.max")).fold(0.0, f64::max);
    assert_eq!(merged["max"].as_f64(), Some(largest));
    assert_eq!(all["digest"].as_str().unwrap().len(), 16);
    assert_eq!(all["replicas"]["digests"][2], single[2]["digest"]);
    // Of three runs around a mean of 2, some are above.
    let passed = single.iter().filter(|run| run["expectations"][0]["pass"] == true).count() as u64;
    assert_eq!(all["expectations"][0]["passed_runs"], passed);
    assert_eq!(all["expectations"][0]["pass"], passed == 3);
}

#[test]
fn figures_over_time_are_means_too() {
    let joined = joined(&shop("20s"), 1, 4);
    let submitted = joined.series.metrics.iter().find(|metric| metric.name == "callers.c.submitted").unwrap();
    assert_eq!(submitted.values.len(), joined.series.intervals.len());
    let sum: f64 = submitted.values.iter().flatten().sum();
    near("submitted", sum, joined.estimate("callers.c.submitted").unwrap().mean, 1e-9);
}
