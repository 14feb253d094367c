//! Causes of failed runs (contract, `failures`; INV-E6..E8): every field by itself and together.

use lambdasim::aws::fact::RunOutcome;

use crate::common::{Facts, SeenRun, check_run, near, number, same, simulate};

/// Runs of a function with these failures and one caller.
fn runs(failures: &str, caller: &str) -> Vec<SeenRun> {
    Facts::of(&format!(
        "duration: 1h
functions: {{ f: {{ duration: 1s, timeout: 3s, failures: [{failures}] }} }}
callers: {{ c: {{ target: f, {caller} }} }}"
    ))
    .runs()
}

/// Submissions and runs that failed.
fn failed(runs: &[SeenRun]) -> Vec<(u64, u32)> {
    runs.iter().filter(|run| run.ended().outcome != RunOutcome::Success).map(|run| (run.submission, run.run)).collect()
}

/// Tries three times in all, at once, whatever happens.
const STUBBORN: &str = "client: { retry: { max_attempts: 3, base: 0s }, retry_on: [any] }";

/// `probability` is judged once a run: the share that it names fails, and a retry is judged anew.
#[test]
fn probability_is_judged_once_a_run() {
    for (probability, share) in [("0%", 0.0), ("10%", 0.1), ("0.5", 0.5), ("100%", 1.0)] {
        let seen =
            runs(&format!("{{ probability: {probability} }}"), "arrivals: { constant: 2/s }, client: { retry: none }");
        assert_eq!(seen.len(), 7_200);
        // Five standard deviations of a binomial share.
        let tolerance = 5.0 * (share * (1.0 - share) / 7_200.0_f64).sqrt();
        near(probability, failed(&seen).len() as f64 / 7_200.0, share, tolerance);
    }
    let seen = runs("{ probability: 50% }", &format!("arrivals: {{ constant: 1/s }}, {STUBBORN}"));
    let second: Vec<_> = seen.iter().filter(|run| run.run == 2).collect();
    let again = second.iter().filter(|run| run.ended().outcome == RunOutcome::Error).count();
    // Of those who failed once (mean 1,800) one half fails again: 900, standard deviation at most 21.3 given the rest.
    near("second", again as f64 / second.len() as f64, 0.5, 5.0 * 0.5 / (second.len() as f64).sqrt());
}

/// `poison` is a property of the event: it holds at every attempt.
#[test]
fn poison_is_the_same_at_every_attempt() {
    let seen = runs("{ poison: 20% }", &format!("arrivals: {{ constant: 1/s }}, {STUBBORN}"));
    let failed = failed(&seen);
    let poisoned: Vec<_> = failed.iter().filter(|(_, run)| *run == 1).map(|(submission, _)| *submission).collect();
    // 3,600 events: standard deviation 24.
    near("poisoned", poisoned.len() as f64, 720.0, 120.0);
    for run in [2, 3] {
        let again: Vec<_> = failed.iter().filter(|other| other.1 == run).map(|(submission, _)| *submission).collect();
        let mut sorted = again.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, poisoned, "run {run}");
    }
}

/// `first_attempts`, `attempts` and `events`: which runs of which events fail, exactly.
#[test]
fn chosen_runs_and_events_fail() {
    let rows: [(&str, &[(u64, u32)]); 9] = [
        ("first_attempts: 1", &[(1, 1), (2, 1), (3, 1)]),
        ("first_attempts: 2", &[(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)]),
        ("attempts: [2]", &[]),
        ("attempts: [1, 3]", &[(1, 1), (2, 1), (3, 1)]),
        ("events: [2]", &[(2, 1), (2, 2), (2, 3)]),
        ("events: [1, 3], first_attempts: 1", &[(1, 1), (3, 1)]),
        ("events: [c#3], attempts: [1]", &[(3, 1)]),
        ("events: [2], attempts: [1, 2]", &[(2, 1), (2, 2)]),
        ("probability: 0%, events: [2]", &[]),
    ];
    for (failure, expected) in rows {
        let seen = runs(&format!("{{ {failure} }}"), &format!("arrivals: {{ at: [0s, 10s, 20s] }}, {STUBBORN}"));
        assert_eq!(failed(&seen), expected, "{failure}");
    }
}

