//! Same scenario and seed, same bytes (contract, section 4); common random numbers; equal times (section 5).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lambdasim::aws::fact::{Capacity, Fact, RunOutcome};
use lambdasim::aws::ids::Id;
use lambdasim::kernel::time::{SimDuration, SimTime};
use lambdasim::run;
use lambdasim::scenario::{self, Scenario};

use crate::common::{Facts, check_run, scenario, scenario_in};

/// The shipped scenario files, by name.
pub(crate) fn shipped() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// A shipped scenario.
pub(crate) fn load(path: &Path) -> Scenario {
    scenario::load(path, &[]).unwrap_or_else(|problems| panic!("{problems}")).scenario
}

/// A small scenario in which much is left to chance.
const RANDOM: &str = "duration: 3m
account: { concurrency_limit: 200 }
functions:
  f:
    duration: { lognormal: { median: 200ms, p99: 2s } }
    init: { gamma: { mean: 300ms, cv: 0.5 } }
    idle_timeout: { uniform: { min: 5s, max: 20s } }
    warm_selection: random
    failures: [{ probability: 5%, kind: crash }, { poison: 3% }]
    reserved_concurrency: 12
  g: { duration: { exponential: { mean: 1s } }, provisioned_concurrency: 3 }
  h:
    duration: { exponential: { mean: 300ms } }
    reserved_concurrency: 3
    failures: [{ probability: 20% }]
    async: { retry_jitter: full, backoff: { jitter: equal }, backpressure: { per: 20 }, duplicate_probability: 10%,
             on_failure: g, on_success: h, delivery: { delay: 1s, attempts: 2 } }
faults: [{ function: g, status: 500, probability: 5% }, { function: h, stage: dispatch, status: 429, probability: 10% }]
callers:
  a: { target: f, arrivals: { poisson: 25/s }, payload: { uniform: { min: 1KB, max: 7MB } }, client: { timeout: 1s } }
  b: { target: f, users: { count: 10, think: { exponential: { mean: 1s } } }, client: { retry: boto3_legacy } }
  c: { target: g, arrivals: { on_off: { on: { exponential: { mean: 2s } }, off: { exponential: { mean: 4s } }, rate: 10/s } } }
  d: { target: h, invocation: async, arrivals: { poisson: 1/s } }
";

#[test]
fn the_same_bytes_twice() {
    let json = |scenario: &Scenario| run::run(scenario).unwrap().to_json().to_string();
    let scenario = scenario(RANDOM);
    assert_eq!(json(&scenario), json(&scenario));
    let other = scenario_in(Path::new("."), RANDOM, &["seed=2".to_owned()]);
    let digest = |scenario: &Scenario| run::run(scenario).unwrap().digest;
    assert_ne!(digest(&scenario), digest(&other), "another seed is another run");
}

/// What listens does not change what happens.
#[test]
fn observers_change_nothing() {
    let scenario = scenario(RANDOM);
    let counted = Facts::of_scenario(&scenario).list.len();
    assert_eq!(counted, Facts::of_scenario(&scenario).list.len());
    let (first, second) = (run::run(&scenario).unwrap(), run::run(&scenario).unwrap());
    assert_eq!(first.digest, second.digest);
    // Stopping to say how far it has come does not either.
    let mut calls = 0;
    let told = run::run_with(&scenario, |_| {
        calls += 1;
        true
    });
    assert_eq!(told.unwrap().digest, first.digest);
}

