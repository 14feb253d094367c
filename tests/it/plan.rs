//! The value that meets a goal: against the answers of queueing theory.

use std::path::Path;

use lambdasim::run::run;
use lambdasim::scenario::Scenario;
use lambdasim::study::estimate::Confidence;
use lambdasim::study::plan::{Found, Goal, Verdict, search};
use lambdasim::study::seed;

use crate::common::scenario_in;
use crate::theory::erlang_b;

const VALUES: usize = 60;

/// Calls of 100 ms at so many a second to a function with a limit from 1 to 60, of which at most 1 % may be lost.
fn find(rate: u32) -> Found {
    let scenario = |limit: usize| -> Scenario {
        let yaml = format!(
            "duration: 2m
warmup: 2s
functions: {{ f: {{ duration: {{ exponential: {{ mean: 100ms }} }}, reserved_concurrency: {limit} }} }}
callers: {{ c: {{ target: f, arrivals: {{ poisson: {rate}/s }}, client: {{ retry: none }} }} }}
expect: [ \"callers.c.throttled <= 1% * callers.c.submitted\" ]
"
        );
        scenario_in(Path::new("."), &yaml, &[])
    };
    let goal = Goal::new(&scenario(1).expectations, Confidence::USUAL, 40);
    let runs = |place: usize, from: u64, to: u64| {
        let scenario = scenario(place + 1);
        let one = |replica| {
            let scenario = Scenario { seed: seed(1, replica), ..scenario.clone() };
            run(&scenario).map(|summary| summary.to_json())
        };
        (from..to).map(one).collect::<Result<Vec<_>, _>>()
    };
    search(&goal, VALUES, runs).unwrap()
}

/// Erlang's loss formula says which limit is the first that loses at most 1 %: the interval holds it, and is narrow. A grid of all
/// limits with as many runs each would take 2,400.
#[test]
fn plan_finds_what_the_loss_formula_says() {
    for (rate, erlangs) in [(20, 2.0), (80, 8.0), (200, 20.0)] {
        let truth = (1..100).find(|servers| erlang_b(*servers, erlangs) <= 0.01).unwrap() as usize;
        let found = find(rate);
        let (low, high) = (found.earliest.unwrap() + 1, found.answer.unwrap() + 1);
        println!("{erlangs} erlangs: {truth}, found {low} to {high} in {} runs", found.runs);
        assert!(low <= truth && truth <= high && high - low <= 1, "{truth} is not from {low} to {high}");
        assert!(found.runs <= 400, "{} runs", found.runs);
        assert!(found.is_monotone());
        assert_eq!(found.point(high - 1).unwrap().verdict, Verdict::Met);
    }
}