/// An attempt that is throttled is no run: `first_attempts` counts runs of the handler.
#[test]
fn throttles_are_no_attempts() {
    let facts = Facts::of(
        "duration: 1m
functions: { f: { duration: 1s, reserved_concurrency: 1, failures: [{ first_attempts: 1, events: [c#1] }] } }
callers:
  blocker: { target: f, arrivals: { at: [0s] } }
  c:
    target: f
    arrivals: { at: [500ms] }
    client: { retry: { max_attempts: 4, base: 300ms, factor: 1, jitter: none }, retry_on: [any] }",
    );
    // Throttled at 500 and 800 ms, runs and fails from 1.1 s to 2.1 s, and succeeds from 2.4 s on.
    let seen: Vec<_> = facts.runs().into_iter().filter(|run| run.caller == 1).collect();
    let starts: Vec<_> = seen.iter().map(|run| (run.run, run.start, run.ended().outcome)).collect();
    assert_eq!(starts, [(1, 1_100.0, RunOutcome::Error), (2, 2_400.0, RunOutcome::Success)]);
}

/// `events: [4]` counts for each caller by itself, `shoppers#4` for that caller only.
#[test]
fn events_count_for_each_caller() {
    for (events, expected) in
        [("[2]", vec![(0, 2), (1, 2)]), ("[b#2]", vec![(1, 2)]), ("[a#1, 3]", vec![(0, 1), (0, 3), (1, 3)])]
    {
        let facts = Facts::of(&format!(
            "duration: 1m
functions: {{ f: {{ duration: 1s, failures: [{{ events: {events} }}] }} }}
callers:
  a: {{ target: f, arrivals: {{ at: [0s, 1s, 2s] }} }}
  b: {{ target: f, arrivals: {{ at: [500ms, 1500ms, 2500ms] }} }}"
        ));
        let mut failed: Vec<_> = facts
            .runs()
            .iter()
            .filter(|run| run.ended().outcome == RunOutcome::Error)
            .map(|run| (run.caller, run.submission))
            .collect();
        failed.sort_unstable();
        assert_eq!(failed, expected, "{events}");
    }
}

/// `from` and `until` look at the start of the run; the interval is half-open.
#[test]
fn windows_are_half_open() {
    let moments = "arrivals: { at: [9999ms, 10s, 15s, 19999ms, 20s, 21s] }, client: { retry: none }";
    for (window, expected) in [
        ("from: 10s, until: 20s", vec![2, 3, 4]),
        ("from: 10s", vec![2, 3, 4, 5, 6]),
        ("until: 20s", vec![1, 2, 3, 4]),
        ("probability: 100%, from: 20s, until: 20001ms", vec![5]),
    ] {
        let seen: Vec<_> = failed(&runs(&format!("{{ {window} }}"), moments)).iter().map(|(event, _)| *event).collect();
        assert_eq!(seen, expected, "{window}");
    }
}

/// `above_concurrency`: runs that start while more than so many are in flight, the run itself included.
#[test]
fn above_concurrency_counts_the_run_itself() {
    for (limit, errors) in [(0, 5.0), (2, 3.0), (4, 1.0), (5, 0.0)] {
        check_run(
            &format!("{limit}"),
            &format!(
                "duration: 1m
functions: {{ f: {{ duration: 1s, failures: [{{ above_concurrency: {limit} }}] }} }}
callers: {{ c: {{ target: f, arrivals: {{ burst: {{ size: 5 }} }} }} }}"
            ),
            &[("functions.f.errors", errors)],
        );
    }
}

/// `kind` and `after`: how a run fails and when. Milliseconds of Duration; whether the environment was reset.
#[test]
fn kinds_of_failure() {
    for (failure, duration, timeouts, resets) in [
        ("kind: error", 1_000.0, 0.0, 0.0),
        ("kind: error, after: 25%", 250.0, 0.0, 0.0),
        ("kind: error, after: 0%", 0.0, 0.0, 0.0),
        ("kind: crash", 1_000.0, 0.0, 1.0),
        ("kind: crash, after: 10%", 100.0, 0.0, 1.0),
        ("kind: timeout", 3_000.0, 1.0, 1.0),
        // A hanging run hangs until the time-out, whatever `after` says.
        ("kind: timeout, after: 10%", 3_000.0, 1.0, 1.0),
    ] {
        check_run(
            failure,
            &format!(
                "duration: 1m
functions: {{ f: {{ duration: 1s, timeout: 3s, failures: [{{ probability: 100%, {failure} }}] }} }}
callers: {{ c: {{ target: f, arrivals: {{ at: [0s] }} }} }}"
            ),
            &[
                ("functions.f.duration_ms.max", duration),
                ("functions.f.errors", 1.0),
                ("functions.f.timeouts", timeouts),
                ("functions.f.environments.reset", resets),
                ("callers.c.outcomes.function_error", 1.0),
                ("callers.c.attempts", 1.0),
            ],
        );
    }
}

/// Causes are independent of each other: two of 30 % and 50 % together hit 65 % of the runs.
#[test]
fn causes_are_independent() {
    let seen = runs(
        "{ probability: 30%, kind: crash, after: 0% }, { probability: 50%, after: 0% }",
        "arrivals: { constant: 2/s }, client: { retry: none }",
    );
    let count = |outcome| seen.iter().filter(|run| run.ended().outcome == outcome).count() as f64;
    // 7,200 runs; five standard deviations: 39, 40 (the second decides where the first does not: 0.7 x 0.5).
    near("first", count(RunOutcome::Crash), 2_160.0, 195.0);
    near("second", count(RunOutcome::Error), 2_520.0, 203.0);
}

/// An outage of the function by a change of settings, from a moment on and back.
#[test]
fn failures_can_change_while_it_runs() {
    let seen = Facts::of(
        "duration: 1m
functions: { f: { duration: 1s } }
callers: { c: { target: f, arrivals: { constant: 1/s } } }
changes:
  - { at: 20s, set: { functions.f.failures: [{ probability: 100% }] } }
  - { at: 30s, set: { functions.f.failures: [] } }",
    )
    .runs();
    let expected: Vec<(u64, u32)> = (21..=30).map(|event| (event, 1)).collect();
    assert_eq!(failed(&seen), expected);
}

/// What fails is seen by the caller as a function's error with status 200, and counts as an error of the function.
#[test]
fn failures_are_counted_once() {
    let summary = simulate(
        "duration: 10m
functions: { f: { duration: 500ms, failures: [{ probability: 20% }, { probability: 10%, kind: crash }, { poison: 5%, kind: timeout }] } }
callers: { c: { target: f, arrivals: { poisson: 5/s }, client: { retry: none } } }",
    );
    let get = |path: &str| number(&summary, path);
    assert!(same(get("functions.f.errors"), get("callers.c.failed")));
    assert!(same(get("callers.c.outcomes.function_error"), get("callers.c.failed")));
    assert!(same(get("callers.c.status_codes.200"), get("callers.c.submitted")));
    assert!(get("functions.f.timeouts") > 0.0 && get("functions.f.timeouts") < get("functions.f.errors"));
}