/// The digest of every shipped scenario is as stored.
///
/// After a change that is meant to change results: `LAMBDASIM_RENEW=1 cargo test --test it golden`, read the
/// difference like code, and say why in the changelog.
#[test]
#[allow(clippy::disallowed_methods, reason = "asks whether to renew the stored digests")]
fn golden_digests() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden_digests.txt");
    let found: Vec<String> = shipped()
        .iter()
        .map(|file| {
            let digest = run::run(&load(file)).unwrap().digest;
            format!("{} {digest}", file.file_name().unwrap().to_string_lossy())
        })
        .collect();
    if std::env::var("LAMBDASIM_RENEW").is_ok() {
        std::fs::write(&path, found.join("\n") + "\n").unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    let stored: Vec<&str> = stored.lines().collect();
    let changed: Vec<_> = found.iter().filter(|line| !stored.contains(&line.as_str())).cloned().collect();
    let gone: Vec<_> = stored.iter().filter(|line| !found.iter().any(|found| found == *line)).collect();
    assert!(
        changed.is_empty() && gone.is_empty(),
        "digests differ.\nnow:    {changed:#?}\nstored: {gone:#?}\n\
         If results were meant to change: LAMBDASIM_RENEW=1 cargo test --test it golden"
    );
}

/// What must not move between variants, by caller's name and submission.
#[derive(Debug, Default, PartialEq)]
struct Numbers {
    /// Moments of submissions.
    arrivals: BTreeMap<(String, u64), SimTime>,
    /// Durations and outcomes of runs, by the branch of their event and their number.
    runs: BTreeMap<(String, u64, u32, u32), (SimDuration, RunOutcome)>,
}

fn numbers(yaml: &str) -> Numbers {
    let scenario = scenario(yaml);
    let name = |caller: lambdasim::aws::ids::CallerId| scenario.system.callers[caller].name.clone();
    let mut numbers = Numbers::default();
    for (now, fact) in &Facts::of_scenario(&scenario).list {
        match *fact {
            Fact::CallSubmitted { origin } => {
                assert!(origin.caller.index() < scenario.system.callers.len());
                numbers.arrivals.insert((name(origin.caller), origin.submission), *now);
            }
            Fact::RunEnded { origin, run, duration, suppressed_init, outcome, .. }
                // An Init inside the run belongs to the environment's history, not to the event.
                if suppressed_init.is_none() => {
                    let key = (name(origin.caller), origin.submission, origin.branch, run);
                    let before = numbers.runs.insert(key, (duration, outcome));
                    assert!(before.is_none_or(|before| before == (duration, outcome)), "a duplicate is the same run");
                }
            _ => {}
        }
    }
    numbers
}

/// Common random numbers: a variant moves no arrival, and an event's n-th run draws the same duration and fails the
/// same way in every variant.
#[test]
fn variants_share_their_random_numbers() {
    let base = "duration: 2m
functions:
  f: { duration: { lognormal: { median: 200ms, p99: 2s } }, init: { exponential: { mean: 200ms } }, timeout: 1m,
       reserved_concurrency: 10, failures: [{ poison: 10% }, { probability: 10%, after: 50% }] }
callers:
  a: { target: f, arrivals: { poisson: 20/s }, client: { retry: standard_2026, retry_on: [any] } }
  b: { target: f, arrivals: { on_off: { on: { exponential: { mean: 2s } }, off: 5s, rate: 20/s } }, client: { retry: none } }
";
    let extra = "  g: { duration: { exponential: { mean: 1s } }, init: 1s }\n";
    let variants = [
        ("retry policy", base.replace("standard_2026", "{ max_attempts: 6, base: 10ms, jitter: decorrelated }")),
        ("no retries", base.replace("standard_2026", "none")),
        ("limit", base.replace("reserved_concurrency: 10", "reserved_concurrency: 30")),
        ("no limit", base.replace("reserved_concurrency: 10,", "")),
        ("account", format!("account: {{ concurrency_limit: 500, scaling: off }}\n{base}")),
        (
            "provisioned",
            base.replace("reserved_concurrency: 10", "reserved_concurrency: 10, provisioned_concurrency: 5"),
        ),
        ("memory and Init", base.replace("init: { exponential: { mean: 200ms } }", "init: 5s, memory: 512MB")),
        (
            "idle limit",
            base.replace(
                "timeout: 1m,",
                "timeout: 1m, idle_timeout: { uniform: { min: 1s, max: 2s } }, warm_selection: random,",
            ),
        ),
        ("warm-up", format!("warmup: 1m\n{base}")),
        ("drain", format!("drain: 0s\n{base}")),
        ("prices", format!("prices: {{ free_tier: on }}\n{base}")),
        ("another function before", base.replace("functions:\n", &format!("functions:\n{extra}"))),
        ("another caller", format!("{base}  z: {{ target: f, arrivals: {{ poisson: 5/s }} }}\n")),
        (
            "another caller before",
            base.replace(
                "callers:\n",
                "callers:\n  z: { target: f, users: { count: 3, think: { exponential: { mean: 1s } } } }\n",
            ),
        ),
        ("a fault", format!("{base}faults: [{{ function: f, status: 500, probability: 30% }}]\n")),
        (
            "a change",
            format!(
                "{base}changes: [{{ at: 30s, set: {{ functions.f.reserved_concurrency: 3 }} }}, {{ at: 1m, deploy: f }}]\n"
            ),
        ),
        ("client's patience", base.replace("retry: none", "retry: none, timeout: 300ms, circuit_breaker: {}")),
        ("payload", base.replace("a: { target: f,", "a: { target: f, payload: { uniform: { min: 1KB, max: 7MB } },")),
    ];
    let reference = numbers(base);
    assert!(reference.arrivals.len() > 2_000 && reference.runs.len() > 2_000);
    for (case, variant) in variants {
        compare(case, base, &reference, &variant);
    }
}

/// Asserts that a variant moves no arrival and has the same runs, where both have them.
fn compare(case: &str, base: &str, reference: &Numbers, variant: &str) {
    assert_ne!(variant, base, "{case}: the variant is none");
    let other = numbers(variant);
    let mut shared = 0;
    for (key, at) in &reference.arrivals {
        assert_eq!(other.arrivals.get(key), Some(at), "{case}: the arrival {key:?} moved");
    }
    for (key, run) in &reference.runs {
        if let Some(found) = other.runs.get(key) {
            assert_eq!(found, run, "{case}: the run {key:?} is another");
            shared += 1;
        }
    }
    assert!(shared > 1_000, "{case}: only {shared} runs in common");
}

/// The same of events: neither retries nor limits, faults or destinations move an arrival, change what the n-th run of
/// an event takes, or spare a poisoned one; and an event that a destination sent draws its own.
#[test]
fn variants_of_asynchronous_invocation_share_their_random_numbers() {
    let base = "duration: 2m
functions:
  f:
    duration: { lognormal: { median: 200ms, p99: 2s } }
    init: { exponential: { mean: 200ms } }
    timeout: 1m
    reserved_concurrency: 20
    failures: [{ poison: 10% }, { probability: 20%, after: 50% }]
    async: { on_success: g, on_failure: h }
  g: { duration: { exponential: { mean: 300ms } }, timeout: 1m, failures: [{ probability: 10% }] }
  h: { duration: { exponential: { mean: 100ms } }, timeout: 1m }
callers:
  a: { target: f, invocation: async, arrivals: { poisson: 10/s } }
  b: { target: f, arrivals: { poisson: 5/s }, client: { retry: none } }
queues: { q: {} }
";
    let with = |key: &str| base.replace("async: { on_success", &format!("async: {{ {key}, on_success"));
    let variants = [
        ("no retries", with("maximum_retry_attempts: 0")),
        ("one retry", with("maximum_retry_attempts: 1")),
        ("other waits", with("retry_delays: [1s, 5s], retry_from: start")),
        ("jitter", with("retry_jitter: full, backoff: { jitter: decorrelated }")),
        ("back-pressure", with("backpressure: { per: 1 }")),
        ("age", with("maximum_event_age: 1m, expiry: at_deadline")),
        ("latency", with("dispatch_latency: 300ms")),
        ("parallel", with("maximum_parallel_dispatch: 4")),
        ("duplicates", with("duplicate_probability: 50%")),
        ("late deliveries", with("delivery: { delay: 10s, attempts: 3 }")),
        ("dead letters", with("dead_letter_queue: q")),
        ("no destinations", base.replace("async: { on_success: g, on_failure: h }", "")),
        ("other destinations", base.replace("on_failure: h", "on_failure: q")),
        ("limit", base.replace("reserved_concurrency: 20", "reserved_concurrency: 6")),
        ("no limit", base.replace("    reserved_concurrency: 20\n", "")),
        ("refused calls", format!("{base}faults: [{{ function: f, status: 500, probability: 30% }}]\n")),
        ("refused deliveries", format!("{base}faults: [{{ function: g, status: 500, probability: 30% }}]\n")),
        (
            "refused dispatches",
            format!("{base}faults: [{{ function: f, stage: dispatch, status: 429, probability: 60% }}]\n"),
        ),
        (
            "a kill switch",
            format!(
                "{base}changes: [{{ at: 1m, set: {{ functions.f.reserved_concurrency: 0 }} }}, \
                 {{ at: 70s, set: {{ functions.f.reserved_concurrency: 20 }} }}]\n"
            ),
        ),
        ("late settings", format!("account: {{ configuration_propagation: 1m }}\n{base}")),
        ("cut", format!("drain: 0s\n{base}")),
    ];
    let reference = numbers(base);
    let of_destinations = reference.runs.keys().filter(|(_, _, branch, _)| *branch != 0).count();
    assert!(reference.arrivals.len() > 1_500 && of_destinations > 1_000);
    for (case, variant) in variants {
        compare(case, base, &reference, &variant);
    }
}

/// Two functions draw their own, though the event has come from one to the other.
#[test]
fn events_of_destinations_draw_anew() {
    let numbers = numbers(
        "duration: 1000s
functions:
  f: { duration: { exponential: { mean: 1s } }, timeout: 1m, async: { on_success: f } }
callers: { c: { target: f, invocation: async, arrivals: { constant: 1/s } } }",
    );
    assert_eq!(numbers.runs.len(), 16_000, "INV-5.7: chains of 16 runs");
    let mut durations: Vec<SimDuration> = numbers.runs.values().map(|(duration, _)| *duration).collect();
    durations.sort_unstable();
    durations.dedup();
    // Nanoseconds of a second: 16,000 draws share one by chance 0.13 times.
    assert!(durations.len() >= 15_998, "{} of 16,000", durations.len());
}

/// Each run of an event draws anew, and so does each event: no two durations are the same.
#[test]
fn every_run_draws_anew() {
    let runs = Facts::of(
        "duration: 100s
functions: { f: { duration: { exponential: { mean: 1s } }, timeout: 15m, failures: [{ first_attempts: 2 }] } }
callers:
  a: { target: f, arrivals: { constant: 10/s }, client: { retry: { max_attempts: 3, base: 0s }, retry_on: [any], timeout: unlimited } }
  b: { target: f, arrivals: { constant: 10/s }, client: { retry: { max_attempts: 3, base: 0s }, retry_on: [any], timeout: unlimited } }",
    )
    .runs();
    assert_eq!(runs.len(), 6_000);
    let mut durations: Vec<u64> = runs.iter().map(|run| run.ended().duration.to_bits()).collect();
    durations.sort_unstable();
    durations.dedup();
    // Nanoseconds of a second: 6,000 draws share one by chance 0.02 times.
    assert!(durations.len() >= 5_999, "{} of 6,000", durations.len());
}

/// The n-th pause of a user is the same in every variant: the first calls of a closed loop do not move.
#[test]
fn users_keep_their_pauses() {
    let first_calls = |duration: &str| -> Vec<SimTime> {
        let yaml = format!(
            "duration: 1m\nfunctions: {{ f: {{ duration: {duration} }} }}\n\
             callers: {{ c: {{ target: f, users: {{ count: 1, think: {{ exponential: {{ mean: 1s }} }} }} }} }}"
        );
        numbers(&yaml).arrivals.into_values().collect()
    };
    let (quick, slow) = (first_calls("0s"), first_calls("1s"));
    for (index, (quick, slow)) in quick.iter().zip(&slow).enumerate() {
        let answers = SimDuration::from_secs(u64::try_from(index).unwrap());
        assert_eq!(*slow, quick.plus(answers), "call {index}");
    }
    assert!(slow.len() > 10);
}

/// Another rate draws the same uniform numbers: arrivals come in the same proportions.
#[test]
fn a_poisson_process_is_stretched_by_its_rate() {
    let arrivals = |rate: u32| -> Vec<SimTime> {
        let yaml = format!(
            "duration: 10s\nfunctions: {{ f: {{ duration: 1ms }} }}\ncallers: {{ c: {{ target: f, arrivals: {{ poisson: {rate}/s }} }} }}"
        );
        numbers(&yaml).arrivals.into_values().collect()
    };
    for (slow, fast) in arrivals(20).iter().zip(&arrivals(40)) {
        assert!(slow.as_nanos().abs_diff(2 * fast.as_nanos()) < 2_000, "{slow:?} is not twice {fast:?}");
    }
}

/// Section 5 (1) before (2): an end frees concurrency for an arrival of the same instant.
#[test]
fn an_end_comes_before_an_arrival() {
    for (second, throttled) in [("999999999ns", 1.0), ("1s", 0.0)] {
        let yaml = format!(
            "duration: 10s\nfunctions: {{ f: {{ duration: 1s, reserved_concurrency: 1 }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ at: [0s, {second}] }}, client: {{ retry: none }} }} }}"
        );
        check_run(second, &yaml, &[("functions.f.throttles", throttled)]);
    }
}

/// Section 5 (1) before (3): an answer at exactly the client's time-out arrives.
#[test]
fn a_reply_comes_before_a_timeout() {
    for tail in ["0s", "1s"] {
        let yaml = format!(
            "duration: 10s\nfunctions: {{ f: {{ duration: 1s, extension_tail: {tail} }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ at: [0s] }}, client: {{ timeout: 1s, total_timeout: 1s }} }} }}"
        );
        check_run(tail, &yaml, &[("callers.c.succeeded", 1.0), ("callers.c.client_timeouts", 0.0)]);
    }
}

/// Section 5 (0): a change applies before an arrival of its instant; at 0 s it comes before everything.
#[test]
fn a_change_comes_before_an_arrival() {
    for (at, reserved, served) in [("10s", "none", [0.0, 1.0]), ("0s", "none", [1.0, 1.0]), ("10s", "0", [0.0, 0.0])] {
        let yaml = format!(
            "duration: 20s\nfunctions: {{ f: {{ duration: 1s, reserved_concurrency: 0 }} }}\n\
             callers:\n  \
               a: {{ target: f, arrivals: {{ at: [0s] }}, client: {{ retry: none }} }}\n  \
               b: {{ target: f, arrivals: {{ at: [10s] }}, client: {{ retry: none }} }}\n\
             changes: [{{ at: {at}, set: {{ functions.f.reserved_concurrency: {reserved} }} }}]"
        );
        check_run(
            &format!("{at}, {reserved}"),
            &yaml,
            &[("callers.a.succeeded", served[0]), ("callers.b.succeeded", served[1])],
        );
    }
}

/// Section 5 (0) before (1): a run that ends at the moment of a change meets the new settings.
#[test]
fn a_change_comes_before_an_end() {
    for (at, retired) in [("10s", true), ("10000000001ns", false)] {
        let facts = Facts::of(&format!(
            "duration: 20s
functions: {{ f: {{ duration: 10s, timeout: 20s }} }}
callers: {{ c: {{ target: f, arrivals: {{ at: [0s] }} }} }}
changes: [{{ at: {at}, set: {{ functions.f.maximum_environment_age: 1s }} }}]"
        ));
        assert_eq!(!facts.environments_ended(0).is_empty(), retired, "{at}");
    }
}

/// Two changes of one instant apply in the order of the file.
#[test]
fn changes_of_an_instant_apply_in_file_order() {
    for (first, second, served) in [(1, 5, 5.0), (5, 1, 1.0)] {
        let yaml = format!(
            "duration: 20s\nfunctions: {{ f: {{ duration: 1s }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ burst: {{ size: 5, at: 10s }} }}, client: {{ retry: none }} }} }}\n\
             changes:\n  \
               - {{ at: 10s, set: {{ functions.f.reserved_concurrency: {first} }} }}\n  \
               - {{ at: 10s, set: {{ functions.f.reserved_concurrency: {second} }} }}"
        );
        check_run(&format!("{first}, {second}"), &yaml, &[("callers.c.succeeded", served)]);
    }
}

/// Inside a class: order in the file, whatever the names, and whether callers are open or closed loops or try again.
#[test]
fn arrivals_of_an_instant_come_in_file_order() {
    let open = "{ target: f, arrivals: { at: [1s] }, client: { retry: none } }";
    let user = "{ target: f, users: { think: 1s }, max_events: 1, client: { retry: none } }";
    let retry = "{ target: f, arrivals: { at: [0s] }, client: { retry: { max_attempts: 2, base: 1s, jitter: none } } }";
    for first in [open, user, retry] {
        for second in [open, user, retry] {
            for names in [["a", "z"], ["z", "a"]] {
                // Everything is refused before 500 ms, so that the one who tries again does so at 1 s.
                let facts = Facts::of(&format!(
                    "duration: 20s\nfunctions: {{ f: {{ duration: 1s, reserved_concurrency: 0 }} }}\n\
                     callers:\n  {}: {first}\n  {}: {second}\n\
                     changes: [{{ at: 500ms, set: {{ functions.f.reserved_concurrency: 1 }} }}]",
                    names[0], names[1]
                ));
                let served: Vec<_> = facts.runs().iter().map(|run| (run.caller, run.start)).collect();
                assert_eq!(served, [(0, 1_000.0)], "{first} before {second}");
            }
        }
    }
}

/// Section 5 (2) before (3): a client's time-out comes after an arrival of its instant. The breaker that the time-out
/// opens lets that arrival pass and stops the next one.
#[test]
fn a_timeout_comes_after_an_arrival() {
    let facts = Facts::of(
        "duration: 20s
functions: { f: { duration: 3s, timeout: 10s } }
callers:
  c:
    target: f
    arrivals: { at: [0s, 1s, 1001ms] }
    client: { retry: none, timeout: 1s, circuit_breaker: { minimum_calls: 1, failures: 1%, open: 10s } }",
    );
    assert_eq!(facts.attempt_times(0), [0.0, 1_000.0]);
}

/// Section 5 (2) before (4): scaling in at the end of a minute comes after the arrivals of its instant.
#[test]
fn a_scaling_decision_comes_after_an_arrival() {
    let facts = Facts::of(
        "duration: 2m
functions:
  f: { duration: 1s, provisioned_concurrency: { initial: 2, min: 1, max: 2, target_utilization: 90%, scale_in_datapoints: 1 } }
callers: { c: { target: f, arrivals: { at: [0s, 60s, 60s, 62s, 62s] } } }",
    );
    let on_units: Vec<_> = facts.runs().iter().map(|run| run.capacity == Capacity::Provisioned).collect();
    assert_eq!(on_units, [true, true, true, true, false]);
}

/// What follows without delay comes before the next event of the instant: runs that take no time follow one another.
#[test]
fn consequences_without_delay_come_first() {
    check_run(
        "five runs of no length",
        "duration: 1s
functions: { f: { duration: 0s, reserved_concurrency: 1 } }
callers: { c: { target: f, arrivals: { burst: { size: 5 } }, client: { retry: none } } }",
        &[("callers.c.succeeded", 5.0), ("functions.f.environments.created", 1.0)],
    );
}

/// An environment's idle limit ends after the arrivals of its instant, whatever the order of choice.
#[test]
fn an_idle_limit_comes_after_an_arrival() {
    for selection in ["mru", "lru", "fifo", "random"] {
        let yaml = format!(
            "duration: 1m\nfunctions: {{ f: {{ duration: 1s, idle_timeout: 10s, warm_selection: {selection} }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ at: [0s, 11s, 22000000001ns] }} }} }}"
        );
        check_run(selection, &yaml, &[("functions.f.cold_starts", 2.0)]);
    }
}
